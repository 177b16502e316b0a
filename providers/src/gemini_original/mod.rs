//! The level `original`: what most people write first.
//!
//! reqwest as it comes, with its default TLS, both HTTP versions and gzip; bodies are collected and read with serde_json into owned
//! types; a stream is read from `bytes_stream`. Nothing is done for memory and nothing against it.

use std::ops::ControlFlow;

use reqwest::{Client, Response};

use crate::call::{Call, Reply};
use crate::error::{Error, Limited, Phase};
use crate::net::{self, API_KEY_HEADER, Address, ApiKey, Method, Patience, Sessions, Wait};
use crate::options::{Crypto, Limits, Options};
use crate::provider::Provider;
use crate::technique::Level;
use crate::types::{GenerateContentRequest, GenerateContentResponse};
use crate::wire::answer::{ANSWER, EventStream, judge, typed};

pub use crate::config::Config as GeminiConfig;

/// The level `original`.
#[derive(Debug)]
pub struct GeminiProvider {
    client: Client,
    config: GeminiConfig,
    key: ApiKey,
    patience: Patience,
    limits: Limits,
}

impl GeminiProvider {
    /// A provider with everything as it comes.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration that cannot work.
    pub async fn new(config: GeminiConfig) -> Result<Self, Error> {
        Self::with_options(config, Options::default()).await
    }

    /// A provider with `options`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration or options that cannot work.
    pub async fn with_options(config: GeminiConfig, options: Options) -> Result<Self, Error> {
        config.check()?;
        options.techniques.of(Level::Original)?;
        let patience = Patience::new(&config, &options.timeouts);
        let mut builder = net::client_builder(&config, &options, &patience, options.protocol)?;
        builder = match options.crypto {
            Crypto::Default => match net::reqwest_roots(&options.trust)? {
                Some(roots) => builder.tls_certs_only(roots),
                None => builder,
            },
            crypto => builder.tls_backend_preconfigured(net::tls_config(
                &options.trust,
                crypto,
                options.protocol,
                Sessions::Many,
            )?),
        };
        let client = builder
            .build()
            .map_err(|error| Error::config(format!("the HTTP client cannot be built: {}", error.without_url())))?;
        Ok(Self { client, key: ApiKey::new(&config.api_key)?, patience, limits: options.limits, config })
    }

    /// The one place where a request is sent, and the place for retries.
    async fn post(&self, request: &GenerateContentRequest, method: Method, wait: &Wait) -> Result<Response, Error> {
        let url = Address::new(&self.config, request.model.as_deref(), method)?.text();
        let sent = self.client.post(url).header(API_KEY_HEADER, self.key.header()).json(request).send();
        let response = wait.head(sent).await?.map_err(|error| net::transport(error, Phase::Head, wait))?;
        net::accept(response, wait, &self.key).await
    }

    async fn read_answer(
        &self,
        request: &GenerateContentRequest,
        wait: &Wait,
    ) -> Result<GenerateContentResponse, Error> {
        let mut chunks = self.post(request, Method::Generate, wait).await?.bytes_stream();
        let mut body = Vec::new();
        while let Some(chunk) = net::next_chunk(&mut chunks, wait).await? {
            if body.len() + chunk.len() > self.limits.max_body {
                return Err(Error::TooLong { what: Limited::Body, limit: self.limits.max_body });
            }
            body.extend_from_slice(&chunk);
        }
        judge(typed(&body), ANSWER)
    }

    async fn read_events<F>(&self, request: &GenerateContentRequest, wait: &Wait, mut on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        let mut chunks = self.post(request, Method::Stream, wait).await?.bytes_stream();
        let mut events = EventStream::new(Vec::new(), self.limits.max_event, typed);
        while let Some(chunk) = net::next_chunk(&mut chunks, wait).await? {
            if events.push(&chunk, &mut on_event)?.is_break() {
                return Ok(());
            }
        }
        events.finish(&mut on_event)
    }
}

impl Provider for GeminiProvider {
    async fn generate(&self, request: &GenerateContentRequest) -> Result<GenerateContentResponse, Error> {
        self.read_answer(request, &self.patience.generate()).await.map_err(|error| self.key.cleanse(error))
    }

    async fn stream<F>(&self, request: &GenerateContentRequest, on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        self.read_events(request, &self.patience.stream(), on_event).await.map_err(|error| self.key.cleanse(error))
    }

    async fn call(&self, call: &Call) -> Result<Reply, Error> {
        let (url, wait) = (call.url(&self.config), self.patience.generate());
        let reply = net::call(&self.client, &url, call, &self.key, &wait, self.limits.max_body).await;
        reply.map_err(|error| self.key.cleanse(error))
    }

    fn default_model(&self) -> &str {
        &self.config.default_model
    }
}
