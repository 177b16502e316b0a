//! What passes between a provider and its helper, over one socket, both ways.
//!
//! ```text
//! 0  length of the payload  u32, little-endian
//! 4  kind                   u8
//! 5  call                   u32, little-endian; 0 where it is about none
//! 9  payload
//! ```
//!
//! | to the helper | payload |
//! |---|---|
//! | `Setup` | first, once: configuration, options and key, as JSON |
//! | `Ask` | a request: [`Ask`] |
//! | `Body` | a piece of its body, until all that `Ask` announced has come |
//! | `Cancel` | nobody waits for its answer any more |
//! | `Taken` | so many more bytes of its answer were taken (u32) |
//!
//! | from the helper | payload |
//! |---|---|
//! | `Ready`, `Refused` | first, once: it can be asked; or it cannot be set up, and why (text) |
//! | `Head` | an answer begins: [`Head`] |
//! | `Data` | a piece of its body, as it came, unpacked |
//! | `End` | it is whole |
//! | `Failed` | it is not, and why: an [`Error`] |
//! | `Full` | it has grown past its bound and should be asked nothing more |
//!
//! Of one answer at most [`WINDOW`] bytes are on the way that were not taken: a reader that is slow holds up its own answer, back to
//! the server, and no other.

use std::io;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::error::{Error, Limited, Phase};
use crate::wire::answer::ANSWER;

/// Bytes before the payload.
pub(super) const HEADER: usize = 9;
/// The most bytes of an answer that were sent and not taken.
pub(super) const WINDOW: usize = 64 << 10;
/// The most bytes of a body in one frame.
pub(super) const PIECE: usize = 16 << 10;
/// The longest payload: a trust bundle in a setup. What is longer is no frame.
const MAX_PAYLOAD: usize = 8 << 20;

macro_rules! kinds {
    ($($name:ident = $number:literal),+ $(,)?) => {
        /// What a frame says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Kind { $($name = $number),+ }

        impl Kind {
            fn of(number: u8) -> io::Result<Self> {
                match number {
                    $($number => Ok(Self::$name),)+
                    other => Err(broken(format!("a frame of the unknown kind {other}"))),
                }
            }
        }
    };
}

kinds! {
    Setup = 1, Ask = 2, Body = 3, Cancel = 4, Taken = 5,
    Ready = 17, Refused = 18, Head = 19, Data = 20, End = 21, Failed = 22, Full = 23,
}

/// A frame that came.
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) call: u32,
    pub(super) payload: Vec<u8>,
}

/// The bytes before a payload.
pub(super) fn header(kind: Kind, call: u32, length: usize) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    // Payloads are cut to pieces or checked against the bound before.
    bytes[..4].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    bytes[4] = kind as u8;
    bytes[5..].copy_from_slice(&call.to_le_bytes());
    bytes
}

/// A whole frame.
pub(super) fn frame(kind: Kind, call: u32, payload: &[u8]) -> Vec<u8> {
    [&header(kind, call, payload.len())[..], payload].concat()
}

/// Reads the next frame; `None` where the other side ended between two.
pub(super) async fn next(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
    let mut header = [0; HEADER];
    if from.read(&mut header[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut header[1..]).await?;
    let [a, b, c, d, kind, call @ ..] = header;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > MAX_PAYLOAD {
        return Err(broken(format!("a frame of {length} bytes")));
    }
    let mut payload = vec![0; length];
    from.read_exact(&mut payload).await?;
    Ok(Some(Frame { kind: Kind::of(kind)?, call: u32::from_le_bytes(call), payload }))
}

/// A request as it is sent to the helper; its body follows.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: http::Method,
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    /// Whether the answer comes in events over time: there is no bound on all of them together then.
    pub(super) streams: bool,
    /// Bytes of the body.
    pub(super) length: usize,
}

impl Ask {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut pack = Pack(Vec::with_capacity(64 + self.url.len()));
        pack.text(self.method.as_str().as_bytes());
        pack.text(self.url.as_bytes());
        pack.number(u64::from(self.streams));
        pack.number(self.length as u64);
        pack.headers(&self.headers);
        pack.0
    }

    pub(super) fn read(payload: &[u8]) -> io::Result<Self> {
        let mut unpack = Unpack(payload);
        let method = http::Method::from_bytes(unpack.text()?).map_err(|error| broken(error.to_string()))?;
        let url = unpack.string()?;
        let (streams, length) = (unpack.number()? > 0, unpack.number()?);
        let length = usize::try_from(length).map_err(|_| broken("a body of no length".to_owned()))?;
        Ok(Self { method, url, streams, length, headers: unpack.headers()? })
    }
}

/// The head of an answer.
#[derive(Debug, Clone)]
pub(super) struct Head;

impl Head {
    pub(super) fn write(status: u16, headers: &HeaderMap) -> Vec<u8> {
        let mut pack = Pack(Vec::with_capacity(512));
        pack.number(status.into());
        pack.headers(headers);
        pack.0
    }

    /// The status alone, which is all that most answers are asked for.
    pub(super) fn status(payload: &[u8]) -> io::Result<u16> {
        let status = Unpack(payload).number()?;
        u16::try_from(status).map_err(|_| broken(format!("the status {status}")))
    }

    pub(super) fn headers(payload: &[u8]) -> io::Result<HeaderMap> {
        let mut unpack = Unpack(payload);
        unpack.number()?;
        unpack.headers()
    }
}

const PHASES: [Phase; 4] = [Phase::Connect, Phase::Head, Phase::Body, Phase::Call];

/// Why an answer failed, of the errors that a helper can meet: refusals are answers here, and judged by who asked.
pub(super) fn write_error(error: &Error) -> Vec<u8> {
    let mut pack = Pack(Vec::new());
    let place = |phase: &Phase| PHASES.iter().position(|known| known == phase).unwrap_or_default() as u64;
    match error {
        Error::Timeout { phase, limit } => {
            pack.number(1);
            pack.number(place(phase));
            pack.number(limit.as_secs());
            pack.number(limit.subsec_nanos().into());
        }
        Error::Transport { phase, source } => {
            pack.number(2);
            pack.number(place(phase));
            pack.text(crate::error::chain(source.as_ref()).as_bytes());
        }
        Error::TooLong { limit, .. } => {
            pack.number(3);
            pack.number(*limit as u64);
        }
        Error::Answer { source, .. } => {
            pack.number(4);
            pack.text(crate::error::chain(source.as_ref()).as_bytes());
        }
        Error::Config(message) => {
            pack.number(5);
            pack.text(message.as_bytes());
        }
        other => {
            pack.number(4);
            pack.text(other.to_string().as_bytes());
        }
    }
    pack.0
}

/// The error that the helper met.
pub(super) fn read_error(payload: &[u8]) -> io::Result<Error> {
    let mut unpack = Unpack(payload);
    let phase = |number: u64| {
        let place = usize::try_from(number).ok().and_then(|at| PHASES.get(at));
        place.copied().ok_or_else(|| broken(format!("the phase {number}")))
    };
    Ok(match unpack.number()? {
        1 => {
            let phase = phase(unpack.number()?)?;
            let seconds = Duration::from_secs(unpack.number()?);
            let nanos = u32::try_from(unpack.number()?).map_err(|_| broken("no duration".to_owned()))?;
            Error::Timeout { phase, limit: seconds.saturating_add(Duration::from_nanos(nanos.into())) }
        }
        2 => Error::Transport { phase: phase(unpack.number()?)?, source: unpack.string()?.into() },
        3 => {
            let limit = usize::try_from(unpack.number()?).unwrap_or(usize::MAX);
            Error::TooLong { what: Limited::Body, limit }
        }
        4 => Error::answer(ANSWER, unpack.string()?),
        5 => Error::config(unpack.string()?),
        other => return Err(broken(format!("the error {other}"))),
    })
}

/// A number out of a payload that is nothing else.
pub(super) fn count(payload: &[u8]) -> io::Result<usize> {
    let bytes = payload.try_into().map_err(|_| broken("a count of another size".to_owned()))?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

fn broken(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the pipe to a helper holds {what}"))
}

struct Pack(Vec<u8>);

impl Pack {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn text(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn headers(&mut self, headers: &HeaderMap) {
        self.number(headers.len() as u64);
        for (name, value) in headers {
            self.text(name.as_str().as_bytes());
            self.text(value.as_bytes());
        }
    }
}

struct Unpack<'p>(&'p [u8]);

impl<'p> Unpack<'p> {
    fn number(&mut self) -> io::Result<u64> {
        let (number, rest) = self.0.split_first_chunk().ok_or_else(|| broken("half a payload".to_owned()))?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*number))
    }

    fn text(&mut self) -> io::Result<&'p [u8]> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(|| broken("half a payload".to_owned()))?;
        self.0 = rest;
        Ok(text)
    }

    fn string(&mut self) -> io::Result<String> {
        Ok(String::from_utf8_lossy(self.text()?).into_owned())
    }

    fn headers(&mut self) -> io::Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for _ in 0..self.number()? {
            let (name, value) = (self.text()?, self.text()?);
            let name = HeaderName::from_bytes(name).map_err(|error| broken(error.to_string()))?;
            headers.append(name, HeaderValue::from_bytes(value).map_err(|error| broken(error.to_string()))?);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_come_as_they_went_however_they_are_cut() {
        let mut bytes = frame(Kind::Ask, 7, b"payload");
        bytes.extend(frame(Kind::End, u32::MAX, b""));
        for size in 1..bytes.len() {
            let (mut near, mut far) = tokio::io::duplex(size);
            let bytes = bytes.clone();
            tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut near, &bytes).await });
            let one = next(&mut far).await.unwrap().unwrap();
            assert_eq!((one.kind, one.call, &*one.payload), (Kind::Ask, 7, &b"payload"[..]));
            let two = next(&mut far).await.unwrap().unwrap();
            assert_eq!((two.kind, two.call, two.payload.len()), (Kind::End, u32::MAX, 0));
            assert!(next(&mut far).await.unwrap().is_none());
        }
        for wrong in [&[1, 0, 0][..], &[255; HEADER], &[0, 0, 0, 0, 99, 0, 0, 0, 0]] {
            assert!(next(&mut &*wrong).await.is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn requests_and_heads_keep_all_that_they_say_and_halves_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", HeaderValue::from_static("1"));
        headers.append("x-a", HeaderValue::from_bytes(b"\xff").unwrap());
        let ask = Ask {
            method: http::Method::PATCH,
            url: "http://localhost/é".to_owned(),
            headers: headers.clone(),
            streams: true,
            length: 5,
        };
        let written = ask.write();
        let read = Ask::read(&written).unwrap();
        assert_eq!((read.method, read.url, read.headers), (ask.method, ask.url, headers.clone()));
        assert_eq!((read.streams, read.length), (true, 5));
        let head = Head::write(429, &headers);
        assert_eq!((Head::status(&head).unwrap(), Head::headers(&head).unwrap()), (429, headers));
        for end in 0..written.len() {
            assert!(Ask::read(&written[..end]).is_err(), "{end}");
        }
        for end in 0..head.len() {
            assert!(Head::headers(&head[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn errors_arrive_as_what_they_were() {
        let limit = Duration::new(3, 7);
        for error in [
            Error::Timeout { phase: Phase::Connect, limit },
            Error::Transport { phase: Phase::Body, source: "reset".into() },
            Error::TooLong { what: Limited::Body, limit: 9 },
            Error::answer(ANSWER, "damaged"),
            Error::config("no URL"),
        ] {
            let written = write_error(&error);
            assert_eq!(read_error(&written).unwrap().to_string(), error.to_string());
            assert!((0..written.len()).all(|end| read_error(&written[..end]).is_err()), "{error}");
        }
    }
}
