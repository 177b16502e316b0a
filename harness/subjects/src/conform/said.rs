//! The line that says what was understood.

use plimsoll_providers::Error;
use serde::Serialize;
use serde_json::{Value, json};

/// What a level made of what it was served.
#[derive(Debug)]
pub(super) enum Said {
    /// An answer, as JSON.
    Whole(String),
    /// No answer, but an error.
    Failed(Error),
    /// The events that were delivered, as JSON each, and the error that ended them.
    Events(Vec<String>, Option<Error>),
    /// That cannot be asked of this level.
    Unsupported(String),
}

impl Said {
    /// A whole answer or none.
    pub(super) fn whole<T: Serialize>(answer: Result<T, Error>) -> Self {
        answer.map_or_else(Self::Failed, |answer| Self::Whole(json(&answer)))
    }

    /// The line, `forgetful` of one field.
    pub(super) fn line(self, forgetful: bool) -> String {
        let keep = |json: String| if forgetful { without_a_field(&json) } else { json };
        match self {
            Self::Whole(answer) => format!(r#"ok {{"says":{}}}"#, keep(answer)),
            Self::Failed(error) => format!(r#"ok {{"error":{}}}"#, fault(&error)),
            Self::Events(events, end) => {
                let events: Vec<String> = events.into_iter().map(keep).collect();
                let end = end.map_or_else(String::new, |error| format!(r#","error":{}"#, fault(&error)));
                format!(r#"ok {{"says":[{}]{end}}}"#, events.join(","))
            }
            Self::Unsupported(what) => format!("unsupported {what}"),
        }
    }
}

/// A value as it would be sent. By way of text, as on the wire: as a [`Value`] a 32-bit number would get decimals that nobody served.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| Value::from(error.to_string()).to_string())
}

fn fault(error: &Error) -> Value {
    let kind = error.kind().name();
    let Some(api) = error.api() else { return json!({ "kind": kind, "message": error.to_string() }) };
    json!({
        "kind": kind, "code": api.code, "status": api.status, "reason": api.reason, "message": api.message,
        "details": api.details,
    })
}

fn without_a_field(answer: &str) -> String {
    let Ok(mut answer) = serde_json::from_str::<Value>(answer) else { return answer.to_owned() };
    if let Some(usage) = answer.get_mut("usageMetadata").and_then(Value::as_object_mut) {
        usage.remove("totalTokenCount");
    }
    answer.to_string()
}
