//! Answers spelled for an HTTP/1.1 connection.

use std::io::Write as _;

use crate::mock::plan::{Head, Write};
use crate::mock::script::Framing;

/// What goes into one record.
pub(super) fn spelled(head: &Head, write: &Write, close: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(write.data.len() + if write.head { 640 } else { 16 });
    if write.head {
        if head.frills.informational {
            bytes.extend_from_slice(INFORMATIONAL);
        }
        spell_head(&mut bytes, head, close);
    }
    match head.framing {
        Framing::Length => bytes.extend_from_slice(&write.data),
        Framing::Chunked => {
            if !write.data.is_empty() {
                let extensions = if head.frills.extensions { ";piece=\"a;b\";flag" } else { "" };
                let _ = write!(bytes, "{:x}{extensions}\r\n", write.data.len());
                bytes.extend_from_slice(&write.data);
                bytes.extend_from_slice(b"\r\n");
            }
            if write.end {
                let trailers = if head.frills.trailers { "X-Checksum: 1\r\nX-Unannounced: 2\r\n" } else { "" };
                let _ = write!(bytes, "0\r\n{trailers}\r\n");
            }
        }
    }
    bytes
}

/// What may come before an answer, as often as a server likes.
const INFORMATIONAL: &[u8] =
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";

fn spell_head(bytes: &mut Vec<u8>, head: &Head, close: bool) {
    // Writing to memory does not fail.
    let _ =
        write!(bytes, "HTTP/1.1 {} {}\r\n", head.status.as_u16(), head.status.canonical_reason().unwrap_or_default());
    for (name, value) in &head.headers {
        spell_name(bytes, name.as_str());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let _ = match head.framing {
        Framing::Length => write!(bytes, "Content-Length: {}\r\n", head.length),
        Framing::Chunked => write!(bytes, "Transfer-Encoding: chunked\r\n"),
    };
    if close {
        bytes.extend_from_slice(b"Connection: close\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
}

/// `content-type` as `Content-Type`, the way the service's front end has it.
fn spell_name(bytes: &mut Vec<u8>, name: &str) {
    let mut begins = true;
    for byte in name.bytes() {
        bytes.push(if begins { byte.to_ascii_uppercase() } else { byte });
        begins = byte == b'-';
    }
}
