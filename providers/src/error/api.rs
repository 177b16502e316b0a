//! A refusal by the API, read from whatever its body is.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::types::read_span;

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
    /// The delay asked for by a `Retry-After` header, which may also name a point in time.
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
/// So much of a secret's beginning may be shown, in bytes: many keys begin alike.
const BEGINNING: usize = 7;

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
        read_span(delay)
    }

    /// Whether a quota of the day is used up: no delay of seconds helps, even where the API names one.
    pub fn is_daily_quota(&self) -> bool {
        let violations = detail(&self.details, "google.rpc.QuotaFailure").and_then(|failure| failure.get("violations"));
        let ids = violations.and_then(Value::as_array).into_iter().flatten();
        ids.filter_map(|violation| violation.get("quotaId")?.as_str()).any(|id| id.contains("PerDay"))
    }

    /// Replaces every occurrence of `secret`: a server may quote the key that it refuses.
    pub(crate) fn redact(&mut self, secret: &str) {
        const SHOWN: &str = "[key]";
        for text in [&mut self.status, &mut self.message].into_iter().chain(&mut self.reason) {
            if text.contains(secret) {
                *text = text.replace(secret, SHOWN);
            }
        }
        // A quotation may have been cut within it.
        let mut beginnings = (BEGINNING + 1..secret.len()).rev().filter_map(|length| secret.get(..length));
        let before = beginnings.find_map(|beginning| self.message.strip_suffix(beginning).map(str::len));
        if let Some(length) = before {
            self.message.truncate(length);
            self.message.push_str(SHOWN);
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

    #[test]
    fn a_key_that_the_quotation_is_cut_in_is_taken_out_too() {
        const KEY: &str = "AIzaSyCANARY-0123456789";
        for shown in 0..=KEY.len() {
            let body = format!("{}{KEY}</html>", "x".repeat(EXCERPT - shown));
            // Cut by us, or because the connection broke.
            for body in [&body[..], &body[..EXCERPT], &format!("<html>{}", &KEY[..shown])] {
                let mut error = ApiError::from_body(404, body.as_bytes());
                error.redact(KEY);
                assert!(!error.message.contains(&KEY[..=BEGINNING]), "{shown}: {}", error.message);
                assert_eq!(error.message.ends_with("[key]"), shown > BEGINNING, "{shown}: {}", error.message);
            }
        }
    }
}
