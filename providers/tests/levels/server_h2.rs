//! The same server for clients that speak HTTP/2: the steps are written as for HTTP/1.1, and their bytes are translated.
//!
//! What ends a connection ends it for all its streams; a stream that its client gives up counts as one that hung up.

use std::future::poll_fn;
use std::io;
use std::sync::Mutex;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{Method, Request, Response};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{Seen, Step};

type Steps = dyn Fn(usize) -> Vec<Step> + Send + Sync;

/// How the steps of a stream came to their end.
enum End {
    /// The connection goes on.
    Stays,
    /// Its client gave it up.
    HungUp,
    /// The connection is to end. What was sent is kept till then: an answer that is let go is cancelled.
    Close(#[allow(dead_code, reason = "held, not read")] Out),
    /// The connection is to end with a reset.
    Reset(#[allow(dead_code, reason = "held, not read")] Out),
}

pub(super) async fn serve(
    stream: TcpStream,
    seen: &Mutex<Seen>,
    hung_up: &watch::Sender<usize>,
    steps: &Steps,
) -> io::Result<()> {
    // A second handle of the socket, to reset it by.
    let stream = stream.into_std()?;
    let socket = TcpStream::from_std(stream.try_clone()?)?;
    let mut connection = h2::server::handshake(TcpStream::from_std(stream)?).await.map_err(io::Error::other)?;
    let mut streams = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                None => return Ok(()),
                Some(accepted) => {
                    let (request, respond) = accepted.map_err(io::Error::other)?;
                    streams.push(answer(request, respond, seen, steps));
                }
            },
            Some(end) = streams.next() => match end {
                // A client that is gone is what some tests are about.
                Ok(End::Stays) | Err(_) => {}
                Ok(End::HungUp) => hung_up.send_modify(|count| *count += 1),
                Ok(end) => {
                    // What was said before has come there first: a client that must write may meet the end before it has read.
                    if let Some(mut pings) = connection.ping_pong() {
                        tokio::select! {
                            _ = pings.ping(h2::Ping::opaque()) => {}
                            _ = connection.accept() => {}
                        }
                    }
                    return match end {
                        End::Reset(_) => socket.set_zero_linger(),
                        _ => Ok(()),
                    };
                }
            },
        }
    }
}

async fn answer(
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
    seen: &Mutex<Seen>,
    steps: &Steps,
) -> Result<End, h2::Error> {
    let bodiless = request.method() == Method::HEAD;
    let text = as_text(request).await?;
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.requests.push(text);
        seen.requests.len() - 1
    };
    let mut out = Out { respond, body: None, head: Vec::new(), framing: Framing::Close, bodiless, ended: false };
    for step in steps(number) {
        match step {
            Step::Send(bytes) => out.write(&bytes)?,
            Step::Gate(gate) => gate.acquire().await.expect("gates are not closed").forget(),
            Step::Silence => break,
            // Where nothing else says how long the body is, the end of the connection is its end, and the stream's is enough.
            Step::Close if matches!(out.framing, Framing::Close) && out.body.is_some() => out.end()?,
            Step::Close => return Ok(End::Close(out)),
            Step::Reset => return Ok(End::Reset(out)),
        }
    }
    if out.ended {
        return Ok(End::Stays);
    }
    match &mut out.body {
        Some(body) => poll_fn(|cx| body.poll_reset(cx)).await?,
        None => poll_fn(|cx| out.respond.poll_reset(cx)).await?,
    };
    Ok(End::HungUp)
}

/// A request as HTTP/1.1 would have written it.
async fn as_text(request: Request<RecvStream>) -> Result<String, h2::Error> {
    let (head, mut body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let host = head.uri.authority().map_or("", |authority| authority.as_str());
    let mut text = format!("{} {path} HTTP/1.1\r\nhost: {host}\r\n", head.method);
    for (name, value) in &head.headers {
        text += &format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
    }
    text += "\r\n";
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        bytes.extend_from_slice(&piece);
    }
    Ok(text + &String::from_utf8_lossy(&bytes))
}

/// Where a body ends.
enum Framing {
    /// After so many bytes.
    Length(usize),
    /// Where its chunks say. What of the next one has come.
    Chunked(Vec<u8>),
    /// Where the connection ends.
    Close,
}

/// An answer in HTTP/1.1's bytes, sent as HTTP/2's frames.
struct Out {
    respond: SendResponse<Bytes>,
    /// There once the head is sent.
    body: Option<SendStream<Bytes>>,
    /// What has come of the head.
    head: Vec<u8>,
    framing: Framing,
    /// Whatever the head says of a body, none follows.
    bodiless: bool,
    ended: bool,
}

impl Out {
    fn write(&mut self, bytes: &[u8]) -> Result<(), h2::Error> {
        if self.body.is_some() {
            return self.write_body(bytes);
        }
        self.head.extend_from_slice(bytes);
        let Some(end) = self.head.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(()) };
        let rest = self.head.split_off(end + 4);
        self.write_head()?;
        self.write_body(&rest)
    }

    fn write_head(&mut self) -> Result<(), h2::Error> {
        let text = String::from_utf8_lossy(&self.head);
        let mut lines = text.trim_end().split("\r\n");
        let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response::builder().status(status);
        for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
            match name.to_ascii_lowercase().as_str() {
                "connection" | "trailer" => continue,
                "transfer-encoding" => {
                    self.framing = Framing::Chunked(Vec::new());
                    continue;
                }
                "content-length" => self.framing = Framing::Length(value.parse().unwrap()),
                _ => {}
            }
            response = response.header(name, value);
        }
        let empty = self.bodiless || status == 204 || matches!(self.framing, Framing::Length(0));
        self.body = Some(self.respond.send_response(response.body(()).unwrap(), empty)?);
        self.ended = empty;
        Ok(())
    }

    fn write_body(&mut self, bytes: &[u8]) -> Result<(), h2::Error> {
        if bytes.is_empty() || self.ended {
            return Ok(());
        }
        let (plain, end) = match &mut self.framing {
            Framing::Close => (bytes.to_vec(), false),
            Framing::Length(left) => {
                *left -= bytes.len();
                (bytes.to_vec(), *left == 0)
            }
            Framing::Chunked(kept) => {
                kept.extend_from_slice(bytes);
                dechunk(kept)
            }
        };
        self.ended = end;
        let body = self.body.as_mut().expect("the head comes first");
        if plain.is_empty() && !end { Ok(()) } else { body.send_data(plain.into(), end) }
    }

    fn end(&mut self) -> Result<(), h2::Error> {
        self.ended = true;
        self.body.as_mut().expect("the head comes first").send_data(Bytes::new(), true)
    }
}

/// Takes the whole chunks out of `kept`: what they hold, and whether the last one was among them.
fn dechunk(kept: &mut Vec<u8>) -> (Vec<u8>, bool) {
    let mut plain = Vec::new();
    while let Some(line) = kept.windows(2).position(|bytes| bytes == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&kept[..line]).unwrap(), 16).unwrap();
        if kept.len() < line + size + 4 {
            break;
        }
        plain.extend_from_slice(&kept[line + 2..line + 2 + size]);
        kept.drain(..line + size + 4);
        if size == 0 {
            return (plain, true);
        }
    }
    (plain, false)
}
