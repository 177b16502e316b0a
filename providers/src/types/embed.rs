//! `embedContent` and `batchEmbedContents`.

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::enums::TaskType;
use super::extra::{Extra, null_is_default};
use super::part::Part;
use super::response::UsageMetadata;
use super::wire_forms::model_name;

/// What is embedded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmbedContentRequest {
    /// The model, e.g. `gemini-embedding-001`. There is no default: the one of a provider writes and does not embed.
    #[serde(default, serialize_with = "model_name", skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The content; only its texts count.
    pub content: Content,
    /// What it is for.
    #[serde(alias = "task_type", default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<TaskType>,
    /// Its title, where the task is to be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How many numbers the embedding should have; the rest is cut off.
    #[serde(alias = "output_dimensionality", default, skip_serializing_if = "Option::is_none")]
    pub output_dimensionality: Option<u32>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl EmbedContentRequest {
    /// Embeds one text with `model`.
    pub fn text(model: impl Into<String>, text: impl Into<String>) -> Self {
        let content = Content { parts: vec![Part::text(text)], ..Content::default() };
        Self { model: model.into(), content, ..Self::default() }
    }
}

/// An embedding.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmbedContentResponse {
    /// The embedding.
    #[serde(default)]
    pub embedding: ContentEmbedding,
    /// What it cost, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_metadata: Option<Box<UsageMetadata>>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The numbers of an embedding.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentEmbedding {
    /// The numbers, in the precision in which they are sent.
    #[serde(default, deserialize_with = "null_is_default")]
    pub values: Vec<f32>,
    /// Fields that this crate does not know: `shape`, `statistics`.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Several contents, each embedded by itself, all with one model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchEmbedContentsRequest {
    /// The contents. The first one's model is asked, and the API wants it to be every one's.
    #[serde(default, deserialize_with = "null_is_default")]
    pub requests: Vec<EmbedContentRequest>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl BatchEmbedContentsRequest {
    /// Embeds each text by itself with `model`.
    pub fn texts<T: Into<String>>(model: &str, texts: impl IntoIterator<Item = T>) -> Self {
        let requests = texts.into_iter().map(|text| EmbedContentRequest::text(model, text)).collect();
        Self { requests, extra: Extra::default() }
    }
}

/// The embeddings, in the order of what was asked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchEmbedContentsResponse {
    /// The embeddings.
    #[serde(default, deserialize_with = "null_is_default")]
    pub embeddings: Vec<ContentEmbedding>,
    /// What they cost, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_metadata: Option<Box<UsageMetadata>>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}
