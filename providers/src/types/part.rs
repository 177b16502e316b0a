//! A part: data of one kind, and its two directions of JSON, which keep what they do not know.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::content::{
    Blob, CodeExecutionResult, ExecutableCode, FileData, FunctionCall, FunctionResponse, ToolCall, ToolResponse,
};
use super::extra::Extra;

/// A piece of a content: data of one kind, and what is said about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// The data.
    pub data: Data,
    /// Whether this is a thought of the model instead of its answer.
    pub thought: Option<bool>,
    /// An opaque signature, to be sent back unchanged.
    pub thought_signature: Option<String>,
    /// Fields that this crate does not know, and a second kind of data should a part ever have two.
    pub extra: Extra,
}

/// The data of a [`Part`]. The rare kinds are boxed: a vector of parts is as wide as its widest kind.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Data {
    /// Text.
    Text(String),
    /// Bytes.
    InlineData(Box<Blob>),
    /// A file by its address.
    FileData(Box<FileData>),
    /// The model asks for a function.
    FunctionCall(Box<FunctionCall>),
    /// What the function returned.
    FunctionResponse(Box<FunctionResponse>),
    /// Code that the model wrote to be run.
    ExecutableCode(Box<ExecutableCode>),
    /// What became of it.
    CodeExecutionResult(Box<CodeExecutionResult>),
    /// The model used a tool on the server.
    ToolCall(Box<ToolCall>),
    /// What that tool returned.
    ToolResponse(Box<ToolResponse>),
    /// No data, or a kind that this crate does not know: then it is in [`Part::extra`].
    #[default]
    Unknown,
}

impl Part {
    /// A part of text.
    pub fn text(text: impl Into<String>) -> Self {
        Data::Text(text.into()).into()
    }

    /// The text, if this is a part of text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is a thought of the model instead of its answer.
    pub fn is_thought(&self) -> bool {
        self.thought == Some(true)
    }
}

impl From<Data> for Part {
    fn from(data: Data) -> Self {
        Self { data, ..Self::default() }
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(thought) = self.thought {
            map.serialize_entry("thought", &thought)?;
        }
        match &self.data {
            Data::Text(text) => map.serialize_entry("text", text)?,
            Data::InlineData(blob) => map.serialize_entry("inlineData", blob)?,
            Data::FileData(file) => map.serialize_entry("fileData", file)?,
            Data::FunctionCall(call) => map.serialize_entry("functionCall", call)?,
            Data::FunctionResponse(response) => map.serialize_entry("functionResponse", response)?,
            Data::ExecutableCode(code) => map.serialize_entry("executableCode", code)?,
            Data::CodeExecutionResult(result) => map.serialize_entry("codeExecutionResult", result)?,
            Data::ToolCall(call) => map.serialize_entry("toolCall", call)?,
            Data::ToolResponse(response) => map.serialize_entry("toolResponse", response)?,
            Data::Unknown => {}
        }
        if let Some(signature) = &self.thought_signature {
            map.serialize_entry("thoughtSignature", signature)?;
        }
        for (name, value) in self.extra.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PartFields)
    }
}

struct PartFields;

impl<'de> Visitor<'de> for PartFields {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
        let mut part = Part::default();
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::Thought => part.thought = map.next_value()?,
                Field::ThoughtSignature => part.thought_signature = map.next_value()?,
                kind if !kind.may_replace(&part.data) => part.extra.insert(kind.into_name(), map.next_value()?),
                Field::Text => part.data = wrap(map.next_value()?, Data::Text),
                Field::InlineData => part.data = wrap(map.next_value()?, Data::InlineData),
                Field::FileData => part.data = wrap(map.next_value()?, Data::FileData),
                Field::FunctionCall => part.data = wrap(map.next_value()?, Data::FunctionCall),
                Field::FunctionResponse => part.data = wrap(map.next_value()?, Data::FunctionResponse),
                Field::ExecutableCode => part.data = wrap(map.next_value()?, Data::ExecutableCode),
                Field::CodeExecutionResult => part.data = wrap(map.next_value()?, Data::CodeExecutionResult),
                Field::ToolCall => part.data = wrap(map.next_value()?, Data::ToolCall),
                Field::ToolResponse => part.data = wrap(map.next_value()?, Data::ToolResponse),
                Field::Unknown(name) => part.extra.insert(name, map.next_value()?),
            }
        }
        Ok(part)
    }
}

fn wrap<T>(value: Option<T>, data: fn(T) -> Data) -> Data {
    value.map_or(Data::Unknown, data)
}

/// The name of a part's field; only one that is not known is copied.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Field {
    Text,
    Thought,
    #[serde(alias = "thought_signature")]
    ThoughtSignature,
    #[serde(alias = "inline_data")]
    InlineData,
    #[serde(alias = "file_data")]
    FileData,
    #[serde(alias = "function_call")]
    FunctionCall,
    #[serde(alias = "function_response")]
    FunctionResponse,
    #[serde(alias = "executable_code")]
    ExecutableCode,
    #[serde(alias = "code_execution_result")]
    CodeExecutionResult,
    #[serde(alias = "tool_call")]
    ToolCall,
    #[serde(alias = "tool_response")]
    ToolResponse,
    Unknown(String),
}

impl Field {
    /// Whether this field's data may take `data`'s place: where there is none, or where the same name comes twice.
    fn may_replace(&self, data: &Data) -> bool {
        matches!(
            (self, data),
            (_, Data::Unknown)
                | (Self::Text, Data::Text(_))
                | (Self::InlineData, Data::InlineData(_))
                | (Self::FileData, Data::FileData(_))
                | (Self::FunctionCall, Data::FunctionCall(_))
                | (Self::FunctionResponse, Data::FunctionResponse(_))
                | (Self::ExecutableCode, Data::ExecutableCode(_))
                | (Self::CodeExecutionResult, Data::CodeExecutionResult(_))
                | (Self::ToolCall, Data::ToolCall(_))
                | (Self::ToolResponse, Data::ToolResponse(_))
        )
    }

    fn into_name(self) -> String {
        match self {
            Self::Unknown(name) => return name,
            Self::Text => "text",
            Self::Thought => "thought",
            Self::ThoughtSignature => "thoughtSignature",
            Self::InlineData => "inlineData",
            Self::FileData => "fileData",
            Self::FunctionCall => "functionCall",
            Self::FunctionResponse => "functionResponse",
            Self::ExecutableCode => "executableCode",
            Self::CodeExecutionResult => "codeExecutionResult",
            Self::ToolCall => "toolCall",
            Self::ToolResponse => "toolResponse",
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn round_trip(value: Value) -> Part {
        let part: Part = serde_json::from_str(&value.to_string()).unwrap();
        assert_eq!(serde_json::to_value(&part).unwrap(), value);
        part
    }

    #[test]
    fn every_kind_comes_back_as_it_was() {
        round_trip(json!({"text": "a\u{2028}b", "thought": true, "thoughtSignature": "c2ln"}));
        round_trip(json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}));
        round_trip(json!({"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.com/f"}}));
        round_trip(json!({"functionCall": {"id": "1", "name": "f", "args": {"a": [1, null]}}}));
        round_trip(json!({"functionCall": {"name": "f"}}));
        round_trip(
            json!({"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "x"}], "willContinue": true}}),
        );
        round_trip(json!({"functionResponse": {"name": "f", "response": {"ok": true}, "willContinue": false}}));
        round_trip(json!({"executableCode": {"language": "PYTHON", "code": "1"}}));
        round_trip(json!({"codeExecutionResult": {"outcome": "OUTCOME_OF_TOMORROW", "output": "1\n"}}));
        round_trip(json!({"toolCall": {"toolType": "SEARCH", "args": {}}}));
        round_trip(json!({"toolResponse": {"id": "1", "toolType": "SEARCH", "response": {"found": 3}, "new": 1}}));
        round_trip(json!({}));
    }

    #[test]
    fn null_arguments_stay_null() {
        let part = round_trip(json!({"functionCall": {"name": "f", "args": null}}));
        let Data::FunctionCall(call) = part.data else { panic!("{part:?}") };
        assert_eq!(call.args, Some(Value::Null));
    }

    #[test]
    fn an_unknown_kind_is_kept() {
        let part = round_trip(json!({"hologram": {"depth": 3}, "videoMetadata": {"fps": 2}}));
        assert_eq!(part.data, Data::Unknown);
        assert_eq!(part.extra.get("hologram"), Some(&json!({"depth": 3})));
    }

    #[test]
    fn a_second_kind_in_one_part_is_kept() {
        let part = round_trip(json!({"functionCall": {"name": "f"}, "text": "a"}));
        assert!(matches!(part.data, Data::FunctionCall(_)));
        assert_eq!(part.extra.get("text"), Some(&json!("a")));
        let twice: Part = serde_json::from_str(r#"{"text": "a", "text": "b"}"#).unwrap();
        assert_eq!((twice.as_text(), twice.extra.is_empty()), (Some("b"), true));
    }

    #[test]
    fn names_with_underscores_are_read() {
        let part: Part = serde_json::from_value(json!({"inline_data": {"mime_type": "a/b", "data": ""}})).unwrap();
        assert_eq!(serde_json::to_value(part).unwrap(), json!({"inlineData": {"mimeType": "a/b", "data": ""}}));
    }

    #[test]
    fn a_part_stays_narrow() {
        // serde grows a vector of parts by four: this is what an answer of one part pays four times.
        assert!(size_of::<Part>() <= 64, "{}", size_of::<Part>());
    }
}
