//! The answers of the corpus: prose and generated parts, told once and spelled in both forms.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Body, Reply, json, logbook};

const CHAT: &str = include_str!("prose/chat.txt");
const STREAM: &str = include_str!("prose/stream.txt");
const LONG: &str = include_str!("prose/long.txt");

/// The size in bytes that the text of `large` is filled up to: about 64 KiB of JSON.
const LARGE_TEXT: usize = 64_500;

pub(super) fn replies() -> impl Iterator<Item = Reply> {
    [
        Told::new("chat", texts(CHAT, 4)),
        Told::new("large", texts(&large_text(), 32)),
        Told::new("stream", texts(STREAM, 12)),
        Told::new("stream-50", texts(LONG, 50)),
        Told::new("function-call", vec![vec![function_call()]]),
        Told::new("thinking", thinking()),
        Told::new("empty", vec![Vec::new()]),
        Told { candidate: false, ..Told::new("no-candidates", vec![Vec::new()]) },
        Told { candidate: false, blocked: true, ..Told::new("blocked", vec![Vec::new()]) },
    ]
    .into_iter()
    .map(Told::reply)
    .chain([everything()])
}

/// An answer with every field that this repository knows, some that nobody knows yet, and forms that are rare: as one event, too.
fn everything() -> Reply {
    const JSON: &str = include_str!("everything.json");
    // JSON has no line end within a string: what is left is the same on one line.
    let event = JSON.lines().map(str::trim_start).collect::<String>();
    let body = Body::Answer { unary: Bytes::from_static(JSON.as_bytes()), events: vec![event.into()] };
    Reply { name: "everything".to_owned(), status: 200, body }
}

/// An answer before it is spelled: the parts of each event, and what goes around them.
struct Told {
    name: &'static str,
    events: Vec<Vec<Part>>,
    candidate: bool,
    blocked: bool,
}

impl Told {
    fn new(name: &'static str, events: Vec<Vec<Part>>) -> Self {
        Self { name, events, candidate: true, blocked: false }
    }

    fn reply(self) -> Reply {
        let last = self.events.len().saturating_sub(1);
        let mut tokens = 0;
        let events: Vec<Bytes> = self
            .events
            .iter()
            .enumerate()
            .map(|(index, parts)| {
                tokens += tokens_in(parts);
                json::on_one_line(&self.answer(parts.clone(), tokens, index == last))
            })
            .collect();
        let unary = json::indented(&self.answer(merged(&self.events), tokens, true));
        Reply { name: self.name.to_owned(), status: 200, body: Body::Answer { unary, events } }
    }

    fn answer(&self, parts: Vec<Part>, tokens: usize, last: bool) -> Answer {
        let candidate =
            Candidate { content: Content { parts, role: "model" }, finish_reason: last.then_some("STOP"), index: 0 };
        let prompt = 9;
        Answer {
            candidates: if self.candidate { vec![candidate] } else { Vec::new() },
            prompt_feedback: self.blocked.then_some(PromptFeedback { block_reason: "PROHIBITED_CONTENT" }),
            usage_metadata: UsageMetadata {
                prompt_token_count: prompt,
                candidates_token_count: tokens,
                total_token_count: prompt + tokens,
                prompt_tokens_details: [TokensDetail { modality: "TEXT", token_count: prompt }],
            },
            model_version: "gemini-2.5-flash",
            response_id: response_id(self.name),
        }
    }
}

fn texts(text: &str, pieces: usize) -> Vec<Vec<Part>> {
    cut_at_words(text, pieces).into_iter().map(|piece| vec![Part::text(piece)]).collect()
}

/// `text` in `count` pieces of about one length, each but the last ending after a space or a line end.
fn cut_at_words(text: &str, count: usize) -> Vec<&str> {
    let mut pieces = Vec::with_capacity(count);
    let mut start = 0;
    for number in 1..count {
        let target = text.len() * number / count;
        let end = text
            .char_indices()
            .find(|(at, c)| *at >= target && c.is_whitespace())
            .map_or(text.len(), |(at, c)| at + c.len_utf8());
        pieces.push(&text[start..end]);
        start = end;
    }
    pieces.push(&text[start..]);
    pieces
}

fn large_text() -> String {
    let mut text = format!("{LONG}\nThe log of the coaster Ærø, as she kept it\n\n");
    let entries = logbook::entries().take_while(|entry| {
        let more = text.len() + entry.len() <= LARGE_TEXT;
        if more {
            text.push_str(entry);
        }
        more
    });
    entries.for_each(drop);
    text
}

fn thinking() -> Vec<Vec<Part>> {
    let thoughts = [
        "**Finding what is asked**\n\nThe question is how many pallets may still be loaded. The hold has room for forty, \
         but room is not the limit; the draught is. I will work from the marks.\n\n\n",
        "**Doing the sum**\n\nThe water stands 9 cm under the bar. This hull sinks one centimetre for each 11.4 t, so there \
         are about 102 t to go. A pallet weighs 1.2 t: eighty-five, less a margin for the swell outside.\n\n\n",
    ];
    let said = [
        "Eighty more pallets, and then stop. ",
        "The marks leave 9 cm, which is about 102 tonnes; at 1.2 tonnes a pallet that is 85, and five are kept back for ",
        "tonight's swell. There will still be space in the hold – leave it empty.",
    ];
    let mut events: Vec<Vec<Part>> = thoughts.iter().map(|thought| vec![Part::thought(thought)]).collect();
    events.extend(said.iter().map(|text| vec![Part::text(text)]));
    if let Some(part) = events.last_mut().and_then(|parts| parts.last_mut()) {
        part.thought_signature = Some(signature(1_284));
    }
    events
}

fn function_call() -> Part {
    let args = BTreeMap::from([
        ("density_kg_per_m3", json!(1025.9)),
        ("draught_m", json!([3.02, 3.38])),
        ("harbour", json!("Göteborg")),
        ("season", Value::Null),
    ]);
    Part {
        function_call: Some(FunctionCall { name: "read_marks", args }),
        thought_signature: Some(signature(396)),
        ..Part::default()
    }
}

/// The parts of all events as one answer has them: texts of one kind that follow each other are one text.
fn merged(events: &[Vec<Part>]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for part in events.iter().flatten() {
        match (parts.last_mut(), &part.text) {
            (Some(before), Some(more)) if before.thought == part.thought && before.function_call.is_none() => {
                before.text.get_or_insert_default().push_str(more);
                before.thought_signature = part.thought_signature.clone();
            }
            _ => parts.push(part.clone()),
        }
    }
    parts
}

/// About what the service counts: a token for each four bytes of text.
fn tokens_in(parts: &[Part]) -> usize {
    parts.iter().filter_map(|part| part.text.as_ref()).map(|text| text.len().div_ceil(4)).sum()
}

/// A name's own response id, of the service's 23 characters.
fn response_id(name: &str) -> String {
    let seed = name.bytes().fold(0x9e37_79b9_u32, |seed, byte| seed.rotate_left(5) ^ u32::from(byte));
    alphabet_soup(seed, 23)
}

/// A thought signature of `length` characters. What it stands for only the service knows; clients hand it back unread.
fn signature(length: usize) -> String {
    alphabet_soup(u32::try_from(length).unwrap_or(u32::MAX), length)
}

fn alphabet_soup(seed: u32, length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = seed | 1;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(ALPHABET[(state >> 26) as usize])
        })
        .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: UsageMetadata,
    model_version: &'static str,
    response_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    index: u32,
}

#[derive(Serialize)]
struct Content {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    role: &'static str,
}

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<FunctionCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought_signature: Option<String>,
}

impl Part {
    fn text(text: &str) -> Self {
        Self { text: Some(text.to_owned()), ..Self::default() }
    }

    fn thought(text: &str) -> Self {
        Self { thought: Some(true), ..Self::text(text) }
    }
}

#[derive(Clone, Serialize)]
struct FunctionCall {
    name: &'static str,
    args: BTreeMap<&'static str, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsageMetadata {
    prompt_token_count: usize,
    candidates_token_count: usize,
    total_token_count: usize,
    prompt_tokens_details: [TokensDetail; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokensDetail {
    modality: &'static str,
    token_count: usize,
}
