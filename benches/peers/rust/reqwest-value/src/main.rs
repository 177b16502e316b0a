//! No SDK: `reqwest` with `serde_json::Value` out and in, as it is written in an afternoon.

#[path = "../../reqwest_client.rs"]
mod reqwest_client;

plimsoll_worker::subject! { name: "reqwest-value", module: peer }

mod peer {
    use std::sync::Arc;

    use futures_util::StreamExt;
    use plimsoll_worker::{Env, Failure, Kind, Request};
    use serde_json::{Value, json};

    pub struct Peer {
        http: reqwest::Client,
        base: String,
        key: String,
    }

    pub async fn client(env: Env) -> Result<Peer, Failure> {
        Ok(Peer { http: crate::reqwest_client::client(&env)?, base: env.base_url, key: env.key })
    }

    impl Peer {
        async fn ask(&self, request: &Request, method: &str) -> Result<reqwest::Response, Failure> {
            let url = format!("{}/v1beta/models/{}:{method}", self.base, request.model());
            let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": request.prompt() }] }] });
            let answer = self.http.post(url).header("x-goog-api-key", &self.key).json(&body).send().await?;
            answer.error_for_status().map_err(|error| Failure::new(Kind::Status, error))
        }
    }

    pub async fn chat(peer: Arc<Peer>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
        let answer: Value = peer.ask(&request, "generateContent").await?.json().await?;
        texts(&answer, on_text)
    }

    pub async fn stream(peer: Arc<Peer>, request: Request, on_text: impl Fn(&str)) -> Result<(), Failure> {
        let mut body = peer.ask(&request, "streamGenerateContent?alt=sse").await?.bytes_stream();
        let mut read = Vec::new();
        while let Some(piece) = body.next().await {
            read.extend_from_slice(&piece?);
            while let Some(end) = read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = read.drain(..=end).collect();
                if let Some(event) = line.strip_prefix(b"data:") {
                    texts(&serde_json::from_slice(event)?, &on_text)?;
                }
            }
        }
        Ok(())
    }

    fn texts(answer: &Value, on_text: impl Fn(&str)) -> Result<(), Failure> {
        let candidate = answer["candidates"].get(0);
        let candidate = candidate.ok_or_else(|| Failure::new(Kind::Answer, "an answer without candidates"))?;
        let parts = candidate["content"]["parts"].as_array().into_iter().flatten();
        parts.filter(|part| part["thought"] != true).filter_map(|part| part["text"].as_str()).for_each(on_text);
        Ok(())
    }
}
