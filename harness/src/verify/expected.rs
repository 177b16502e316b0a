//! What a client should have understood: read from the served bytes as plain JSON, by nothing that a client has a part in.

use serde_json::{Map, Value, json};

use super::forms;
use super::question::Question;
use crate::corpus::Served;
use crate::corpus::reading::{self, Rest};

/// What should be said.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The answer, or the array of a stream's events; `None` where there is no answer but an error.
    pub says: Option<Value>,
    /// The error, in the protocol's words: without a message where it is the client's own.
    pub error: Option<Value>,
    /// The body of a refusal that is not the API's: a message should be how it begins.
    pub foreign: Option<String>,
}

/// Reads what was served in answer to `question`.
pub fn read(served: &Served, question: Question) -> Expected {
    if served.status != 200 {
        return refused(served, question);
    }
    if question.is_stream() { events(served, question) } else { whole(served, question) }
}

fn refused(served: &Served, question: Question) -> Expected {
    let says = question.is_stream().then(|| json!([]));
    let body = String::from_utf8_lossy(&served.body);
    let json = serde_json::from_str::<Value>(&body).ok();
    let error = json.as_ref().and_then(|json| json.pointer("/error").or_else(|| json.pointer("/0/error")));
    match error {
        Some(error) => Expected { says, error: Some(api_error(error, served.status.into())), foreign: None },
        None => Expected {
            says,
            error: Some(json!({"kind": "status", "code": served.status})),
            foreign: Some(body.trim().to_owned()),
        },
    }
}

fn whole(served: &Served, question: Question) -> Expected {
    match serde_json::from_slice::<Value>(&served.body) {
        Ok(answer) => match error_of(&answer) {
            Some(error) => Expected { says: None, error: Some(error), foreign: None },
            None if answer.is_object() => {
                Expected { says: Some(as_understood(answer, question)), error: None, foreign: None }
            }
            None => Expected { says: None, error: Some(json!({"kind": "answer"})), foreign: None },
        },
        Err(_) => Expected { says: None, error: Some(json!({"kind": "answer"})), foreign: None },
    }
}

fn events(served: &Served, question: Question) -> Expected {
    let stream = reading::stream(served, question.call());
    let mut error = match stream.rest {
        Rest::Nothing => None,
        Rest::Bare(json) => Some(error_of(&json).unwrap_or_else(|| json!({"kind": "answer"}))),
        Rest::Unreadable => Some(json!({"kind": "answer"})),
    };
    let mut says = Vec::new();
    let mut finished = false;
    for event in stream.events {
        if let Some(found) = error_of(&event) {
            error = Some(found);
            break;
        }
        finished |= says_why_it_ended(&event);
        says.push(as_understood(event, question));
    }
    // A stream that ends before it says why was cut.
    if error.is_none() && !finished {
        error = Some(json!({"kind": "answer"}));
    }
    Expected { says: Some(says.into()), error, foreign: None }
}

fn as_understood(answer: Value, question: Question) -> Value {
    if question.is_visited() { forms::told(&answer) } else { answer }
}

fn says_why_it_ended(event: &Value) -> bool {
    let there = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    let candidates = event.get("candidates").and_then(Value::as_array);
    candidates.into_iter().flatten().any(|candidate| there(candidate.get("finishReason")))
        || there(event.pointer("/promptFeedback/blockReason"))
}

/// An object with an `error` is a refusal under whichever status it came, unless it is a resource, which may have had one.
fn error_of(answer: &Value) -> Option<Value> {
    let error = answer.get("error").or_else(|| answer.get(0)?.get("error")).filter(|error| !error.is_null())?;
    let resource = answer.get("name").is_some();
    (!resource).then(|| api_error(error, error.get("code").cloned().unwrap_or(0.into())))
}

/// A refusal in the protocol's words.
fn api_error(error: &Value, code: Value) -> Value {
    let details = error.get("details").and_then(Value::as_array);
    let is_info = |detail: &&Value| {
        detail.get("@type").and_then(Value::as_str).is_some_and(|name| name.ends_with("google.rpc.ErrorInfo"))
    };
    let reason = details.into_iter().flatten().find(is_info).and_then(|info| info.get("reason"));
    let mut said = Map::from_iter([("kind".to_owned(), "status".into()), ("code".to_owned(), code)]);
    for (name, value) in [
        ("status", error.get("status")),
        ("message", error.get("message")),
        ("details", error.get("details")),
        ("reason", reason),
    ] {
        said.extend(value.map(|value| (name.to_owned(), value.clone())));
    }
    said.into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::corpus::{HTML, JSON, SSE};

    fn of(status: u16, content_type: &'static str, body: &'static str, question: Question) -> Expected {
        read(&Served { status, content_type, body: Bytes::from_static(body.as_bytes()) }, question)
    }

    const REFUSAL: &str = r#"{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[
        {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#;

    #[test]
    fn a_refusal_is_an_error_with_its_status_and_reason() {
        let expected = of(400, JSON, REFUSAL, Question::Generate);
        let error = expected.error.unwrap();
        assert_eq!(
            (expected.says, &error["kind"], &error["code"], &error["status"], &error["reason"]),
            (None, &"status".into(), &400.into(), &"INVALID_ARGUMENT".into(), &"API_KEY_INVALID".into())
        );
        let page = of(404, HTML, " <html>", Question::Stream);
        assert_eq!((page.says, page.error), (Some(json!([])), Some(json!({"kind": "status", "code": 404}))));
        assert_eq!(page.foreign.as_deref(), Some("<html>"));
    }

    #[test]
    fn an_error_in_a_success_is_one_but_a_resource_may_have_had_one() {
        assert_eq!(of(200, JSON, REFUSAL, Question::Generate).error.unwrap()["code"], 400);
        let batch = of(200, JSON, r#"{"name":"batches/b","error":{"code":13}}"#, Question::Batch);
        assert_eq!((batch.says.unwrap()["error"]["code"].clone(), batch.error), (13.into(), None));
        assert_eq!(of(200, JSON, "<html>", Question::Models).error, Some(json!({"kind": "answer"})));
    }

    #[test]
    fn a_stream_ends_well_badly_or_too_early() {
        let stream = |body| {
            let Expected { says, error, .. } = of(200, SSE, body, Question::Stream);
            (says.unwrap().as_array().unwrap().len(), error.map(|error| error["kind"].clone()))
        };
        assert_eq!(stream("data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n"), (1, None));
        assert_eq!(stream("data: {\"promptFeedback\":{\"blockReason\":7}}\n\n"), (1, None));
        assert_eq!(stream("data: {\"candidates\":[{}]}\n\n"), (1, Some("answer".into())));
        assert_eq!(stream("data: {}\n\ndata: {\"error\":{\"code\":500}}\n\ndata: {}\n\n"), (1, Some("status".into())));
        assert_eq!(stream("data: {}\n\n{\n  \"error\": {\"code\": 503}\n}\n"), (1, Some("status".into())));
        assert_eq!(stream("data: {}\n\ndata: {\n\n"), (1, Some("answer".into())));
    }
}
