//! `rig-core`: a library for applications of models, here with its Gemini provider. It puts the key into the URL.

#[path = "../../reqwest_client.rs"]
mod reqwest_client;

plimsoll_worker::subject! { name: "rig-core", module: peer }

mod peer {
    use std::sync::Arc;

    use futures_util::TryStreamExt;
    use plimsoll_worker::{Env, Failure, Request};
    use rig_core::completion::CompletionRequest;
    use rig_core::providers::gemini::{Gemini, GeminiConfig};
    use rig_core::streaming::{Item, StreamEvent};
    use rig_reqwest::ReqwestClient;

    pub async fn client(env: Env) -> Result<Gemini, Failure> {
        let http = ReqwestClient::from(crate::reqwest_client::client(&env)?);
        Ok(GeminiConfig::new(env.key).with_base_url(env.base_url).connect(http))
    }

    pub async fn chat(client: Arc<Gemini>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
        let model = client.completion(request.model());
        on_text(&model.call(CompletionRequest::new(request.prompt())).await?.text());
        Ok(())
    }

    pub async fn stream(client: Arc<Gemini>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
        let model = client.completion(request.model());
        let mut items = model.stream(CompletionRequest::new(request.prompt()))?;
        while let Some(item) = items.try_next().await? {
            if let Item::Event(StreamEvent::Text { text, .. }) = item {
                on_text(&text);
            }
        }
        Ok(())
    }
}
