//! A request as bytes: head and body in one buffer, so that a small one is one record and one packet.

use std::fmt;

use http::Method;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};

use crate::call::Call;
use crate::error::Error;
use crate::net::{API_KEY_HEADER, Address};
use crate::types::GenerateContentRequest;

/// Room for the digits of a length.
const DIGITS: usize = 20;
const END: &[u8] = b"\r\n\r\n";
/// The longest body of a call that is copied behind its head.
const SHORT: usize = 16 << 10;

/// The header fields that all requests have, the key among them.
pub(super) struct Fields(Box<[u8]>);

impl Fields {
    /// The fields for a server that is called `authority`. The key was checked: it can end no line.
    pub(super) fn new(authority: &str, key: &[u8]) -> Self {
        let fields = [b" HTTP/1.1\r\nhost: ", authority.as_bytes(), b"\r\nx-goog-api-key: ", key, b"\r\n"];
        Self(fields.concat().into())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[not shown]")
    }
}

/// Writes a request into `buffer`, which must be empty. It begins at the returned place.
pub(super) fn write(
    buffer: &mut Vec<u8>,
    address: &Address<'_>,
    fields: &Fields,
    gzip: bool,
    request: &GenerateContentRequest,
) -> Result<usize, Error> {
    buffer.extend_from_slice(b"POST ");
    // Writing to memory does not fail.
    let _ = address.write(&mut Text(buffer));
    buffer.extend_from_slice(&fields.0);
    buffer.extend_from_slice(b"content-type: application/json\r\naccept: */*\r\n");
    if gzip {
        buffer.extend_from_slice(b"accept-encoding: gzip\r\n");
    }
    buffer.extend_from_slice(b"content-length: ");
    let head = buffer.len();
    let body = head + DIGITS + END.len();
    buffer.resize(body, b' ');
    serde_json::to_writer(&mut *buffer, request).map_err(|error| Error::Request(Box::new(error)))?;
    // The head moves up to the body: how long the body is was not known before it was written.
    let mut digits = [0; DIGITS];
    let digits = decimal(buffer.len() - body, &mut digits);
    let start = DIGITS - digits.len();
    buffer.copy_within(..head, start);
    buffer[start + head..body - END.len()].copy_from_slice(digits);
    buffer[body - END.len()..body].copy_from_slice(END);
    Ok(start)
}

/// Writes a call of `url` into `buffer`, which must be empty. What of its body is to be sent after that is returned: a long one is not
/// copied.
///
/// The call's own headers are sent but for those that say whom it goes to, where it ends and how the answer may come: these are ours.
pub(super) fn write_call<'c>(buffer: &mut Vec<u8>, url: &reqwest::Url, fields: &Fields, call: &'c Call) -> &'c [u8] {
    let (method, headers, body) = (call.method(), call.headers(), &**call.body());
    buffer.extend_from_slice(method.as_str().as_bytes());
    buffer.push(b' ');
    buffer.extend_from_slice(url.path().as_bytes());
    if let Some(query) = url.query() {
        buffer.push(b'?');
        buffer.extend_from_slice(query.as_bytes());
    }
    buffer.extend_from_slice(&fields.0);
    buffer.extend_from_slice(b"accept-encoding: gzip\r\n");
    if !headers.contains_key(ACCEPT) {
        buffer.extend_from_slice(b"accept: */*\r\n");
    }
    let ours = [HOST, API_KEY_HEADER, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];
    for (name, value) in headers.iter().filter(|(name, _)| !ours.contains(name)) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            buffer.extend_from_slice(part);
        }
    }
    if !body.is_empty() || [Method::POST, Method::PUT, Method::PATCH].contains(method) {
        buffer.extend_from_slice(b"content-length: ");
        buffer.extend_from_slice(decimal(body.len(), &mut [0; DIGITS]));
        buffer.extend_from_slice(b"\r\n");
    }
    buffer.extend_from_slice(b"\r\n");
    let (copied, rest) = body.split_at(if body.len() <= SHORT { body.len() } else { 0 });
    buffer.extend_from_slice(copied);
    rest
}

fn decimal(mut number: usize, digits: &mut [u8; DIGITS]) -> &[u8] {
    let mut at = DIGITS;
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 || at == 0 {
            return &digits[at..];
        }
    }
}

/// Text at the end of a buffer.
struct Text<'b>(&'b mut Vec<u8>);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::net;

    #[test]
    fn a_request_is_whole_whatever_its_length() {
        let config =
            Config { base_url: Some("/s/chat".to_owned()), default_model: "m".to_owned(), ..Config::default() };
        let fields = Fields::new("localhost:1", b"key");
        for length in [0, 1, 50, 1000, 100_000] {
            let request = GenerateContentRequest::user_text("x".repeat(length));
            let address = Address::new(&config, None, net::Method::Stream).unwrap();
            let mut buffer = Vec::new();
            let start = write(&mut buffer, &address, &fields, length == 50, &request).unwrap();
            let text = std::str::from_utf8(&buffer[start..]).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert_eq!(serde_json::from_str::<GenerateContentRequest>(body).unwrap(), request);
            assert!(head.starts_with(
                "POST /s/chat/v1beta/models/m:streamGenerateContent?alt=sse HTTP/1.1\r\nhost: localhost:1\r\n"
            ));
            assert!(head.ends_with(&format!("\r\ncontent-length: {}", body.len())), "{head}");
            assert_eq!(head.contains("accept-encoding: gzip"), length == 50);
        }
        assert_eq!(format!("{fields:?}"), "[not shown]");
    }

    #[test]
    fn a_call_has_its_own_headers_and_a_length_where_one_is_due() {
        let url = Address::parse("http://localhost:1/s/v1beta/a b?x=1#y").unwrap();
        let fields = Fields::new("localhost:1", b"key");
        let text = |call: &Call| {
            let mut buffer = Vec::new();
            let rest = write_call(&mut buffer, &url, &fields, call).to_vec();
            (String::from_utf8(buffer).unwrap(), rest)
        };
        let begin = "/s/v1beta/a%20b?x=1 HTTP/1.1\r\nhost: localhost:1\r\nx-goog-api-key: key\r\n";
        let common = "accept-encoding: gzip\r\naccept: */*\r\n";
        for (method, length) in [
            (Method::GET, ""),
            (Method::DELETE, ""),
            (Method::POST, "content-length: 0\r\n"),
            (Method::PATCH, "content-length: 0\r\n"),
            (Method::PUT, "content-length: 0\r\n"),
        ] {
            let (head, rest) = text(&Call::new(method.clone(), ""));
            assert_eq!((head, rest.len()), (format!("{method} {begin}{common}{length}\r\n"), 0));
        }
        let foreign = http::HeaderValue::from_static("else");
        let mut call = Call::json(Method::POST, "", &1).unwrap();
        for name in [HOST, API_KEY_HEADER, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            call = call.with_header(name, foreign.clone());
        }
        let expected = format!("POST {begin}{common}content-type: application/json\r\ncontent-length: 1\r\n\r\n1");
        assert_eq!(text(&call).0, expected);
        let (head, rest) = text(&Call::session("", vec![b'x'; SHORT + 1].into()).with_header(ACCEPT, foreign));
        assert!(head.contains("accept: else\r\n") && !head.contains("*/*") && head.ends_with("\r\n\r\n"), "{head}");
        assert_eq!(rest.len(), SHORT + 1);
    }

    #[test]
    fn numbers_have_their_digits() {
        for number in [0, 9, 10, 12345, usize::MAX] {
            assert_eq!(decimal(number, &mut [0; DIGITS]), number.to_string().as_bytes());
        }
    }
}
