//! `models`, and what all lists have in common.

use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::extra::{Extra, null_is_default};

/// Which page of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRequest {
    /// The most entries of a page; `None`: as the API likes.
    pub page_size: Option<u32>,
    /// The `nextPageToken` of the page before; `None`: the first page.
    pub page_token: Option<String>,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Its name, e.g. `models/gemini-2.5-flash`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// The name without its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_model_id: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The most tokens it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_token_limit: Option<i64>,
    /// The most tokens it writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_token_limit: Option<i64>,
    /// What can be asked of it: `generateContent`, `countTokens`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub supported_generation_methods: Vec<String>,
    /// Whether it thinks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<bool>,
    /// Its default randomness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Number>,
    /// The highest randomness it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_temperature: Option<Number>,
    /// Its default for nucleus sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<Number>,
    /// Its default for sampling from the most probable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<Number>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A page of models.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListModelsResponse {
    /// The models.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub models: Vec<Model>,
    /// Leads to the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}
