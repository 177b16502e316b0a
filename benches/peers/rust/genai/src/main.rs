//! `genai`: one client for many providers, here with its Gemini adapter.

#[path = "../../reqwest_client.rs"]
mod reqwest_client;

plimsoll_worker::subject! { name: "genai", module: peer }

mod peer {
    use std::sync::Arc;

    use futures_util::TryStreamExt;
    use genai::chat::{ChatRequest, ChatStreamEvent};
    use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
    use genai::{Client, ServiceTarget};
    use plimsoll_worker::{Env, Failure, Request};

    pub async fn client(env: Env) -> Result<Client, Failure> {
        let http = crate::reqwest_client::client(&env)?;
        let endpoint = Endpoint::from_owned(format!("{}/v1beta/", env.base_url));
        let auth = AuthData::from_single(env.key);
        let resolver = ServiceTargetResolver::from_resolver_fn(
            move |target: ServiceTarget| -> Result<ServiceTarget, genai::resolver::Error> {
                Ok(ServiceTarget { endpoint: endpoint.clone(), auth: auth.clone(), ..target })
            },
        );
        Ok(Client::builder().with_reqwest(http).with_service_target_resolver(resolver).build()?)
    }

    pub async fn chat(client: Arc<Client>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
        let answer = client.exec_chat(request.model(), ChatRequest::from_user(request.prompt()), None).await?;
        answer.texts().into_iter().for_each(on_text);
        Ok(())
    }

    pub async fn stream(client: Arc<Client>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
        let asked = client.exec_chat_stream(request.model(), ChatRequest::from_user(request.prompt()), None);
        let mut events = asked.await?.stream;
        while let Some(event) = events.try_next().await? {
            if let ChatStreamEvent::Chunk(chunk) = event {
                on_text(&chunk.content);
            }
        }
        Ok(())
    }
}
