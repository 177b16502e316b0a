//! Where a proxy listens: on this machine, and nowhere else.

use std::fmt;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::Error;

/// The address of a proxy on the same machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyAddress {
    /// A port of the loopback, e.g. `127.0.0.1:8443`.
    Tcp(SocketAddr),
    /// A Unix socket, e.g. `unix:/run/user/1000/gemini`: the file's permissions say who may speak to it and who may listen.
    #[cfg(unix)]
    Unix(PathBuf),
}

impl ProxyAddress {
    /// Refuses an address that is not on this machine: the key would travel in the clear.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Tcp(address) if !address.ip().to_canonical().is_loopback() => Err(Error::config(format!(
                "the proxy's address {address} is not on this machine, and the key would travel to it in the clear: \
                 use 127.0.0.1, [::1] or a Unix socket"
            ))),
            _ => Ok(()),
        }
    }
}

impl FromStr for ProxyAddress {
    type Err = Error;

    /// Reads `ADDRESS:PORT` or `unix:/PATH`.
    fn from_str(text: &str) -> Result<Self, Error> {
        #[cfg(unix)]
        if let Some(path) = text.strip_prefix("unix:").filter(|path| path.starts_with('/')) {
            return Ok(Self::Unix(path.into()));
        }
        let address = text.parse().map(Self::Tcp).map_err(|_| {
            Error::config(format!("{text:?} is no proxy's address: write it like 127.0.0.1:8443 or unix:/run/me/proxy"))
        })?;
        address.check()?;
        Ok(address)
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            #[cfg(unix)]
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in ["127.0.0.1:1", "[::1]:65535", "127.9.9.9:80", "unix:/run/me/proxy"] {
            assert_eq!(text.parse::<ProxyAddress>().unwrap().to_string(), text);
        }
        for text in ["", "localhost:1", "127.0.0.1", "unix:proxy", "http://127.0.0.1:1"] {
            let error = text.parse::<ProxyAddress>().unwrap_err().to_string();
            assert!(error.contains("is no proxy's address"), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_is_not_on_this_machine_is_refused() {
        for text in ["192.0.2.1:443", "0.0.0.0:443", "[2001:db8::1]:443", "[::]:1", "[::ffff:192.0.2.1]:1"] {
            let error = text.parse::<ProxyAddress>().unwrap_err().to_string();
            assert!(error.contains("not on this machine"), "{text:?}: {error}");
        }
        "[::ffff:127.0.0.1]:1".parse::<ProxyAddress>().unwrap();
    }
}
