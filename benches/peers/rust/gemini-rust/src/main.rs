//! `gemini-rust`: a typed client of the Gemini API.
#![allow(
    deprecated,
    reason = "generateContent is what all are asked; this crate would rather have its users ask for interactions"
)]

plimsoll_worker::subject! { name: "gemini-rust", module: peer }

mod peer {
    use std::net::{IpAddr, SocketAddr};
    use std::sync::Arc;

    use futures_util::TryStreamExt;
    use gemini_rust::{Gemini, GeminiBuilder, Model};
    use plimsoll_worker::{Env, Failure, Request};

    pub async fn client(env: Env) -> Result<Gemini, Failure> {
        let base = url::Url::parse(&format!("{}/v1beta/", env.base_url))?;
        let model = Model::Custom(format!("models/{}", env.model));
        Ok(GeminiBuilder::new(&env.key).with_model(model).with_base_url(base).with_http_client(http(&env)?).build()?)
    }

    /// As `../../reqwest_client.rs`, for reqwest 0.12.
    fn http(env: &Env) -> Result<reqwest::ClientBuilder, Failure> {
        let mut builder = reqwest::Client::builder().http1_only().tls_built_in_root_certs(false);
        for root in reqwest::Certificate::from_pem_bundle(&std::fs::read(&env.ca)?)? {
            builder = builder.add_root_certificate(root);
        }
        if let Some((host, address)) = resolved(&env.resolve) {
            builder = builder.resolve(host, address);
        }
        Ok(builder)
    }

    fn resolved(text: &str) -> Option<(&str, SocketAddr)> {
        let mut parts = text.splitn(3, ':');
        let (host, port, address) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        Some((host, SocketAddr::new(address.parse::<IpAddr>().ok()?, port)))
    }

    pub async fn chat(client: Arc<Gemini>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
        let answer = client.generate_content().with_user_message(request.prompt()).execute().await?;
        on_text(&answer.text());
        Ok(())
    }

    pub async fn stream(client: Arc<Gemini>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
        let mut events = client.generate_content().with_user_message(request.prompt()).execute_stream().await?;
        while let Some(event) = events.try_next().await? {
            on_text(&event.text());
        }
        Ok(())
    }
}
