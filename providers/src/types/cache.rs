//! `cachedContents`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::extra::{Extra, null_is_default};
use super::request::{Tool, ToolConfig};
use super::wire_forms::{model_name, span};

/// Content that is kept on the server, to stand before the contents of requests.
///
/// What is created, what comes back, and, with only the fields to be changed, an update. Times are in RFC 3339, as on the wire.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedContent {
    /// Its name, `cachedContents/…`, given by the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The model that it is for; no other can use it.
    #[serde(
        default,
        serialize_with = "model_name",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub model: String,
    /// Its name for people, at most 128 characters.
    #[serde(alias = "display_name", default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The contents. Only written, never read back.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub contents: Vec<Content>,
    /// What the model should keep to throughout. Only written.
    #[serde(alias = "system_instruction", default, skip_serializing_if = "Option::is_none")]
    pub system_instruction: Option<Content>,
    /// What the model may use. Only written.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub tools: Vec<Tool>,
    /// How it may use it. Only written.
    #[serde(alias = "tool_config", default, skip_serializing_if = "Option::is_none")]
    pub tool_config: Option<ToolConfig>,
    /// How long it is kept from now on. Only written; the API answers with [`expire_time`](Self::expire_time).
    #[serde(default, with = "span", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
    /// Until when it is kept.
    #[serde(alias = "expire_time", default, skip_serializing_if = "Option::is_none")]
    pub expire_time: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// When it was changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_time: Option<String>,
    /// What it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_metadata: Option<CachedContentUsage>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What cached content takes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedContentUsage {
    /// Its length, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_token_count: Option<i64>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A page of cached contents.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListCachedContentsResponse {
    /// The cached contents, without what is only written.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub cached_contents: Vec<CachedContent>,
    /// Leads to the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}
