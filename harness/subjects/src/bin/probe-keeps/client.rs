//! A client that keeps what the harness's tests want it to keep, and nothing else: plain HTTP, a connection for each request, no crate but
//! the runtime and the reader of JSON. What its figures must be is known to the byte.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_worker::{Env, Failure, Kind, Request};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes that `leak` keeps of each request.
const LEAK: usize = 64;
/// Bytes that `cache` takes once: so many that the C library maps them, and the rest of the heap lies as before.
const CACHE: usize = 200_000;
/// The request at which it does: between the checkpoints `steady@64` and `steady@128`.
const CACHE_AT: u64 = 100;
/// Bytes of each of the blocks of `pool`, and of the block of a request that `buffer` has in flight.
const BLOCK: usize = 65_536;

/// Bytes of an answer, more than any that it is asked for here has.
const ROOM: usize = 16_384;

/// What is kept, said by the program's argument, or else by `PLIMSOLL_SWITCHES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Nothing.
    Nothing,
    /// [`LEAK`] bytes of each request, for ever.
    Leak,
    /// [`CACHE`] bytes from request [`CACHE_AT`] on, as long as the client lives.
    Cache,
    /// Blocks that are used again, as many as there were requests at once.
    Pool,
    /// A block of each request that owns itself.
    Cycle,
    /// A block for each request while it is in flight.
    Buffer,
}

/// The client.
pub(crate) struct Client {
    authority: String,
    path: String,
    key: String,
    habit: Habit,
    asked: AtomicU64,
    kept: Mutex<Vec<Vec<u8>>>,
}

/// A link of a chain that ends in itself.
struct Link {
    next: Mutex<Option<Arc<Link>>>,
    _bytes: [u8; LEAK],
}

/// Makes the client.
pub(crate) async fn client(env: Env) -> Result<Client, Failure> {
    let said = std::env::args().nth(1).unwrap_or(env.switches);
    let habit = match said.as_str() {
        "default" => Habit::Nothing,
        "leak" => Habit::Leak,
        "cache" => Habit::Cache,
        "pool" => Habit::Pool,
        "cycle" => Habit::Cycle,
        "buffer" => Habit::Buffer,
        other => return Err(Failure::unsupported(format!("the habit `{other}`"))),
    };
    let (_, rest) = env.base_url.split_once("://").ok_or_else(|| Failure::other("the base URL has no scheme"))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Ok(Client {
        authority: authority.replacen("localhost", "127.0.0.1", 1),
        path: path.to_owned(),
        key: env.key,
        habit,
        asked: AtomicU64::new(0),
        kept: Mutex::new(Vec::with_capacity(8)),
    })
}

/// Asks once and reads the answer whole.
pub(crate) async fn chat(client: Arc<Client>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
    let body = client.ask("generateContent", &request).await?;
    text(&body, on_text)
}

/// Asks once and takes the events when all have come.
pub(crate) async fn stream(client: Arc<Client>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
    let body = client.ask("streamGenerateContent?alt=sse", &request).await?;
    let mut events = body.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data:"));
    events.try_for_each(|event| text(event, &on_text))
}

/// The text of one JSON answer.
fn text(json: &[u8], on_text: impl Fn(&str)) -> Result<(), Failure> {
    let answer: Value = serde_json::from_slice(json).map_err(|error| Failure::new(Kind::Answer, error))?;
    let parts = answer["candidates"][0]["content"]["parts"].as_array();
    parts
        .into_iter()
        .flatten()
        .filter(|part| part["thought"] != true)
        .filter_map(|part| part["text"].as_str())
        .for_each(on_text);
    Ok(())
}

impl Client {
    async fn ask(&self, method: &str, request: &Request) -> Result<Vec<u8>, Failure> {
        let in_flight = self.begin();
        let answer = self.exchange(method, request).await.map_err(|error| Failure::new(Kind::Transport, error))?;
        self.end(in_flight);
        let at = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4);
        let (head, body) = answer.split_at(at.ok_or_else(|| Failure::new(Kind::Answer, "a head without an end"))?);
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        if !head.starts_with("http/1.1 200 ") {
            let line = head.lines().next().unwrap_or_default().to_owned();
            return Err(Failure::new(Kind::Status, line));
        }
        Ok(if head.contains("transfer-encoding: chunked") { joined(body) } else { body.to_vec() })
    }

    async fn exchange(&self, method: &str, request: &Request) -> io::Result<Vec<u8>> {
        let Self { authority, path, key, .. } = self;
        let model = request.model();
        let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": request.prompt() }] }] }).to_string();
        let head = format!(
            "POST {path}/v1beta/models/{model}:{method} HTTP/1.1\r\nhost: {authority}\r\nx-goog-api-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(authority).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        // Room for any answer, so that one that comes takes no more than one that is waited for.
        let mut answer = Vec::with_capacity(ROOM);
        stream.read_to_end(&mut answer).await?;
        Ok(answer)
    }

    /// What the habit takes for a request in flight.
    fn begin(&self) -> Option<Vec<u8>> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match self.habit {
            Habit::Pool => Some(kept.pop().unwrap_or_else(|| vec![1; BLOCK])),
            Habit::Buffer => Some(vec![1; BLOCK]),
            Habit::Cache if asked == CACHE_AT => {
                kept.push(vec![1; CACHE]);
                None
            }
            _ => None,
        }
    }

    /// What it keeps of one that is answered.
    fn end(&self, in_flight: Option<Vec<u8>>) {
        match (self.habit, in_flight) {
            (Habit::Pool, Some(block)) => self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(block),
            // The black box, because the compiler would not make what nobody looks at.
            (Habit::Leak, _) => std::mem::forget(std::hint::black_box(Vec::<u8>::with_capacity(LEAK))),
            (Habit::Cycle, _) => {
                let link = Arc::new(Link { next: Mutex::default(), _bytes: [1; LEAK] });
                *link.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&link));
                std::hint::black_box(link);
            }
            _ => {}
        }
    }
}

/// The chunks of a body, joined; what is no chunk ends it.
fn joined(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(at) = body.windows(2).position(|bytes| bytes == b"\r\n") {
        let size = std::str::from_utf8(&body[..at]).ok().and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let (Some(size @ 1..), rest) = (size, &body[at + 2..]) else { break };
        whole.extend_from_slice(&rest[..size.min(rest.len())]);
        body = rest.get(size + 2..).unwrap_or_default();
    }
    whole
}
