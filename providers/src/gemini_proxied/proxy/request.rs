//! Requests on their way through the proxy: each byte as it came, but for the name of the server.

use std::io;

use httparse::{EMPTY_HEADER, Header, Status};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::BUFFER;
use crate::wire::chunked::ChunkedReader;
use crate::wire::head::MAX_HEADERS;

/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// The requests of one connection.
pub(super) struct Requests<'s> {
    /// What the server is called.
    host: &'s str,
    /// What came and was not passed on yet.
    came: Vec<u8>,
}

/// Where a request's body ends.
#[derive(Debug, Clone)]
enum Body {
    Length(u64),
    Chunked(ChunkedReader),
}

impl<'s> Requests<'s> {
    pub(super) fn new(host: &'s str) -> Self {
        Self { host, came: Vec::with_capacity(BUFFER) }
    }

    /// Waits until a whole head is there. `false`: there is none, the connection ended.
    pub(super) async fn head(&mut self, from: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
        while read_head(&self.came, self.host)?.is_none() {
            if self.came.len() > MAX_HEAD {
                return Err(wrong(format!("the head of a request is longer than {MAX_HEAD} bytes")));
            }
            if from.read_buf(&mut self.came).await? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Passes on what comes until it ends. `false`: the server takes no more of it.
    pub(super) async fn pass(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<bool> {
        while self.head(from).await? {
            let Some((mut head, length, mut body)) = read_head(&self.came, self.host)? else { continue };
            // What is there of the body goes with the head, so that a small request stays one packet.
            let mut taken = length + body.take(&self.came[length..])?;
            head.extend_from_slice(&self.came[length..taken]);
            if to.write_all(&head).await.is_err() {
                return Ok(false);
            }
            drop(head);
            while !body.is_done() {
                self.came.clear();
                if from.read_buf(&mut self.came).await? == 0 {
                    return Ok(true);
                }
                taken = body.take(&self.came)?;
                if to.write_all(&self.came[..taken]).await.is_err() {
                    return Ok(false);
                }
            }
            if to.flush().await.is_err() {
                return Ok(false);
            }
            self.came.drain(..taken);
        }
        Ok(true)
    }
}

impl Body {
    /// How many of these bytes belong to it.
    fn take(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= count as u64;
                Ok(count)
            }
            Self::Chunked(reader) => {
                let mut taken = 0;
                while taken < bytes.len() && !reader.is_done() {
                    taken += reader.read(&bytes[taken..]).map_err(|error| wrong(error.to_string()))?.0;
                }
                Ok(taken)
            }
        }
    }

    fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(reader) => reader.is_done(),
        }
    }
}

/// The head at the beginning of `bytes` with `host` for its host, how long it was, and what body follows it. `None`: it is not whole.
///
/// Where a request ends must be known as the server knows it, or the next one's host would not be seen: what two readers could
/// understand in two ways is refused.
fn read_head(bytes: &[u8], host: &str) -> io::Result<Option<(Vec<u8>, usize, Body)>> {
    let mut fields = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut fields);
    let length = match request.parse(bytes).map_err(|error| wrong(format!("it is no HTTP/1.1 request: {error}")))? {
        Status::Complete(length) => length,
        Status::Partial => return Ok(None),
    };
    // httparse ends a line there, and other readers do not.
    if bytes[..length].split(|byte| *byte == b'\n').rev().skip(1).any(|line| line.last() != Some(&b'\r')) {
        return Err(wrong("a line in the head of a request ends without a CR".to_owned()));
    }
    let named = |name: &'static str| request.headers.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
    let one = |name: &'static str| -> io::Result<Option<&Header<'_>>> {
        let mut all = named(name);
        let first = all.next();
        if all.next().is_some() { Err(wrong(format!("a request has two fields {name}"))) } else { Ok(first) }
    };
    let body = match (one("content-length")?, one("transfer-encoding")?) {
        (None, None) => Body::Length(0),
        (Some(field), None) => {
            let digits = std::str::from_utf8(field.value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
            let length = digits.and_then(|text| text.parse().ok());
            Body::Length(length.ok_or_else(|| wrong("a request has a content-length that is no length".to_owned()))?)
        }
        (None, Some(field)) if field.value.eq_ignore_ascii_case(b"chunked") => Body::Chunked(ChunkedReader::new()),
        _ => return Err(wrong("a request has a body whose end cannot be told".to_owned())),
    };
    let Some(field) = one("host")? else { return Err(wrong("a request has no host".to_owned())) };
    // The field's value is a slice of `bytes`.
    let start = field.value.as_ptr() as usize - bytes.as_ptr() as usize;
    let end = start + field.value.len();
    Ok(Some(([&bytes[..start], host.as_bytes(), &bytes[end..length]].concat(), length, body)))
}

fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out when this goes in, in pieces of `size` bytes.
    async fn passed(bytes: &[u8], size: usize) -> (Vec<u8>, io::Result<bool>) {
        let (mut near, mut far) = tokio::io::duplex(size);
        let mut out = Vec::new();
        let mut requests = Requests::new("example.com");
        let write = async {
            // The other end stops reading where it refuses.
            let _ = near.write_all(bytes).await;
            let _ = near.shutdown().await;
        };
        let ((), end) = tokio::join!(write, async {
            let end = requests.pass(&mut far, &mut out).await;
            drop(far);
            end
        });
        (out, end)
    }

    #[tokio::test]
    async fn requests_pass_unchanged_but_for_their_host_wherever_they_are_cut() {
        let before = "POST /v1beta/a?b=c HTTP/1.1\r\nx-goog-api-key: k\r\nHoSt:  127.0.0.1:80 \r\ncontent-length: 11\r\n\r\nHost: x\r\n\r\n\
                      GET / HTTP/1.1\r\nhost: a\r\n\r\n\
                      PUT /u HTTP/1.1\r\ntransfer-encoding: chunked\r\nhost:b\r\n\r\n5;x\r\nhello\r\n0\r\nt: 1\r\n\r\n\
                      GET /last HTTP/1.1\r\nhost: c\r\n\r\n";
        let after = before
            .replace("127.0.0.1:80", "example.com")
            .replace("host: a", "host: example.com")
            .replace("host:b", "host:example.com")
            .replace("host: c", "host: example.com");
        for size in (1..80).chain([10_000]) {
            let (out, end) = passed(before.as_bytes(), size).await;
            assert!(end.unwrap());
            assert_eq!(String::from_utf8(out).unwrap(), after, "{size}");
        }
    }

    #[tokio::test]
    async fn what_could_be_understood_in_two_ways_goes_no_further() {
        for head in [
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\nhost: a\n\n",
            "POST / HTTP/1.1\r\nhost: a\r\nx: y\ncontent-length: 9\r\n\r\nGET /evil",
            "\u{16}\u{3}\u{1}",
        ] {
            let (out, end) = passed(head.as_bytes(), 100).await;
            assert!(end.is_err() && out.is_empty(), "{head}: {out:?}");
        }
        let endless = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "x".repeat(MAX_HEAD + BUFFER));
        assert!(passed(endless.as_bytes(), 1 << 20).await.1.unwrap_err().to_string().contains("longer"));
    }
}
