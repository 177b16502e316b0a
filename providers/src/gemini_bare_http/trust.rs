//! TLS's configuration, with the roots read one after the other: all of a bundle at once is a quarter of a mebibyte that the heap keeps.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::error::Error;
use crate::net::{self, Sessions};
use crate::options::{Crypto, Protocol, Trust};

/// A configuration that offers HTTP/1.1, remembers one server's sessions, and verifies every certificate.
pub(super) fn config(trust: &Trust, crypto: Crypto) -> Result<ClientConfig, Error> {
    let roots = match trust {
        Trust::Platform => return net::tls_config(trust, crypto, Protocol::Http1, Sessions::One),
        Trust::WebPkiRoots => {
            let mut roots = RootCertStore::empty();
            // They are compiled in: what is passed on is a reference.
            roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
            roots
        }
        Trust::Pem(pem) => read(&pem[..], "the trust bundle")?,
        Trust::PemFile(path) => {
            let what = format!("the trust bundle {}", path.display());
            let file = File::open(path).map_err(|error| Error::config(format!("cannot read {what}: {error}")))?;
            read(file, &what)?
        }
    };
    let provider = match crypto {
        Crypto::Default | Crypto::AwsLc => rustls::crypto::aws_lc_rs::default_provider(),
        Crypto::Ring => rustls::crypto::ring::default_provider(),
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(1);
    Ok(config)
}

fn read(pem: impl Read, what: &str) -> Result<RootCertStore, Error> {
    let (mut roots, mut found) = (RootCertStore::empty(), false);
    for root in CertificateDer::pem_reader_iter(pem) {
        let root = root.map_err(|error| Error::config(format!("{what} is not PEM: {error}")))?;
        found = true;
        // One that cannot be read is passed over: what it would vouch for is not trusted.
        let _ = roots.add(root);
    }
    match (found, roots.is_empty()) {
        (false, _) => Err(Error::config(format!("{what} holds no certificate in PEM form"))),
        (true, true) => Err(Error::config(format!("none of the root certificates in {what} can be read"))),
        (true, false) => {
            roots.roots.shrink_to_fit();
            Ok(roots)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_can_be_set_up() {
        for crypto in [Crypto::Default, Crypto::Ring, Crypto::AwsLc] {
            assert_eq!(config(&Trust::WebPkiRoots, crypto).unwrap().alpn_protocols, [b"http/1.1"]);
        }
    }

    #[test]
    fn a_bundle_that_cannot_be_read_says_which() {
        let error = config(&Trust::PemFile("/nowhere/ca.pem".into()), Crypto::Ring).unwrap_err();
        assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
            assert!(config(&Trust::Pem(pem.into()), Crypto::Ring).is_err(), "{pem:?}");
        }
    }
}
