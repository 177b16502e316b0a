//! The head of an HTTP/1.1 answer, read where it lies.
//!
//! [httparse](https://docs.rs/httparse) splits it; what it means for the body and for the connection is decided here, once, so that no
//! two readers can disagree about where an answer ends.

use http::{HeaderMap, HeaderName, HeaderValue};
use httparse::{EMPTY_HEADER, Header, Response, Status};

use super::chunked::ChunkedReader;

/// The most header fields of one head. The API sends about fifteen.
pub const MAX_HEADERS: usize = 96;

/// What the head of an answer says about what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The HTTP status.
    pub status: u16,
    /// Where the body ends.
    pub framing: Framing,
    /// How the body is packed.
    pub coding: Coding,
    /// Whether the connection may carry another request after this answer.
    pub keep_alive: bool,
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// Where the chunks say.
    Chunked,
    /// Where the connection ends.
    Close,
}

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// By gzip.
    Gzip,
    /// In a way that was not asked for.
    Unknown,
}

/// Why a head cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// It is no HTTP/1 answer.
    #[error("the head is not HTTP/1.1: {0}")]
    Syntax(httparse::Error),
    /// It is longer than the limit, in bytes.
    #[error("the head is longer than {0} bytes")]
    TooLong(usize),
    /// It has more than [`MAX_HEADERS`] fields.
    #[error("the head has more than {MAX_HEADERS} fields")]
    TooManyHeaders,
    /// `Content-Length` is no number, or several that differ.
    #[error("the head has a content-length that is no length")]
    Length,
    /// `Transfer-Encoding` is something else than `chunked`.
    #[error("the head has a transfer-encoding other than chunked")]
    TransferEncoding,
}

impl Head {
    /// Reads the head at the beginning of `bytes`: what it says and how long it is, or `None` while its end is not there.
    ///
    /// # Errors
    ///
    /// [`HeadError`]. A head of more than `max` bytes is refused as soon as so many are there without its end.
    pub fn read(bytes: &[u8], max: usize) -> Result<Option<(Self, usize)>, HeadError> {
        let mut fields = [EMPTY_HEADER; MAX_HEADERS];
        let mut response = Response::new(&mut fields);
        // What lies behind the limit is not looked at: cut anywhere, the answer is the same.
        let seen = &bytes[..bytes.len().min(max)];
        match response.parse(seen) {
            Ok(Status::Complete(length)) => Ok(Some((Self::understand(&response)?, length))),
            Ok(Status::Partial) if bytes.len() > max => Err(HeadError::TooLong(max)),
            Ok(Status::Partial) => Ok(None),
            Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooManyHeaders),
            Err(error) => Err(HeadError::Syntax(error)),
        }
    }

    /// The fields of a head that was read: all of them, for whoever wants more than what it says about its body.
    pub fn fields(bytes: &[u8]) -> HeaderMap {
        let mut fields = [EMPTY_HEADER; MAX_HEADERS];
        let mut response = Response::new(&mut fields);
        let mut map = HeaderMap::new();
        if let Ok(Status::Complete(_)) = response.parse(bytes) {
            for field in response.headers.iter() {
                if let (Ok(name), Ok(value)) =
                    (HeaderName::from_bytes(field.name.as_bytes()), HeaderValue::from_bytes(field.value))
                {
                    map.append(name, value);
                }
            }
        }
        map
    }

    /// Whether this is a word on the way (1xx), with the answer still to come.
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    fn understand(response: &Response<'_, '_>) -> Result<Self, HeadError> {
        let status = response.code.unwrap_or(0);
        let mut head =
            Self { status, framing: Framing::Close, coding: Coding::Identity, keep_alive: response.version == Some(1) };
        let (mut length, mut chunked) = (None, false);
        for field in response.headers.iter() {
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                if words(field).next().is_none() {
                    return Err(HeadError::Length);
                }
                for value in words(field) {
                    let value = number(value).ok_or(HeadError::Length)?;
                    if length.replace(value).is_some_and(|before| before != value) {
                        return Err(HeadError::Length);
                    }
                }
            } else if is("transfer-encoding") {
                if words(field).next().is_none() {
                    return Err(HeadError::TransferEncoding);
                }
                for value in words(field) {
                    if chunked || !value.eq_ignore_ascii_case(b"chunked") {
                        return Err(HeadError::TransferEncoding);
                    }
                    chunked = true;
                }
            } else if is("content-encoding") {
                for value in words(field).filter(|value| !value.eq_ignore_ascii_case(b"identity")) {
                    let gzip = value.eq_ignore_ascii_case(b"gzip") || value.eq_ignore_ascii_case(b"x-gzip");
                    head.coding = if gzip && head.coding == Coding::Identity { Coding::Gzip } else { Coding::Unknown };
                }
            } else if is("connection") {
                for value in words(field) {
                    if value.eq_ignore_ascii_case(b"close") {
                        head.keep_alive = false;
                    }
                }
            }
        }
        head.framing = match (status, chunked, length) {
            (100..200 | 204 | 304, ..) => Framing::Length(0),
            (_, true, _) => Framing::Chunked,
            (_, false, Some(length)) => Framing::Length(length),
            (_, false, None) => Framing::Close,
        };
        // Both framings at once is how one answer is made to look like two: nothing more is read from such a connection.
        head.keep_alive &= head.framing != Framing::Close && !(chunked && length.is_some());
        Ok(head)
    }
}

impl Framing {
    /// A reader for the body.
    pub fn reader(self) -> BodyReader {
        match self {
            Self::Length(length) => BodyReader::Length(length),
            Self::Chunked => BodyReader::Chunked(ChunkedReader::new()),
            Self::Close => BodyReader::Close,
        }
    }
}

/// How far a body was read.
#[derive(Debug, Clone)]
pub enum BodyReader {
    /// So many bytes are left.
    Length(u64),
    /// Chunks.
    Chunked(ChunkedReader),
    /// All there is.
    Close,
}

impl BodyReader {
    /// Reads the beginning of `input`: how many bytes belong to the body or its framing, and the piece of the body among them.
    ///
    /// # Errors
    ///
    /// [`ChunkError`](super::chunked::ChunkError).
    pub fn read<'i>(&mut self, input: &'i [u8]) -> Result<(usize, &'i [u8]), super::chunked::ChunkError> {
        match self {
            Self::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= count as u64;
                Ok((count, &input[..count]))
            }
            Self::Chunked(chunks) => chunks.read(input),
            Self::Close => Ok((input.len(), input)),
        }
    }

    /// Whether the body is whole.
    pub fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.is_done(),
            Self::Close => false,
        }
    }
}

/// The elements of a list, without what is empty.
fn words<'b>(field: &Header<'b>) -> impl Iterator<Item = &'b [u8]> + use<'b> {
    field.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
}

/// Digits and nothing else: no sign, no space.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Result<Head, HeadError> {
        let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        let (head, length) = Head::read(text.as_bytes(), 4096)?.unwrap();
        assert_eq!(length, text.len());
        Ok(head)
    }

    #[test]
    fn where_a_body_ends() {
        assert_eq!(read("").unwrap().framing, Framing::Close);
        assert_eq!(read("Content-Length: 12\r\n").unwrap().framing, Framing::Length(12));
        assert_eq!(read("content-length: 12, 12\r\ncontent-length:12\r\n").unwrap().framing, Framing::Length(12));
        assert_eq!(read("transfer-encoding: Chunked\r\n").unwrap().framing, Framing::Chunked);
        for wrong in ["+1", "-1", "1 2", "0x10", "", "1,2", "99999999999999999999"] {
            assert_eq!(read(&format!("content-length: {wrong}\r\n")), Err(HeadError::Length), "{wrong:?}");
        }
        assert_eq!(read("content-length: 1\r\ncontent-length:\r\n"), Err(HeadError::Length));
        for wrong in ["gzip", "gzip, chunked", "chunked, chunked", "xchunked", "", ","] {
            let error = read(&format!("transfer-encoding: {wrong}\r\n"));
            assert_eq!(error, Err(HeadError::TransferEncoding), "{wrong:?}");
        }
        for status in ["103", "204", "304"] {
            let text = format!("HTTP/1.1 {status} X\r\ncontent-length: 9\r\n\r\n");
            assert_eq!(Head::read(text.as_bytes(), 4096).unwrap().unwrap().0.framing, Framing::Length(0), "{status}");
        }
    }

    #[test]
    fn which_connections_live_on() {
        let lives = |fields: &str| read(fields).unwrap().keep_alive;
        assert!(lives("content-length: 0\r\n") && lives("transfer-encoding: chunked\r\nconnection: keep-alive\r\n"));
        assert!(!lives("content-length: 0\r\nconnection: x, Close\r\n"));
        assert!(!lives(""), "the end of the connection is the end of the body");
        assert!(!lives("content-length: 5\r\ntransfer-encoding: chunked\r\n"), "two framings");
        let old = Head::read(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", 4096).unwrap().unwrap().0;
        assert!(!old.keep_alive);
    }

    #[test]
    fn how_a_body_is_packed() {
        assert_eq!(read("").unwrap().coding, Coding::Identity);
        assert_eq!(read("content-encoding: identity\r\n").unwrap().coding, Coding::Identity);
        assert_eq!(read("content-encoding: GZIP\r\n").unwrap().coding, Coding::Gzip);
        assert_eq!(read("content-encoding: br\r\n").unwrap().coding, Coding::Unknown);
        assert_eq!(read("content-encoding: gzip, gzip\r\n").unwrap().coding, Coding::Unknown);
    }

    #[test]
    fn all_fields_can_be_had() {
        let head = b"HTTP/1.1 200 OK\r\nX-A: 1, 2\r\nx-b: \xe9\r\nx-a: 3\r\n\r\nx-c: no field";
        let fields = Head::fields(head);
        assert_eq!(fields.get_all("x-a").iter().collect::<Vec<_>>(), ["1, 2", "3"]);
        assert_eq!((fields["x-b"].as_bytes(), fields.len()), (&b"\xe9"[..], 3));
        assert!(Head::fields(&head[..20]).is_empty());
    }

    #[test]
    fn interim_heads_are_known() {
        let status = |status: &str| {
            Head::read(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes(), 99).unwrap().unwrap().0.is_interim()
        };
        assert!(status("100 Continue") && status("103 Early Hints"));
        assert!(!status("101 Switching Protocols") && !status("200 OK"));
    }

    #[test]
    fn a_head_cut_at_every_byte_is_the_same_head() {
        let text = "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 5\r\nretry-after: 3\r\nx: \u{e9}\r\n\r\nhello";
        let whole = Head::read(text.as_bytes(), 4096).unwrap().unwrap();
        assert_eq!(&text[whole.1..], "hello");
        for at in 0..text.len() {
            let expected = (at >= whole.1).then_some(whole);
            assert_eq!(Head::read(&text.as_bytes()[..at], 4096).unwrap(), expected, "cut at {at}");
        }
    }

    #[test]
    fn limits_hold() {
        let text = b"HTTP/1.1 200 OK\r\nx: 1\r\n\r\nbody and more";
        let length = text.len() - "body and more".len();
        assert!(Head::read(text, length).unwrap().is_some());
        assert_eq!(Head::read(text, length - 1), Err(HeadError::TooLong(length - 1)));
        assert_eq!(Head::read(&text[..10], 10), Ok(None));
        let many = |count: usize| read(&"x: 1\r\n".repeat(count));
        assert!(many(MAX_HEADERS).is_ok());
        assert_eq!(many(MAX_HEADERS + 1), Err(HeadError::TooManyHeaders));
        for wrong in
            ["HTTP/2 200\r\n\r\n", "SSH-2.0-x\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n x: folded\r\n\r\n"]
        {
            assert!(matches!(Head::read(wrong.as_bytes(), 4096), Err(HeadError::Syntax(_))), "{wrong:?}");
        }
    }
}
