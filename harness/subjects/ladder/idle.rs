//! A TLS configuration that is there and not used.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::net::TcpStream;

use crate::exchange::{Dial, Plain};

/// Requests go without TLS, beside a configuration for it.
pub(crate) struct Idle(#[expect(dead_code, reason = "it is kept for what it takes")] Arc<ClientConfig>);

impl Idle {
    pub(crate) fn new(config: ClientConfig) -> Self {
        Self(Arc::new(config))
    }
}

impl Dial for Idle {
    type Stream = TcpStream;

    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        Plain.dial(address).await
    }
}
