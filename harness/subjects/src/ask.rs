//! What every level is asked, in the same words: they share a trait, so that only the level differs.

use std::ops::ControlFlow;
use std::sync::Arc;

use plimsoll_providers::{GenerateContentRequest, GenerateContentResponse, Provider};
use plimsoll_worker::{Failure, Request};

use crate::failure;

/// Asks once and reads the answer whole.
pub async fn chat<P: Provider>(client: Arc<P>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
    let answer = client.generate(&GenerateContentRequest::user_text(request)).await.map_err(failure)?;
    // Not `text()`: the string that it puts together would be charged to the level.
    answer.texts().for_each(on_text);
    Ok(())
}

/// Asks once and takes each event as it comes.
pub async fn stream<P: Provider>(
    client: Arc<P>,
    request: Request,
    on_text: impl Fn(&str) + Send,
) -> Result<(), Failure> {
    let each = move |event: &GenerateContentResponse| {
        event.texts().for_each(&on_text);
        ControlFlow::Continue(())
    };
    client.stream(&GenerateContentRequest::user_text(request), each).await.map_err(failure)
}
