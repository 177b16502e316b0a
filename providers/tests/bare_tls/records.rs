//! Records after the handshake: what a peer may send and what it may not, with our own reading of them and with rustls's.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use plimsoll_providers::gemini_bare_http::{BareGeminiConfig, BareGeminiProvider};
use plimsoll_providers::{Crypto, Error, GenerateContentRequest, Level, Options, Phase, Provider, Techniques};
use rustls::crypto::cipher::{InboundOpaqueMessage, MessageDecrypter, MessageEncrypter, OutboundPlainMessage};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ConnectionTrafficSecrets, ContentType, HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection, StreamOwned,
    SupportedProtocolVersion,
};

use crate::{chain, ours, private_key};

const BODY: &str = r#"{"candidates":[{"content":{"parts":[{"text":"safe"}]},"finishReason":"STOP"}]}"#;

fn head() -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", BODY.len())
}

fn config(versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(chain(), private_key()).unwrap();
    config.enable_secret_extraction = true;
    config.send_tls13_tickets = 2;
    Arc::new(config)
}

/// Both readings of records, with either cryptography.
const FORMS: [(Techniques, Crypto); 3] = [
    (Techniques::all(Level::Bare), Crypto::Ring),
    (Techniques::all(Level::Bare), Crypto::AwsLc),
    (Techniques::NONE, Crypto::Ring),
];

async fn provider(port: u16, (techniques, crypto): (Techniques, Crypto)) -> BareGeminiProvider {
    let base_url = Some(format!("https://localhost:{port}"));
    let resolve = vec![format!("localhost:{port}:127.0.0.1").parse().unwrap()];
    let options = Options { trust: ours(), crypto, resolve, techniques, ..Options::default() };
    let config =
        BareGeminiConfig { api_key: "canary".to_owned(), base_url, timeout_ms: 60_000, ..BareGeminiConfig::default() };
    BareGeminiProvider::with_options(config, options).await.unwrap()
}

async fn ask(provider: &BareGeminiProvider) -> Result<String, Error> {
    provider.generate(&GenerateContentRequest::user_text("why?")).await.map(|answer| answer.text())
}

/// A server whose connections are served by `serve`, with their number; its port.
fn listen(serve: impl Fn(usize, TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || stream.set_nodelay(true).and_then(|()| serve(number, stream)));
        }
    });
    port
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

fn accept(config: &Arc<ServerConfig>, stream: TcpStream) -> std::io::Result<Tls> {
    Ok(StreamOwned::new(ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?, stream))
}

/// Reads a request; `false`: there is none.
fn request(stream: &mut impl Read) -> std::io::Result<bool> {
    let mut request = Vec::new();
    while !request.ends_with(b"}]}]}") {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk)? {
            0 => return Ok(false),
            count => request.extend_from_slice(&chunk[..count]),
        }
    }
    Ok(true)
}

#[tokio::test]
async fn a_thousand_requests_on_one_connection() {
    for form in FORMS {
        let connections = Arc::new(AtomicUsize::new(0));
        let port = listen({
            let (connections, config) = (Arc::clone(&connections), config(&[&TLS13]));
            move |_, stream| {
                connections.fetch_add(1, Ordering::Relaxed);
                let mut tls = accept(&config, stream)?;
                while request(&mut tls)? {
                    write!(tls, "{}{BODY}", head())?;
                    tls.flush()?;
                }
                Ok(())
            }
        });
        let provider = provider(port, form).await;
        for _ in 0..1000 {
            assert_eq!(ask(&provider).await.unwrap(), "safe");
        }
        assert_eq!(connections.load(Ordering::Relaxed), 1, "{form:?}");
    }
}

#[tokio::test]
async fn tls_1_2_stays_with_rustls() {
    for form in FORMS {
        let versions = Arc::new(Mutex::new(Vec::new()));
        let port = listen({
            let (versions, config) = (Arc::clone(&versions), config(&[&TLS12]));
            move |_, stream| {
                let mut tls = accept(&config, stream)?;
                while request(&mut tls)? {
                    versions.lock().unwrap().push(tls.conn.protocol_version());
                    write!(tls, "{}{BODY}", head())?;
                    tls.flush()?;
                }
                Ok(())
            }
        });
        let provider = provider(port, form).await;
        for _ in 0..3 {
            assert_eq!(ask(&provider).await.unwrap(), "safe");
        }
        assert_eq!(*versions.lock().unwrap(), [Some(ProtocolVersion::TLSv1_2); 3]);
    }
}

#[tokio::test]
async fn a_ticket_of_the_last_connection_resumes_on_the_next() {
    for form in FORMS {
        let kinds = Arc::new(Mutex::new(Vec::new()));
        let port = listen({
            let (kinds, config) = (Arc::clone(&kinds), config(&[&TLS13]));
            move |_, stream| {
                let mut tls = accept(&config, stream)?;
                request(&mut tls)?;
                kinds.lock().unwrap().push(tls.conn.handshake_kind());
                write!(tls, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{BODY}", BODY.len())?;
                tls.flush()
            }
        });
        let provider = provider(port, form).await;
        for _ in 0..3 {
            assert_eq!(ask(&provider).await.unwrap(), "safe");
        }
        let expected = [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed].map(Some);
        assert_eq!(*kinds.lock().unwrap(), expected, "{form:?}");
    }
}

#[tokio::test]
async fn keys_are_updated_and_the_peer_is_answered_with_new_ones() {
    for form in FORMS {
        let connections = Arc::new(AtomicUsize::new(0));
        let port = listen({
            let (connections, config) = (Arc::clone(&connections), config(&[&TLS13]));
            move |_, stream| {
                connections.fetch_add(1, Ordering::Relaxed);
                let mut tls = accept(&config, stream)?;
                // Once before the first answer, once in each. A request that were not encrypted with new keys could not be read.
                request(&mut tls)?;
                tls.conn.refresh_traffic_keys().map_err(std::io::Error::other)?;
                loop {
                    write!(tls, "{}", head())?;
                    tls.conn.refresh_traffic_keys().map_err(std::io::Error::other)?;
                    write!(tls, "{BODY}")?;
                    tls.flush()?;
                    if !request(&mut tls)? {
                        return Ok(());
                    }
                }
            }
        });
        let provider = provider(port, form).await;
        for _ in 0..6 {
            assert_eq!(ask(&provider).await.unwrap(), "safe");
        }
        // Two updates in answers, and the spare keys are used up.
        let expected = if form.0 == Techniques::NONE { 1 } else { 3 };
        assert_eq!(connections.load(Ordering::Relaxed), expected, "{form:?}");
    }
}

#[tokio::test]
async fn more_updates_than_there_are_keys_for_end_the_answer() {
    let port = listen({
        let config = config(&[&TLS13]);
        move |_, stream| {
            let mut tls = accept(&config, stream)?;
            request(&mut tls)?;
            write!(tls, "{}", head())?;
            for _ in 0..3 {
                tls.conn.refresh_traffic_keys().map_err(std::io::Error::other)?;
            }
            write!(tls, "{BODY}")?;
            tls.flush()?;
            request(&mut tls).map(|_| ())
        }
    });
    let error = ask(&provider(port, FORMS[0]).await).await.unwrap_err();
    assert!(error.to_string().contains("changed too often"), "{error}");
}

#[tokio::test]
async fn a_connection_that_was_ended_while_it_waited_is_not_used_again() {
    for form in FORMS {
        let connections = Arc::new(AtomicUsize::new(0));
        let port = listen({
            let (connections, config) = (Arc::clone(&connections), config(&[&TLS13]));
            move |_, stream| {
                connections.fetch_add(1, Ordering::Relaxed);
                let mut tls = accept(&config, stream)?;
                request(&mut tls)?;
                write!(tls, "{}{BODY}", head())?;
                tls.conn.send_close_notify();
                tls.flush()?;
                // It stays open: what ends it is what was said.
                request(&mut tls).map(|_| ())
            }
        });
        let provider = provider(port, form).await;
        for _ in 0..3 {
            assert_eq!(ask(&provider).await.unwrap(), "safe");
        }
        assert_eq!(connections.load(Ordering::Relaxed), 3, "{form:?}");
    }
}

/// Half a record may turn out to be anything, the beginning of an answer to the next request too.
#[tokio::test]
async fn a_connection_on_which_half_a_record_waits_is_not_used_again() {
    for form in FORMS {
        let (asked_again, asked) = channel();
        let port = listen({
            let (asked_again, config) = (Mutex::new(asked_again), config(&[&TLS13]));
            move |_, stream| {
                let mut tls = accept(&config, stream)?;
                request(&mut tls)?;
                // In one piece with the beginning of a record of 64 bytes.
                write!(tls.conn.writer(), "{}{BODY}", head())?;
                let mut bytes = Vec::new();
                while tls.conn.wants_write() {
                    tls.conn.write_tls(&mut bytes)?;
                }
                bytes.extend_from_slice(&[DATA, 3, 3, 0, 64, 1, 2, 3]);
                tls.sock.write_all(&bytes)?;
                let again = tls.sock.read(&mut [0; 1]).unwrap_or_default();
                asked_again.lock().unwrap().send(again).map_err(std::io::Error::other)
            }
        });
        let provider = provider(port, form).await;
        for _ in 0..3 {
            assert_eq!(ask(&provider).await.unwrap(), "safe");
        }
        drop(provider);
        assert_eq!([asked.recv(), asked.recv(), asked.recv()], [Ok(0); 3], "{form:?}");
    }
}

/// What a peer sends that does as it pleases.
#[derive(Clone)]
enum Say {
    /// A record with this type inside.
    Sealed(u8, Vec<u8>),
    /// The same with its last byte changed.
    Damaged(u8, Vec<u8>),
    /// Bytes as they are.
    Raw(Vec<u8>),
}

use Say::{Damaged, Raw, Sealed};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

fn data(text: &str) -> Say {
    Sealed(DATA, text.into())
}

/// One end of a connection with its keys in hand.
struct Peer {
    stream: TcpStream,
    encrypter: Box<dyn MessageEncrypter>,
    decrypter: Box<dyn MessageDecrypter>,
    written: u64,
    read: u64,
}

impl Peer {
    /// After a handshake, and after the first request.
    fn new(config: &Arc<ServerConfig>, stream: TcpStream) -> std::io::Result<Self> {
        let mut tls = accept(config, stream)?;
        request(&mut tls)?;
        tls.flush()?;
        let suite = tls.conn.negotiated_cipher_suite().unwrap().tls13().unwrap();
        let StreamOwned { conn, sock } = tls;
        let secrets = conn.dangerous_extract_secrets().unwrap();
        let parts = |secrets| match secrets {
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (key, iv),
            _ => panic!("ring's first suite is another"),
        };
        let ((written, tx), (read, rx)) = (secrets.tx, secrets.rx);
        let ((key, iv), (read_key, read_iv)) = (parts(tx), parts(rx));
        Ok(Self {
            stream: sock,
            encrypter: suite.aead_alg.encrypter(key, iv),
            decrypter: suite.aead_alg.decrypter(read_key, read_iv),
            written,
            read,
        })
    }

    fn seal(&mut self, typ: u8, payload: &[u8]) -> Vec<u8> {
        let message =
            OutboundPlainMessage { typ: typ.into(), version: ProtocolVersion::TLSv1_2, payload: payload.into() };
        let record = self.encrypter.encrypt(message, self.written).unwrap().encode();
        self.written += 1;
        record
    }

    fn say(&mut self, say: &Say) -> Vec<u8> {
        match say {
            Sealed(typ, payload) => self.seal(*typ, payload),
            Damaged(typ, payload) => {
                let mut record = self.seal(*typ, payload);
                *record.last_mut().unwrap() ^= 1;
                record
            }
            Raw(bytes) => bytes.clone(),
        }
    }

    /// What the client's last record says: an alert's description, or 0.
    fn hear(mut self) -> std::io::Result<u8> {
        let mut bytes = Vec::new();
        // It may be reset, for what was not read.
        let _ = self.stream.read_to_end(&mut bytes);
        let (mut bytes, mut heard) = (VecDeque::from(bytes), 0);
        while bytes.len() > 5 {
            let header: Vec<_> = bytes.drain(..5).collect();
            let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
            let mut sealed: Vec<_> = bytes.drain(..length).collect();
            let message =
                InboundOpaqueMessage::new(ContentType::ApplicationData, ProtocolVersion::TLSv1_2, &mut sealed);
            let plain = self.decrypter.decrypt(message, self.read).unwrap();
            self.read += 1;
            heard = if plain.typ == ContentType::Alert { plain.payload[1] } else { 0 };
        }
        Ok(heard)
    }
}

/// A server that says this after a request: its port, and the alerts that it hears.
fn forge(says: Vec<Say>, step: usize) -> (u16, Receiver<u8>) {
    let (heard, alerts) = channel();
    let config = config(&[&TLS13]);
    let port = listen(move |_, stream| {
        let mut peer = Peer::new(&config, stream)?;
        let bytes: Vec<u8> = says.iter().flat_map(|say| peer.say(say)).collect();
        for piece in bytes.chunks(step) {
            // The client may have had enough.
            if peer.stream.write_all(piece).is_err() {
                break;
            }
        }
        let _ = heard.send(peer.hear()?);
        Ok(())
    });
    (port, alerts)
}

#[tokio::test]
async fn what_a_peer_may_send_between_and_around_an_answer_is_read() {
    let ticket = {
        // Lifetime, age_add, nonce, ticket, no extensions.
        let body = [&[0, 0, 14, 16][..], &[1, 2, 3, 4], &[1, 7], &[0, 3, 1, 2, 3], &[0, 0]].concat();
        [&[4, 0, 0, body.len() as u8][..], &body].concat()
    };
    let garbage = vec![4, 0, 0, 1, 9];
    let padded = |text: &str| [text.as_bytes(), &[DATA], &[0; 300]].concat();
    let cases: Vec<(&str, Vec<Say>)> = vec![
        ("nothing", vec![data(&head()), data(BODY)]),
        ("empty records", [vec![data(&head())], vec![data(""); 32], vec![data(BODY)]].concat()),
        ("padding", vec![Sealed(0, padded(&head())), Sealed(0, padded(BODY))]),
        ("warnings that it gives up", [vec![Sealed(ALERT, vec![1, 90]); 4], vec![data(&head()), data(BODY)]].concat()),
        ("tickets in one record", vec![Sealed(HANDSHAKE, ticket.repeat(3)), data(&head()), data(BODY)]),
        (
            "a ticket cut in three",
            vec![
                Sealed(HANDSHAKE, ticket[..2].to_vec()),
                Sealed(HANDSHAKE, ticket[2..9].to_vec()),
                Sealed(HANDSHAKE, ticket[9..].to_vec()),
                data(&head()),
                data(BODY),
            ],
        ),
        ("a ticket in the answer", vec![data(&head()), Sealed(HANDSHAKE, ticket.clone()), data(BODY)]),
        ("the end", vec![data("HTTP/1.1 200 OK\r\n\r\n"), data(BODY), Sealed(ALERT, vec![1, 0]), Raw(vec![99; 9])]),
    ];
    for form in FORMS {
        for (what, says) in &cases {
            for step in [1, 1 << 20] {
                let (port, _alerts) = forge(says.clone(), step);
                let answer = ask(&provider(port, form).await).await;
                assert_eq!(answer.map_err(|error| error.to_string()), Ok("safe".to_owned()), "{what}, {form:?}");
            }
        }
    }
    // Nobody looks into a ticket that nobody keeps.
    let (port, _alerts) = forge(vec![data(&head()), Sealed(HANDSHAKE, garbage), data(BODY)], 1 << 20);
    assert_eq!(ask(&provider(port, FORMS[0]).await).await.unwrap(), "safe");
}

#[tokio::test]
async fn what_a_peer_may_not_send_in_an_answer_ends_it_and_the_peer_is_told_why() {
    const UNEXPECTED: u8 = 10;
    const BAD_MAC: u8 = 20;
    const OVERFLOW: u8 = 22;
    const ILLEGAL: u8 = 47;
    const DECODE: u8 = 50;
    let long = |length: u16| [&[DATA, 3, 3][..], &length.to_be_bytes(), &vec![0; length.into()]].concat();
    let handshake = |bytes: &[u8]| vec![Sealed(HANDSHAKE, bytes.to_vec())];
    let alert = |bytes: &[u8]| vec![Sealed(ALERT, bytes.to_vec())];
    // What comes instead of the body, part of what the error says, the alert that is sent (0: none).
    let cases: Vec<(Vec<Say>, &str, u8)> = vec![
        (vec![Damaged(DATA, BODY.into())], "cannot decrypt", BAD_MAC),
        (vec![Raw([&[DATA, 3, 3, 0, BODY.len() as u8], BODY.as_bytes()].concat())], "cannot decrypt", BAD_MAC),
        (vec![Raw(vec![HANDSHAKE, 3, 3, 0, 5, 24, 0, 0, 1, 0])], "", UNEXPECTED),
        (vec![Raw(vec![ALERT, 3, 3, 0, 2, 1, 0])], "", UNEXPECTED),
        (vec![Raw(vec![20, 3, 3, 0, 1, 1])], "unexpected message", UNEXPECTED),
        (vec![Raw(vec![99, 3, 3, 0, 1, 0])], "InvalidContentType", DECODE),
        (vec![Raw(vec![DATA, 2, 3, 0, 1, 0])], "UnknownProtocolVersion", DECODE),
        (vec![Raw(vec![DATA, 3, 3, 0, 0])], "", DECODE),
        (vec![Raw(long((16 << 10) + 257))], "", OVERFLOW),
        (vec![Sealed(DATA, vec![b' '; (16 << 10) + 1])], "excess record size", OVERFLOW),
        (vec![Sealed(0, vec![0; 9])], "IllegalTlsInnerPlaintext", UNEXPECTED),
        (vec![Sealed(20, vec![1])], "IllegalMiddleboxChangeCipherSpec", UNEXPECTED),
        (vec![Sealed(24, vec![1])], "", UNEXPECTED),
        (vec![Sealed(99, vec![1])], "", UNEXPECTED),
        (vec![data(""); 33], "TooManyEmptyFragments", UNEXPECTED),
        (handshake(&[20, 0, 0, 1, 0]), "unexpected handshake message", UNEXPECTED),
        (handshake(&[4, 1, 0, 0]), "HandshakePayloadTooLarge", DECODE),
        ([handshake(&[4, 0, 0, 9, 1]), vec![data(BODY)]].concat(), "MessageInterleaved", UNEXPECTED),
        (handshake(&[24, 0, 0, 1, 2]), "InvalidKeyUpdate", ILLEGAL),
        (handshake(&[24, 0, 0, 1, 0, 4]), "KeyEpochWithPendingFragment", UNEXPECTED),
        (alert(&[2, 80]), "fatal alert: InternalError", 0),
        (alert(&[1, 80]), "InternalError", DECODE),
        (alert(&[3, 80]), "InternalError", ILLEGAL),
        (alert(&[2]), "", DECODE),
        (vec![Sealed(ALERT, vec![1, 90]); 5], "TooManyWarningAlerts", UNEXPECTED),
        // The end, too early.
        (alert(&[1, 0]), "ended in the body", 0),
    ];
    for form in FORMS {
        for (number, (says, what, expected)) in cases.iter().enumerate() {
            let mut says = says.clone();
            says.insert(0, data(&head()));
            let (port, alerts) = forge(says, 1 << 20);
            let provider = provider(port, form).await;
            let error = ask(&provider).await.unwrap_err();
            assert!(matches!(error, Error::Transport { phase: Phase::Body | Phase::Head, .. }), "{number}: {error:?}");
            // rustls refuses the same, not always by the same name.
            if form.0 != Techniques::NONE {
                assert!(error.to_string().contains(what), "{number}, {form:?}: {error}");
                assert_eq!(alerts.recv().unwrap(), *expected, "{number}, {form:?}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn a_ticket_that_cannot_be_read_is_an_error_while_one_is_waited_for() {
    for form in FORMS {
        let (port, _alerts) = forge(vec![Sealed(HANDSHAKE, vec![4, 0, 0, 1, 9]), data(&head()), data(BODY)], 1 << 20);
        let error = ask(&provider(port, form).await).await.unwrap_err();
        assert!(matches!(error, Error::Transport { phase: Phase::Head, .. }), "{error:?}");
    }
}
