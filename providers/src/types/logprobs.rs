//! The log probabilities of an answer's tokens.

use serde::{Deserialize, Serialize};

use super::extra::{Extra, null_is_default};

/// The log probabilities of an answer's tokens.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogprobsResult {
    /// The sum over the chosen tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_probability_sum: Option<f64>,
    /// By step, the token that was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub chosen_candidates: Vec<TokenCandidate>,
    /// By step, the most probable tokens, the most probable first.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub top_candidates: Vec<TopCandidates>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The most probable tokens of one step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopCandidates {
    /// The tokens, the most probable first.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub candidates: Vec<TokenCandidate>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A token and how probable it was.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenCandidate {
    /// The token's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The token's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<i64>,
    /// The natural logarithm of its probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_probability: Option<f64>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}
