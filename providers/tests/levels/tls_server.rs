//! A server that speaks TLS with whatever certificate a test wants, and remembers whom it let in and what it was asked.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::Response;
use plimsoll_providers::{Options, Trust};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::server::{answer, event, read_request};

/// The name that the levels ask for; nothing resolves it but [`TlsServer::options`].
pub(crate) const NAME: &str = "levels.plimsoll.test";

/// When a certificate is good.
#[derive(Clone, Copy)]
pub(crate) enum Valid {
    Now,
    Formerly,
    InTheFuture,
}

/// Whoever signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// What a client that trusts this authority and no other is given.
    pub(crate) fn trust(&self) -> Trust {
        Trust::Pem(self.0.pem().into_bytes())
    }

    /// A server that shows a certificate for `name` and offers `alpn`.
    pub(crate) fn certify(&self, name: &str, valid: Valid, alpn: &[&str]) -> ServerConfig {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        let (from, to) = match valid {
            Valid::Now => (2020, 2120),
            Valid::Formerly => (2020, 2021),
            Valid::InTheFuture => (2119, 2120),
        };
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        params.is_ca = IsCa::ExplicitNoCa;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.0).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key).unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    }
}

/// What a server saw.
#[derive(Default)]
pub(crate) struct Seen {
    /// The names that clients asked for in the handshakes that were finished, and the protocols that were agreed on.
    pub(crate) handshakes: Vec<(Option<String>, Option<String>)>,
    /// Requests, heads as text.
    pub(crate) requests: Vec<String>,
}

pub(crate) struct TlsServer {
    pub(crate) port: u16,
    seen: Arc<Mutex<Seen>>,
    ended: watch::Sender<usize>,
    task: tokio::task::JoinHandle<()>,
}

impl TlsServer {
    /// Answers every request over TLS, in the protocol that was agreed on.
    pub(crate) async fn new(config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::serving(move |stream, seen| {
            let acceptor = acceptor.clone();
            async move {
                let tls = acceptor.accept(stream).await?;
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let name = tls.get_ref().1.server_name().map(str::to_owned);
                let protocol = tls.get_ref().1.alpn_protocol().map(text);
                let two = protocol.as_deref() == Some("h2");
                lock(&seen).handshakes.push((name, protocol));
                if two { over_h2(tls, &seen).await } else { over_h1(tls, &seen).await }
            }
        })
        .await
    }

    /// Answers every request over HTTP/2 without TLS.
    pub(crate) async fn plain_http2() -> Self {
        Self::serving(|stream, seen| async move { over_h2(stream, &seen).await }).await
    }

    async fn serving<F>(serve: impl Fn(TcpStream, Arc<Mutex<Seen>>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, ended) = (Arc::new(Mutex::new(Seen::default())), watch::Sender::new(0));
        let task = tokio::spawn({
            let (seen, ended) = (seen.clone(), ended.clone());
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (served, ended) = (serve(stream, seen.clone()), ended.clone());
                    tokio::spawn(async move {
                        // A client that turns away is what the tests are about.
                        let _ = served.await;
                        ended.send_modify(|count| *count += 1);
                    });
                }
            }
        });
        Self { port, seen, ended, task }
    }

    /// The base for a client that is to ask for [`NAME`].
    pub(crate) fn base(&self) -> String {
        format!("https://{NAME}:{}", self.port)
    }

    /// Options that lead [`NAME`] here.
    pub(crate) fn options(&self, trust: Trust) -> Options {
        let resolve = vec![format!("{NAME}:{}:127.0.0.1", self.port).parse().unwrap()];
        Options { trust, resolve, ..Options::default() }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }

    /// Waits until so many connections have ended.
    pub(crate) async fn ended(&self, connections: usize) {
        self.ended.subscribe().wait_for(|count| *count >= connections).await.unwrap();
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap()
}

/// The content type and the body of an answer.
fn reply(request: &str) -> (&'static str, String) {
    if request.contains("alt=sse") {
        ("text/event-stream", event("answered", Some("STOP")))
    } else {
        ("application/json", answer("answered", Some("STOP")))
    }
}

async fn over_h1(mut stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Mutex<Seen>) -> io::Result<()> {
    while let Some(request) = read_request(&mut stream).await? {
        let (kind, body) = reply(&request);
        lock(seen).requests.push(request);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        stream.flush().await?;
    }
    Ok(())
}

async fn over_h2(stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Mutex<Seen>) -> io::Result<()> {
    let mut connection = h2::server::handshake(stream).await.map_err(io::Error::other)?;
    while let Some(request) = connection.accept().await {
        let (request, mut respond) = request.map_err(io::Error::other)?;
        let fields = request.headers().iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
        let text = format!("{} {}\n{}", request.method(), request.uri(), fields.collect::<String>());
        let (kind, body) = reply(&text);
        lock(seen).requests.push(text);
        let head = Response::builder().header("content-type", kind).body(()).unwrap();
        let mut sending = respond.send_response(head, false).map_err(io::Error::other)?;
        sending.send_data(Bytes::from(body), true).map_err(io::Error::other)?;
    }
    Ok(())
}
