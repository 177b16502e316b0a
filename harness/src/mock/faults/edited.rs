//! Faults in what an answer says: its events are read, changed and spelled again.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::corpus::{frame_array, frame_sse, json};
use crate::mock::events::Form;

const REASON: &str = "finishReason";

/// The reason why the answer ends is said in its first event; the others say none, as if there were more to come.
pub(in crate::mock) fn early_finish(body: &Bytes, form: Form) -> Bytes {
    let mut reason = None;
    // The last event has it, so it is looked for first.
    edited(body, form, |_, event| {
        reason = candidate(event).and_then(|candidate| candidate.remove(REASON)).or(reason.take())
    });
    edited(body, form, |index, event| {
        if let Some(candidate) = candidate(event) {
            candidate.remove(REASON);
            if let (0, Some(reason)) = (index, &reason) {
                candidate.insert(REASON.to_owned(), reason.clone());
            }
        }
    })
}

/// No event says why the answer ends.
pub(in crate::mock) fn no_finish(body: &Bytes, form: Form) -> Bytes {
    edited(body, form, |_, event| {
        candidate(event).and_then(|candidate| candidate.remove(REASON));
    })
}

/// The first text is longer by `size` bytes.
pub(in crate::mock) fn pad(body: &Bytes, form: Form, size: usize) -> Bytes {
    let mut padded = false;
    edited(body, form, |_, event| {
        let texts = event.pointer_mut("/candidates/0/content/parts").and_then(Value::as_array_mut);
        let first = texts.into_iter().flatten().find_map(|part| match part.get_mut("text") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        });
        if let (Some(text), false) = (first, padded) {
            text.extend(std::iter::repeat_n('~', size));
            padded = true;
        }
    })
}

fn candidate(event: &mut Value) -> Option<&mut Map<String, Value>> {
    event.pointer_mut("/candidates/0")?.as_object_mut()
}

/// The body with each of its events changed; as it was where it is no JSON.
fn edited(body: &Bytes, form: Form, mut edit: impl FnMut(usize, &mut Value)) -> Bytes {
    let Some(mut events) = read(body, form) else { return body.clone() };
    events.iter_mut().enumerate().for_each(|(index, event)| edit(index, event));
    let spelled = || events.iter().map(json::on_one_line).collect::<Vec<_>>();
    match form {
        Form::Sse => frame_sse(&spelled()),
        Form::Array => frame_array(&spelled()),
        Form::Whole => events.first().map_or_else(|| body.clone(), json::indented),
    }
}

fn read(body: &[u8], form: Form) -> Option<Vec<Value>> {
    let text = std::str::from_utf8(body).ok()?;
    match form {
        Form::Sse => text
            .split('\n')
            .map(|line| line.trim_end_matches('\r'))
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok())
            .collect(),
        Form::Array => serde_json::from_str(text).ok(),
        Form::Whole => Some(vec![serde_json::from_str(text).ok()?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{self, Call};

    fn events(change: impl Fn(&Bytes, Form) -> Bytes, call: Call) -> Vec<Value> {
        let served = corpus::reply("stream").unwrap().served(call);
        let form = Form::of(served.content_type, Some(call));
        read(&change(&served.body, form), form).unwrap()
    }

    fn reasons(events: &[Value]) -> Vec<bool> {
        events.iter().map(|event| event.pointer("/candidates/0/finishReason").is_some()).collect()
    }

    #[test]
    fn the_reason_moves_or_goes_and_nothing_else() {
        for call in [Call::Sse, Call::Array] {
            let (early, none) = (events(early_finish, call), events(no_finish, call));
            assert_eq!(reasons(&early).iter().position(|has| *has), Some(0));
            assert_eq!(reasons(&early).iter().filter(|has| **has).count(), 1);
            assert!(!reasons(&none).contains(&true));
            assert_eq!(early.len(), 12);
            assert_eq!(early[5], events(|body, _| body.clone(), call)[5]);
        }
    }

    #[test]
    fn one_text_grows() {
        for call in [Call::Unary, Call::Sse, Call::Array] {
            let served = corpus::reply("stream").unwrap().served(call);
            let form = Form::of(served.content_type, Some(call));
            let grown = pad(&served.body, form, 100_000);
            let text = |body: Bytes| corpus::reading::text(&corpus::Served { body, ..served.clone() }, call).unwrap();
            assert_eq!(text(grown).len(), text(served.body.clone()).len() + 100_000);
        }
    }
}
