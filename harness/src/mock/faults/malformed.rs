use bytes::Bytes;

/// The body without its last closing brace.
pub(in crate::mock) fn malformed(body: &Bytes) -> Bytes {
    match body.iter().rposition(|byte| *byte == b'}') {
        Some(at) => [&body[..at], &body[at + 1..]].concat().into(),
        None => body.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_brace_goes_and_nothing_else() {
        assert_eq!(malformed(&Bytes::from_static(b"data: {\"a\": {}}\r\n\r\n")), &b"data: {\"a\": {}\r\n\r\n"[..]);
    }
}
