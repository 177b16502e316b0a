//! TLS under every request, by rustls.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use plimsoll_worker::{Env, Failure};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::exchange::{Dial, Plain};
use crate::server::Server;

/// TLS to the server that the environment names.
pub(crate) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    pub(crate) fn new(env: &Env, config: ClientConfig) -> Result<Self, Failure> {
        let name = ServerName::try_from(Server::of(&env.base_url)?.host.to_owned())?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }
}

impl Dial for Tls {
    type Stream = TlsStream<TcpStream>;

    async fn dial(&self, address: SocketAddr) -> io::Result<Self::Stream> {
        self.connector.connect(self.name.clone(), Plain.dial(address).await?).await
    }
}
