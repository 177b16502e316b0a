//! `countTokens`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::refusal::Refusal;
use super::{Answered, ok};

/// What a picture or a file counts, as the service says of pictures.
const FILE: u64 = 258;

pub(super) fn count(body: &Value) -> Answered {
    let (contents, whole) = (body.get("contents"), body.get("generateContentRequest"));
    let counted = match (contents, whole) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid("contents and generateContentRequest are mutually exclusive."));
        }
        (Some(contents), None) => contents,
        (None, Some(whole)) if whole.get("contents").is_some() => whole,
        _ => return Err(Refusal::invalid("* CountTokensRequest.contents: contents is not specified")),
    };
    let by_modality = of(counted);
    ok(&Counted {
        total_tokens: by_modality.values().sum(),
        prompt_tokens_details: by_modality
            .into_iter()
            .map(|(modality, token_count)| Detail { modality, token_count })
            .collect(),
    })
}

/// The tokens in contents or a whole request, by modality: a token for each four bytes of text.
pub(super) fn of(value: &Value) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    add(value, &mut counts);
    counts
}

fn add(value: &Value, counts: &mut BTreeMap<&'static str, u64>) {
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| add(entry, counts)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("inlineData" | "fileData", Value::Object(data)) => {
                        let kind = data.get("mimeType").and_then(Value::as_str).unwrap_or_default();
                        *counts.entry(modality(kind)).or_default() += FILE;
                    }
                    // What a model is called and who speaks is not read by it.
                    ("model" | "role", _) => {}
                    (_, field) => add(field, counts),
                }
            }
        }
        Value::String(text) => *counts.entry("TEXT").or_default() += (text.len() as u64).div_ceil(4),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn modality(mime_type: &str) -> &'static str {
    match mime_type.split('/').next() {
        Some("image") => "IMAGE",
        Some("audio") => "AUDIO",
        Some("video") => "VIDEO",
        _ => "DOCUMENT",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counted {
    total_tokens: u64,
    prompt_tokens_details: Vec<Detail>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    modality: &'static str,
    token_count: u64,
}
