//! `files`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::content::FileData;
use super::enums::{FileSource, FileState};
use super::extra::{Extra, null_is_default};
use super::part::{Data, Part};
use super::wire_forms::int64;

/// A file on the server, to be named in parts. Times are in RFC 3339, as on the wire.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Its name, `files/…`; chosen by the API unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its name for people, at most 512 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Its length, in bytes.
    #[serde(default, with = "int64", skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// When it was changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_time: Option<String>,
    /// Until when it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration_time: Option<String>,
    /// Its SHA-256, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256_hash: Option<String>,
    /// Its address, as parts name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Where its bytes can be read, if they can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_uri: Option<String>,
    /// Whether it can be used yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<FileState>,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<FileSource>,
    /// Why it cannot be used, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// What is known of a video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_metadata: Option<Value>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl File {
    /// A part that names this file; `None` while it has no address.
    pub fn part(&self) -> Option<Part> {
        let data = FileData { mime_type: self.mime_type.clone(), file_uri: self.uri.clone()?, extra: Extra::default() };
        Some(Data::FileData(Box::new(data)).into())
    }

    /// Whether it can be used now.
    pub fn is_active(&self) -> bool {
        self.state == Some(FileState::Active)
    }
}

/// What is said about a file that is uploaded; the bytes stand beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UploadFileRequest {
    /// The file's media type, e.g. `application/pdf`.
    pub mime_type: String,
    /// Its name for people.
    pub display_name: Option<String>,
    /// The name it should have, `files/…`; `None`: the API chooses.
    pub name: Option<String>,
}

impl UploadFileRequest {
    /// A file of a media type, with nothing else said about it.
    pub fn new(mime_type: impl Into<String>) -> Self {
        Self { mime_type: mime_type.into(), ..Self::default() }
    }

    /// What is said about the file as its upload begins.
    pub(crate) fn body(&self) -> FileEnvelope {
        let file = File {
            name: self.name.clone(),
            display_name: self.display_name.clone(),
            mime_type: Some(self.mime_type.clone()),
            ..File::default()
        };
        FileEnvelope { file }
    }
}

/// A file as uploads have it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct FileEnvelope {
    pub(crate) file: File,
}

/// A page of files.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFilesResponse {
    /// The files.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub files: Vec<File>,
    /// Leads to the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// Fields that this crate does not know.
    #[serde(flatten)]
    pub extra: Extra,
}
