//! HTTP/2's frames by hand: a server that does what the h2 crate's would not.

use std::future::Future;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// The setting that says how many streams a client may have open.
const MAX_CONCURRENT_STREAMS: u16 = 3;
/// ":status: 200" in the static table.
const STATUS_200: u8 = 0x88;

pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A client, seen from its server.
pub(crate) struct Peer(TcpStream);

/// A server whose connections, from 0, are served by `serve`; it ends with the test's runtime.
pub(crate) async fn serving<F>(serve: impl Fn(usize, Peer) -> F + Send + 'static) -> String
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut count = 0;
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(count, Peer(stream)));
            count += 1;
        }
    });
    base
}

impl Peer {
    /// Takes the client's first words and says how many streams it may have open.
    pub(crate) async fn begin(&mut self, streams: u32) -> io::Result<()> {
        self.0.set_nodelay(true)?;
        self.0.read_exact(&mut [0; 24]).await?;
        self.allow(streams).await
    }

    /// Says how many streams the client may have open from now on.
    pub(crate) async fn allow(&mut self, streams: u32) -> io::Result<()> {
        let setting = [&MAX_CONCURRENT_STREAMS.to_be_bytes()[..], &streams.to_be_bytes()].concat();
        self.write(SETTINGS, 0, 0, &setting).await
    }

    /// The next frame, whatever it is.
    pub(crate) async fn read(&mut self) -> io::Result<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload).await?;
        Ok(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
    }

    /// The stream of the next request that is whole; settings are acknowledged and all else is passed over.
    pub(crate) async fn request(&mut self) -> io::Result<u32> {
        loop {
            let frame = self.read().await?;
            match (frame.kind, frame.flags) {
                (SETTINGS, 0) => self.write(SETTINGS, ACK, 0, &[]).await?,
                (HEADERS | DATA, flags) if flags & END_STREAM != 0 => return Ok(frame.stream),
                _ => {}
            }
        }
    }

    pub(crate) async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
        self.0.write_all(&[&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()).await
    }

    /// The head of an answer.
    pub(crate) async fn head(&mut self, stream: u32) -> io::Result<()> {
        self.write(HEADERS, END_HEADERS, stream, &[STATUS_200]).await
    }

    /// A whole answer.
    pub(crate) async fn answer(&mut self, stream: u32, body: &str) -> io::Result<()> {
        self.head(stream).await?;
        self.write(DATA, END_STREAM, stream, body.as_bytes()).await
    }

    /// Says that no stream above `last` was or will be looked at.
    pub(crate) async fn go_away(&mut self, last: u32, reason: h2::Reason) -> io::Result<()> {
        let said = [last.to_be_bytes(), u32::from(reason).to_be_bytes()].concat();
        self.write(GOAWAY, 0, 0, &said).await
    }

    pub(crate) async fn reset(&mut self, stream: u32, reason: h2::Reason) -> io::Result<()> {
        self.write(RST_STREAM, 0, stream, &u32::from(reason).to_be_bytes()).await
    }

    /// Says nothing more, answers no PING, and takes all until the client hangs up.
    pub(crate) async fn silence(&mut self) -> io::Result<()> {
        while self.0.read(&mut [0; 4096]).await? > 0 {}
        Ok(())
    }
}
