//! What a visitor was told, put together as the answer that it was told of.

use std::ops::ControlFlow;

use plimsoll_providers::Error;
use plimsoll_providers::gemini_bare_http::{Call, Usage, Visitor};
use serde_json::{Map, Value, json};

use super::said::Said;

/// A visitor that forgets nothing.
#[derive(Debug, Default)]
pub(super) struct Told {
    events: Vec<String>,
    candidates: Vec<Candidate>,
    blocked: Option<String>,
    usage: Option<Value>,
}

#[derive(Debug, Default)]
struct Candidate {
    parts: Vec<Map<String, Value>>,
    part: Map<String, Value>,
    finish: Option<String>,
    index: Option<u64>,
}

impl Told {
    /// What a whole answer told.
    pub(super) fn answer(mut self, end: Result<(), Error>) -> Said {
        match (end, self.events.pop()) {
            (Err(error), _) => Said::Failed(error),
            (Ok(()), Some(answer)) => Said::Whole(answer),
            (Ok(()), None) => Said::Unsupported("a visitor that is not told of the end".to_owned()),
        }
    }

    /// What the events of a stream told. Of an event that broke off, what was told is dropped.
    pub(super) fn events(self, end: Result<(), Error>) -> Said {
        Said::Events(self.events, end.err())
    }

    fn candidate(&mut self, at: usize) -> &mut Candidate {
        if self.candidates.len() <= at {
            self.candidates.resize_with(at + 1, Candidate::default);
        }
        &mut self.candidates[at]
    }

    fn piece(&mut self, at: usize, name: &str, piece: &str) {
        append(&mut self.candidate(at).part, name, piece);
    }
}

fn append(map: &mut Map<String, Value>, name: &str, piece: &str) {
    match map.get_mut(name) {
        Some(Value::String(text)) => text.push_str(piece),
        _ => drop(map.insert(name.to_owned(), piece.into())),
    }
}

impl Visitor for Told {
    fn text(&mut self, candidate: usize, piece: &str) {
        self.piece(candidate, "text", piece);
    }

    fn signature(&mut self, candidate: usize, piece: &str) {
        self.piece(candidate, "thoughtSignature", piece);
    }

    fn inline_data(&mut self, candidate: usize, piece: &str) {
        let blob = self.candidate(candidate).part.entry("inlineData").or_insert_with(|| json!({}));
        if let Value::Object(blob) = blob {
            append(blob, "data", piece);
        }
    }

    fn function_call(&mut self, candidate: usize, call: Call<'_>) {
        let args = call.args.map(|args| serde_json::from_str(args).unwrap_or_else(|_| Value::from(args)));
        // A visitor is told an empty name where there is none: in a call that comes in pieces.
        let name = Some(call.name).filter(|name| !name.is_empty());
        let mut told = Map::new();
        told.extend(name.map(|name| ("name".to_owned(), name.into())));
        told.extend(call.id.map(|id| ("id".to_owned(), id.into())));
        told.extend(args.map(|args| ("args".to_owned(), args)));
        self.candidate(candidate).part.insert("functionCall".to_owned(), told.into());
    }

    fn part_end(&mut self, candidate: usize, thought: bool) {
        let candidate = self.candidate(candidate);
        let mut part = std::mem::take(&mut candidate.part);
        if thought {
            part.insert("thought".to_owned(), true.into());
        }
        candidate.parts.push(part);
    }

    fn finish(&mut self, candidate: usize, reason: &str) {
        self.candidate(candidate).finish = Some(reason.to_owned());
    }

    fn candidate_end(&mut self, candidate: usize, index: Option<u64>) {
        self.candidate(candidate).index = index;
    }

    fn blocked(&mut self, reason: &str) {
        self.blocked = Some(reason.to_owned());
    }

    fn usage(&mut self, usage: Usage) {
        self.usage = Some(json!({
            "promptTokenCount": usage.prompt, "cachedContentTokenCount": usage.cached,
            "candidatesTokenCount": usage.candidates, "thoughtsTokenCount": usage.thoughts, "totalTokenCount": usage.total,
        }));
    }

    fn end(&mut self) -> ControlFlow<()> {
        let Self { candidates, blocked, usage, .. } = std::mem::take(self).keeping(&mut self.events);
        let candidates: Vec<Value> = candidates
            .into_iter()
            .map(|told| json!({"content": {"parts": told.parts}, "finishReason": told.finish, "index": told.index}))
            .collect();
        let event = json!({
            "candidates": candidates, "promptFeedback": {"blockReason": blocked}, "usageMetadata": usage,
        });
        self.events.push(event.to_string());
        ControlFlow::Continue(())
    }
}

impl Told {
    /// Gives the events back to whoever goes on, and the rest to whoever ends an event.
    fn keeping(mut self, events: &mut Vec<String>) -> Self {
        *events = std::mem::take(&mut self.events);
        self
    }
}
