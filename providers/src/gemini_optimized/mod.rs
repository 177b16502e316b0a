//! The level `optimized`: reqwest again, with three measures that are often recommended.
//!
//! - [`ObjectPooling`](Technique::ObjectPooling): what requests are written in and answers are gathered in is kept for the next ones
//! - [`LazyComponents`](Technique::LazyComponents): the client is built by the first request
//! - [`SmallPool`](Technique::SmallPool): few idle connections, and not for long
//!
//! Each can be switched off with [`Options::techniques`]; by default all are in force.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response};
use tokio::sync::OnceCell;

use crate::call::{Call, Reply};
use crate::error::{Error, Limited, Phase};
use crate::net::{self, API_KEY_HEADER, Address, ApiKey, BufferPool, Method, Patience, Sessions, Wait};
use crate::options::{Crypto, Options};
use crate::provider::Provider;
use crate::technique::{Level, Technique};
use crate::types::{GenerateContentRequest, GenerateContentResponse};
use crate::wire::answer::{ANSWER, EventStream, judge, typed};

pub use crate::config::Config as OptimizedGeminiConfig;

/// Enough for twenty requests at once, each with a buffer for its question and one for its answer.
const POOLED_BUFFERS: usize = 40;
/// A buffer that grew larger is given back: the pool never holds more than 5 MiB.
const POOLED_BYTES: usize = 128 << 10;

const IDLE_CONNECTIONS: usize = 2;
const IDLE_FOR: Duration = Duration::from_secs(15);

/// The level `optimized`.
#[derive(Debug)]
pub struct OptimizedGeminiProvider {
    client: OnceCell<Client>,
    config: OptimizedGeminiConfig,
    options: Options,
    key: ApiKey,
    patience: Patience,
    buffers: Arc<BufferPool>,
}

impl OptimizedGeminiProvider {
    /// A provider with all three measures.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration that cannot work.
    pub async fn new(config: OptimizedGeminiConfig) -> Result<Self, Error> {
        Self::with_options(config, Options::default()).await
    }

    /// A provider with `options`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration or options that cannot work. With [`Technique::LazyComponents`] roots of trust are read
    /// by the first request, which then has that error.
    pub async fn with_options(config: OptimizedGeminiConfig, mut options: Options) -> Result<Self, Error> {
        config.check()?;
        options.techniques = options.techniques.of(Level::Optimized)?;
        let pooled = if options.techniques.contains(Technique::ObjectPooling) { POOLED_BUFFERS } else { 0 };
        let provider = Self {
            client: OnceCell::new(),
            key: ApiKey::new(&config.api_key)?,
            patience: Patience::new(&config, &options.timeouts),
            buffers: BufferPool::new(pooled, POOLED_BYTES),
            config,
            options,
        };
        if !provider.options.techniques.contains(Technique::LazyComponents) {
            provider.client().await?;
        }
        Ok(provider)
    }

    async fn client(&self) -> Result<&Client, Error> {
        self.client.get_or_try_init(async || self.build_client()).await
    }

    fn build_client(&self) -> Result<Client, Error> {
        let Options { trust, crypto, protocol, techniques, .. } = &self.options;
        let mut builder = net::client_builder(&self.config, &self.options, &self.patience, *protocol)?;
        builder = match crypto {
            Crypto::Default => match net::reqwest_roots(trust)? {
                Some(roots) => builder.tls_certs_only(roots),
                None => builder,
            },
            crypto => builder.tls_backend_preconfigured(net::tls_config(trust, *crypto, *protocol, Sessions::Many)?),
        };
        if techniques.contains(Technique::SmallPool) {
            builder = builder.pool_max_idle_per_host(IDLE_CONNECTIONS).pool_idle_timeout(IDLE_FOR);
        }
        builder
            .build()
            .map_err(|error| Error::config(format!("the HTTP client cannot be built: {}", error.without_url())))
    }

    async fn post(&self, request: &GenerateContentRequest, method: Method, wait: &Wait) -> Result<Response, Error> {
        let url = Address::new(&self.config, request.model.as_deref(), method)?.text();
        let mut body = self.buffers.lease();
        serde_json::to_writer(body.vec(), request).map_err(|error| Error::Request(Box::new(error)))?;
        let sent = self
            .client()
            .await?
            .post(url)
            .header(API_KEY_HEADER, self.key.header())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            // The transport drops the body once it is written, and with it the lease.
            .body(Bytes::from_owner(body))
            .send();
        let response = wait.head(sent).await?.map_err(|error| net::transport(error, Phase::Head, wait))?;
        net::accept(response, wait, &self.key).await
    }

    async fn read_answer(
        &self,
        request: &GenerateContentRequest,
        wait: &Wait,
    ) -> Result<GenerateContentResponse, Error> {
        let mut chunks = self.post(request, Method::Generate, wait).await?.bytes_stream();
        let mut body = self.buffers.lease();
        let limit = self.options.limits.max_body;
        while let Some(chunk) = net::next_chunk(&mut chunks, wait).await? {
            if body.vec().len() + chunk.len() > limit {
                return Err(Error::TooLong { what: Limited::Body, limit });
            }
            body.vec().extend_from_slice(&chunk);
        }
        judge(typed(body.vec()), ANSWER)
    }

    async fn read_events<F>(&self, request: &GenerateContentRequest, wait: &Wait, mut on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        let mut chunks = self.post(request, Method::stream(self.options.stream_form), wait).await?.bytes_stream();
        let mut events =
            EventStream::new(self.options.stream_form, self.buffers.lease(), self.options.limits.max_event, typed);
        while let Some(chunk) = net::next_chunk(&mut chunks, wait).await? {
            if events.push(&chunk, &mut on_event)?.is_break() {
                return Ok(());
            }
        }
        events.finish(&mut on_event)
    }
}

impl Provider for OptimizedGeminiProvider {
    async fn generate(&self, request: &GenerateContentRequest) -> Result<GenerateContentResponse, Error> {
        let (wait, mut retries) = (self.patience.generate(), self.options.retry.begin("generateContent", true));
        loop {
            match self.read_answer(request, &wait).await {
                Ok(answer) => {
                    retries.done();
                    return Ok(answer);
                }
                Err(error) => retries.pause(self.key.cleanse(error), &wait).await?,
            }
        }
    }

    async fn stream<F>(&self, request: &GenerateContentRequest, mut on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        let (wait, mut retries) = (self.patience.stream(), self.options.retry.begin("streamGenerateContent", true));
        let mut delivered = false;
        loop {
            let on_event = |event: &GenerateContentResponse| {
                delivered = true;
                on_event(event)
            };
            match self.read_events(request, &wait, on_event).await.map_err(|error| self.key.cleanse(error)) {
                Ok(()) => {
                    retries.done();
                    return Ok(());
                }
                Err(error) if delivered => return Err(retries.failed(error)),
                Err(error) => retries.pause(error, &wait).await?,
            }
        }
    }

    async fn call(&self, call: &Call) -> Result<Reply, Error> {
        let (url, wait) = (call.url(&self.config), self.patience.generate());
        let mut retries = self.options.retry.begin(call.name(), call.is_repeatable());
        loop {
            match net::call(self.client().await?, &url, call, &self.key, &wait, self.options.limits.max_body).await {
                Ok(reply) => {
                    retries.done();
                    return Ok(reply);
                }
                Err(error) => retries.pause(self.key.cleanse(error), &wait).await?,
            }
        }
    }

    fn default_model(&self) -> &str {
        &self.config.default_model
    }
}
