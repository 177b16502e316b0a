//! The service, over verified TLS and HTTP/1.1: a connection for each request, since a recording is not measured.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery};
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Options, RecordError};

/// Where requests go.
pub(super) struct Upstream {
    /// Host, and port where it is not 443: what `Host` says.
    pub(super) authority: Authority,
    name: ServerName<'static>,
    port: u16,
    address: Option<IpAddr>,
    prefix: String,
    connector: TlsConnector,
}

impl Upstream {
    pub(super) fn new(options: &Options) -> Result<Self, RecordError> {
        let wrong = |why: &str| RecordError::Upstream { url: options.upstream.clone(), why: why.to_owned() };
        let url: Uri = options.upstream.trim_end_matches('/').parse().map_err(|_| wrong("it is no URL"))?;
        if url.scheme_str() != Some("https") {
            return Err(wrong("it is not https, and the key must not travel in the clear"));
        }
        let authority =
            url.authority().filter(|a| !a.as_str().contains('@')).ok_or_else(|| wrong("it names no host"))?;
        let host = authority.host().to_owned();
        let port = authority.port_u16().unwrap_or(443);
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
        let address = match &options.access.resolve {
            Some(resolve) if (resolve.host.as_str(), resolve.port) != (host.as_str(), port) => {
                return Err(wrong(&format!("--resolve {resolve} is for another host or port")));
            }
            resolve => resolve.as_ref().map(|resolve| resolve.address),
        };
        let (pem, _) = options.access.trust().map_err(RecordError::Roots)?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok));
        let unusable = |error: rustls::Error| RecordError::Roots(format!("TLS cannot be set up: {error}"));
        let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            authority: authority.clone(),
            name: name.map_err(|_| wrong("its host is no name"))?,
            port,
            address,
            prefix: url.path().trim_end_matches('/').to_owned(),
            connector: TlsConnector::from(Arc::new(tls)),
        })
    }

    /// The path to ask for, behind the upstream's own.
    pub(super) fn path(&self, asked: &PathAndQuery) -> String {
        format!("{}{asked}", self.prefix)
    }

    /// Asks; the error is a sentence.
    pub(super) async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, String> {
        let host = self.authority.host();
        let tcp = match self.address {
            Some(address) => TcpStream::connect((address, self.port)).await,
            None => TcpStream::connect((host.trim_matches(['[', ']']), self.port)).await,
        };
        let tcp = tcp.map_err(|e| format!("cannot connect to {host}: {e}"))?;
        let tls = self.connector.connect(self.name.clone(), tcp).await;
        let tls = tls.map_err(|e| format!("cannot agree on TLS with {host}: {e}"))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls))
            .await
            .map_err(|e| format!("cannot speak to {host}: {e}"))?;
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(|e| format!("{host} did not answer: {e}"))
    }
}
