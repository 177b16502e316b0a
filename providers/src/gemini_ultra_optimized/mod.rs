//! The level `ultra`: nine techniques on reqwest, each of which can be switched.
//!
//! [`Technique`] says what each one does. The report that this level comes from had all of them in force, so that is the default; not
//! each of them saves memory. Two are known to trade it for something else:
//!
//! - [`NoIdleConnections`](Technique::NoIdleConnections) makes every request pay for a connection and a TLS handshake, in time and in
//!   allocations. A service that asks more than once in a while should leave it out.
//! - [`Http1Only`](Technique::Http1Only) makes every request in flight pay for a connection of its own.
//!
//! ```no_run
//! use plimsoll_providers::gemini_ultra_optimized::{UltraOptimizedGeminiConfig, UltraOptimizedGeminiProvider};
//! use plimsoll_providers::{Level, Options, Technique, Techniques};
//!
//! # async fn example(config: UltraOptimizedGeminiConfig) -> Result<(), plimsoll_providers::Error> {
//! let techniques = Techniques::all(Level::Ultra).without(Technique::NoIdleConnections).without(Technique::Http1Only);
//! let options = Options { techniques, ..Options::default() };
//! let provider = UltraOptimizedGeminiProvider::with_options(config, options).await?;
//! # Ok(())
//! # }
//! ```

mod body;
mod client;
mod endpoint;
mod gather;
mod written;

use std::ops::ControlFlow;
use std::sync::Arc;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Request, Response};

use crate::call::{Call, Reply};
use crate::error::{Error, Phase};
use crate::net::{self, API_KEY_HEADER, ApiKey, BufferPool, Method, Patience, Wait};
use crate::options::{Limits, Options, StreamForm};
use crate::provider::Provider;
use crate::retry::Retry;
use crate::technique::{Level, Technique, Techniques};
use crate::types::{GenerateContentRequest, GenerateContentResponse};
use crate::wire::answer::{EventStream, by_value, typed};

use endpoint::Endpoints;
use gather::Gather;

pub use crate::config::Config as UltraOptimizedGeminiConfig;

/// Requests are small and few are written at the same moment: what is kept is at most 128 KiB.
const SCRATCH_BUFFERS: usize = 8;
const SCRATCH_BYTES: usize = 16 << 10;

/// The level `ultra`.
#[derive(Debug)]
pub struct UltraOptimizedGeminiProvider {
    client: Client,
    endpoints: Endpoints,
    key: ApiKey,
    patience: Patience,
    limits: Limits,
    form: StreamForm,
    retry: Retry,
    techniques: Techniques,
    scratch: Arc<BufferPool>,
}

impl UltraOptimizedGeminiProvider {
    /// A provider with all nine techniques.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration that cannot work.
    pub async fn new(config: UltraOptimizedGeminiConfig) -> Result<Self, Error> {
        Self::with_options(config, Options::default()).await
    }

    /// A provider with `options`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration or options that cannot work.
    pub async fn with_options(mut config: UltraOptimizedGeminiConfig, options: Options) -> Result<Self, Error> {
        config.check()?;
        let techniques = options.techniques.of(Level::Ultra)?;
        let patience = Patience::new(&config, &options.timeouts);
        let key = ApiKey::new(&config.api_key)?;
        let client = client::build(&config, &options, &patience, techniques, &key)?;
        // The key lives on in its header only.
        config.api_key = String::new();
        let scratch = if techniques.contains(Technique::ReusableScratch) { SCRATCH_BUFFERS } else { 0 };
        Ok(Self {
            client,
            endpoints: Endpoints::new(config, techniques),
            key,
            patience,
            limits: options.limits,
            form: options.stream_form,
            retry: options.retry,
            techniques,
            scratch: BufferPool::new(scratch, SCRATCH_BYTES),
        })
    }

    async fn post(&self, request: &GenerateContentRequest, method: Method, wait: &Wait) -> Result<Response, Error> {
        let url = self.endpoints.url(request.model.as_deref(), method)?;
        let mut post = Request::new(reqwest::Method::POST, url);
        *post.body_mut() = Some(written::body(request, self.techniques, &self.scratch)?.into());
        if self.techniques.contains(Technique::MinimalClientState) {
            let headers = post.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(API_KEY_HEADER, self.key.header());
        }
        let response =
            wait.head(self.client.execute(post)).await?.map_err(|error| net::transport(error, Phase::Head, wait))?;
        net::accept(response, wait, &self.key).await
    }

    async fn read_answer(
        &self,
        request: &GenerateContentRequest,
        wait: &Wait,
    ) -> Result<GenerateContentResponse, Error> {
        let chunks = self.post(request, Method::Generate, wait).await?.bytes_stream();
        body::read(chunks, wait, self.limits.max_body, self.techniques).await
    }

    async fn read_events<F>(&self, request: &GenerateContentRequest, wait: &Wait, mut on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        let mut chunks = self.post(request, Method::stream(self.form), wait).await?.bytes_stream();
        let parse = if self.techniques.contains(Technique::StreamingJson) { typed } else { by_value };
        let mut events = EventStream::new(self.form, Gather::new(self.techniques), self.limits.max_event, parse);
        let mut copied = Vec::new();
        while let Some(chunk) = net::next_chunk(&mut chunks, wait).await? {
            let bytes = if self.techniques.contains(Technique::ZeroCopyBody) {
                &chunk[..]
            } else {
                copied.clear();
                copied.extend_from_slice(&chunk);
                &copied
            };
            if events.push(bytes, &mut on_event)?.is_break() {
                return Ok(());
            }
        }
        events.finish(&mut on_event)
    }
}

impl Provider for UltraOptimizedGeminiProvider {
    async fn generate(&self, request: &GenerateContentRequest) -> Result<GenerateContentResponse, Error> {
        let (wait, mut retries) = (self.patience.generate(), self.retry.begin("generateContent", true));
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
        let (wait, mut retries) = (self.patience.stream(), self.retry.begin("streamGenerateContent", true));
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
        let (url, wait) = (call.url(self.endpoints.config()), self.patience.generate());
        let mut retries = self.retry.begin(call.name(), call.is_repeatable());
        loop {
            match net::call(&self.client, &url, call, &self.key, &wait, self.limits.max_body).await {
                Ok(reply) => {
                    retries.done();
                    return Ok(reply);
                }
                Err(error) => retries.pause(self.key.cleanse(error), &wait).await?,
            }
        }
    }

    fn default_model(&self) -> &str {
        &self.endpoints.config().default_model
    }
}
