//! The head of an answer, as libcurl hands it out line by line.

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::net;

/// The head of an answer.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// All fields where they were asked for, without those that are about the body as it was packed.
    pub(super) fields: HeaderMap,
}

/// Reads a head, and the heads that come on the way to it.
#[derive(Debug)]
pub(super) struct HeadReader {
    /// `None` before a status line, and once the head is read: what comes then are trailers.
    head: Option<Head>,
    keep_fields: bool,
    done: bool,
}

impl HeadReader {
    /// A reader that keeps all fields, or only what every call needs.
    pub(super) const fn new(keep_fields: bool) -> Self {
        Self { head: None, keep_fields, done: false }
    }

    /// Reads a line; the head, when this was its end.
    pub(super) fn line(&mut self, line: &[u8]) -> Option<Head> {
        if self.done {
            return None;
        }
        if line.starts_with(b"HTTP/") {
            self.head = Some(Head { status: status(line).unwrap_or_default(), ..Head::default() });
            return None;
        }
        let line = line.trim_ascii();
        if !line.is_empty() {
            if let Some(head) = &mut self.head {
                field(head, line, self.keep_fields);
            }
            return None;
        }
        let mut head = self.head.take().filter(|head| !(100..200).contains(&head.status))?;
        if head.fields.contains_key(CONTENT_ENCODING) {
            head.fields.remove(CONTENT_ENCODING);
            head.fields.remove(CONTENT_LENGTH);
        }
        self.done = true;
        Some(head)
    }

    /// Whether the head has come.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }
}

/// The status in `HTTP/1.1 200 OK` or `HTTP/2 200`.
fn status(line: &[u8]) -> Option<u16> {
    let mut words = line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    std::str::from_utf8(words.nth(1)?).ok()?.parse().ok()
}

fn field(head: &mut Head, line: &[u8], keep: bool) {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
    let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
    if name.eq_ignore_ascii_case(RETRY_AFTER.as_str().as_bytes()) {
        head.retry_after = std::str::from_utf8(value).ok().and_then(net::delay);
    }
    if keep && let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
        head.fields.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str], keep: bool) -> (Option<Head>, HeadReader) {
        let mut reader = HeadReader::new(keep);
        let heads: Vec<_> = lines.iter().filter_map(|line| reader.line(format!("{line}\r\n").as_bytes())).collect();
        assert!(heads.len() <= 1, "{heads:?}");
        (heads.into_iter().next(), reader)
    }

    #[test]
    fn what_comes_on_the_way_is_no_head_and_what_comes_after_is_none_of_it() {
        let early = ["HTTP/1.1 103 Early Hints", "retry-after: 9", ""];
        let late = ["HTTP/1.1 429 Too Many Requests", "Retry-After: 7", "", "retry-after: 8", "HTTP/1.1 200 OK", ""];
        let (head, reader) = read(&[&early[..], &late].concat(), false);
        let head = head.unwrap();
        assert_eq!((head.status, head.retry_after, head.fields.len()), (429, Some(Duration::from_secs(7)), 0));
        assert!(reader.is_done());
        assert!(read(&early, true).0.is_none());
    }

    #[test]
    fn all_fields_are_kept_where_they_are_asked_for_but_those_of_the_packed_body() {
        let lines = ["HTTP/2 200 ", "X-A: 1", "x-a:  2 ", "content-length: 9", "content-encoding: gzip", "odd", ""];
        let head = read(&lines, true).0.unwrap();
        assert_eq!(head.status, 200);
        let values: Vec<_> = head.fields.get_all("x-a").iter().collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(head.fields.len(), 2);
    }
}
