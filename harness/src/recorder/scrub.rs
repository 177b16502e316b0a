//! What a recording must not hold: keys, and addresses of upload sessions, which are as good as keys.

use std::collections::BTreeSet;

/// What stands in a recording where a key stood.
const KEY: &[u8] = b"[key]";
/// What stands in a recording where the name of an upload's session stood.
const UPLOAD: &[u8] = b"[upload]";

/// The keys that clients were seen to send.
#[derive(Default)]
pub struct Scrub {
    keys: BTreeSet<Vec<u8>>,
}

impl Scrub {
    /// Learns a key. What is too short to be one is left: taking it out would spoil the recording.
    pub fn learn(&mut self, key: &[u8]) {
        if key.len() >= 8 {
            self.keys.insert(key.to_vec());
        }
    }

    /// Learns the `key=` of a query.
    pub fn learn_query(&mut self, query: &str) {
        for pair in query.split('&') {
            if let Some(("key" | "access_token", value)) = pair.split_once('=') {
                self.learn(value.as_bytes());
            }
        }
    }

    /// `bytes` without the keys that were learned, without any `key=` of a link, and without upload sessions.
    pub fn clean(&self, bytes: &[u8]) -> Vec<u8> {
        let mut clean = bytes.to_vec();
        for key in &self.keys {
            clean = replaced(&clean, key, KEY);
        }
        for before in ["?key=", "&key=", "\\u0026key="] {
            clean = parameter_replaced(&clean, before.as_bytes(), KEY);
        }
        parameter_replaced(&clean, b"upload_id=", UPLOAD)
    }
}

impl std::fmt::Debug for Scrub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scrub({} keys)", self.keys.len())
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

fn replaced(bytes: &[u8], needle: &[u8], by: &[u8]) -> Vec<u8> {
    let (mut clean, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some(at) = find(rest, needle) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(by);
        rest = &rest[at + needle.len()..];
    }
    clean.extend_from_slice(rest);
    clean
}

/// Replaces the value that follows each `before`.
fn parameter_replaced(bytes: &[u8], before: &[u8], by: &[u8]) -> Vec<u8> {
    let (mut clean, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some(at) = find(rest, before) {
        let value = &rest[at + before.len()..];
        let length = value.iter().take_while(|b| b.is_ascii_alphanumeric() || b"-_.~%+".contains(b)).count();
        clean.extend_from_slice(&rest[..at + before.len()]);
        clean.extend_from_slice(if length > 0 { by } else { b"" });
        rest = &value[length..];
    }
    clean.extend_from_slice(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(scrub: &Scrub, text: &str) -> String {
        String::from_utf8(scrub.clean(text.as_bytes())).unwrap()
    }

    #[test]
    fn keys_go_wherever_they_stand_and_the_rest_stays() {
        let mut scrub = Scrub::default();
        scrub.learn(b"canary-0123");
        scrub.learn_query("alt=sse&key=another-key-4567");
        scrub.learn(b"");
        scrub.learn(b"short");
        let text = r#"{"message": "canary-0123 and another-key-4567 in short", "x": "canary-0123"}"#;
        assert_eq!(clean(&scrub, text), r#"{"message": "[key] and [key] in short", "x": "[key]"}"#);
        assert_eq!(format!("{scrub:?}"), "Scrub(2 keys)");
        assert_eq!(clean(&scrub, "data: {}\r\n\r\n"), "data: {}\r\n\r\n");
    }

    #[test]
    fn links_lose_their_keys_and_their_sessions() {
        let scrub = Scrub::default();
        for (link, without) in [
            ("https://h/v1beta/files?key=abc-1&alt=media", "https://h/v1beta/files?key=[key]&alt=media"),
            (r"https://h/f?alt=media\u0026key=abc", r"https://h/f?alt=media\u0026key=[key]"),
            ("https://h/upload?upload_id=AB_c-9&x", "https://h/upload?upload_id=[upload]&x"),
            ("monkey=banana, a key= ", "monkey=banana, a key= "),
        ] {
            assert_eq!(clean(&scrub, link), without);
        }
    }
}
