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
    /// The next request and its headers; `None` at the end of the connection.
    pub(super) async fn head<S>(&mut self, stream: &mut S, default: &Script) -> io::Result<Option<(Request, HeaderMap)>>
    where
        S: AsyncRead + Unpin,
    {
        loop {
            if let Some(parsed) = self.parse_head(default)? {
                return Ok(Some(parsed));
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(odd("the request's head is longer than 64 KiB"));
            }
            if stream.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Reads the body that belongs to `headers` and shows it to `take` as it comes.
    pub(super) async fn body<S>(
        &mut self,
        stream: &mut S,
        headers: &HeaderMap,
        mut take: impl FnMut(&[u8]),
    ) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            stream.flush().await?;
        }
        let chunked =
            headers.get(TRANSFER_ENCODING).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"));
        if chunked {
            return self.chunks(stream, take).await;
        }
        let length = match headers.get(CONTENT_LENGTH) {
            Some(value) => {
                value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| odd("bad content-length"))?
            }
            None => 0,
        };
        self.pass(stream, length, &mut take).await
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

    async fn chunks<S: AsyncRead + Unpin>(&mut self, stream: &mut S, mut take: impl FnMut(&[u8])) -> io::Result<()> {
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
                    self.pass(stream, size, &mut take).await?;
                    self.pass(stream, 2, &mut |_| {}).await?;
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

    async fn pass<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        mut bytes: u64,
        take: &mut impl FnMut(&[u8]),
    ) -> io::Result<()> {
        if bytes > BODY_LIMIT {
            return Err(odd("the request's body is longer than 64 MiB"));
        }
        loop {
            let taken = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.buffer.len());
            take(&self.buffer[..taken]);
            self.buffer.advance(taken);
            bytes -= taken as u64;
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

    /// The path and the body of each request.
    async fn requests(bytes: &'static [u8]) -> io::Result<Vec<(String, String)>> {
        let (mut client, mut server) = tokio::io::duplex(64);
        let sent = tokio::spawn(async move {
            let _ = client.write_all(bytes).await;
            let _ = client.shutdown().await;
            client
        });
        let (mut reader, mut seen) = (Reader::default(), Vec::new());
        while let Some((request, headers)) = reader.head(&mut server, &Script::default()).await? {
            let mut body = Vec::new();
            reader.body(&mut server, &headers, |bytes| body.extend_from_slice(bytes)).await?;
            seen.push((request.path, String::from_utf8(body).unwrap()));
        }
        drop(sent);
        Ok(seen)
    }

    #[tokio::test]
    async fn bodies_of_both_framings_are_read() {
        let both = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\
            POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\ndef\r\n1\r\ng\r\n0\r\nT: t\r\n\r\n\
            GET /c HTTP/1.1\r\n\r\n";
        let expected =
            [("/a", "abc"), ("/b", "defg"), ("/c", "")].map(|(path, body)| (path.to_owned(), body.to_owned()));
        assert_eq!(requests(both).await.unwrap(), expected);
    }

    #[tokio::test]
    async fn half_a_request_is_an_error() {
        for half in [&b"POST /a HT"[..], b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\na", b"\0\0\r\n\r\n"] {
            assert!(requests(half).await.is_err());
        }
    }
}
