//! `openai/chat/completions`: the same answers in the form that clients of another API read, as the service offers it beside its own
//! (<https://ai.google.dev/gemini-api/docs/openai>).

use bytes::Bytes;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{Answered, ok};
use crate::corpus::{Call, Reply, SSE, json, reading};
use crate::mock::answer::Answer;

/// When every answer says that it was made, so that the same request gets the same bytes.
const CREATED: u64 = 1_767_225_600;

/// The reply to a question, whole or as a stream of events, as `body` asks for it.
pub(super) fn answer(body: &Value, reply: &Reply) -> Answered {
    let model = body.get("model").and_then(Value::as_str).filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| Refusal::invalid("model is not specified"))?;
    if body.get("messages").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(Refusal::invalid("messages: at least one message is wanted"));
    }
    let streamed = body.get("stream").and_then(Value::as_bool) == Some(true);
    let call = if streamed { Call::Sse } else { Call::Unary };
    let events = reading::events(&reply.served(call), call).unwrap_or_default();
    if streamed {
        return Ok(Answer::new(200, SSE, stream(model, &events)));
    }
    let [event] = &events[..] else {
        return Err(Refusal::invalid("plimsoll mock: this reply has no answer to tell in that form"));
    };
    let message = json!({ "content": text(event), "role": "assistant" });
    let choice = json!({ "finish_reason": finish(event), "index": 0, "message": message });
    ok(&chunk(model, "chat.completion", &choice, event))
}

fn stream(model: &str, events: &[Value]) -> Bytes {
    let mut body = Vec::new();
    for event in events {
        let delta = json!({ "content": text(event), "role": "assistant" });
        let mut choice = json!({ "delta": delta, "index": 0 });
        if let Some(reason) = finish(event) {
            choice["finish_reason"] = json!(reason);
        }
        body.extend_from_slice(b"data: ");
        body.extend_from_slice(&json::on_one_line(&chunk(model, "chat.completion.chunk", &choice, event)));
        body.extend_from_slice(b"\n\n");
    }
    body.extend_from_slice(b"data: [DONE]\n\n");
    body.into()
}

fn chunk(model: &str, object: &str, choice: &Value, event: &Value) -> Value {
    let count = |name: &str| event.pointer(&format!("/usageMetadata/{name}")).and_then(Value::as_u64).unwrap_or(0);
    let usage = json!({
        "completion_tokens": count("candidatesTokenCount"),
        "prompt_tokens": count("promptTokenCount"),
        "total_tokens": count("totalTokenCount"),
    });
    let id = event.get("responseId").and_then(Value::as_str).unwrap_or_default();
    json!({ "choices": [choice], "created": CREATED, "id": id, "model": model, "object": object, "usage": usage })
}

fn text(event: &Value) -> String {
    reading::texts(event).collect()
}

fn finish(event: &Value) -> Option<&'static str> {
    Some(match event.pointer("/candidates/0/finishReason")?.as_str()? {
        "STOP" => "stop",
        "MAX_TOKENS" => "length",
        _ => "content_filter",
    })
}
