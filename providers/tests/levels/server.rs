//! A server that does to a connection exactly what a test says, and remembers what it was asked.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};

#[path = "server_h2.rs"]
mod two;

/// What is done after a request came, in order.
#[derive(Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Waits until the test opens the gate once more.
    Gate(Arc<Semaphore>),
    /// Says nothing more until the client hangs up.
    Silence,
    /// Ends the connection.
    Close,
    /// Ends the connection with a reset.
    Reset,
}

/// What a server saw.
#[derive(Default)]
pub(crate) struct Seen {
    /// Requests, head and body as text.
    pub(crate) requests: Vec<String>,
    /// How many connections were made.
    pub(crate) connections: usize,
    /// How many of them began as HTTP/2 does.
    pub(crate) over_h2: usize,
}

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    hung_up: watch::Sender<usize>,
    task: tokio::task::JoinHandle<()>,
    closing: Arc<Notify>,
}

impl Server {
    /// Answers every request with the same steps.
    pub(crate) async fn new(steps: impl Into<Vec<Step>>) -> Self {
        let steps = steps.into();
        Self::with(move |_| steps.clone()).await
    }

    /// Answers the n-th request, from 0, with its steps.
    pub(crate) async fn with(steps: impl Fn(usize) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let hung_up = watch::Sender::new(0);
        let closing = Arc::new(Notify::new());
        let steps = Arc::new(steps);
        let task = tokio::spawn({
            let (seen, hung_up) = (seen.clone(), hung_up.clone());
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    seen.lock().unwrap().connections += 1;
                    let (seen, hung_up, steps) = (seen.clone(), hung_up.clone(), steps.clone());
                    tokio::spawn(async move {
                        // A client that is gone is what some tests are about.
                        let _ = match speaks_h2(&stream).await {
                            Ok(true) => {
                                seen.lock().unwrap().over_h2 += 1;
                                two::serve(stream, &seen, &hung_up, &*steps).await
                            }
                            _ => serve(stream, &seen, &*steps).await,
                        };
                        hung_up.send_modify(|count| *count += 1);
                    });
                }
            }
        });
        Self { addr, seen, hung_up, task, closing }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(crate) fn over_h2(&self) -> usize {
        self.seen.lock().unwrap().over_h2
    }

    /// Waits until so many connections have ended, or streams on them were given up by their client.
    pub(crate) async fn ended(&self, connections: usize) {
        self.hung_up.subscribe().wait_for(|count| *count >= connections).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.notify_waiters();
        self.task.abort();
    }
}

/// Whether the client begins as HTTP/2 does, TLS aside, and wants more than that its first words are looked at.
async fn speaks_h2(stream: &TcpStream) -> io::Result<bool> {
    const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut seen = [0; PREFACE.len()];
    loop {
        let count = stream.peek(&mut seen).await?;
        if count == 0 || seen[..count] != PREFACE[..count] {
            return Ok(false);
        }
        if count == PREFACE.len() {
            return Ok(true);
        }
        tokio::task::yield_now().await;
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Seen>,
    steps: &(dyn Fn(usize) -> Vec<Step> + Send + Sync),
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    while let Some(request) = read_request(&mut stream).await? {
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.requests.push(request);
            seen.requests.len() - 1
        };
        for step in steps(number) {
            match step {
                Step::Send(bytes) => stream.write_all(&bytes).await?,
                Step::Gate(gate) => gate.acquire().await.map_err(io::Error::other)?.forget(),
                Step::Silence => {
                    while stream.read(&mut [0; 64]).await? > 0 {}
                    return Ok(());
                }
                Step::Close => return stream.shutdown().await,
                Step::Reset => {
                    // With no time to linger a close is a reset.
                    return stream.set_zero_linger();
                }
            }
        }
    }
    Ok(())
}

/// The next request, head and body as text; `None` when the client hung up. What is no HTTP/1.1 is returned as it came.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..count]);
        if ![&b"POST "[..], b"GET ", b"PATCH ", b"DELETE "].iter().any(|verb| bytes.starts_with(verb)) {
            return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok(Some(text.into_owned()));
            }
        }
    }
}

/// A head with `headers`, each of them with its line end, before the end of the head.
pub(crate) fn head(status: &str, headers: &str) -> Step {
    Step::Send(format!("HTTP/1.1 {status}\r\n{headers}\r\n").into_bytes())
}

/// A whole answer with its length.
pub(crate) fn whole(status: &str, kind: &str, body: &[u8]) -> Vec<Step> {
    vec![
        head(status, &format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len())),
        Step::Send(body.to_vec()),
    ]
}

/// The head of a stream of events.
pub(crate) fn stream_head() -> Step {
    head("200 OK", "content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n")
}

/// One chunk.
pub(crate) fn chunk(bytes: impl AsRef<[u8]>) -> Step {
    let bytes = bytes.as_ref();
    Step::Send([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
}

/// The end of a body in chunks.
pub(crate) fn last_chunk() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}

/// An answer of one text, as an event or a body.
pub(crate) fn answer(text: &str, finish: Option<&str>) -> String {
    let mut candidate = serde_json::json!({"content": {"parts": [{"text": text}], "role": "model"}, "index": 0});
    if let Some(reason) = finish {
        candidate["finishReason"] = reason.into();
    }
    serde_json::json!({"candidates": [candidate], "usageMetadata": {"totalTokenCount": 3}}).to_string()
}

pub(crate) fn event(text: &str, finish: Option<&str>) -> String {
    format!("data: {}\r\n\r\n", answer(text, finish))
}
