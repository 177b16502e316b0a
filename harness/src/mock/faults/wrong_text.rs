use bytes::Bytes;

/// The body with other words in every `"text"`: each ASCII letter and digit moved on by one place, so that length and shape
/// stay and only a client that checks what it was told can notice.
pub(in crate::mock) fn wrong_text(body: &Bytes) -> Bytes {
    let mut out = Vec::with_capacity(body.len());
    let mut rest: &[u8] = body;
    while let Some(start) = rest.iter().position(|byte| *byte == b'"') {
        let end = start + 1 + string_length(&rest[start + 1..]);
        let (string, after) = rest.split_at(end.min(rest.len()));
        out.extend_from_slice(string);
        rest = after;
        if &string[start..] == b"\"text\"" {
            let gap = rest.iter().take_while(|byte| matches!(byte, b':' | b' ' | b'\n' | b'\r')).count();
            out.extend_from_slice(&rest[..gap]);
            rest = &rest[gap..];
            if rest.first() == Some(&b'"') {
                let end = (1 + string_length(&rest[1..])).min(rest.len());
                moved_on(&rest[..end], &mut out);
                rest = &rest[end..];
            }
        }
    }
    out.extend_from_slice(rest);
    out.into()
}

/// The length of a JSON string's rest up to and with its closing quote.
fn string_length(rest: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn moved_on(string: &[u8], out: &mut Vec<u8>) {
    let mut escape = 0_u8;
    for byte in string {
        // An escape keeps its letters: `\n` is one byte behind the backslash, `\u00e9` five.
        let (moved, left) = match (escape, byte) {
            (0, b'\\') => (*byte, 1),
            (1, b'u') => (*byte, 4),
            (1.., _) => (*byte, escape - 1),
            (_, b'z') => (b'a', 0),
            (_, b'Z') => (b'A', 0),
            (_, b'9') => (b'0', 0),
            (_, b'a'..=b'y' | b'A'..=b'Y' | b'0'..=b'8') => (byte + 1, 0),
            _ => (*byte, 0),
        };
        escape = left;
        out.push(moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{self, Call, reading};

    #[test]
    fn every_text_differs_and_no_length_does() {
        for name in ["chat", "large", "stream", "thinking"] {
            for call in [Call::Unary, Call::Sse, Call::Array] {
                let right = corpus::reply(name).unwrap().served(call);
                let wrong = corpus::Served { body: wrong_text(&right.body), ..right.clone() };
                assert_eq!(wrong.body.len(), right.body.len());
                let (right, wrong) = (reading::text(&right, call).unwrap(), reading::text(&wrong, call).unwrap());
                assert_eq!(wrong.len(), right.len());
                assert_ne!(wrong, right, "{name} as {call:?}");
            }
        }
    }

    #[test]
    fn escapes_and_other_strings_stay() {
        let body = Bytes::from_static(br#"{"text": "az9\n\u00e9\"b","role":"text","x":"text"}"#);
        assert_eq!(wrong_text(&body), &br#"{"text": "ba0\n\u00e9\"c","role":"text","x":"text"}"#[..]);
    }
}
