//! Faults of HTTP/1.1, byte by byte.

use std::io::{ErrorKind, Read};

use plimsoll::corpus::{self, Call};

use crate::mock_support::{Mock, Raw, spelled};

const SSE: &str = "streamGenerateContent?alt=sse";

/// What the mock says to one request, up to `end` or to the end of the connection.
fn said(raw: &mut Raw, script: &str, call: &str, end: &str) -> String {
    raw.send(spelled(script, call).as_bytes());
    raw.until(end.as_bytes())
}

#[test]
fn informational_heads_are_two() {
    let mock = Mock::start();
    for mut raw in Raw::both(mock.port) {
        let said = said(&mut raw, "chat+informational", "generateContent", "0\r\n\r\n");
        let heads: Vec<_> = said.lines().filter(|line| line.starts_with("HTTP/1.1 ")).collect();
        assert_eq!(heads, ["HTTP/1.1 100 Continue", "HTTP/1.1 103 Early Hints", "HTTP/1.1 200 OK"]);
    }
}

#[test]
fn chunks_have_extensions_and_trailers() {
    let mock = Mock::start();
    for mut raw in Raw::both(mock.port) {
        let said = said(&mut raw, "stream+chunk-extensions+trailers", SSE, "X-Unannounced: 2\r\n\r\n");
        assert_eq!(said.matches(";piece=\"a;b\";flag\r\ndata: ").count(), 12);
        assert!(said.contains("\r\nTrailer: x-checksum\r\n"));
        assert!(said.ends_with("\r\n0\r\nX-Checksum: 1\r\nX-Unannounced: 2\r\n\r\n"), "{said}");
    }
}

#[test]
fn a_chunk_has_no_size() {
    let mock = Mock::start();
    for mut raw in Raw::both(mock.port) {
        let said = said(&mut raw, "stream+bad-chunk", SSE, "no size\r\nno chunk\r\n");
        assert_eq!(said.matches("data: ").count(), 1);
        assert!(said.ends_with("}\r\n\r\n\r\nno size\r\nno chunk\r\n"), "{said}");
    }
}

#[test]
fn a_reset_behind_the_answer_is_one() {
    let mock = Mock::start();
    for mut raw in Raw::both(mock.port) {
        let whole = said(&mut raw, "chat+reset=behind", "generateContent", "\r\n0\r\n\r\n");
        assert!(whole.starts_with("HTTP/1.1 200 OK\r\n"));
        assert_eq!(raw.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn a_kept_connection_is_closed_behind_the_answer() {
    let mut mock = Mock::start();
    for mut raw in Raw::both(mock.port) {
        // The end of the connection ends it, and nothing said that it would.
        let said = said(&mut raw, "chat+reuse=closed", "generateContent", "never said");
        assert!(said.ends_with("\r\n0\r\n\r\n"));
        assert!(!said.to_lowercase().contains("connection:"));
    }
    assert_eq!((mock.stats().requests, mock.stats().answered), (2, 2));
}

#[test]
fn a_kept_connection_is_dropped_as_it_is_used_again() {
    let mut mock = Mock::start();
    let body = corpus::reply("chat").unwrap().served(Call::Unary).body;
    for mut raw in Raw::both(mock.port) {
        let first = said(&mut raw, "chat+reuse=dropped+framing=length", "generateContent", "\n}\n");
        assert!(first.ends_with(std::str::from_utf8(&body).unwrap()));
        assert_eq!(said(&mut raw, "chat", "generateContent", "never said"), "");
    }
    assert_eq!((mock.stats().requests, mock.stats().answered), (4, 2));
}
