//! What a client is asked, in the words of the protocol.

use crate::corpus::Call;

/// A call of the API, and the way in which its answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// `generateContent`, the answer owned.
    Generate,
    /// The same, told to a visitor.
    GenerateVisited,
    /// `streamGenerateContent` by server-sent events, each owned.
    Stream,
    /// The same, told to a visitor.
    StreamVisited,
    /// `streamGenerateContent` as one array, each element owned.
    StreamArray,
    /// `countTokens`.
    CountTokens,
    /// `embedContent`.
    Embed,
    /// `batchEmbedContents`.
    BatchEmbed,
    /// A model.
    Model,
    /// The models.
    Models,
    /// Content to be kept.
    CacheCreate,
    /// Content that is kept.
    CacheGet,
    /// All content that is kept.
    CacheList,
    /// Content to be kept longer.
    CachePatch,
    /// A file to be uploaded.
    FileUpload,
    /// A file.
    FileGet,
    /// All files.
    FileList,
    /// A batch: an endpoint that clients have no method for.
    Batch,
}

impl Question {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Generate => "generateContent",
            Self::GenerateVisited => "generateContent:visited",
            Self::Stream => "streamGenerateContent?alt=sse",
            Self::StreamVisited => "streamGenerateContent?alt=sse:visited",
            Self::StreamArray => "streamGenerateContent",
            Self::CountTokens => "countTokens",
            Self::Embed => "embedContent",
            Self::BatchEmbed => "batchEmbedContents",
            Self::Model => "models.get",
            Self::Models => "models.list",
            Self::CacheCreate => "cachedContents.create",
            Self::CacheGet => "cachedContents.get",
            Self::CacheList => "cachedContents.list",
            Self::CachePatch => "cachedContents.patch",
            Self::FileUpload => "files.upload",
            Self::FileGet => "files.get",
            Self::FileList => "files.list",
            Self::Batch => "batches.get",
        }
    }

    /// How the mock frames the answer.
    pub fn call(self) -> Call {
        match self {
            Self::Stream | Self::StreamVisited => Call::Sse,
            Self::StreamArray => Call::Array,
            _ => Call::Unary,
        }
    }

    /// Whether the answer is told to a visitor, who is told of a part of it only.
    pub fn is_visited(self) -> bool {
        matches!(self, Self::GenerateVisited | Self::StreamVisited)
    }

    /// Whether the answer is an event after the other.
    pub fn is_stream(self) -> bool {
        self.call() != Call::Unary
    }
}
