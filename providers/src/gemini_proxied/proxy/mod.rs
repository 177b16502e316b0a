//! A proxy that does TLS for processes that do none: plain HTTP/1.1 on this machine, verified TLS to one server.
//!
//! - `request`: requests on their way, passed on unchanged but for their `Host`.
//!
//! A connection on this side is a connection on that side, made when the first request comes and ended with it, so that what either side
//! keeps, drops or breaks off is seen by the other. Bodies pass as they come, through a buffer of bounded size each way; what a reader
//! does not take is not read from the writer. The number of connections is bounded, too: further ones wait to be accepted.

mod request;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::ProxyAddress;
use crate::config::Config;
use crate::error::Error;
use crate::net;
use crate::net::Origin;
use crate::options::{Options, Protocol};
use request::Requests;

/// Connections at a time; each is one towards the server, too.
const MAX_CONNECTIONS: usize = 4_096;
/// How long making a connection to the server may take, unless [`Timeouts::connect`](crate::Timeouts) says otherwise.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes that are taken at once, each way.
const BUFFER: usize = 8 << 10;
/// How long nobody is accepted after that failed, for want of file descriptors say.
const PAUSE: Duration = Duration::from_millis(100);

/// A proxy that listens. It holds no key: keys pass through it.
#[derive(Debug)]
pub struct TlsProxy {
    listener: Listener,
    server: Arc<Server>,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, ProxyAddress),
}

/// The one server.
struct Server {
    origin: Origin,
    tls: Option<TlsConnector>,
    connect: Duration,
}

impl TlsProxy {
    /// Listens at `address` for requests to the server of `base_url`, whose path does not matter. Port 0: any that is free. Of `options`,
    /// trust, crypto, resolve and the connect timeout are used. A socket's file must not be there yet.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for what cannot work.
    pub async fn bind(address: &ProxyAddress, base_url: &str, options: &Options) -> Result<Self, Error> {
        address.check()?;
        let origin = Origin::new(&Config { base_url: Some(base_url.to_owned()), ..Config::default() }, options)?;
        let tls = match origin.name {
            None => None,
            Some(_) => {
                let config = net::lean_tls_config(&options.trust, options.crypto, Protocol::Http1)?;
                Some(TlsConnector::from(Arc::new(config)))
            }
        };
        let listening = match address {
            ProxyAddress::Tcp(address) => TcpListener::bind(address).await.map(Listener::Tcp),
            #[cfg(unix)]
            ProxyAddress::Unix(path) => UnixListener::bind(path).map(|l| Listener::Unix(l, address.clone())),
        };
        let listener =
            listening.map_err(|error| Error::config(format!("the proxy cannot listen at {address}: {error}")))?;
        let connect = options.timeouts.connect.unwrap_or(CONNECT);
        Ok(Self { listener, server: Arc::new(Server { origin, tls, connect }) })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when the system does not say.
    pub fn address(&self) -> Result<ProxyAddress, Error> {
        match &self.listener {
            Listener::Tcp(listener) => listener
                .local_addr()
                .map(ProxyAddress::Tcp)
                .map_err(|error| Error::config(format!("the proxy does not know where it listens: {error}"))),
            #[cfg(unix)]
            Listener::Unix(_, address) => Ok(address.clone()),
        }
    }

    /// Passes requests on until it is dropped, and all connections with it.
    pub async fn serve(self) {
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let server = Arc::clone(&self.server);
            let accepted = match &self.listener {
                Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(async move {
                        server.pass(stream).await;
                        drop(place);
                    })
                }),
                #[cfg(unix)]
                Listener::Unix(listener, _) => listener.accept().await.map(|(stream, _)| {
                    connections.spawn(async move {
                        server.pass(stream).await;
                        drop(place);
                    })
                }),
            };
            if let Err(error) = accepted {
                tracing::warn!(%error, "the proxy cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// A connection on this machine.
trait Local: AsyncRead + AsyncWrite + Unpin {
    /// Makes its end a break: what was sent so far must not be taken for all. A Unix socket knows no such thing; there only lengths and
    /// chunks, which the API always sends, tell a cut answer from a whole one.
    fn break_off(&self);
}

impl Local for TcpStream {
    fn break_off(&self) {
        // With no time to linger a close is a reset.
        let _ = self.set_zero_linger();
    }
}

#[cfg(unix)]
impl Local for UnixStream {
    fn break_off(&self) {}
}

impl Server {
    /// Passes one connection's requests and answers.
    async fn pass(&self, mut local: impl Local) {
        let mut requests = Requests::new(&self.origin.authority);
        match requests.head(&mut local).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return refuse(local, "400 Bad Request", &error).await,
        }
        let opened = tokio::time::timeout(self.connect, self.origin.connect());
        let late = || io::Error::new(io::ErrorKind::TimedOut, "no connection in time");
        let stream = match opened.await.unwrap_or_else(|_| Err(late())) {
            Ok(stream) => stream,
            Err(error) => return refuse(local, "502 Bad Gateway", &error).await,
        };
        match (&self.tls, &self.origin.name) {
            (Some(tls), Some(name)) => {
                let secured = tokio::time::timeout(self.connect, tls.connect(name.clone(), stream));
                match secured.await.unwrap_or_else(|_| Err(late())) {
                    Ok(remote) => both_ways(local, remote, requests).await,
                    Err(error) => refuse(local, "502 Bad Gateway", &error).await,
                }
            }
            _ => both_ways(local, stream, requests).await,
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} by {}", self.origin.authority, if self.tls.is_some() { "TLS" } else { "TCP" })
    }
}

/// Passes requests one way and answers the other, until either side ends.
async fn both_ways(local: impl Local, remote: impl AsyncRead + AsyncWrite + Unpin, mut requests: Requests<'_>) {
    let (mut local_read, mut local_write) = tokio::io::split(local);
    let (mut remote_read, mut remote_write) = tokio::io::split(remote);
    let whole = {
        let mut answering = pin!(answers(&mut remote_read, &mut local_write));
        tokio::select! {
            passed = requests.pass(&mut local_read, &mut remote_write) => match passed {
                // What the server says of a request counts for more than that it took no more of it. The rest of the request goes
                // nowhere; whoever asked need not get stuck with it.
                Ok(false) => {
                    let mut nowhere = tokio::io::sink();
                    tokio::select! {
                        _ = tokio::io::copy(&mut local_read, &mut nowhere) => true,
                        answered = &mut answering => answered.is_ok(),
                    }
                }
                // Whoever asked hung up: so do we, and the server stops working for nobody.
                _ => true,
            },
            answered = &mut answering => answered.is_ok(),
        }
    };
    if whole {
        let _ = local_write.shutdown().await;
        let _ = remote_write.shutdown().await;
    } else {
        local_read.unsplit(local_write).break_off();
    }
}

/// Passes what the server says, as it says it. An error, unless the server itself ended it.
async fn answers(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..count]).await?;
    }
}

/// Says why a request is not passed on, and ends.
async fn refuse(mut local: impl Local, status: &str, why: &io::Error) {
    tracing::debug!(status, error = %why, "the proxy refuses a request");
    let body = format!("the TLS proxy: {}", crate::error::chain(why));
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // Whoever asked may be gone.
    let _ = local.write_all([head, body].concat().as_bytes()).await;
    let _ = local.shutdown().await;
}
