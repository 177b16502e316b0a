//! What can go wrong, in types.

mod api;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

pub use api::ApiError;

/// What went wrong with a call. No variant holds the API key or the request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The API refused: with an HTTP status, or in the middle of a stream.
    #[error("the API answered {0}")]
    Api(Box<ApiError>),
    /// Something took too long.
    #[error("no {phase} within {limit:?}: raise the timeout or try again")]
    Timeout {
        /// What was waited for.
        phase: Phase,
        /// How long.
        limit: Duration,
    },
    /// The connection could not be made or broke.
    #[error("{phase} failed: {}", chain(.source.as_ref()))]
    Transport {
        /// What was going on.
        phase: Phase,
        /// What the transport says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The answer is not what the API sends.
    #[error("the answer cannot be read as {expected}: {}", chain(.source.as_ref()))]
    Answer {
        /// What it should have been.
        expected: &'static str,
        /// What the reader says, or the beginning of the answer.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A stream ended before any candidate had a finish reason.
    #[error("the stream ended before it said why it finished: what was delivered may lack its end")]
    Truncated,
    /// The answer is longer than [`Limits`](crate::Limits) allows.
    #[error("{what} is longer than {limit} bytes: raise Limits::{} if that is expected", .what.field())]
    TooLong {
        /// What was too long.
        what: Limited,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The server pointed elsewhere. Redirects are not followed, because they would carry the key.
    #[error("the server redirects with HTTP {0}, and redirects are not followed: correct base_url")]
    Redirect(u16),
    /// The provider cannot be built from this configuration.
    #[error("configuration: {0}")]
    Config(Box<str>),
    /// The request cannot be written as JSON.
    #[error("the request cannot be written as JSON: {0}")]
    Request(#[source] Box<serde_json::Error>),
}

/// The kinds of [`Error`] that a caller usually tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The API refused.
    Status,
    /// The connection failed.
    Transport,
    /// It took too long.
    Timeout,
    /// The answer is wrong, cut or too long.
    Answer,
    /// Configuration or request.
    Other,
}

impl ErrorKind {
    /// The kind as one lowercase word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Transport => "transport",
            Self::Timeout => "timeout",
            Self::Answer => "answer",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What [`Limits`](crate::Limits) limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limited {
    /// The body of an answer: `max_body`.
    Body,
    /// An event of a stream: `max_event`.
    Event,
}

impl Limited {
    /// The field of [`Limits`](crate::Limits).
    const fn field(self) -> &'static str {
        match self {
            Self::Body => "max_body",
            Self::Event => "max_event",
        }
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Body => "the answer",
            Self::Event => "an event",
        })
    }
}

/// A part of a call, as errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Making a connection: name, TCP, TLS.
    Connect,
    /// From sending the request to the head of the answer.
    Head,
    /// The next bytes of the answer's body.
    Body,
    /// The whole call.
    Call,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connection",
            Self::Head => "head of the answer",
            Self::Body => "next part of the answer's body",
            Self::Call => "whole answer",
        })
    }
}

impl Error {
    pub(crate) fn config(message: impl Into<Box<str>>) -> Self {
        Self::Config(message.into())
    }

    pub(crate) fn answer(expected: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Answer { expected, source: source.into() }
    }

    /// Which kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Api(_) | Self::Redirect(_) => ErrorKind::Status,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Transport { .. } => ErrorKind::Transport,
            Self::Answer { .. } | Self::Truncated | Self::TooLong { .. } => ErrorKind::Answer,
            Self::Config(_) | Self::Request(_) => ErrorKind::Other,
        }
    }

    /// What the API said, if it said something.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }
}

/// An error and what caused it, on one line: libraries put the telling part at the end of the chain.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_stays_small() {
        // It is the error half of every future's Result: a fat one would be copied through each await.
        assert!(size_of::<Error>() <= 40, "{}", size_of::<Error>());
        fn send<T: Send + Sync + 'static>() {}
        send::<Error>();
    }
}
