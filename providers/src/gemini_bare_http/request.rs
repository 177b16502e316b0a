//! A request as bytes: head and body in one buffer, so that a small one is one record and one packet.

use std::fmt;

use crate::error::Error;
use crate::net::Address;
use crate::types::GenerateContentRequest;

/// Room for the digits of a length.
const DIGITS: usize = 20;
const END: &[u8] = b"\r\n\r\n";

/// The header fields that all requests have, the key among them.
pub(super) struct Fields(Box<[u8]>);

impl Fields {
    /// The fields for a server that is called `authority`. The key was checked: it can end no line.
    pub(super) fn new(authority: &str, key: &[u8]) -> Self {
        let fields = [
            b" HTTP/1.1\r\nhost: ",
            authority.as_bytes(),
            b"\r\nx-goog-api-key: ",
            key,
            b"\r\ncontent-type: application/json\r\naccept: */*\r\n",
        ];
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
    use crate::net::Method;

    #[test]
    fn a_request_is_whole_whatever_its_length() {
        let config =
            Config { base_url: Some("/s/chat".to_owned()), default_model: "m".to_owned(), ..Config::default() };
        let fields = Fields::new("localhost:1", b"key");
        for length in [0, 1, 50, 1000, 100_000] {
            let request = GenerateContentRequest::user_text("x".repeat(length));
            let address = Address::new(&config, None, Method::Stream).unwrap();
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
    fn numbers_have_their_digits() {
        for number in [0, 9, 10, 12345, usize::MAX] {
            assert_eq!(decimal(number, &mut [0; DIGITS]), number.to_string().as_bytes());
        }
    }
}
