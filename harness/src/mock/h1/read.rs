//! Requests off an HTTP/1.1 connection.

use std::io;

use bytes::{Buf, BytesMut};
use http::header::{CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use httparse::Status;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::mock::request::Request;
use crate::mock::script::Script;

/// The longest head, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;
/// The most header fields.
const FIELD_LIMIT: usize = 100;
/// The longest body, in bytes: an inline file of the largest size that the service takes.
const BODY_LIMIT: u64 = 64 * 1024 * 1024;
/// How much may come in while an answer is held, in bytes, before the mock stops listening.
const AHEAD_LIMIT: usize = 64 * 1024;

/// What was read and not yet used.
#[derive(Debug, Default)]
pub(super) struct Reader {
    buffer: BytesMut,
}

impl Reader {
    /// The next request, its body read and dropped; `None` at the end of the connection.
    pub(super) async fn next<S>(&mut self, stream: &mut S, default: &Script) -> io::Result<Option<Request>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (request, headers) = loop {
            if let Some(parsed) = self.parse_head(default)? {
                break parsed;
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(odd("the request's head is longer than 64 KiB"));
            }
            if stream.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        };
        if headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            stream.flush().await?;
        }
        self.skip_body(stream, &headers).await?;
        Ok(Some(request))
    }

    /// Completes when the client has closed the connection.
    pub(super) async fn gone<S: AsyncRead + Unpin>(&mut self, stream: &mut S) {
        while self.buffer.len() < AHEAD_LIMIT {
            match stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        std::future::pending().await
    }

    fn parse_head(&mut self, default: &Script) -> io::Result<Option<(Request, HeaderMap)>> {
        let mut fields = [httparse::EMPTY_HEADER; FIELD_LIMIT];
        let mut parsed = httparse::Request::new(&mut fields);
        let Status::Complete(length) = parsed.parse(&self.buffer).map_err(|error| odd(&error.to_string()))? else {
            return Ok(None);
        };
        let mut headers = HeaderMap::new();
        for field in parsed.headers.iter() {
            let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|error| odd(&error.to_string()))?;
            let value = HeaderValue::from_bytes(field.value).map_err(|error| odd(&error.to_string()))?;
            headers.append(name, value);
        }
        let method = parsed.method.unwrap_or_default().parse::<Method>().map_err(|error| odd(&error.to_string()))?;
        let request = Request::new(method, parsed.path.unwrap_or_default(), &headers, default);
        self.buffer.advance(length);
        Ok(Some((request, headers)))
    }

    async fn skip_body<S: AsyncRead + Unpin>(&mut self, stream: &mut S, headers: &HeaderMap) -> io::Result<()> {
        let chunked =
            headers.get(TRANSFER_ENCODING).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"));
        if chunked {
            return self.skip_chunks(stream).await;
        }
        let length = match headers.get(CONTENT_LENGTH) {
            Some(value) => {
                value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| odd("bad content-length"))?
            }
            None => 0,
        };
        self.skip(stream, length).await
    }

    async fn skip_chunks<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<()> {
        let mut total = 0_u64;
        loop {
            match httparse::parse_chunk_size(&self.buffer).map_err(|_| odd("bad chunk size"))? {
                Status::Complete((line, size)) => {
                    self.buffer.advance(line);
                    total = total.saturating_add(size);
                    if total > BODY_LIMIT {
                        return Err(odd("the request's body is longer than 64 MiB"));
                    }
                    if size == 0 {
                        return self.skip_trailers(stream).await;
                    }
                    self.skip(stream, size + 2).await?;
                }
                Status::Partial => self.more(stream).await?,
            }
        }
    }

    async fn skip_trailers<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<()> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let empty = matches!(&self.buffer[..end], b"" | b"\r");
                self.buffer.advance(end + 1);
                if empty {
                    return Ok(());
                }
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(odd("the request's trailers are longer than 64 KiB"));
            }
            self.more(stream).await?;
        }
    }

    async fn skip<S: AsyncRead + Unpin>(&mut self, stream: &mut S, mut bytes: u64) -> io::Result<()> {
        if bytes > BODY_LIMIT + 2 {
            return Err(odd("the request's body is longer than 64 MiB"));
        }
        loop {
            let taken = (self.buffer.len() as u64).min(bytes);
            self.buffer.advance(usize::try_from(taken).unwrap_or(self.buffer.len()));
            bytes -= taken;
            if bytes == 0 {
                return Ok(());
            }
            self.more(stream).await?;
        }
    }

    async fn more<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<()> {
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn requests(bytes: &'static [u8]) -> io::Result<Vec<String>> {
        let (mut client, mut server) = tokio::io::duplex(64);
        let sent = tokio::spawn(async move {
            let _ = client.write_all(bytes).await;
            let _ = client.shutdown().await;
            client
        });
        let (mut reader, mut paths) = (Reader::default(), Vec::new());
        while let Some(request) = reader.next(&mut server, &Script::default()).await? {
            paths.push(request.path);
        }
        drop(sent);
        Ok(paths)
    }

    #[tokio::test]
    async fn bodies_of_both_framings_are_skipped() {
        let both = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\
            POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: t\r\n\r\n\
            GET /c HTTP/1.1\r\n\r\n";
        assert_eq!(requests(both).await.unwrap(), ["/a", "/b", "/c"]);
    }

    #[tokio::test]
    async fn half_a_request_is_an_error() {
        for half in [&b"POST /a HT"[..], b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\na", b"\0\0\r\n\r\n"] {
            assert!(requests(half).await.is_err());
        }
    }
}
