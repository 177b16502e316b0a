//! `countTokens`.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::content::Content;
use super::extra::{Extra, null_is_default};
use super::request::GenerateContentRequest;
use super::response::ModalityTokenCount;
use super::wire_forms::model_name;

/// What is counted: contents alone, or a whole request with its tools and instructions.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountTokensRequest {
    /// The model whose tokens are counted, named as in [`GenerateContentRequest::model`]; `None`: the provider's default.
    #[serde(skip)]
    pub model: Option<String>,
    /// The contents; empty where a whole request is counted.
    #[serde(default, deserialize_with = "null_is_default")]
    pub contents: Vec<Content>,
    /// A whole request. Its model is the one above.
    #[serde(alias = "generate_content_request", default)]
    pub generate_content_request: Option<Box<GenerateContentRequest>>,
}

impl CountTokensRequest {
    /// Counts one text.
    pub fn text(text: impl Into<String>) -> Self {
        GenerateContentRequest::user_text(text).contents.into()
    }

    /// The body, in which a whole request names its model.
    pub(crate) fn body<'a>(&'a self, default_model: &'a str) -> impl Serialize + 'a {
        Body { request: self, model: self.model.as_deref().unwrap_or(default_model) }
    }
}

impl From<Vec<Content>> for CountTokensRequest {
    fn from(contents: Vec<Content>) -> Self {
        Self { contents, ..Self::default() }
    }
}

impl From<GenerateContentRequest> for CountTokensRequest {
    fn from(mut request: GenerateContentRequest) -> Self {
        Self { model: request.model.take(), contents: Vec::new(), generate_content_request: Some(Box::new(request)) }
    }
}

struct Body<'a> {
    request: &'a CountTokensRequest,
    model: &'a str,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named<'a> {
            #[serde(serialize_with = "model_name")]
            model: &'a str,
            #[serde(flatten)]
            request: &'a GenerateContentRequest,
        }
        let mut body = serializer.serialize_struct("CountTokensRequest", 2)?;
        if !self.request.contents.is_empty() {
            body.serialize_field("contents", &self.request.contents)?;
        }
        if let Some(request) = &self.request.generate_content_request {
            body.serialize_field("generateContentRequest", &Named { model: self.model, request })?;
        }
        body.end()
    }
}

/// How many tokens there are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountTokensResponse {
    /// In all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<i64>,
    /// Of these, in cached content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_content_token_count: Option<i64>,
    /// By kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub prompt_tokens_details: Vec<ModalityTokenCount>,
    /// The cached ones by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub cache_tokens_details: Vec<ModalityTokenCount>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_request_names_its_model_inside() {
        let request = GenerateContentRequest { model: Some("m".to_owned()), ..GenerateContentRequest::user_text("hi") };
        let count = CountTokensRequest::from(request);
        assert_eq!(count.model.as_deref(), Some("m"));
        let contents = json!([{"role": "user", "parts": [{"text": "hi"}]}]);
        assert_eq!(
            serde_json::to_value(count.body("other")).unwrap(),
            json!({"generateContentRequest": {"model": "models/m", "contents": contents}})
        );
        let plain = CountTokensRequest::text("hi");
        assert_eq!(serde_json::to_value(plain.body("other")).unwrap(), json!({"contents": contents}));
    }
}
