//! The questions of `say`, put to any level by way of its trait.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use plimsoll_providers::http::Method;
use plimsoll_providers::{
    BatchEmbedContentsRequest, CachedContent, Call, CountTokensRequest, EmbedContentRequest, Endpoint,
    GenerateContentRequest, GenerateContentResponse, ListRequest, Provider, UploadFileRequest,
};
use serde_json::Value;

use super::said::{Said, json};

/// What is asked of a model.
pub(super) fn prompt() -> GenerateContentRequest {
    GenerateContentRequest::user_text(std::env::var("PLIMSOLL_PROMPT").unwrap_or_default())
}

/// Asks, and says what the answer is in the types of the levels.
pub(super) async fn ask<P: Provider>(provider: &P, question: &str) -> Said {
    let page = ListRequest::default();
    match question {
        "generateContent" => Said::whole(provider.generate(&prompt()).await),
        "streamGenerateContent" | "streamGenerateContent?alt=sse" => {
            let mut events = Vec::new();
            let each = |event: &GenerateContentResponse| {
                events.push(json(event));
                ControlFlow::Continue(())
            };
            let end = provider.stream(&prompt(), each).await;
            Said::Events(events, end.err())
        }
        "countTokens" => Said::whole(provider.count_tokens(&CountTokensRequest::from(prompt())).await),
        "embedContent" => Said::whole(provider.embed(&EmbedContentRequest::text("m", "a text")).await),
        "batchEmbedContents" => {
            Said::whole(provider.batch_embed(&BatchEmbedContentsRequest::texts("m", ["one", "another"])).await)
        }
        "models.get" => Said::whole(provider.model("m").await),
        "models.list" => Said::whole(provider.models(&page).await),
        "cachedContents.create" => Said::whole(provider.cached_contents_create(&CachedContent::default()).await),
        "cachedContents.get" => Said::whole(provider.cached_contents_get("c").await),
        "cachedContents.list" => Said::whole(provider.cached_contents_list(&page).await),
        "cachedContents.patch" => {
            Said::whole(provider.cached_contents_update("c", &CachedContent::default(), &["ttl"]).await)
        }
        "files.get" => Said::whole(provider.files_get("f").await),
        "files.list" => Said::whole(provider.files_list(&page).await),
        "files.upload" => {
            // The envelope is the protocol's, not the file's: it is put back, so that what is said is what was served.
            let bytes = b"a few bytes".as_slice().into();
            let file = provider.files_upload(&UploadFileRequest::new("text/plain"), bytes).await;
            Said::whole(file.map(|file| BTreeMap::from([("file", file)])))
        }
        // What has no method of its own is asked with an endpoint of the caller's.
        "batches.get" => {
            Said::whole(provider.ask(Ok(Endpoint::<Value>::json(Call::new(Method::GET, "batches/b"), "a batch"))).await)
        }
        other => Said::Unsupported(other.to_owned()),
    }
}
