//! The API's requests and answers, shared by all levels.
//!
//! What is absent is not written. What is not known is kept: unknown fields in an [`Extra`], unknown names in each open enum, unknown
//! kinds of part in [`Data::Unknown`], so that an answer can be sent back as it came.

mod cache;
mod content;
mod embed;
mod enums;
mod extra;
mod file;
mod logprobs;
mod media;
mod model;
mod part;
mod request;
mod response;
mod tokens;
mod wire_forms;

#[cfg(test)]
mod recorded;

pub use cache::{CachedContent, CachedContentUsage, ListCachedContentsResponse};
pub use content::{
    Blob, CodeExecutionResult, Content, ExecutableCode, FileData, FunctionCall, FunctionResponse, ToolCall,
    ToolResponse,
};
pub use embed::{
    BatchEmbedContentsRequest, BatchEmbedContentsResponse, ContentEmbedding, EmbedContentRequest, EmbedContentResponse,
};
pub use enums::{
    BlockReason, FileSource, FileState, FinishReason, HarmBlockThreshold, HarmCategory, HarmProbability, Language,
    Modality, Outcome, TaskType,
};
pub use extra::Extra;
pub(crate) use file::FileEnvelope;
pub use file::{File, ListFilesResponse, UploadFileRequest};
pub use logprobs::{LogprobsResult, TokenCandidate, TopCandidates};
pub use media::{
    ImageConfig, MultiSpeakerVoiceConfig, PrebuiltVoiceConfig, SpeakerVoiceConfig, SpeechConfig, VoiceConfig,
};
pub use model::{ListModelsResponse, ListRequest, Model};
pub use part::{Data, Part};
pub use request::{
    FunctionCallingConfig, FunctionDeclaration, GenerateContentRequest, GenerationConfig, SafetySetting,
    ThinkingConfig, Tool, ToolConfig,
};
pub use response::{
    Candidate, GenerateContentResponse, ModalityTokenCount, PromptFeedback, SafetyRating, UsageMetadata,
};
pub use tokens::{CountTokensRequest, CountTokensResponse};
pub(crate) use wire_forms::read_span;
