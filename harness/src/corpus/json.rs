//! JSON in the service's own two spellings: indented by two for one answer, one line with a space after each colon for an event.

use std::io;

use bytes::Bytes;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// As `generateContent` spells an answer: indented, with a line end after the last brace.
pub(crate) fn indented(value: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

/// As `streamGenerateContent` spells an event: `{"candidates": [{"content": …}]}`.
pub(crate) fn on_one_line(value: &impl Serialize) -> Bytes {
    let mut text = Vec::new();
    // Writing our own structs into memory cannot fail, and an empty event would fail every test of the corpus.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut text, SpaceAfterColon));
    text.into()
}

struct SpaceAfterColon;

impl Formatter for SpaceAfterColon {
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
