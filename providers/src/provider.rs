//! The one trait that every level implements.

use std::future::Future;
use std::ops::ControlFlow;

use crate::error::Error;
use crate::types::{GenerateContentRequest, GenerateContentResponse};

/// A client of the Gemini API.
///
/// Calls are dispatched statically: a boxed future per request would be charged to whichever level is measured. Dropping a
/// returned future cancels its request.
pub trait Provider: Send + Sync + 'static {
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
}
