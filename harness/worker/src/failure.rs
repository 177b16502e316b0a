//! What went wrong in a subject, as one line of the protocol.

use std::fmt::{self, Display, Write as _};

use crate::line::Line;

/// Longest message in an `error` line, bytes.
const LONGEST_MESSAGE: usize = 1_024;

/// Why a command was not carried out.
///
/// Anything that can be displayed becomes one of kind [`Kind::Other`]. That is why it cannot be displayed itself: it would become itself
/// in two ways.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
}

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The server answered with an error.
    Status,
    /// The connection could not be made, or broke.
    Transport,
    /// A time limit passed.
    Timeout,
    /// The answer was not what an answer looks like.
    Answer,
    /// Anything else.
    Other,
    /// The subject cannot do this at all; the sample is recorded as unavailable.
    Unsupported,
}

impl Failure {
    /// A failure of a given kind.
    #[must_use]
    pub fn new(kind: Kind, message: impl Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    /// A failure of kind [`Kind::Other`].
    #[must_use]
    pub fn other(message: impl Display) -> Self {
        Self::new(Kind::Other, message)
    }

    /// The subject cannot do this at all.
    #[must_use]
    pub fn unsupported(reason: impl Display) -> Self {
        Self::new(Kind::Unsupported, reason)
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The answer to the command: one line, of bounded length, without the key.
    pub(crate) fn write(&self, line: &mut Line, key: &str) -> fmt::Result {
        write!(line, "{} {}", self.kind.word(), one_line(&self.message, key))
    }
}

impl<E: Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::other(error)
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Status => "error status",
            Self::Transport => "error transport",
            Self::Timeout => "error timeout",
            Self::Answer => "error answer",
            Self::Other => "error other",
            Self::Unsupported => "unsupported",
        }
    }
}

/// The message on one line. The key goes first, before anything is cut, so that no part of it can be left standing.
fn one_line(message: &str, key: &str) -> String {
    let message = if key.is_empty() { message.to_owned() } else { message.replace(key, "[key]") };
    let mut line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut end = line.len().min(LONGEST_MESSAGE);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.truncate(end);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_without_the_key() {
        assert_eq!(one_line("GET\r\n\tkey=canary&x\u{85}", "canary"), "GET   key=[key]&x ");
        assert_eq!(one_line("as it is", ""), "as it is");
    }

    #[test]
    fn a_long_message_is_cut_at_a_character_after_the_key_is_gone() {
        let long = format!("{}canary{}", "é".repeat(LONGEST_MESSAGE / 2 - 3), "é".repeat(LONGEST_MESSAGE));
        let line = one_line(&long, "canary");
        assert!(line.len() <= LONGEST_MESSAGE && line.len() > LONGEST_MESSAGE - 4);
        assert!(!line.contains("can"));
    }

    #[test]
    fn anything_displayed_becomes_a_failure_and_a_failure_stays_one() {
        fn failure(error: impl Into<Failure>) -> Kind {
            error.into().kind()
        }
        assert_eq!(failure("text"), Kind::Other);
        assert_eq!(failure(Failure::new(Kind::Timeout, "late")), Kind::Timeout);
    }
}
