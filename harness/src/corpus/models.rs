//! The models that the mock says it has: the service's names, limits and methods, described in our own words.

use serde::Serialize;

/// A model, as `models` lists it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    version: &'static str,
    display_name: &'static str,
    description: &'static str,
    input_token_limit: u32,
    output_token_limit: u32,
    supported_generation_methods: &'static [&'static str],
    #[serde(flatten)]
    sampling: Option<Sampling>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sampling {
    temperature: f32,
    top_p: f32,
    top_k: u32,
    max_temperature: f32,
}

const SAMPLING: Option<Sampling> = Some(Sampling { temperature: 1.0, top_p: 0.95, top_k: 64, max_temperature: 2.0 });
const WRITES: &[&str] = &["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"];
const EMBEDS: &[&str] = &["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"];

/// All models, in the order in which they are listed.
pub(crate) const MODELS: &[Model] = &[
    writer(
        "models/gemini-2.5-flash",
        "001",
        "Gemini 2.5 Flash",
        "Writes quickly, and thinks as much as it is told to.",
    ),
    writer("models/gemini-2.5-pro", "2.5", "Gemini 2.5 Pro", "Thinks longest, for what is hard."),
    writer("models/gemini-2.5-flash-lite", "001", "Gemini 2.5 Flash-Lite", "Writes at the least cost."),
    Model {
        thinking: None,
        ..writer("models/gemini-2.0-flash", "2.0", "Gemini 2.0 Flash", "Writes without thinking.")
    },
    Model {
        name: "models/gemini-embedding-001",
        version: "001",
        display_name: "Gemini Embedding 001",
        description: "Turns a text into numbers that are near those of texts like it.",
        input_token_limit: 2_048,
        output_token_limit: 1,
        supported_generation_methods: EMBEDS,
        sampling: None,
        thinking: None,
    },
];

const fn writer(
    name: &'static str,
    version: &'static str,
    display_name: &'static str,
    description: &'static str,
) -> Model {
    Model {
        name,
        version,
        display_name,
        description,
        input_token_limit: 1_048_576,
        output_token_limit: 65_536,
        supported_generation_methods: WRITES,
        sampling: SAMPLING,
        thinking: Some(true),
    }
}
