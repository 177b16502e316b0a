//! The request of `generateContent` and `streamGenerateContent`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::content::Content;
use super::enums::{HarmBlockThreshold, HarmCategory, Modality};
use super::extra::{Extra, null_is_default};
use super::media::{ImageConfig, SpeechConfig};
use super::part::Part;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerateContentRequest {
    /// The model, with or without `models/` before it, or a `tunedModels/…`; `None`: the provider's default. It stands in the
    /// address, not in the body.
    #[serde(skip)]
    pub model: Option<String>,
    /// The conversation so far; the last one is what is asked now.
    #[serde(default, deserialize_with = "null_is_default")]
    pub contents: Vec<Content>,
    /// What the model should keep to throughout.
    #[serde(alias = "system_instruction", default, skip_serializing_if = "Option::is_none")]
    pub system_instruction: Option<Content>,
    /// What the model may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub tools: Vec<Tool>,
    /// How it may use it.
    #[serde(alias = "tool_config", default, skip_serializing_if = "Option::is_none")]
    pub tool_config: Option<ToolConfig>,
    /// What is blocked.
    #[serde(
        alias = "safety_settings",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub safety_settings: Vec<SafetySetting>,
    /// How the answer is made.
    #[serde(alias = "generation_config", default, skip_serializing_if = "Option::is_none")]
    pub generation_config: Option<Box<GenerationConfig>>,
    /// The name of cached content that stands before the contents.
    #[serde(alias = "cached_content", default, skip_serializing_if = "Option::is_none")]
    pub cached_content: Option<String>,
    /// Labels for billing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_is_default")]
    pub labels: BTreeMap<String, String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl GenerateContentRequest {
    /// One turn of the user, with one part of text.
    pub fn user_text(text: impl Into<String>) -> Self {
        Self { contents: vec![Content::user([Part::text(text)])], ..Self::default() }
    }
}

/// What the model may use: functions of the caller or tools of the server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// Functions of the caller.
    #[serde(
        alias = "function_declarations",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub function_declarations: Vec<FunctionDeclaration>,
    /// Search on the web; `{}` switches it on.
    #[serde(alias = "google_search", default, skip_serializing_if = "Option::is_none")]
    pub google_search: Option<Value>,
    /// Running code; `{}` switches it on.
    #[serde(alias = "code_execution", default, skip_serializing_if = "Option::is_none")]
    pub code_execution: Option<Value>,
    /// Reading addresses out of the prompt; `{}` switches it on.
    #[serde(alias = "url_context", default, skip_serializing_if = "Option::is_none")]
    pub url_context: Option<Value>,
    /// Searching in stores of files, which are named in it.
    #[serde(alias = "file_search", default, skip_serializing_if = "Option::is_none")]
    pub file_search: Option<Value>,
    /// Places on the map; `{}` switches it on.
    #[serde(alias = "google_maps", default, skip_serializing_if = "Option::is_none")]
    pub google_maps: Option<Value>,
    /// Tools that this crate does not know: `computerUse`, …
    #[serde(flatten)]
    pub extra: Extra,
}

/// A function that the model may ask for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionDeclaration {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its parameters as the API's own schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// Its parameters as JSON Schema.
    #[serde(alias = "parameters_json_schema", default, skip_serializing_if = "Option::is_none")]
    pub parameters_json_schema: Option<Value>,
    /// What it returns, as the API's own schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Value>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How tools may be used.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolConfig {
    /// How functions may be called.
    #[serde(alias = "function_calling_config", default, skip_serializing_if = "Option::is_none")]
    pub function_calling_config: Option<FunctionCallingConfig>,
    /// Whether the answer tells which tools of the server were used, and how.
    #[serde(alias = "include_server_side_tool_invocations", default, skip_serializing_if = "Option::is_none")]
    pub include_server_side_tool_invocations: Option<bool>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How functions may be called.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionCallingConfig {
    /// `AUTO`, `ANY`, `NONE`, `VALIDATED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The only ones that may be called, where the mode is `ANY`.
    #[serde(
        alias = "allowed_function_names",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub allowed_function_names: Vec<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// From where on a category of harm is blocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SafetySetting {
    /// The category.
    pub category: HarmCategory,
    /// From where on.
    pub threshold: HarmBlockThreshold,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How the answer is made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerationConfig {
    /// Texts at which the answer ends.
    #[serde(
        alias = "stop_sequences",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub stop_sequences: Vec<String>,
    /// `text/plain`, `application/json`, `text/x.enum`.
    #[serde(alias = "response_mime_type", default, skip_serializing_if = "Option::is_none")]
    pub response_mime_type: Option<String>,
    /// The answer's shape as the API's own schema.
    #[serde(alias = "response_schema", default, skip_serializing_if = "Option::is_none")]
    pub response_schema: Option<Value>,
    /// The answer's shape as JSON Schema.
    #[serde(alias = "response_json_schema", default, skip_serializing_if = "Option::is_none")]
    pub response_json_schema: Option<Value>,
    /// What the answer may consist of.
    #[serde(
        alias = "response_modalities",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub response_modalities: Vec<Modality>,
    /// How many candidates.
    #[serde(alias = "candidate_count", default, skip_serializing_if = "Option::is_none")]
    pub candidate_count: Option<i64>,
    /// The most tokens a candidate may have.
    #[serde(alias = "max_output_tokens", default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<i64>,
    /// Randomness, 0 to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1.
    #[serde(alias = "top_p", default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Sampling from the most probable so many; some models take fractions.
    #[serde(alias = "top_k", default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<serde_json::Number>,
    /// The seed of sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Penalty for tokens that were used.
    #[serde(alias = "presence_penalty", default, skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    /// Penalty for tokens by how often they were used.
    #[serde(alias = "frequency_penalty", default, skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// Whether probabilities are returned.
    #[serde(alias = "response_logprobs", default, skip_serializing_if = "Option::is_none")]
    pub response_logprobs: Option<bool>,
    /// For how many of the most probable tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<i64>,
    /// How speech is made.
    #[serde(alias = "speech_config", default, skip_serializing_if = "Option::is_none")]
    pub speech_config: Option<SpeechConfig>,
    /// How much the model thinks, and whether it shows it.
    #[serde(alias = "thinking_config", default, skip_serializing_if = "Option::is_none")]
    pub thinking_config: Option<ThinkingConfig>,
    /// How images are made.
    #[serde(alias = "image_config", default, skip_serializing_if = "Option::is_none")]
    pub image_config: Option<ImageConfig>,
    /// `MEDIA_RESOLUTION_LOW`, `…_MEDIUM`, `…_HIGH`.
    #[serde(alias = "media_resolution", default, skip_serializing_if = "Option::is_none")]
    pub media_resolution: Option<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How much the model thinks, and whether it shows it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThinkingConfig {
    /// Whether thoughts are part of the answer.
    #[serde(alias = "include_thoughts", default, skip_serializing_if = "Option::is_none")]
    pub include_thoughts: Option<bool>,
    /// How many tokens it may think; -1: as it likes.
    #[serde(alias = "thinking_budget", default, skip_serializing_if = "Option::is_none")]
    pub thinking_budget: Option<i64>,
    /// `LOW`, `HIGH`, … for models that have levels.
    #[serde(alias = "thinking_level", default, skip_serializing_if = "Option::is_none")]
    pub thinking_level: Option<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_text_is_written_without_anything_absent() {
        let written = serde_json::to_string(&GenerateContentRequest::user_text("hi")).unwrap();
        assert_eq!(written, r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#);
    }

    #[test]
    fn a_full_request_comes_back_as_it_was() {
        let value = json!({
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "systemInstruction": {"parts": [{"text": "be brief"}]},
            "tools": [
                {"functionDeclarations": [{"name": "f", "description": "d", "parametersJsonSchema": {"type": "object"}}]},
                {"googleSearch": {}}, {"codeExecution": {}}, {"urlContext": {}}, {"fileSearch": {"fileSearchStoreNames": ["a"]}}
            ],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}, "includeServerSideToolInvocations": true},
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
            "generationConfig": {
                "stopSequences": ["x"], "responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"},
                "responseModalities": ["TEXT", "IMAGE"], "candidateCount": 1, "maxOutputTokens": 9, "temperature": 0.5, "topP": 0.25,
                "topK": 40, "seed": 7, "presencePenalty": 0.5, "frequencyPenalty": -0.5, "responseLogprobs": true, "logprobs": 3,
                "speechConfig": {"voiceConfig": {}}, "thinkingConfig": {"includeThoughts": true, "thinkingBudget": -1, "thinkingLevel": "LOW"},
                "imageConfig": {"aspectRatio": "1:1"}, "mediaResolution": "MEDIA_RESOLUTION_LOW", "enableEnhancedCivicAnswers": true
            },
            "cachedContent": "cachedContents/1", "labels": {"team": "a"}, "somethingNew": [1]
        });
        let request: GenerateContentRequest = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(request).unwrap(), value);
    }
}
