//! What an answer says, read from the served bytes as plain [`Value`]s: the expectation that clients are held to. Nothing here
//! is shared with any client, so that one mistake cannot be made on both sides.

use serde_json::Value;

use super::{Call, Served};

/// The text of an answer: `candidates[0].content.parts[*].text` of all events in order, without the parts that say
/// `"thought": true`. `None` where the answer is an error or no JSON.
pub fn text(served: &Served, call: Call) -> Option<String> {
    if served.status != 200 {
        return None;
    }
    let events = events(served, call)?;
    if events.iter().any(|event| event.get("error").is_some()) {
        return None;
    }
    Some(events.iter().flat_map(texts).collect())
}

/// The answer's JSON values: one of a unary answer, one per event of a stream. `None` where some of it is no JSON.
pub fn events(served: &Served, call: Call) -> Option<Vec<Value>> {
    let stream = stream(served, call);
    (stream.rest == Rest::Nothing).then_some(stream.events)
}

/// What a body holds, as far as it is JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Its values: one of a unary answer, one per event of a stream.
    pub events: Vec<Value>,
    /// What comes behind them.
    pub rest: Rest,
}

/// What a body holds behind its events.
#[derive(Clone, Debug, PartialEq)]
pub enum Rest {
    /// Nothing.
    Nothing,
    /// JSON without the framing of a stream: an error.
    Bare(Value),
    /// What cannot be read.
    Unreadable,
}

/// Reads a body up to what is no JSON.
pub fn stream(served: &Served, call: Call) -> Stream {
    let Ok(body) = std::str::from_utf8(&served.body) else {
        return Stream { events: Vec::new(), rest: Rest::Unreadable };
    };
    if served.content_type == super::SSE && served.status == 200 {
        return sse(body);
    }
    match (serde_json::from_str(body), call) {
        (Ok(Value::Array(events)), _) => Stream { events, rest: Rest::Nothing },
        (Ok(value), _) => Stream { events: vec![value], rest: Rest::Nothing },
        (Err(_), _) => Stream { events: Vec::new(), rest: Rest::Unreadable },
    }
}

/// The service writes an event as one line, and an error in mid-stream also as JSON over several.
fn sse(body: &str) -> Stream {
    let mut events = Vec::new();
    let mut rest = body;
    while let Some(line) = rest.lines().next() {
        if let Some(data) = line.strip_prefix("data:") {
            match serde_json::from_str(data) {
                Ok(event) => events.push(event),
                Err(_) => return Stream { events, rest: Rest::Unreadable },
            }
        } else if !line.is_empty() {
            let bare = serde_json::from_str(rest).map_or(Rest::Unreadable, Rest::Bare);
            return Stream { events, rest: bare };
        }
        rest = rest[line.len()..].trim_start_matches(['\r', '\n']);
    }
    Stream { events, rest: Rest::Nothing }
}

/// The texts of one event's parts, in order, without those that say `"thought": true`.
pub fn texts(event: &Value) -> impl Iterator<Item = &str> {
    let parts = event.pointer("/candidates/0/content/parts").and_then(Value::as_array);
    parts
        .into_iter()
        .flatten()
        .filter(|part| part.get("thought").and_then(Value::as_bool) != Some(true))
        .filter_map(|part| part.get("text")?.as_str())
}
