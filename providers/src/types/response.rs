//! The answer of `generateContent`, which is also one event of `streamGenerateContent`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::content::Content;
use super::enums::{BlockReason, FinishReason, HarmCategory, HarmProbability, Modality};
use super::extra::{Extra, null_is_default};
use super::logprobs::LogprobsResult;
use super::part::Part;

/// What was answered. Rare and large fields are boxed, so that an answer without them stays narrow.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerateContentResponse {
    /// The candidates, usually one; none if the prompt was blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub candidates: Vec<Candidate>,
    /// What the API thinks of the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_feedback: Option<Box<PromptFeedback>>,
    /// What it cost, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_metadata: Option<Box<UsageMetadata>>,
    /// The model that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// The answer's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl GenerateContentResponse {
    /// The first candidate's text, without thoughts.
    pub fn text(&self) -> String {
        self.texts().collect()
    }

    /// The first candidate's texts, part by part, without thoughts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let parts = self
            .candidates
            .first()
            .and_then(|candidate| candidate.content.as_ref())
            .map_or(&[][..], |content| &content.parts);
        parts.iter().filter(|part| !part.is_thought()).filter_map(Part::as_text)
    }

    /// Whether a candidate says why it finished, or the prompt was blocked: a stream that ends without either was cut.
    pub fn is_finished(&self) -> bool {
        self.candidates.iter().any(|candidate| candidate.finish_reason.is_some())
            || self.prompt_feedback.as_ref().is_some_and(|feedback| feedback.block_reason.is_some())
    }
}

/// One of the answers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// What the model said; absent where it was stopped before it said anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<FinishReason>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_message: Option<String>,
    /// Its place among the candidates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<i64>,
    /// How harmful it may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub safety_ratings: Vec<SafetyRating>,
    /// What it quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub citation_metadata: Option<Box<Value>>,
    /// What it is grounded on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grounding_metadata: Option<Box<Value>>,
    /// Which addresses were read for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_context_metadata: Option<Box<Value>>,
    /// How many tokens it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_count: Option<i64>,
    /// The average log probability of its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avg_logprobs: Option<f64>,
    /// The log probabilities of its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs_result: Option<Box<LogprobsResult>>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What the API thinks of the prompt.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PromptFeedback {
    /// Why it was blocked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_reason: Option<BlockReason>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_reason_message: Option<String>,
    /// How harmful it may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub safety_ratings: Vec<SafetyRating>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How harmful something may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SafetyRating {
    /// In which way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<HarmCategory>,
    /// How probable it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<HarmProbability>,
    /// Whether it was blocked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// Fields that this crate does not know: scores, severities.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What it cost, in tokens.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageMetadata {
    /// In the prompt, what was cached included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_token_count: Option<i64>,
    /// Of the prompt, cached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_content_token_count: Option<i64>,
    /// In the candidates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidates_token_count: Option<i64>,
    /// In what tools contributed to the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_use_prompt_token_count: Option<i64>,
    /// In thoughts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thoughts_token_count: Option<i64>,
    /// In all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_token_count: Option<i64>,
    /// The prompt's by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub prompt_tokens_details: Vec<ModalityTokenCount>,
    /// The cached ones by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub cache_tokens_details: Vec<ModalityTokenCount>,
    /// The candidates' by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub candidates_tokens_details: Vec<ModalityTokenCount>,
    /// The tools' by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub tool_use_prompt_tokens_details: Vec<ModalityTokenCount>,
    /// Which tier of service answered, e.g. `standard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Tokens of one kind of content. Every answer has them, four at a time: a word for unknown fields would be paid for by all.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModalityTokenCount {
    /// The kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<Modality>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_count: Option<i64>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> GenerateContentResponse {
        serde_json::from_str(&value.to_string()).unwrap()
    }

    #[test]
    fn text_is_the_first_candidates_without_thoughts() {
        let answer = read(&json!({"candidates": [
            {"content": {"parts": [{"text": "hm", "thought": true}, {"text": "a"}, {"functionCall": {"name": "f"}}, {"text": "b", "thought": false}]}},
            {"content": {"parts": [{"text": "second"}]}}
        ]}));
        assert_eq!(answer.text(), "ab");
        assert_eq!(answer.texts().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn empty_answers_have_no_text() {
        for value in [
            json!({}),
            json!({"candidates": []}),
            json!({"candidates": null}),
            json!({"candidates": [{}]}),
            json!({"candidates": [{"content": {}}]}),
            json!({"candidates": [{"content": {"parts": null}}]}),
            json!({"candidates": [{"content": null}]}),
        ] {
            assert_eq!(read(&value).text(), "", "{value}");
        }
    }

    #[test]
    fn a_full_answer_comes_back_as_it_was() {
        let value = json!({
            "candidates": [{
                "content": {"parts": [{"text": "a"}], "role": "model"}, "finishReason": "STOP", "finishMessage": "m", "index": 0,
                "safetyRatings": [{"category": "HARM_CATEGORY_OF_TOMORROW", "probability": "LOW", "blocked": true, "severityScore": 0.25}],
                "citationMetadata": {"citationSources": [{"startIndex": 1}]}, "groundingMetadata": {"webSearchQueries": ["q"]},
                "urlContextMetadata": {"urlMetadata": []}, "tokenCount": 4, "avgLogprobs": -0.25, "logprobsResult": {"logProbabilitySum": -0.5},
                "somethingNew": 1
            }],
            "promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "m", "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT"}]},
            "usageMetadata": {
                "promptTokenCount": 1, "cachedContentTokenCount": 2, "candidatesTokenCount": 3, "toolUsePromptTokenCount": 4,
                "thoughtsTokenCount": 5, "totalTokenCount": 6, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1}],
                "serviceTier": "standard", "trafficType": "ON_DEMAND"
            },
            "modelVersion": "m", "responseId": "r", "modelStatus": {"retired": false}
        });
        assert_eq!(serde_json::to_value(read(&value)).unwrap(), value);
    }

    #[test]
    fn only_a_reason_finishes() {
        assert!(!read(&json!({"candidates": [{"content": {"parts": [{"text": "a"}]}}]})).is_finished());
        assert!(!read(&json!({"promptFeedback": {"safetyRatings": []}})).is_finished());
        assert!(read(&json!({"candidates": [{}, {"finishReason": "NEW"}]})).is_finished());
        assert!(read(&json!({"promptFeedback": {"blockReason": "SAFETY"}})).is_finished());
    }

    #[test]
    fn an_answer_stays_narrow() {
        // Below 256 bytes each, so that serde's first four candidates fit one small allocation.
        assert!(size_of::<Candidate>() <= 256, "{}", size_of::<Candidate>());
        assert!(size_of::<GenerateContentResponse>() <= 128, "{}", size_of::<GenerateContentResponse>());
    }
}
