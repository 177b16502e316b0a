//! The level `bare` as a subject in its visitor form: answers are told as they arrive, and the question is made once and asked again, so
//! that what is counted per request is the level's own and rustls's.

use std::sync::{Arc, OnceLock};

use plimsoll_providers::GenerateContentRequest;
use plimsoll_providers::gemini_bare_http::{BareGeminiProvider, Visitor};
use plimsoll_worker::{Env, Failure, Request};

/// The provider, and what it is asked.
#[derive(Debug)]
pub struct Asker {
    provider: BareGeminiProvider,
    question: OnceLock<GenerateContentRequest>,
}

impl Asker {
    fn question(&self, text: &Request) -> &GenerateContentRequest {
        self.question.get_or_init(|| GenerateContentRequest::user_text(text.clone()))
    }
}

/// Passes on the texts that it is told.
struct Texts<F>(F);

impl<F: Fn(&str)> Visitor for Texts<F> {
    fn text(&mut self, _: usize, piece: &str) {
        (self.0)(piece);
    }
}

/// Makes the client.
pub async fn client(env: Env) -> Result<Asker, Failure> {
    Ok(Asker { provider: crate::bare::client(env).await?, question: OnceLock::new() })
}

/// Asks once and is told the answer.
pub async fn chat(asker: Arc<Asker>, request: Request, on_text: impl Fn(&str) + Send) -> Result<(), Failure> {
    let told = asker.provider.generate_with(asker.question(&request), &mut Texts(on_text)).await;
    told.map_err(crate::failure)
}

/// Asks once and is told each event as it comes.
pub async fn stream(asker: Arc<Asker>, request: Request, on_text: impl Fn(&str) + Send) -> Result<(), Failure> {
    let told = asker.provider.stream_with(asker.question(&request), &mut Texts(on_text)).await;
    told.map_err(crate::failure)
}
