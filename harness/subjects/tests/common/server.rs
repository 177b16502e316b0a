//! A server of one kind of answer, without TLS: what is needed to see a subject at work, and no more.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

#[path = "server_h2.rs"]
mod two;

/// The text of every answer: whole, and in the pieces in which it is streamed. A thought is to be left out.
pub const PIECES: [&str; 3] = ["The Plimsoll l", "ine, é\u{2028}é, ", "is on the hull."];

/// The text of every answer.
pub fn text() -> String {
    PIECES.concat()
}

/// A running server.
pub struct Server {
    /// Where it is.
    pub origin: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: AtomicU64,
    with_key: AtomicU64,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let counted = Arc::clone(&seen);
        // The thread ends with the test's process.
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let seen = Arc::clone(&counted);
                thread::spawn(move || {
                    if speaks_h2(&connection)? { two::serve(connection, &seen) } else { serve(connection, &seen) }
                });
            }
        });
        Self { origin, seen }
    }

    /// Requests that came, and how many of them had the key in their header and nowhere else.
    pub fn seen(&self) -> (u64, u64) {
        (self.seen.requests.load(Ordering::SeqCst), self.seen.with_key.load(Ordering::SeqCst))
    }
}

/// Whether a client begins as HTTP/2 does. No method of HTTP/1.1 that is served here begins with the same letters.
fn speaks_h2(connection: &TcpStream) -> io::Result<bool> {
    let mut first = [0; 3];
    loop {
        match connection.peek(&mut first)? {
            3 => return Ok(&first == b"PRI"),
            0 => return Ok(false),
            _ => thread::yield_now(),
        }
    }
}

fn serve(connection: TcpStream, seen: &Seen) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut writer = connection.try_clone()?;
    let mut reader = BufReader::new(connection);
    while let Some(request) = Request::read(&mut reader)? {
        seen.requests.fetch_add(1, Ordering::SeqCst);
        seen.with_key.fetch_add(u64::from(request.has_key()), Ordering::SeqCst);
        if request.target.starts_with("/refuse/") {
            whole(&mut writer, "500 Internal Server Error", &error())?;
        } else if request.target.contains(":generateContent") {
            whole(&mut writer, "200 OK", &event(&text()))?;
        } else if request.target.contains(":streamGenerateContent?alt=sse") {
            stream(&mut writer, request.target.starts_with("/cut/"))?;
        } else {
            whole(&mut writer, "404 Not Found", &error())?;
        }
    }
    Ok(())
}

struct Request {
    target: String,
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(None);
            }
        }
        let header = |name: &str| {
            head.lines().filter_map(|line| line.split_once(':')).find(|(found, _)| found.eq_ignore_ascii_case(name))
        };
        let length = header("content-length").and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        Ok(Some(Self { target, head, body }))
    }

    fn has_key(&self) -> bool {
        let places: Vec<&str> = self.head.lines().filter(|line| line.contains(super::KEY)).collect();
        matches!(places[..], [line] if line.to_ascii_lowercase().starts_with("x-goog-api-key:"))
            && !String::from_utf8_lossy(&self.body).contains(super::KEY)
    }
}

fn whole(to: &mut impl Write, status: &str, body: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    to.write_all(format!("{head}{body}").as_bytes())
}

/// Server-sent events, cut into chunks wherever it hurts.
fn stream(to: &mut impl Write, cut: bool) -> io::Result<()> {
    to.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")?;
    for chunk in events(cut).as_bytes().chunks(7) {
        write!(to, "{:x}\r\n", chunk.len())?;
        to.write_all(chunk)?;
        to.write_all(b"\r\n")?;
    }
    if cut {
        // In the middle of a body: the connection ends here.
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    to.write_all(b"0\r\n\r\n")
}

/// The events of a stream, or what comes of them when it is cut.
fn events(cut: bool) -> String {
    let mut events: String = PIECES[..2].iter().map(|piece| format!("data: {}\r\n\r\n", unfinished(piece))).collect();
    if !cut {
        events += &format!("data: {}\r\n\r\n", event(PIECES[2]));
    }
    events
}

fn event(text: &str) -> String {
    format!(
        r#"{{"candidates":[{{"content":{{"role":"model","parts":[{{"text":"Hm.","thought":true}},{{"text":"{text}"}}]}},"finishReason":"STOP","index":0}}],"modelVersion":"a-model"}}"#
    )
}

fn unfinished(text: &str) -> String {
    event(text).replace(r#","finishReason":"STOP""#, "")
}

fn error() -> String {
    r#"{"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}}"#.to_owned()
}
