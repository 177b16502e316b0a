//! The one server that a provider speaks to, and how to get there.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustls_pki_types::ServerName;
use tokio::net::TcpStream;

use crate::config::Config;
use crate::error::Error;
use crate::gemini_proxied::ProxyAddress;
use crate::options::Options;

/// Where a provider's requests go.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The host as a connection wants it: an IPv6 address without brackets.
    host: Box<str>,
    port: u16,
    /// Its address, if it need not be asked for.
    known: Option<IpAddr>,
    /// The `Host` header's value.
    pub(crate) authority: Box<str>,
    /// Whose certificate it must show; `None`: plain HTTP.
    pub(crate) name: Option<ServerName<'static>>,
    /// What precedes the API's version in a path, without a slash at its end.
    pub(crate) prefix: Box<str>,
    /// The proxy that speaks to it for us, in the clear on our side.
    pub(crate) proxy: Option<ProxyAddress>,
}

impl Origin {
    /// Reads it out of a configuration that was checked.
    pub(crate) fn new(config: &Config, options: &Options) -> Result<Self, Error> {
        let wrong = || Error::config("base_url names no host: write it like https://example.com/prefix");
        let url = reqwest::Url::parse(config.base()).map_err(|_| wrong())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::config("base_url holds a user's name or password: this level sends none"));
        }
        let written = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let host = written.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_or_known_default().ok_or_else(wrong)?;
        let name = match url.scheme() {
            "https" => Some(ServerName::try_from(host.to_owned()).map_err(|_| wrong())?),
            _ => None,
        };
        let named = |known: &&crate::Resolve| known.port == port && known.host.eq_ignore_ascii_case(host);
        Ok(Self {
            known: options.resolve.iter().find(named).map(|known| known.addr).or_else(|| host.parse().ok()),
            authority: url.port().map_or(written.into(), |port| format!("{written}:{port}").into()),
            prefix: url.path().trim_end_matches('/').into(),
            host: host.into(),
            port,
            name,
            proxy: None,
        })
    }

    /// The base in one spelling, without a slash at its end.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.name.is_some() { "https://" } else { "http://" };
        [scheme, &self.authority, &self.prefix].concat()
    }

    /// The same server, spoken to by way of a proxy that does its TLS.
    pub(crate) fn through(self, proxy: ProxyAddress) -> Self {
        Self { name: None, proxy: Some(proxy), ..self }
    }

    /// Connects to the server itself, to one address after the other.
    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        let stream = match self.known {
            Some(addr) => TcpStream::connect(SocketAddr::new(addr, self.port)).await?,
            None => TcpStream::connect((&*self.host, self.port)).await?,
        };
        // A request is written at once and waits for nothing.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(base: &str, resolve: &[&str]) -> Result<Origin, Error> {
        let config = Config { base_url: Some(base.to_owned()), ..Config::default() };
        let resolve = resolve.iter().map(|known| known.parse().unwrap()).collect();
        Origin::new(&config, &Options { resolve, ..Options::default() })
    }

    #[test]
    fn the_parts_of_an_address() {
        let public = origin("https://example.com", &[]).unwrap();
        assert_eq!((&*public.authority, public.port, &*public.prefix), ("example.com", 443, ""));
        assert!(public.name.is_some() && public.known.is_none());
        let plain = origin("http://[::1]:8080/s/chat/", &["example.com:8080:10.0.0.1"]).unwrap();
        assert_eq!((&*plain.authority, plain.port, &*plain.prefix), ("[::1]:8080", 8080, "/s/chat"));
        assert_eq!((plain.name, plain.known), (None, Some("::1".parse().unwrap())));
    }

    #[test]
    fn a_known_address_counts_for_its_name_and_port_only() {
        let known = |resolve: &str| origin("https://Example.com:444", &[resolve]).unwrap().known;
        assert_eq!(known("example.com:444:10.0.0.1"), Some("10.0.0.1".parse().unwrap()));
        assert_eq!(known("example.com:443:10.0.0.1"), None);
        assert_eq!(known("example.org:444:10.0.0.1"), None);
    }

    #[test]
    fn a_password_is_refused_unseen() {
        let error = origin("https://me:secret@example.com", &[]).unwrap_err().to_string();
        assert!(error.contains("base_url") && !error.contains("secret"), "{error}");
    }
}
