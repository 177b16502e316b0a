//! Answers of the endpoints other than `generateContent`: every field that this repository knows, some that nobody knows yet, and
//! values at the ends of their ranges.

use bytes::Bytes;

use super::{Body, JSON, Reply};

pub(super) fn replies() -> impl Iterator<Item = Reply> {
    BODIES.iter().map(|(name, json)| Reply {
        name: (*name).to_owned(),
        status: 200,
        body: Body::Raw { content_type: JSON, bytes: Bytes::from_static(json.as_bytes()) },
    })
}

/// Name, body.
const BODIES: [(&str, &str); 11] = [
    ("batch", include_str!("endpoints/batch.json")),
    ("cached-content", include_str!("endpoints/cached-content.json")),
    ("cached-contents", include_str!("endpoints/cached-contents.json")),
    ("embedding", include_str!("endpoints/embedding.json")),
    ("embeddings", include_str!("endpoints/embeddings.json")),
    ("file", include_str!("endpoints/file.json")),
    ("files", include_str!("endpoints/files.json")),
    ("model", include_str!("endpoints/model.json")),
    ("models", include_str!("endpoints/models.json")),
    ("tokens", include_str!("endpoints/tokens.json")),
    ("uploaded-file", include_str!("endpoints/uploaded-file.json")),
];
