//! What can be chosen about a provider besides its [`Config`](crate::Config).

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::error::Error;
use crate::retry::Retry;
use crate::technique::Techniques;

/// What can be chosen about a provider. The default is what the level does by itself.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whose certificates are trusted.
    pub trust: Trust,
    /// Who does the cryptography of TLS.
    pub crypto: Crypto,
    /// Which HTTP versions are offered.
    pub protocol: Protocol,
    /// Addresses that are known beforehand; the others are asked of the system's resolver.
    pub resolve: Vec<Resolve>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// How much to take in.
    pub limits: Limits,
    /// In which form streams are asked for.
    pub stream_form: StreamForm,
    /// When a call is sent again; by default never.
    pub retry: Retry,
    /// Which of the level's techniques are in force.
    pub techniques: Techniques,
}

/// Whose certificates are trusted. Verification itself is never switched off.
#[derive(Clone, Default)]
pub enum Trust {
    /// The operating system's verifier and roots.
    #[default]
    Platform,
    /// Mozilla's roots, compiled in.
    WebPkiRoots,
    /// The roots in a PEM file and no others.
    PemFile(PathBuf),
    /// The roots in this PEM text and no others.
    Pem(Vec<u8>),
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("Platform"),
            Self::WebPkiRoots => f.write_str("WebPkiRoots"),
            Self::PemFile(path) => f.debug_tuple("PemFile").field(path).finish(),
            Self::Pem(text) => write!(f, "Pem({} bytes)", text.len()),
        }
    }
}

/// Who does the cryptography of TLS. It belongs to the provider's own configuration; no process-wide default is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crypto {
    /// What the level's HTTP client comes with; for a client of our own, ring, which takes the least memory.
    #[default]
    Default,
    /// [ring](https://docs.rs/ring).
    Ring,
    /// [AWS-LC](https://docs.rs/aws-lc-rs).
    AwsLc,
}

impl FromStr for Crypto {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "" | "default" => Ok(Self::Default),
            "ring" => Ok(Self::Ring),
            "aws-lc" => Ok(Self::AwsLc),
            other => Err(Error::config(format!("unknown cryptography {other:?}: use ring or aws-lc"))),
        }
    }
}

/// Which HTTP versions are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// What the level offers by itself.
    #[default]
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only; without TLS by prior knowledge.
    Http2,
}

impl FromStr for Protocol {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "" | "auto" => Ok(Self::Auto),
            "h1" => Ok(Self::Http1),
            "h2" => Ok(Self::Http2),
            other => Err(Error::config(format!("unknown protocol {other:?}: use h1 or h2"))),
        }
    }
}

/// In which form a stream is asked for. The events are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamForm {
    /// Server-sent events, by `alt=sse`.
    #[default]
    Sse,
    /// One JSON array, an element for each event: what the API does without `alt=sse`.
    Array,
}

/// An address that is known beforehand: connecting to `host:port` goes there without DNS. Names in TLS stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The host name, as in the URL.
    pub host: String,
    /// The port, as in the URL.
    pub port: u16,
    /// Where it is.
    pub addr: IpAddr,
}

impl FromStr for Resolve {
    type Err = Error;

    /// Reads `HOST:PORT:ADDRESS`; an IPv6 address may stand in brackets.
    fn from_str(text: &str) -> Result<Self, Error> {
        let read = || {
            let (host, rest) = text.split_once(':')?;
            let (port, addr) = rest.split_once(':')?;
            let addr = addr.strip_prefix('[').and_then(|addr| addr.strip_suffix(']')).unwrap_or(addr);
            (!host.is_empty()).then_some(())?;
            Some(Self { host: host.to_owned(), port: port.parse().ok()?, addr: addr.parse().ok()? })
        };
        read().ok_or_else(|| Error::config(format!("{text:?} is no HOST:PORT:ADDRESS, e.g. example.com:443:192.0.2.1")))
    }
}

/// How long to wait for what. `None` leaves it to the level and [`timeout_ms`](crate::Config::timeout_ms).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// For a connection, TLS included. By default 10 s.
    pub connect: Option<Duration>,
    /// For the head of the answer, from the call, connecting included. By default `timeout_ms`.
    pub header: Option<Duration>,
    /// For the next bytes of the answer's body. By default `timeout_ms`.
    pub idle: Option<Duration>,
    /// For the whole call. By default `timeout_ms` for `generate` and no limit for `stream`.
    pub total: Option<Duration>,
}

/// How much to take in. A bound for hostile or broken servers, far above what the API is known to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest body of one answer after decompression, in bytes.
    pub max_body: usize,
    /// The longest event of a stream, in bytes.
    pub max_event: usize,
}

impl Default for Limits {
    /// 64 MiB and 16 MiB: images come as base64 in JSON, and one event with a thought signature of 1.5 MB was seen.
    fn default() -> Self {
        Self { max_body: 64 << 20, max_event: 16 << 20 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolve_reads_both_address_families() {
        let v4: Resolve = "localhost:34567:127.0.0.1".parse().unwrap();
        assert_eq!(v4, Resolve { host: "localhost".into(), port: 34567, addr: "127.0.0.1".parse().unwrap() });
        let v6: Resolve = "localhost:443:[::1]".parse().unwrap();
        assert_eq!(v6.addr, "::1".parse::<IpAddr>().unwrap());
        assert_eq!("localhost:443:::1".parse::<Resolve>().unwrap(), v6);
    }

    #[test]
    fn resolve_refuses_what_is_not_whole() {
        for text in ["", "localhost", "localhost:443", ":443:127.0.0.1", "localhost:x:127.0.0.1", "localhost:443:here"]
        {
            let error = text.parse::<Resolve>().unwrap_err().to_string();
            assert!(error.contains("HOST:PORT:ADDRESS"), "{text:?}: {error}");
        }
    }

    #[test]
    fn names_of_choices() {
        assert_eq!("ring".parse::<Crypto>().unwrap(), Crypto::Ring);
        assert_eq!("aws-lc".parse::<Crypto>().unwrap(), Crypto::AwsLc);
        assert_eq!("".parse::<Crypto>().unwrap(), Crypto::Default);
        assert!("openssl".parse::<Crypto>().is_err());
        assert_eq!("h1".parse::<Protocol>().unwrap(), Protocol::Http1);
        assert_eq!("h2".parse::<Protocol>().unwrap(), Protocol::Http2);
        assert!("h3".parse::<Protocol>().is_err());
    }
}
