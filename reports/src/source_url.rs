//! Links to lines of the project's own code.

use std::fmt::Write as _;
use std::str::FromStr;

use thiserror::Error;

use crate::record::Frame;

/// Where the project's files can be read at the commit that was measured: `https://github.com/OWNER/NAME/blob/COMMIT`. A file's path and `#L` with the
/// line come after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUrl(String);

/// A text that is no such place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "a source URL begins with https:// or http:// and has no spaces, query or fragment, as https://github.com/OWNER/NAME/blob/COMMIT has"
)]
pub struct NoSourceUrl;

impl FromStr for SourceUrl {
    type Err = NoSourceUrl;

    fn from_str(text: &str) -> Result<Self, NoSourceUrl> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(NoSourceUrl)?;
        let is_plain = |c: char| c.is_ascii_graphic() && !"\"'<>\\^`{|}?#()".contains(c);
        // A user's name or password would be passed on with the report.
        let has_user = rest.split('/').next().unwrap_or(rest).contains('@');
        if rest.is_empty() || rest.starts_with('/') || has_user || !text.chars().all(is_plain) {
            return Err(NoSourceUrl);
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl std::fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl SourceUrl {
    /// The link to a frame's line; `None` for code that is not the project's own.
    #[must_use]
    pub fn link(&self, frame: &Frame) -> Option<String> {
        let file = frame.file.as_deref().filter(|_| frame.own)?;
        let mut link = format!("{}/", self.0);
        for byte in file.trim_start_matches('/').bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                    link.push(char::from(byte))
                }
                _ => write!(link, "%{byte:02X}").ok()?,
            }
        }
        if let Some(line) = frame.line {
            write!(link, "#L{line}").ok()?;
        }
        Some(link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_line_and_carries_nothing_else() {
        let url: SourceUrl = "https://example.org/o/n/blob/0123abc/".parse().expect("a source URL");
        let own = |file: &str| Frame { file: Some(file.into()), line: Some(7), own: true, ..Frame::default() };
        assert_eq!(
            url.link(&own("src/a b.rs")).as_deref(),
            Some("https://example.org/o/n/blob/0123abc/src/a%20b.rs#L7")
        );
        assert_eq!(
            url.link(&own("x\"><script>)")).as_deref(),
            Some("https://example.org/o/n/blob/0123abc/x%22%3E%3Cscript%3E%29#L7")
        );
        assert_eq!(url.link(&Frame { own: false, ..own("src/lib.rs") }), None);
        assert_eq!(url.link(&Frame { own: true, ..Frame::default() }), None);
        for bad in [
            "",
            "javascript:alert(1)",
            "ftp://x/y",
            "https://",
            "https:///x",
            "https://a b",
            "https://a/\"",
            "https://me:pw@host/x",
            "https://a/?q=1",
        ] {
            assert_eq!(bad.parse::<SourceUrl>(), Err(NoSourceUrl), "{bad}");
        }
    }
}
