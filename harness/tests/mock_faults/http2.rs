//! Faults of HTTP/2, seen by a client that shows each frame's effect.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Connection, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use plimsoll::mock::certs::trust_bundle_pem;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::mock_support::{KEY, Mock};

/// What only a fault leaves unanswered for so long.
const PATIENCE: Duration = Duration::from_millis(200);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A client of a connection of its own.
struct Client {
    send: SendRequest<Bytes>,
    ping: h2::PingPong,
    connection: tokio::task::JoinHandle<Result<(), h2::Error>>,
    scheme: &'static str,
    port: u16,
}

impl Client {
    /// One with TLS, one without.
    async fn both(port: u16) -> [Self; 2] {
        [Self::connect(port, true).await, Self::connect(port, false).await]
    }

    async fn connect(port: u16, tls: bool) -> Self {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let stream: Box<dyn Stream> = if tls { Box::new(secured(tcp).await) } else { Box::new(tcp) };
        let (send, mut connection): (_, Connection<_, Bytes>) = h2::client::handshake(stream).await.unwrap();
        let ping = connection.ping_pong().unwrap();
        let connection = tokio::spawn(connection);
        Self { send, ping, connection, scheme: if tls { "https" } else { "http" }, port }
    }

    /// Asks for a stream; the body is two bytes.
    async fn ask(&mut self, script: &str) -> ResponseFuture {
        let mut send = self.send.clone().ready().await.unwrap();
        let (answer, mut body) = send.send_request(self.request(script), false).unwrap();
        body.send_data(Bytes::from_static(b"{}"), true).unwrap();
        answer
    }

    fn request(&self, script: &str) -> http::Request<()> {
        let path = format!("/s/{script}/v1beta/models/m:streamGenerateContent?alt=sse");
        let uri = format!("{}://localhost:{}{path}", self.scheme, self.port);
        http::Request::post(uri).header("x-goog-api-key", KEY).body(()).unwrap()
    }
}

async fn secured(tcp: TcpStream) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(trust_bundle_pem().0.as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
}

/// How many events came, and how the body ended.
async fn read(mut body: RecvStream) -> (usize, Result<(), h2::Error>) {
    let mut read = Vec::new();
    let end = loop {
        match body.data().await {
            None => break Ok(()),
            Some(Ok(data)) => {
                body.flow_control().release_capacity(data.len()).unwrap();
                read.extend_from_slice(&data);
            }
            Some(Err(error)) => break Err(error),
        }
    };
    (String::from_utf8(read).unwrap().matches("data: ").count(), end)
}

#[tokio::test]
async fn goaway_takes_the_stream_with_it() {
    let mock = Mock::start();
    for mut client in Client::both(mock.port).await {
        let answer = client.ask("stream+goaway").await.await.unwrap();
        let (events, end) = read(answer.into_body()).await;
        let error = end.unwrap_err();
        assert_eq!(events, 1);
        assert!(error.is_go_away() && error.is_remote(), "{error:?}");
        assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
    }
}

#[tokio::test]
async fn a_graceful_goaway_lets_the_stream_end_and_no_other_begin() {
    let mut mock = Mock::start();
    for mut client in Client::both(mock.port).await {
        let answer = client.ask("stream+goaway=graceful").await.await.unwrap();
        let (events, end) = read(answer.into_body()).await;
        end.unwrap();
        assert_eq!(events, 12);
        // It ends. What the client still had to say, its own farewell, may find nobody there.
        let _ = client.connection.await.unwrap();
        assert!(client.send.ready().await.is_err());
    }
    assert_eq!(mock.stats().answered, 2);
}

#[tokio::test]
async fn streams_are_refused_or_reset_and_the_connection_lives() {
    let mock = Mock::start();
    for mut client in Client::both(mock.port).await {
        let error = client.ask("stream+refused").await.await.unwrap_err();
        assert!(error.is_reset() && error.is_remote(), "{error:?}");
        assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM));

        let answer = client.ask("stream+rst").await.await.unwrap();
        assert_eq!(answer.status(), 200);
        let (events, end) = read(answer.into_body()).await;
        assert_eq!((events, end.unwrap_err().reason()), (1, Some(Reason::INTERNAL_ERROR)));

        let answer = client.ask("stream").await.await.unwrap();
        assert_eq!(read(answer.into_body()).await.0, 12);
    }
}

#[tokio::test]
async fn the_limit_of_streams_is_lowered() {
    let mock = Mock::start();
    for mut client in Client::both(mock.port).await {
        let answer = client.ask("stream").await.await.unwrap();
        read(answer.into_body()).await.1.unwrap();
        assert_eq!(client.send.current_max_send_streams(), 100);
        for limit in [2, 1] {
            let answer = client.ask(&format!("stream+stream-limit={limit}")).await.await.unwrap();
            assert_eq!(client.send.current_max_send_streams(), limit, "told before the answer");
            assert_eq!(read(answer.into_body()).await.0, 12);
        }
    }
}

#[tokio::test]
async fn a_window_shuts_and_the_next_body_finds_no_room() {
    let mut mock = Mock::start();
    for mut client in Client::both(mock.port).await {
        let answer = client.ask("stream+zero-window").await.await.unwrap();
        assert_eq!(read(answer.into_body()).await.0, 12);
        let mut send = client.send.clone().ready().await.unwrap();
        let (_answer, mut body) = send.send_request(client.request("stream"), false).unwrap();
        body.reserve_capacity(2);
        let room = tokio::time::timeout(PATIENCE, std::future::poll_fn(|cx| body.poll_capacity(cx)));
        assert!(room.await.is_err(), "there is room");
    }
    assert_eq!(mock.stats().requests, 2, "a request without its body is none yet");
}

#[tokio::test]
async fn a_head_of_continuations_is_too_much() {
    let mock = Mock::start();
    for mut client in Client::both(mock.port).await {
        let error = client.ask("stream+continuations").await.await.unwrap_err();
        assert!(error.is_library() || error.is_go_away(), "{error:?}");
    }
}

#[tokio::test]
async fn no_ping_is_answered() {
    let mock = Mock::start();
    for mut client in Client::both(mock.port).await {
        client.ping.ping(h2::Ping::opaque()).await.unwrap();
        let answer = client.ask("stream+no-ping").await;
        assert!(tokio::time::timeout(PATIENCE, answer).await.is_err(), "there is an answer");
        let pong = client.ping.ping(h2::Ping::opaque());
        assert!(tokio::time::timeout(PATIENCE, pong).await.is_err(), "there is an answer to PING");
    }
}
