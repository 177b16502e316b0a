//! The level `original`: what most people write first.
//!
//! reqwest as it comes, with its default TLS, both HTTP versions and gzip; bodies are collected and read with serde_json into owned
//! types; a stream is read from `bytes_stream`. Nothing is done for memory and nothing against it.

use std::ops::ControlFlow;

use reqwest::{Client, Response};

use crate::call::{Call, Reply};
use crate::error::{Error, Limited, Phase};
use crate::net::{self, API_KEY_HEADER, Address, ApiKey, Method, Patience, Sessions, Wait};
use crate::options::{Crypto, Limits, Options, StreamForm};
use crate::provider::Provider;
use crate::retry::Retry;
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
    form: StreamForm,
    retry: Retry,
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
        Ok(Self {
            client: client(&config, &options, &patience)?,
            key: ApiKey::new(&config.api_key)?,
            patience,
            limits: options.limits,
            form: options.stream_form,
            retry: options.retry,
            config,
        })
    }

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
        let mut chunks = self.post(request, Method::stream(self.form), wait).await?.bytes_stream();
        let mut events = EventStream::new(self.form, Vec::new(), self.limits.max_event, typed);
        while let Some(chunk) = net::next_chunk(&mut chunks, wait).await? {
            if events.push(&chunk, &mut on_event)?.is_break() {
                return Ok(());
            }
        }
        events.finish(&mut on_event)
    }
}

/// The HTTP client as it comes, but for what no level may leave out.
pub(crate) fn client(config: &GeminiConfig, options: &Options, patience: &Patience) -> Result<Client, Error> {
    let mut builder = net::client_builder(config, options, patience, options.protocol)?;
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
    builder.build().map_err(|error| Error::config(format!("the HTTP client cannot be built: {}", error.without_url())))
}

impl Provider for GeminiProvider {
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
        let (url, wait) = (call.url(&self.config), self.patience.generate());
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
        &self.config.default_model
    }
}
