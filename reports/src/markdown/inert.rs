//! Text that Markdown shows and does nothing with: no mark-up, no link, no mention, no reference.
//!
//! Two things make a text do something. The Markdown parser knows mark-up, which a backslash or an entity takes away, and addresses, which it
//! links as they stand. After it, GitHub looks through the text that is left, entities read, for `@somebody` and `#1`: there only a
//! character between helps. It is a zero-width space (U+200B), written as an entity so that it can be seen in the source.

/// What stands between the parts of an address, so that it is none.
const BREAK: &str = "&#8203;";

/// Text in a table's cell: inert, on one line, without a cell border.
pub(crate) fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    for (at, c) in text.char_indices() {
        let after = text.get(at + c.len_utf8()..).unwrap_or_default();
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => {
                out.push_str("&#64;");
                if !is_checkpoint(before, after) {
                    out.push_str(BREAK);
                }
            }
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '#' | '!' | '$' => {
                out.push('\\');
                out.push(c);
                if c == '#' && begins_with_digit(after) {
                    out.push_str(BREAK);
                }
            }
            ':' if after.starts_with("//") => {
                out.push(':');
                out.push_str(BREAK);
            }
            '.' if ends_with(&text[..at], "www") => {
                out.push_str(BREAK);
                out.push('.');
            }
            // `GH-1` is a reference as `#1` is.
            '-' if begins_with_digit(after) && ends_with(&text[..at], "gh") => {
                out.push(c);
                out.push_str(BREAK);
            }
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
        before = Some(c);
    }
    out
}

/// A sentence of ours, in which names stand in backticks and everything else is text.
pub(crate) fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return cell(text);
    }
    let part = |(at, part): (usize, &&str)| if at % 2 == 1 { code(part) } else { cell(part) };
    parts.iter().enumerate().map(part).collect()
}

/// A name as code, if it is one that needs no escaping; between backticks nothing can be escaped.
pub(crate) fn code(text: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | ' ' | '+');
    if !text.trim().is_empty() && text.chars().all(harmless) { format!("`{text}`") } else { cell(text) }
}

/// Whether this `@` is that of `steady@256`: after a word, and before a number that nothing follows which an address could have.
fn is_checkpoint(before: Option<char>, after: &str) -> bool {
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let ends = rest.chars().next().is_none_or(|c| matches!(c, ' ' | ',' | ';' | ')'));
    before.is_some_and(|c| c.is_ascii_alphanumeric()) && rest.len() < after.len() && ends
}

fn begins_with_digit(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_digit())
}

fn ends_with(text: &str, word: &str) -> bool {
    let at = text.len().saturating_sub(word.len());
    text.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_up_is_text() {
        assert_eq!(cell("<img src=x>|a*b_c_ [x](y) ![z] `q` ~~s~~ $e$ # h"), {
            "&lt;img src=x&gt;\\|a\\*b\\_c\\_ \\[x\\](y) \\!\\[z\\] \\`q\\` \\~\\~s\\~\\~ \\$e\\$ \\# h"
        });
        assert_eq!(cell("a\r\n# b"), "a  \\# b");
        assert_eq!(cell("&#64;x &lt;"), "&amp;\\#&#8203;64;x &amp;lt;");
    }

    #[test]
    fn nobody_is_called_and_nothing_referred_to() {
        assert_eq!(cell("@user cc @org/team"), "&#64;&#8203;user cc &#64;&#8203;org/team");
        assert_eq!(cell("see #12, o/r#3, GH-4, gh-5"), {
            "see \\#&#8203;12, o/r\\#&#8203;3, GH-&#8203;4, gh-&#8203;5"
        });
    }

    #[test]
    fn no_address_is_a_link() {
        for (text, inert) in [
            ("https://evil.example/x", "https:&#8203;//evil.example/x"),
            ("WWW.evil.example", "WWW&#8203;.evil.example"),
            ("a@evil.example", "a&#64;&#8203;evil.example"),
            ("a@1.example", "a&#64;&#8203;1.example"),
            ("mailto:a@b.example", "mailto:a&#64;&#8203;b.example"),
        ] {
            assert_eq!(cell(text), inert);
        }
    }

    #[test]
    fn what_reports_say_themselves_stays_as_it_is() {
        assert_eq!(
            cell("proc.anon at steady@256, and X(steady@20)"),
            "proc.anon at steady&#64;256, and X(steady&#64;20)"
        );
        assert_eq!(cell("a-1.5 closure x://"), "a-1.5 closure x:&#8203;//");
        assert_eq!(code("wrapper::Wrapper::send"), "`wrapper::Wrapper::send`");
    }

    #[test]
    fn code_is_code_only_where_nothing_can_end_it() {
        assert_eq!(code("a`b"), "a\\`b");
        assert_eq!(code("@user"), "&#64;&#8203;user");
        assert_eq!(code(" "), " ");
        assert_eq!(prose("base `a b` and `@x` of @y"), "base `a b` and &#64;&#8203;x of &#64;&#8203;y");
    }
}
