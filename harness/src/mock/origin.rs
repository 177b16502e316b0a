//! Where answers come from: wiremock chooses status and body, over loopback and inside this process.
//!
//! It chooses among the fixed replies of the corpus. What depends on a request's body or on earlier requests is no choice among
//! replies, and is worked out in [`super::service`].
//!
//! wiremock has no TLS and sends a body in one piece, so the front takes its answers and serves them with writers of its own. It also
//! keeps each request that a mock matched, even with recording off, so its mocks are mounted anew now and then: a long run would
//! otherwise cost about 4.5 KB a request.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use wiremock::matchers::{any, header, method, path_regex, query_param};
use wiremock::{Mock, MockServer, Respond, ResponseTemplate};

use super::MockError;
use super::answer::Answer;
use super::request::Request;
use super::script::Script;
use crate::corpus::traffic::Folder;
use crate::corpus::{self, Call, Reply, Served};

/// The header by which the origin is told whether there was a key. The key itself is not passed on.
const KEY: &str = "x-plimsoll-key";

/// Requests to the origin at a time. It answers in well under a millisecond; more connections would only be more files.
const AT_ONCE: u32 = 16;

/// Requests after which the mocks are mounted anew.
const KEPT: u64 = 4096;

/// wiremock, and what it serves.
pub(super) struct Origin {
    server: MockServer,
    corpus: Corpus,
    idle: Mutex<Vec<TcpStream>>,
    permits: Semaphore,
    asked: AtomicU64,
}

/// The replies of this repository and those of a traffic folder.
#[derive(Clone, Default)]
struct Corpus(Arc<Folder>);

impl Corpus {
    fn reply(&self, name: &str) -> Option<&Reply> {
        corpus::reply(name).or_else(|| self.0.reply(name))
    }
}

impl Origin {
    pub(super) async fn start(traffic: Option<&Path>, default_script: &Script) -> Result<Self, MockError> {
        let corpus = Corpus(Arc::new(traffic.map(Folder::load).transpose()?.unwrap_or_default()));
        if corpus.reply(&default_script.reply()).is_none() {
            return Err(MockError::NoSuchRecording { name: default_script.reply() });
        }
        let server = MockServer::builder().disable_request_recording().start().await;
        let permits = Semaphore::new(AT_ONCE as usize);
        let this = Self { server, corpus, idle: Mutex::default(), permits, asked: AtomicU64::new(0) };
        this.mount().await;
        Ok(this)
    }

    async fn mount(&self) {
        self.server.reset().await;
        for mock in mocks(&self.corpus) {
            self.server.register(mock).await;
        }
    }

    /// The reply of that name.
    pub(super) fn reply(&self, name: &str) -> Option<&Reply> {
        self.corpus.reply(name)
    }

    /// Whether there is a reply of that name.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.reply(name).is_some()
    }

    /// Whether that reply answers whatever endpoint is asked.
    pub(super) fn is_of_any_endpoint(&self, name: &str) -> bool {
        self.corpus.reply(name).is_some_and(|reply| reply.body.is_of_any_endpoint())
    }

    /// The reply `name` as it is, for a path that does not generate: there is nothing to choose.
    pub(super) fn fixed(&self, name: &str) -> Option<Answer> {
        let Served { status, content_type, body } = self.corpus.reply(name)?.served(Call::Unary);
        Some(Answer::new(status, content_type, body))
    }

    /// Has wiremock answer `request` with the reply `name`.
    pub(super) async fn ask(&self, request: &Request, name: &str) -> std::io::Result<Answer> {
        if (self.asked.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(KEPT) {
            // With all permits in hand, nobody asks while there are no mocks.
            let _all = self.permits.acquire_many(AT_ONCE).await;
            self.mount().await;
        }
        // A closed semaphore is not possible: nobody closes it.
        let _permit = self.permits.acquire().await;
        let message = format!(
            "{} /s/{name}{}{} HTTP/1.1\r\nhost: origin\r\n{KEY}: {}\r\ncontent-length: 0\r\n\r\n",
            request.method,
            request.path,
            if request.call == Some(Call::Sse) { "?alt=sse" } else { "" },
            if request.key.is_some() { "present" } else { "absent" },
        );
        let pooled = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(stream) = pooled
            && let Ok(answer) = self.exchange(stream, &message).await
        {
            return Ok(answer);
        }
        self.exchange(TcpStream::connect(self.address()).await?, &message).await
    }

    async fn exchange(&self, mut stream: TcpStream, message: &str) -> std::io::Result<Answer> {
        stream.set_nodelay(true)?;
        stream.write_all(message.as_bytes()).await?;
        let mut buffer = BytesMut::with_capacity(8 * 1024);
        let (mut answer, length, head) = loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(parsed) = parse_head(&buffer)? {
                break parsed;
            }
        };
        let _head = buffer.split_to(head);
        while buffer.len() < length {
            buffer.reserve(length - buffer.len());
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        answer.body = buffer.freeze();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
        Ok(answer)
    }

    fn address(&self) -> SocketAddr {
        *self.server.address()
    }
}

/// The head of wiremock's answer, the body's length and the head's.
fn parse_head(buffer: &[u8]) -> std::io::Result<Option<(Answer, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut response = httparse::Response::new(&mut headers);
    let odd = |what: String| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    let httparse::Status::Complete(head) = response.parse(buffer).map_err(|error| odd(error.to_string()))? else {
        return Ok(None);
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let length = header("content-length")
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| odd("an answer of the origin has no length".to_owned()))?;
    let answer = Answer::new(
        response.code.unwrap_or(500),
        header("content-type").unwrap_or_default(),
        // It comes behind the head.
        Bytes::new(),
    );
    Ok(Some((answer, length, head)))
}

/// What wiremock matches, from the most to the least particular.
fn mocks(corpus: &Corpus) -> Vec<Mock> {
    let calls = [
        ("generateContent", Call::Unary),
        ("streamGenerateContent", Call::Sse),
        ("streamGenerateContent", Call::Array),
    ];
    let mut mocks = Vec::new();
    for (name, call) in calls {
        let path = format!(r"^/s/[^/]+/v1(?:beta|alpha)?/models/[^/:]+:{name}$");
        let given = |keyless: bool| {
            let mut given = Mock::given(method("POST")).and(path_regex(path.clone()));
            if call == Call::Sse {
                given = given.and(query_param("alt", "sse"));
            }
            if keyless { given.and(header(KEY, "absent")) } else { given }
        };
        // Of two that match, wiremock takes the lower number: without a key before anything, SSE before the array form.
        let rank = u8::from(call == Call::Array);
        let replies = |fixed| Replies { corpus: corpus.clone(), call, fixed };
        mocks.push(given(true).respond_with(replies(Some("error-403"))).with_priority(1 + rank));
        mocks.push(given(false).respond_with(replies(None)).with_priority(3 + rank));
    }
    // A body that is served as it is answers whatever is asked, of any endpoint; so does an error.
    let of_any_endpoint = corpus.clone();
    let whatever = move |request: &wiremock::Request| {
        named(request).and_then(|name| of_any_endpoint.reply(name)).is_some_and(|reply| reply.body.is_of_any_endpoint())
    };
    let replies = |fixed| Replies { corpus: corpus.clone(), call: Call::Unary, fixed };
    mocks.push(
        Mock::given(header(KEY, "absent"))
            .and(whatever.clone())
            .respond_with(replies(Some("error-403")))
            .with_priority(5),
    );
    mocks.push(Mock::given(whatever).respond_with(replies(None)).with_priority(6));
    let nowhere = replies(Some("error-404-html"));
    mocks.push(Mock::given(any()).respond_with(nowhere).with_priority(u8::MAX));
    mocks
}

/// The reply that a request to the origin names.
fn named(request: &wiremock::Request) -> Option<&str> {
    request.url.path().split('/').nth(2)
}

/// Answers with the reply that the path names, or with a fixed one.
struct Replies {
    corpus: Corpus,
    call: Call,
    fixed: Option<&'static str>,
}

impl Respond for Replies {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let Some(reply) = self.fixed.or_else(|| named(request)).and_then(|name| self.corpus.reply(name)) else {
            return ResponseTemplate::new(404);
        };
        let Served { status, content_type, body } = reply.served(self.call);
        ResponseTemplate::new(status).set_body_raw(body.to_vec(), content_type)
    }
}
