//! The API's requests and answers, shared by all levels.
//!
//! What is absent is not written. What is not known is kept: unknown fields in an [`Extra`], unknown names in each open enum, unknown
//! kinds of part in [`Data::Unknown`], so that an answer can be sent back as it came.

mod content;
mod enums;
mod extra;
mod part;
mod request;
mod response;

pub use content::{Blob, CodeExecutionResult, Content, ExecutableCode, FileData, FunctionCall, FunctionResponse};
pub use enums::{
    BlockReason, FinishReason, HarmBlockThreshold, HarmCategory, HarmProbability, Language, Modality, Outcome,
};
pub use extra::Extra;
pub use part::{Data, Part};
pub use request::{
    FunctionCallingConfig, FunctionDeclaration, GenerateContentRequest, GenerationConfig, SafetySetting,
    ThinkingConfig, Tool, ToolConfig,
};
pub use response::{
    Candidate, GenerateContentResponse, ModalityTokenCount, PromptFeedback, SafetyRating, UsageMetadata,
};
