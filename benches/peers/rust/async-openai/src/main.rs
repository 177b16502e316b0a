//! `async-openai`: a client of another API, by the form in which the service offers it beside its own.

#[path = "../../reqwest_client.rs"]
mod reqwest_client;

plimsoll_worker::subject! { name: "async-openai", module: peer }

mod peer {
    use std::sync::Arc;

    use async_openai::Client;
    use async_openai::config::OpenAIConfig;
    use async_openai::types::chat::{
        ChatCompletionRequestUserMessage, CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
    };
    use futures_util::TryStreamExt;
    use plimsoll_worker::{Env, Failure, Request};

    pub async fn client(env: Env) -> Result<Client<OpenAIConfig>, Failure> {
        let http = crate::reqwest_client::client(&env)?;
        let config = OpenAIConfig::new().with_api_base(format!("{}/v1beta/openai", env.base_url)).with_api_key(env.key);
        Ok(Client::build(http, config))
    }

    fn question(request: &Request) -> Result<CreateChatCompletionRequest, Failure> {
        let message = ChatCompletionRequestUserMessage::from(request.prompt());
        Ok(CreateChatCompletionRequestArgs::default().model(request.model()).messages([message.into()]).build()?)
    }

    pub async fn chat(
        client: Arc<Client<OpenAIConfig>>,
        request: Request,
        on_text: impl Fn(&str),
    ) -> Result<(), Failure> {
        let answer = client.chat().create(question(&request)?).await?;
        answer.choices.iter().filter_map(|choice| choice.message.content.as_deref()).for_each(on_text);
        Ok(())
    }

    pub async fn stream(
        client: Arc<Client<OpenAIConfig>>,
        request: Request,
        on_text: impl Fn(&str),
    ) -> Result<(), Failure> {
        let mut events = client.chat().create_stream(question(&request)?).await?;
        while let Some(event) = events.try_next().await? {
            event.choices.iter().filter_map(|choice| choice.delta.content.as_deref()).for_each(&on_text);
        }
        Ok(())
    }
}
