//! The lines of the subject protocol, as PROTOCOL.md defines them: the parent's side.

use std::collections::BTreeMap;

/// Version of the protocol that this harness speaks.
pub const VERSION: &str = "1";

/// The longest line that is read, bytes.
pub const MAX_LINE: usize = 4096;

/// The longest answer to `say` that is read, bytes: an answer of the model, which may be an image.
pub const MAX_SAID: usize = 256 << 20;

/// `key=value` pairs.
pub type Pairs = BTreeMap<String, String>;

/// A line from a subject that breaks the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The first line is something else.
    #[error("it greeted with {line:?}, not `plimsoll {VERSION} subject=…`; see PROTOCOL.md")]
    Greeting {
        /// What came.
        line: String,
    },
    /// The greeting is of another version.
    #[error(
        "it speaks version {found} of the subject protocol, this plimsoll speaks {VERSION}; rebuild it against this version"
    )]
    Version {
        /// The version it named.
        found: String,
    },
    /// The greeting lacks a pair.
    #[error("its greeting lacks `{key}=`; see PROTOCOL.md")]
    Lacks {
        /// The pair's key.
        key: &'static str,
    },
    /// It is a debug build.
    #[error("it is a debug build, whose memory says nothing about a release; build it with --release")]
    Debug,
    /// An answer is something else.
    #[error("it answered {command:?} with {line:?}, not with `ok`, `error` or `unsupported`; see PROTOCOL.md")]
    Answer {
        /// What it was told.
        command: String,
        /// What came.
        line: String,
    },
    /// A pair's value is not a number.
    #[error("its answer's {key}={value:?} is not a whole number")]
    Number {
        /// The pair's key.
        key: String,
        /// Its value.
        value: String,
    },
}

/// An answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Ok(Pairs),
    /// It failed: kind and message.
    Error(String, String),
    /// It cannot be done by this subject.
    Unsupported(String),
}

/// Reads a greeting.
///
/// # Errors
/// When it is none, of another version, incomplete, or of a debug build.
pub fn greeting(line: &str) -> Result<Pairs, ProtocolError> {
    let mut words = line.splitn(3, ' ');
    if words.next() != Some("plimsoll") {
        return Err(ProtocolError::Greeting { line: shortened(line) });
    }
    match words.next() {
        Some(VERSION) => {}
        found => return Err(ProtocolError::Version { found: shortened(found.unwrap_or("none")) }),
    }
    let pairs = pairs(words.next().unwrap_or_default());
    for key in ["subject", "allocator", "profile", "build"] {
        if pairs.get(key).is_none_or(String::is_empty) {
            return Err(ProtocolError::Lacks { key });
        }
    }
    if pairs["profile"] == "debug" {
        return Err(ProtocolError::Debug);
    }
    Ok(pairs)
}

/// Reads an answer to `command`.
///
/// # Errors
/// When it is none of the three forms.
pub fn answer(command: &str, line: &str) -> Result<Answer, ProtocolError> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "ok" => Ok(Answer::Ok(pairs(rest))),
        "error" => {
            let (kind, message) = rest.split_once(' ').unwrap_or((rest, ""));
            Ok(Answer::Error(kind.to_owned(), message.to_owned()))
        }
        "unsupported" => Ok(Answer::Unsupported(rest.to_owned())),
        _ => Err(ProtocolError::Answer { command: command.to_owned(), line: shortened(line) }),
    }
}

/// A whole number out of an answer's pairs; absent is `None`.
///
/// # Errors
/// When it is there and is no whole number.
pub fn number(pairs: &Pairs, key: &str) -> Result<Option<u64>, ProtocolError> {
    let Some(value) = pairs.get(key) else { return Ok(None) };
    let wrong = |_| ProtocolError::Number { key: key.to_owned(), value: shortened(value) };
    value.parse().map(Some).map_err(wrong)
}

/// The metrics among an answer's pairs: keys with a dot, except what is known by other names (`opt.…`, jemalloc's options).
///
/// # Errors
/// When a value is no whole number.
pub fn metrics(pairs: &Pairs) -> Result<BTreeMap<String, i64>, ProtocolError> {
    let mut metrics = BTreeMap::new();
    for (key, value) in pairs.iter().filter(|(key, _)| key.contains('.') && !key.starts_with("opt.")) {
        let wrong = |_| ProtocolError::Number { key: key.clone(), value: shortened(value) };
        metrics.insert(key.clone(), value.parse().map_err(wrong)?);
    }
    Ok(metrics)
}

fn pairs(text: &str) -> Pairs {
    text.split_ascii_whitespace()
        .filter_map(|word| word.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// At most 120 characters of something that came from outside.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_gives_its_pairs() {
        let pairs = greeting("plimsoll 1 subject=a allocator=system profile=release build=1 more=x").expect("greets");
        assert_eq!(pairs["more"], "x");
    }

    #[test]
    fn wrong_greetings_say_what_is_wrong() {
        assert!(matches!(greeting("hello"), Err(ProtocolError::Greeting { .. })));
        assert!(matches!(greeting("plimsoll 2 subject=a"), Err(ProtocolError::Version { .. })));
        assert_eq!(greeting("plimsoll 1 subject=a allocator=b profile=c"), Err(ProtocolError::Lacks { key: "build" }));
        assert_eq!(greeting("plimsoll 1 subject=a allocator=b profile=debug build=1"), Err(ProtocolError::Debug));
    }

    #[test]
    fn answers_are_of_three_forms() {
        let ok = answer("chat 1 1", "ok answered=1 crc=5 jemalloc.allocated=77 opt.narenas=1").expect("an answer");
        let Answer::Ok(pairs) = ok else { panic!("not ok") };
        assert_eq!(number(&pairs, "answered"), Ok(Some(1)));
        assert_eq!(metrics(&pairs), Ok(BTreeMap::from([("jemalloc.allocated".to_owned(), 77)])));
        assert_eq!(answer("x", "error status 500 INTERNAL"), Ok(Answer::Error("status".into(), "500 INTERNAL".into())));
        assert_eq!(answer("x", "unsupported no streams"), Ok(Answer::Unsupported("no streams".into())));
        assert!(matches!(answer("x", "maybe"), Err(ProtocolError::Answer { .. })));
        let Ok(Answer::Ok(pairs)) = answer("x", "ok answered=lots") else { panic!("not ok") };
        assert!(matches!(number(&pairs, "answered"), Err(ProtocolError::Number { .. })));
    }
}
