//! The text of an answer without a JSON library: a rung below `json` must not have one.

use plimsoll_worker::{Failure, Kind};

/// Calls `on_text` with the pieces of every text in an answer, in order, from where they lie. It looks for no structure: an answer with
/// thoughts or texts elsewhere than in its parts is understood wrongly, and its sum tells.
///
/// # Errors
/// When the answer is not UTF-8, or a text has no end.
pub(crate) fn each(body: &[u8], on_text: impl Fn(&str)) -> Result<(), Failure> {
    let odd = || Failure::new(Kind::Answer, "the answer is not JSON in UTF-8");
    let mut rest = std::str::from_utf8(body).map_err(|_| odd())?;
    while let Some((_, after)) = rest.split_once(r#""text""#) {
        rest = after.trim_start();
        let Some(text) = rest.strip_prefix(':').and_then(|value| value.trim_start().strip_prefix('"')) else {
            continue;
        };
        rest = unquoted(text, &on_text).ok_or_else(odd)?;
    }
    Ok(())
}

/// Reads a text up to its closing quote; gives what comes after it.
fn unquoted<'a>(mut text: &'a str, on_text: &impl Fn(&str)) -> Option<&'a str> {
    loop {
        let (plain, rest) = text.split_at(text.find(['"', '\\'])?);
        if !plain.is_empty() {
            on_text(plain);
        }
        if let Some(end) = rest.strip_prefix('"') {
            return Some(end);
        }
        let (escaped, rest) = character(rest.strip_prefix('\\')?)?;
        on_text(escaped.encode_utf8(&mut [0; 4]));
        text = rest;
    }
}

/// The character that an escape stands for, and what comes after it.
fn character(escape: &str) -> Option<(char, &str)> {
    let kind = escape.chars().next()?;
    let rest = &escape[kind.len_utf8()..];
    let plain = match kind {
        '"' | '\\' | '/' => kind,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let unit = |text: &'_ str| u16::from_str_radix(text.get(..4)?, 16).ok();
            let first = unit(rest)?;
            let second = rest[4..].strip_prefix("\\u").and_then(unit);
            let mut units = std::iter::once(first).chain(second.filter(|_| (0xd800..0xdc00).contains(&first)));
            let read = char::decode_utf16(&mut units).next()?.ok()?;
            return Some((read, &rest[if read.len_utf16() == 2 { 10 } else { 4 }..]));
        }
        _ => return None,
    };
    Some((plain, rest))
}
