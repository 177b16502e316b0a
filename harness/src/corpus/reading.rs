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
    let body = std::str::from_utf8(&served.body).ok()?;
    if served.content_type == super::SSE && served.status == 200 {
        return body.lines().filter(|line| !line.is_empty()).map(data_of_line).collect();
    }
    match (serde_json::from_str(body).ok()?, call) {
        (Value::Array(events), _) => Some(events),
        (value, _) => Some(vec![value]),
    }
}

fn data_of_line(line: &str) -> Option<Value> {
    serde_json::from_str(line.strip_prefix("data:")?).ok()
}

fn texts(event: &Value) -> impl Iterator<Item = &str> {
    let parts = event.pointer("/candidates/0/content/parts").and_then(Value::as_array);
    parts
        .into_iter()
        .flatten()
        .filter(|part| part.get("thought").and_then(Value::as_bool) != Some(true))
        .filter_map(|part| part.get("text")?.as_str())
}
