//! Where a body may be cut into steps: behind each event of a stream, or into slices.

use bytes::Bytes;

use super::script::MAX_SPLIT;
use crate::corpus::{Call, SSE};

/// What a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One answer.
    Whole,
    /// Server-sent events.
    Sse,
    /// A JSON array of them.
    Array,
}

impl Form {
    /// The form of what is labelled `content_type` and answers `call`, which is `None` for an error.
    pub(super) fn of(content_type: &str, call: Option<Call>) -> Self {
        match call {
            _ if content_type.starts_with(SSE) => Self::Sse,
            Some(Call::Array) => Self::Array,
            _ => Self::Whole,
        }
    }
}

/// The pieces of a body, each to go in a TLS record of its own; together they are the body, byte for byte.
pub(super) fn pieces(body: &Bytes, form: Form) -> Vec<Bytes> {
    let events = match form {
        Form::Sse => cut_behind(body, sse_ends(body)),
        Form::Array if body.starts_with(b"[") => cut_behind(body, array_ends(body)),
        Form::Array | Form::Whole => vec![body.clone()],
    };
    events.iter().flat_map(|event| slices(event, MAX_SPLIT)).collect()
}

/// `bytes` in slices of at most `size`.
pub(super) fn slices(bytes: &Bytes, size: usize) -> impl Iterator<Item = Bytes> {
    let size = size.max(1);
    (0..bytes.len()).step_by(size).map(move |start| bytes.slice(start..bytes.len().min(start + size)))
}

fn cut_behind(body: &Bytes, ends: Vec<usize>) -> Vec<Bytes> {
    let mut start = 0;
    let mut pieces = Vec::with_capacity(ends.len() + 1);
    for end in ends.into_iter().chain([body.len()]) {
        if end > start {
            pieces.push(body.slice(start..end));
            start = end;
        }
    }
    pieces
}

/// Offsets behind each blank line, whichever line ends the recording kept.
fn sse_ends(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut line_is_empty = true;
    for (at, byte) in body.iter().enumerate() {
        match byte {
            b'\n' if line_is_empty => ends.push(at + 1),
            b'\n' => line_is_empty = true,
            b'\r' => {}
            _ => line_is_empty = false,
        }
    }
    ends
}

/// Offsets behind the comma and line end that follow each element of a JSON array.
fn array_ends(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => {
                let line_end = body[at + 1..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                ends.push(at + 1 + line_end);
            }
            _ => {}
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;

    #[test]
    fn a_stream_is_cut_behind_each_event_and_nothing_is_lost() {
        let reply = corpus::reply("stream").unwrap();
        for call in [Call::Sse, Call::Array] {
            let served = reply.served(call);
            let pieces = pieces(&served.body, Form::of(served.content_type, Some(call)));
            assert_eq!(pieces.len(), 12, "{call:?}");
            assert_eq!(pieces.concat(), served.body);
        }
    }

    #[test]
    fn line_feeds_alone_end_events_too() {
        let body = Bytes::from_static(b"data: {}\n\ndata: {}\n\n{\"error\":{}}\n");
        assert_eq!(pieces(&body, Form::Sse).len(), 3);
    }

    #[test]
    fn a_comma_in_a_string_is_no_boundary() {
        let body = Bytes::from_static(br#"[{"a": "x,\"],["},{"b": [1,2]}]"#);
        let pieces = pieces(&body, Form::Array);
        assert_eq!(pieces, [&br#"[{"a": "x,\"],["},"#[..], br#"{"b": [1,2]}]"#]);
    }

    #[test]
    fn a_long_body_goes_in_slices() {
        let body = Bytes::from(vec![b' '; 2 * MAX_SPLIT + 1]);
        let lengths: Vec<usize> = pieces(&body, Form::Whole).iter().map(Bytes::len).collect();
        assert_eq!(lengths, [MAX_SPLIT, MAX_SPLIT, 1]);
    }
}
