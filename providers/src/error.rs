//! What can go wrong, in types.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

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
fn chain(error: &(dyn StdError + 'static)) -> String {
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

/// A refusal by the API, or by something that stands before it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status, or in the middle of a stream the error's own code. 0 when there is none.
    pub code: u16,
    /// The canonical name, e.g. `RESOURCE_EXHAUSTED`; empty when what answered was not the API.
    pub status: String,
    /// What the API says; for an answer that is not the API's, how it begins.
    pub message: String,
    /// The machine-readable reason out of `google.rpc.ErrorInfo`, e.g. `API_KEY_INVALID`.
    pub reason: Option<String>,
    /// The details as they came: objects with an `@type`.
    pub details: Vec<Value>,
    /// The delay asked for by a `Retry-After` header in seconds.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        for word in [Some(&self.status), self.reason.as_ref()].into_iter().flatten().filter(|word| !word.is_empty()) {
            write!(f, " {word}")?;
        }
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

impl StdError for ApiError {}

/// The longest beginning of a foreign answer that a message quotes, in characters.
const EXCERPT: usize = 200;

impl ApiError {
    /// Reads the body of an HTTP error, whatever it is labelled: the API's object, the same in an array, or something foreign.
    pub(crate) fn from_body(http: u16, body: &[u8]) -> Self {
        match Self::from_json(body) {
            Some(error) => Self { code: http, ..error },
            None => {
                let text = String::from_utf8_lossy(body);
                Self { message: text.trim().chars().take(EXCERPT).collect(), ..Self::empty(http) }
            }
        }
    }

    /// Reads `{"error": {…}}` or `[{"error": {…}}]`.
    pub(crate) fn from_json(body: &[u8]) -> Option<Self> {
        match serde_json::from_slice(body).ok()? {
            Value::Array(items) => Self::from_value(items.into_iter().next()?.get_mut("error")?.take()),
            mut object => Self::from_value(object.get_mut("error")?.take()),
        }
    }

    /// Reads what stands under `error`. Anything but an object says nothing more than that there was an error.
    pub(crate) fn from_value(error: Value) -> Option<Self> {
        #[derive(Deserialize)]
        struct Status {
            #[serde(default)]
            code: Value,
            #[serde(default)]
            status: Value,
            #[serde(default)]
            message: Value,
            #[serde(default)]
            details: Value,
        }
        if error.is_null() {
            return None;
        }
        let Ok(wire) = serde_json::from_value::<Status>(error.clone()) else {
            return Some(Self { message: error.to_string().chars().take(EXCERPT).collect(), ..Self::empty(0) });
        };
        let text = |value: Value| match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let details = match wire.details {
            Value::Array(details) => details,
            Value::Null => Vec::new(),
            other => vec![other],
        };
        Some(Self {
            code: wire.code.as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(0),
            status: text(wire.status),
            message: text(wire.message),
            reason: detail(&details, "google.rpc.ErrorInfo")
                .and_then(|info| info.get("reason")?.as_str())
                .map(str::to_owned),
            details,
            retry_after: None,
        })
    }

    /// The delay that the API asks for in `google.rpc.RetryInfo`, which may have nine decimals.
    pub fn retry_delay(&self) -> Option<Duration> {
        let delay = detail(&self.details, "google.rpc.RetryInfo")?.get("retryDelay")?.as_str()?;
        let (whole, fraction) = delay.strip_suffix('s')?.split_once('.').unwrap_or((delay.strip_suffix('s')?, ""));
        if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let nanos = format!("{fraction:0<9}").parse().ok()?;
        Some(Duration::new(whole.parse().ok()?, nanos))
    }

    /// Replaces every occurrence of `secret`: a server may quote the key that it refuses.
    pub(crate) fn redact(&mut self, secret: &str) {
        const SHOWN: &str = "[key]";
        for text in [&mut self.status, &mut self.message].into_iter().chain(&mut self.reason) {
            if text.contains(secret) {
                *text = text.replace(secret, SHOWN);
            }
        }
        self.details.iter_mut().for_each(|detail| redact(detail, secret, SHOWN));
    }

    fn empty(code: u16) -> Self {
        Self {
            code,
            status: String::new(),
            message: String::new(),
            reason: None,
            details: Vec::new(),
            retry_after: None,
        }
    }
}

fn detail<'a>(details: &'a [Value], kind: &str) -> Option<&'a Value> {
    details.iter().find(|detail| detail.get("@type").and_then(Value::as_str).is_some_and(|name| name.ends_with(kind)))
}

fn redact(value: &mut Value, secret: &str, shown: &str) {
    match value {
        Value::String(text) if text.contains(secret) => *text = text.replace(secret, shown),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, secret, shown)),
        Value::Object(map) => {
            if map.keys().any(|key| key.contains(secret)) {
                *map =
                    std::mem::take(map).into_iter().map(|(key, value)| (key.replace(secret, shown), value)).collect();
            }
            map.values_mut().for_each(|item| redact(item, secret, shown));
        }
        _ => {}
    }
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

    #[test]
    fn a_refusal_gives_status_reason_and_details() {
        let body = br#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[
            {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#;
        let error = ApiError::from_body(400, body);
        assert_eq!(
            (error.code, &*error.status, error.reason.as_deref()),
            (400, "INVALID_ARGUMENT", Some("API_KEY_INVALID"))
        );
        assert_eq!(error.details.len(), 1);
        assert_eq!(error.to_string(), "400 INVALID_ARGUMENT API_KEY_INVALID: API key not valid.");
    }

    #[test]
    fn a_refusal_in_an_array_is_the_same() {
        let error =
            ApiError::from_body(503, br#"[{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}]"#);
        assert_eq!((error.code, &*error.status, &*error.message), (503, "UNAVAILABLE", "overloaded"));
    }

    #[test]
    fn a_foreign_answer_is_quoted_from_its_beginning() {
        let body = format!("<!DOCTYPE html>\n<title>Error 404</title>{}", "x".repeat(1000));
        let error = ApiError::from_body(404, body.as_bytes());
        assert_eq!((error.code, &*error.status), (404, ""));
        assert!(error.message.starts_with("<!DOCTYPE html>") && error.message.chars().count() == EXCERPT);
    }

    #[test]
    fn odd_shapes_are_still_errors() {
        assert_eq!(ApiError::from_body(500, br#"{"error":"boom"}"#).message, "\"boom\"");
        assert_eq!(ApiError::from_body(500, br#"{"error":{"code":"13","message":7,"details":{}}}"#).message, "7");
        assert_eq!(ApiError::from_body(502, b"").message, "");
        assert_eq!(ApiError::from_json(br#"{"candidates":[]}"#), None);
        assert_eq!(ApiError::from_json(br#"{"error":null}"#), None);
    }

    #[test]
    fn retry_delay_reads_nine_decimals() {
        let with = |delay: &str| {
            let details =
                serde_json::json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]);
            ApiError { details: details.as_array().unwrap().clone(), ..ApiError::empty(429) }.retry_delay()
        };
        assert_eq!(with("48.939935699s"), Some(Duration::new(48, 939_935_699)));
        assert_eq!(with("7s"), Some(Duration::from_secs(7)));
        assert_eq!(with("0.5s"), Some(Duration::from_millis(500)));
        for wrong in ["", "s", "7", "-1s", "1.0000000001s", "1.x s", "99999999999999999999s"] {
            assert_eq!(with(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_quoted_key_is_taken_out_everywhere() {
        let body = br#"{"error":{"code":400,"message":"key CANARY is bad","status":"X","details":[{"a":["CANARY"],"CANARY":1}]}}"#;
        let mut error = ApiError::from_body(400, body);
        error.redact("CANARY");
        assert!(!format!("{error:?} {error}").contains("CANARY"));
        assert_eq!(error.message, "key [key] is bad");
    }
}
