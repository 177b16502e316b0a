//! What a helper is told once, before its first request: all that the provider was told, and the key.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::Error;
use crate::options::{Crypto, Limits, Options, Protocol, Resolve, Timeouts, Trust};

/// The setup of a helper. It holds the key, and has no `Debug`.
#[derive(Serialize, Deserialize)]
pub(super) struct Setup {
    key: String,
    base_url: Option<String>,
    timeout_ms: u64,
    trust: Roots,
    crypto: String,
    protocol: String,
    resolve: Vec<(String, u16, std::net::IpAddr)>,
    connect: Option<Duration>,
    header: Option<Duration>,
    idle: Option<Duration>,
    total: Option<Duration>,
    max_body: usize,
    /// Resident bytes past which the helper asks to be relieved.
    pub(super) max_rss: u64,
}

#[derive(Serialize, Deserialize)]
enum Roots {
    Platform,
    WebPki,
    PemFile(PathBuf),
    Pem(String),
}

impl Setup {
    pub(super) fn new(config: &Config, options: &Options, max_rss: u64) -> Self {
        let Timeouts { connect, header, idle, total } = options.timeouts;
        Self {
            key: config.api_key.clone(),
            base_url: config.base_url.clone(),
            timeout_ms: config.timeout_ms,
            trust: match &options.trust {
                Trust::Platform => Roots::Platform,
                Trust::WebPkiRoots => Roots::WebPki,
                Trust::PemFile(path) => Roots::PemFile(path.clone()),
                // PEM is ASCII; what is not will be refused by whoever reads it.
                Trust::Pem(text) => Roots::Pem(String::from_utf8_lossy(text).into_owned()),
            },
            crypto: match options.crypto {
                Crypto::Default => "default",
                Crypto::Ring => "ring",
                Crypto::AwsLc => "aws-lc",
            }
            .to_owned(),
            protocol: match options.protocol {
                Protocol::Auto => "auto",
                Protocol::Http1 => "h1",
                Protocol::Http2 => "h2",
            }
            .to_owned(),
            resolve: options.resolve.iter().map(|known| (known.host.clone(), known.port, known.addr)).collect(),
            connect,
            header,
            idle,
            total,
            max_body: options.limits.max_body,
            max_rss,
        }
    }

    /// Configuration and options, as the provider had them.
    pub(super) fn into_parts(self) -> Result<(Config, Options), Error> {
        let Self { connect, header, idle, total, .. } = self;
        let options = Options {
            trust: match self.trust {
                Roots::Platform => Trust::Platform,
                Roots::WebPki => Trust::WebPkiRoots,
                Roots::PemFile(path) => Trust::PemFile(path),
                Roots::Pem(text) => Trust::Pem(text.into_bytes()),
            },
            crypto: self.crypto.parse()?,
            protocol: self.protocol.parse()?,
            resolve: self.resolve.into_iter().map(|(host, port, addr)| Resolve { host, port, addr }).collect(),
            timeouts: Timeouts { connect, header, idle, total },
            limits: Limits { max_body: self.max_body, ..Limits::default() },
            ..Options::default()
        };
        let config =
            Config { api_key: self.key, base_url: self.base_url, timeout_ms: self.timeout_ms, ..Config::default() };
        Ok((config, options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_is_told_all_that_the_provider_was_told() {
        let config = Config { api_key: "k".into(), base_url: Some("http://localhost:1/p".into()), ..Config::default() };
        for (trust, crypto, protocol) in [
            (Trust::Platform, Crypto::Default, Protocol::Auto),
            (Trust::WebPkiRoots, Crypto::Ring, Protocol::Http1),
            (Trust::PemFile("/x".into()), Crypto::AwsLc, Protocol::Http2),
            (Trust::Pem(b"pem".to_vec()), Crypto::Ring, Protocol::Auto),
        ] {
            let second = Some(Duration::new(1, 5));
            let options = Options {
                trust,
                crypto,
                protocol,
                resolve: vec!["a:1:127.0.0.1".parse().unwrap(), "b:2:::1".parse().unwrap()],
                timeouts: Timeouts { connect: None, header: second, idle: None, total: second },
                limits: Limits { max_body: 77, ..Limits::default() },
                ..Options::default()
            };
            let json = serde_json::to_vec(&Setup::new(&config, &options, 9)).unwrap();
            let (told, with) = serde_json::from_slice::<Setup>(&json).unwrap().into_parts().unwrap();
            assert_eq!(told, config);
            assert_eq!(format!("{with:?}"), format!("{options:?}"));
        }
    }
}
