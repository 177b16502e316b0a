//! HTTP/1.1 by hand: one request at a time over one connection that is kept, one buffer for what is
//! read and one for what it says.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use plimsoll_worker::{Env, Failure, Kind};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::server::{Server, question, transport};
use crate::text;

/// Headers of an answer that are looked at; the mock sends fewer.
const HEADERS: usize = 32;
/// What is read at once, bytes.
const READ: usize = 8 << 10;

/// How a connection is made.
pub(crate) trait Dial: Send + Sync + 'static {
    /// What is written to and read from.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Makes one.
    fn dial(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// Without TLS.
pub(crate) struct Plain;

impl Dial for Plain {
    type Stream = TcpStream;

    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// The client of the rungs that have no HTTP library.
pub(crate) struct Http<D: Dial> {
    dial: D,
    address: SocketAddr,
    /// The same for every request.
    request: Vec<u8>,
    connection: Mutex<Option<Connection<D::Stream>>>,
}

/// Makes the client: looks up where the server is, sends nothing.
///
/// # Errors
/// When the server is not known, or `dial` cannot be made.
pub(crate) async fn client<D: Dial>(
    env: Env,
    dial: impl FnOnce(&Env) -> Result<D, Failure>,
) -> Result<Http<D>, Failure> {
    let server = Server::of(&env.base_url)?;
    let (body, Server { authority, path, .. }) = (question(&env), &server);
    let request = format!(
        "POST {path}/v1beta/models/{}:generateContent HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\n\
         x-goog-api-key: {}\r\ncontent-length: {}\r\n\r\n{body}",
        env.model,
        env.key,
        body.len()
    );
    let address = server.address()?;
    Ok(Http { dial: dial(&env)?, address, request: request.into_bytes(), connection: Mutex::new(None) })
}

/// Asks once and takes the answer's text from where it was read to.
///
/// # Errors
/// When there is no connection, or no answer of status 200.
pub(crate) async fn ask<D: Dial>(client: Arc<Http<D>>, on_text: impl Fn(&str) + Send) -> Result<(), Failure> {
    let mut kept = client.connection.lock().await;
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Connection::new(client.dial.dial(client.address).await.map_err(transport)?),
    };
    connection.stream.write_all(&client.request).await.map_err(transport)?;
    connection.stream.flush().await.map_err(transport)?;
    text::each(connection.answer().await?, on_text)?;
    *kept = Some(connection);
    Ok(())
}

struct Connection<S> {
    stream: S,
    read: Vec<u8>,
    /// The body, taken out of its chunks.
    body: Vec<u8>,
}

/// How the end of a body is told.
enum Framing {
    Length(usize),
    Chunked,
}

impl<S: AsyncRead + Unpin> Connection<S> {
    fn new(stream: S) -> Self {
        Self { stream, read: Vec::new(), body: Vec::new() }
    }

    /// The body of the next answer.
    async fn answer(&mut self) -> Result<&[u8], Failure> {
        self.read.clear();
        let (start, framing) = loop {
            self.more().await?;
            if let Some(head) = head(&self.read)? {
                break head;
            }
        };
        match framing {
            Framing::Length(length) => {
                self.fill(start + length).await?;
                Ok(&self.read[start..start + length])
            }
            Framing::Chunked => self.chunks(start).await,
        }
    }

    /// The body whose chunks begin at `at`.
    async fn chunks(&mut self, mut at: usize) -> Result<&[u8], Failure> {
        self.body.clear();
        loop {
            let size = match httparse::parse_chunk_size(&self.read[at..]) {
                Ok(httparse::Status::Complete((taken, size))) => {
                    at += taken;
                    usize::try_from(size).map_err(|_| odd("a chunk is too long"))?
                }
                Ok(httparse::Status::Partial) => {
                    self.more().await?;
                    continue;
                }
                Err(_) => return Err(odd("a chunk's size is none")),
            };
            let end = at + size;
            // Its line end is of the chunk: the next one, or the next answer, begins behind it.
            self.fill(end + 2).await?;
            self.body.extend_from_slice(&self.read[at..end]);
            at = end + 2;
            if size == 0 {
                return Ok(&self.body);
            }
        }
    }

    /// Reads until there are so many bytes.
    async fn fill(&mut self, length: usize) -> Result<(), Failure> {
        while self.read.len() < length {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> Result<(), Failure> {
        self.read.reserve(READ);
        match self.stream.read_buf(&mut self.read).await.map_err(transport)? {
            0 => Err(transport("the connection ended before the answer did")),
            _ => Ok(()),
        }
    }
}

/// Where the body begins and how its end is told; `None` while the head is not whole.
fn head(read: &[u8]) -> Result<Option<(usize, Framing)>, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = answer.parse(read).map_err(|_| odd("the answer is not HTTP"))? else {
        return Ok(None);
    };
    if answer.code != Some(200) {
        return Err(Failure::new(Kind::Status, answer.code.unwrap_or_default()));
    }
    let value = |name: &str| {
        let header = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let framing = match (value("transfer-encoding"), value("content-length").map(str::parse)) {
        (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => Framing::Chunked,
        (None, Some(Ok(length))) => Framing::Length(length),
        _ => return Err(odd("the answer does not say how long it is")),
    };
    Ok(Some((start, framing)))
}

fn odd(what: &str) -> Failure {
    Failure::new(Kind::Answer, what)
}
