//! One value of a document, gathered as JSON without spaces while it is read.

use std::io::Write;

use crate::wire::push_json::Event;

/// Writes the events of one value.
#[derive(Debug, Default)]
pub(super) struct Gather {
    depth: usize,
    comma: bool,
    /// In a string or number of which a piece was written.
    inside: bool,
}

impl Gather {
    /// Writes one event; whether the value is whole.
    pub(super) fn event(&mut self, event: Event<'_>, out: &mut Vec<u8>) -> bool {
        match event {
            Event::BeginObject | Event::BeginArray => {
                self.separate(out);
                out.push(if event == Event::BeginObject { b'{' } else { b'[' });
                self.depth += 1;
                self.comma = false;
                return false;
            }
            Event::EndObject | Event::EndArray => {
                out.push(if event == Event::EndObject { b'}' } else { b']' });
                self.depth = self.depth.saturating_sub(1);
                self.comma = true;
            }
            Event::Name(piece, last) => {
                self.string(piece, last, out);
                if last {
                    out.push(b':');
                    self.comma = false;
                }
                return false;
            }
            Event::Text(piece, last) => {
                self.string(piece, last, out);
                if !last {
                    return false;
                }
            }
            Event::Number(piece, last) => {
                if !std::mem::replace(&mut self.inside, !last) {
                    self.separate(out);
                }
                out.extend_from_slice(piece.as_bytes());
                if !last {
                    return false;
                }
            }
            Event::Bool(_) | Event::Null => {
                self.separate(out);
                out.extend_from_slice(match event {
                    Event::Bool(true) => b"true",
                    Event::Bool(false) => b"false",
                    _ => b"null",
                });
            }
        }
        self.depth == 0
    }

    fn string(&mut self, piece: &str, last: bool, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.inside, !last) {
            self.separate(out);
            out.push(b'"');
        }
        for byte in piece.bytes() {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                // Writing to memory does not fail.
                0..0x20 => drop(write!(out, "\\u{byte:04x}")),
                _ => out.push(byte),
            }
        }
        if last {
            out.push(b'"');
        }
    }

    /// A comma before what follows something; and whatever follows is followed by one.
    fn separate(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.comma, true) {
            out.push(b',');
        }
    }
}
