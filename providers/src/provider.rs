//! The one trait that every level implements.

use std::future::Future;
use std::ops::ControlFlow;

use bytes::Bytes;

use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Listing, Pager, describe, upload};
use crate::error::Error;
use crate::types::{
    BatchEmbedContentsRequest, BatchEmbedContentsResponse, CachedContent, CountTokensRequest, CountTokensResponse,
    EmbedContentRequest, EmbedContentResponse, File, GenerateContentRequest, GenerateContentResponse,
    ListCachedContentsResponse, ListFilesResponse, ListModelsResponse, ListRequest, Model, UploadFileRequest,
};

/// A client of the Gemini API.
///
/// Calls are dispatched statically: a boxed future per request would be charged to whichever level is measured. Dropping a
/// returned future cancels its request.
///
/// A level writes four methods; the others are made of [`call`](Self::call) and the same for every level.
pub trait Provider: Sized + Send + Sync + 'static {
    /// Sends `generateContent` and returns the whole answer.
    ///
    /// An answer without candidates (a blocked prompt) is an answer, not an error: look at
    /// [`prompt_feedback`](GenerateContentResponse::prompt_feedback).
    ///
    /// # Errors
    ///
    /// Any [`Error`]; the API's own refusals are [`Error::Api`].
    fn generate(
        &self,
        request: &GenerateContentRequest,
    ) -> impl Future<Output = Result<GenerateContentResponse, Error>> + Send;

    /// Sends `streamGenerateContent` and calls `on_event` for each event as it arrives.
    ///
    /// Returning [`ControlFlow::Break`] stops and drops the stream, which is then not an error.
    ///
    /// # Errors
    ///
    /// Any [`Error`]. A stream can fail after events were delivered: by an error of the API in its middle, or by ending before it
    /// said why it finished ([`Error::Truncated`]).
    fn stream<F>(
        &self,
        request: &GenerateContentRequest,
        on_event: F,
    ) -> impl Future<Output = Result<(), Error>> + Send
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send;

    /// Sends one request that is neither of the two above and returns what came back.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; whatever is not a success is one.
    fn call(&self, call: &Call) -> impl Future<Output = Result<Reply, Error>> + Send;

    /// The model that requests without one of their own go to.
    fn default_model(&self) -> &str;

    /// Asks an endpoint, and reads its answer.
    ///
    /// # Errors
    ///
    /// The endpoint's own, or any other [`Error`].
    fn ask<T: Send>(&self, endpoint: Result<Endpoint<T>, Error>) -> impl Future<Output = Result<T, Error>> + Send {
        async move {
            let endpoint = endpoint?;
            let reply = self.call(&endpoint.call).await?;
            (endpoint.read)(&reply, endpoint.expected)
        }
    }

    /// Says how many tokens something has.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn count_tokens(
        &self,
        request: &CountTokensRequest,
    ) -> impl Future<Output = Result<CountTokensResponse, Error>> + Send {
        self.ask(describe::count_tokens(request, self.default_model()))
    }

    /// Embeds one content.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn embed(&self, request: &EmbedContentRequest) -> impl Future<Output = Result<EmbedContentResponse, Error>> + Send {
        self.ask(describe::embed(request))
    }

    /// Embeds several contents at once.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn batch_embed(
        &self,
        request: &BatchEmbedContentsRequest,
    ) -> impl Future<Output = Result<BatchEmbedContentsResponse, Error>> + Send {
        self.ask(describe::batch_embed(request))
    }

    /// Says what a model is and can do.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn model(&self, name: &str) -> impl Future<Output = Result<Model, Error>> + Send {
        self.ask(describe::model(name))
    }

    /// One page of the models.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn models(&self, request: &ListRequest) -> impl Future<Output = Result<ListModelsResponse, Error>> + Send {
        self.ask(describe::list(request))
    }

    /// Keeps content on the server.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn cached_contents_create(
        &self,
        content: &CachedContent,
    ) -> impl Future<Output = Result<CachedContent, Error>> + Send {
        self.ask(describe::create_cached_content(content))
    }

    /// Says what is kept under a name.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn cached_contents_get(&self, name: &str) -> impl Future<Output = Result<CachedContent, Error>> + Send {
        self.ask(describe::cached_content(name))
    }

    /// One page of what is kept.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn cached_contents_list(
        &self,
        request: &ListRequest,
    ) -> impl Future<Output = Result<ListCachedContentsResponse, Error>> + Send {
        self.ask(describe::list(request))
    }

    /// Changes what is kept: only the fields that `update_mask` names, as on the wire (`ttl`, `expireTime`); none: all that are set. The
    /// API lets only how long it is kept be changed.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn cached_contents_update(
        &self,
        name: &str,
        content: &CachedContent,
        update_mask: &[&str],
    ) -> impl Future<Output = Result<CachedContent, Error>> + Send {
        self.ask(describe::update_cached_content(name, content, update_mask))
    }

    /// Keeps it no longer.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn cached_contents_delete(&self, name: &str) -> impl Future<Output = Result<(), Error>> + Send {
        self.ask(describe::delete_cached_content(name))
    }

    /// Uploads a file. It goes in pieces of 8 MiB; where the connection breaks, the upload goes on from what came.
    ///
    /// The file can be used once it [is active](File::is_active): a video takes a while.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn files_upload(
        &self,
        request: &UploadFileRequest,
        bytes: Bytes,
    ) -> impl Future<Output = Result<File, Error>> + Send {
        async move { upload::whole(self, request, bytes).await }
    }

    /// Says what became of a file.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn files_get(&self, name: &str) -> impl Future<Output = Result<File, Error>> + Send {
        self.ask(describe::file(name))
    }

    /// One page of the files.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn files_list(&self, request: &ListRequest) -> impl Future<Output = Result<ListFilesResponse, Error>> + Send {
        self.ask(describe::list(request))
    }

    /// Deletes a file.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    fn files_delete(&self, name: &str) -> impl Future<Output = Result<(), Error>> + Send {
        self.ask(describe::delete_file(name))
    }

    /// Reads a list page by page: `provider.pages::<ListModelsResponse>(None)`. `page_size` is the most entries of a page.
    fn pages<L: Listing>(&self, page_size: Option<u32>) -> Pager<'_, Self, L> {
        Pager::new(self, page_size)
    }
}
