//! What every transfer of a provider is told, set once on each easy handle.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use curl::easy::{Easy2, HttpVersion, List, SslOpt};
use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Method};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::transfer::Transfer;
use crate::config::Config;
use crate::error::Error;
use crate::net::{API_KEY_HEADER, Address, ApiKey};
use crate::options::{Crypto, Options, Protocol, Resolve, Trust};

/// As little as libcurl takes: requests are short, and the default of 64 KiB is allocated for each.
const UPLOAD_BUFFER: usize = 16 << 10;
/// Longer than the pauses of a service that is in use, shorter than servers and what stands before them usually wait.
const MAX_IDLE_AGE: Duration = Duration::from_secs(55);
/// What libcurl can count, in milliseconds.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// The settings of a provider's transfers.
#[derive(Debug)]
pub(super) struct Setup {
    key: ApiKey,
    roots: Roots,
    protocol: Protocol,
    resolve: Vec<Resolve>,
    pub(super) connect: Duration,
}

/// Whose certificates are trusted.
enum Roots {
    /// The operating system's verifier and roots.
    Platform,
    /// A file that libcurl reads.
    File(PathBuf),
    /// PEM text. libcurl copies it for each handle and each connection.
    Text(Arc<[u8]>),
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("Platform"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
        }
    }
}

/// The base's address as it was understood: libcurl must not read it otherwise than it was checked.
pub(super) fn base(config: &Config) -> Result<String, Error> {
    let url = Address::parse(config.base())?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Error::config("base_url names no host: write it like https://example.com/prefix"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::config("base_url holds a user's name or password: this level sends none"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

impl Setup {
    pub(super) fn new(options: &Options, key: &ApiKey, connect: Duration) -> Result<Self, Error> {
        if options.crypto == Crypto::Ring {
            return Err(Error::config("libcurl is built with AWS-LC: choose aws-lc, or another level"));
        }
        Ok(Self {
            key: key.clone(),
            roots: roots(&options.trust)?,
            protocol: options.protocol,
            resolve: options.resolve.clone(),
            connect,
        })
    }

    /// A handle for requests of any kind to the provider's server.
    pub(super) fn handle(&self) -> Result<Easy2<Transfer>, curl::Error> {
        let mut easy = Easy2::new(Transfer::idle());
        match &self.roots {
            Roots::Platform => easy.ssl_options(SslOpt::new().native_ca(true))?,
            Roots::File(path) => easy.cainfo(path)?,
            Roots::Text(text) => easy.ssl_cainfo_blob(text)?,
        }
        easy.http_version(match self.protocol {
            Protocol::Auto => HttpVersion::V2TLS,
            Protocol::Http1 => HttpVersion::V11,
            Protocol::Http2 => HttpVersion::V2PriorKnowledge,
        })?;
        // Calls that begin together share a connection where they can, instead of making one each before it is known that they can.
        easy.pipewait(self.protocol != Protocol::Http1)?;
        if !self.resolve.is_empty() {
            let mut list = List::new();
            for Resolve { host, port, addr } in &self.resolve {
                let addr = if addr.is_ipv6() { format!("[{addr}]") } else { addr.to_string() };
                list.append(&format!("{host}:{port}:{addr}"))?;
            }
            easy.resolve(list)?;
        }
        easy.connect_timeout(self.connect.clamp(Duration::from_millis(1), LONGEST))?;
        easy.maxage_conn(MAX_IDLE_AGE)?;
        easy.upload_buffer_size(UPLOAD_BUFFER)?;
        easy.accept_encoding("gzip")?;
        Ok(easy)
    }

    /// The fields of a request for content.
    pub(super) fn content_fields(&self) -> Result<List, curl::Error> {
        let mut list = self.own_fields()?;
        list.append("content-type: application/json")?;
        Ok(list)
    }

    /// The fields of a call: its own but for those that say whom it goes to, where it ends and how the answer may come.
    pub(super) fn call_fields(&self, headers: &HeaderMap) -> Result<List, curl::Error> {
        let mut list = self.own_fields()?;
        let ours = [HOST, API_KEY_HEADER, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT];
        for (name, value) in headers.iter().filter(|(name, _)| !ours.contains(name)) {
            let value = String::from_utf8_lossy(value.as_bytes());
            // Without a value libcurl takes the line for an order to leave the field out.
            list.append(&if value.trim().is_empty() { format!("{name};") } else { format!("{name}: {value}") })?;
        }
        Ok(list)
    }

    fn own_fields(&self) -> Result<List, curl::Error> {
        let mut list = List::new();
        let key = self.key.header();
        list.append(&format!("{API_KEY_HEADER}: {}", String::from_utf8_lossy(key.as_bytes())))?;
        // Nobody is asked whether a long body may come.
        list.append("expect:")?;
        Ok(list)
    }
}

/// Makes a handle ask by `method`, with a body of `length` bytes.
pub(super) fn method(easy: &mut Easy2<Transfer>, method: &Method, length: u64) -> Result<(), curl::Error> {
    let sends = length > 0 || [Method::POST, Method::PUT, Method::PATCH].contains(method);
    match *method {
        Method::HEAD => return easy.nobody(true),
        _ if sends => {
            easy.post(true)?;
            easy.post_field_size(length)?;
        }
        _ => easy.get(true)?,
    }
    if *method == Method::POST || *method == Method::GET && !sends {
        return Ok(());
    }
    easy.custom_request(method.as_str())
}

fn roots(trust: &Trust) -> Result<Roots, Error> {
    Ok(match trust {
        Trust::Platform => Roots::Platform,
        Trust::PemFile(path) => {
            let what = format!("the trust bundle {}", path.display());
            let file = File::open(path).map_err(|error| Error::config(format!("cannot read {what}: {error}")))?;
            check(file, &what)?;
            Roots::File(path.clone())
        }
        Trust::Pem(text) => {
            check(&text[..], "the trust bundle")?;
            Roots::Text(text.as_slice().into())
        }
        Trust::WebPkiRoots => Roots::Text(pem(webpki_root_certs::TLS_SERVER_ROOT_CERTS).into_bytes().into()),
    })
}

/// Refuses what libcurl could not use, before there is a connection that needs it.
fn check(pem: impl Read, what: &str) -> Result<(), Error> {
    let mut found = false;
    for root in CertificateDer::pem_reader_iter(pem) {
        root.map_err(|error| Error::config(format!("{what} is not PEM: {error}")))?;
        found = true;
    }
    if found { Ok(()) } else { Err(Error::config(format!("{what} holds no certificate in PEM form"))) }
}

/// Certificates as PEM text.
fn pem(roots: &[CertificateDer<'_>]) -> String {
    let mut text = String::new();
    for root in roots {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        BASE64_STANDARD.encode_string(root, &mut text);
        text.push_str("\n-----END CERTIFICATE-----\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_in_roots_survive_being_text() {
        let text = pem(webpki_root_certs::TLS_SERVER_ROOT_CERTS);
        let read: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(read, webpki_root_certs::TLS_SERVER_ROOT_CERTS);
    }

    #[test]
    fn a_bundle_that_cannot_be_read_says_which() {
        let error = roots(&Trust::PemFile("/nowhere/ca.pem".into())).unwrap_err();
        assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
            assert!(roots(&Trust::Pem(pem.into())).is_err(), "{pem:?}");
        }
    }

    #[test]
    fn the_base_is_normal_and_has_no_password() {
        let base = |text: &str| base(&Config { base_url: Some(text.to_owned()), ..Config::default() });
        assert_eq!(base("HTTPS://Example.com:443/s/../a/").unwrap(), "https://example.com/a");
        let error = base("https://me:secret@example.com").unwrap_err().to_string();
        assert!(error.contains("base_url") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn every_choice_makes_a_handle() {
        let key = ApiKey::new("k").unwrap();
        for trust in [Trust::Platform, Trust::WebPkiRoots] {
            for protocol in [Protocol::Auto, Protocol::Http1, Protocol::Http2] {
                let options = Options {
                    trust: trust.clone(),
                    protocol,
                    resolve: vec!["localhost:1:[::1]".parse().unwrap()],
                    ..Options::default()
                };
                for connect in [Duration::ZERO, Duration::MAX] {
                    Setup::new(&options, &key, connect).unwrap().handle().unwrap();
                }
            }
        }
        let ring = Options { crypto: Crypto::Ring, ..Options::default() };
        assert!(Setup::new(&ring, &key, LONGEST).unwrap_err().to_string().contains("aws-lc"));
    }
}
