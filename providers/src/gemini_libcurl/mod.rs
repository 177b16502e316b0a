//! The level `libcurl`: [libcurl](https://curl.se/libcurl/) in place of reqwest, built from source with the crate; the rest as in `original`.
//!
//! - One thread of the provider's own drives all transfers by libcurl's multi interface. The first request starts it, and it ends with
//!   the provider. Callers wait for it without holding theirs up.
//! - Easy handles and connections are kept for later requests, a bounded number of each.
//! - A stream that is not read is paused, so that what waits of it is bounded; a future that is dropped ends its transfer.
//! - TLS is rustls, by [rustls-ffi](https://docs.rs/rustls-ffi), with AWS-LC or whatever the process installed as its default; it installs
//!   AWS-LC where there is none. libcurl on rustls reads its roots anew for each connection, and keeps them as long: with a bundle of a
//!   hundred roots and a thousand connections at once that is most of what they cost, and HTTP/2, which needs few, is the mend.
//!   [`Trust::Pem`](crate::Trust::Pem) and [`Trust::WebPkiRoots`](crate::Trust::WebPkiRoots) are copied besides; a file is not.
//!
//! It uses the proxy that the environment names, as reqwest does, and follows no redirect. libcurl itself sends a request again on a new
//! connection where a kept one turns out to be closed before a byte of an answer came; a call that must not be sent twice never goes out
//! on a kept one.
//!
//! The crate `curl` initialises libcurl before `main` of every program that it is linked into: that is why this level is behind a
//! feature, `libcurl`.

mod answer;
mod driver;
mod failure;
mod head;
mod setup;
mod transfer;

use std::ops::ControlFlow;

use crate::call::{Call, Reply};
use crate::error::{ApiError, Error};
use crate::net::{Address, ApiKey, MAX_ERROR_BODY, Method, Patience, Wait};
use crate::options::{Limits, Options, StreamForm};
use crate::provider::Provider;
use crate::retry::Retry;
use crate::technique::Level;
use crate::types::{GenerateContentRequest, GenerateContentResponse};
use crate::wire::answer::{ANSWER, EventStream, judge, typed};

use answer::Answer;
use driver::Driver;
use head::Head;
use setup::Setup;
use transfer::{Asked, Room};

pub use crate::config::Config as LibcurlGeminiConfig;

/// How much of a stream may wait for its reader before the transfer is paused, in bytes.
const WINDOW: usize = 64 << 10;

/// The level `libcurl`.
#[derive(Debug)]
pub struct LibcurlGeminiProvider {
    driver: Driver,
    /// How the API is addressed, without the key.
    config: LibcurlGeminiConfig,
    key: ApiKey,
    patience: Patience,
    limits: Limits,
    form: StreamForm,
    retry: Retry,
}

impl LibcurlGeminiProvider {
    /// A provider with everything as it comes.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration that cannot work.
    pub async fn new(config: LibcurlGeminiConfig) -> Result<Self, Error> {
        Self::with_options(config, Options::default()).await
    }

    /// A provider with `options`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration or options that cannot work; [`Crypto::Ring`](crate::Crypto::Ring) is one.
    pub async fn with_options(mut config: LibcurlGeminiConfig, options: Options) -> Result<Self, Error> {
        config.check()?;
        options.techniques.of(Level::Libcurl)?;
        let base = setup::base(&config)?;
        let key = ApiKey::new(&config.api_key)?;
        let patience = Patience::new(&config, &options.timeouts);
        let setup = Setup::new(&options, &key, patience.connect)?;
        config.api_key = String::new();
        config.base_url = Some(base);
        Ok(Self {
            driver: Driver::new(setup),
            config,
            key,
            patience,
            limits: options.limits,
            form: options.stream_form,
            retry: options.retry,
        })
    }

    /// Sends a request for content, and judges the head of its answer.
    async fn post(
        &self,
        request: &GenerateContentRequest,
        method: Method,
        room: Room,
        wait: &Wait,
    ) -> Result<Answer<'_>, Error> {
        let url = Address::new(&self.config, request.model.as_deref(), method)?.text();
        let body = serde_json::to_vec(request).map_err(|error| Error::Request(Box::new(error)))?;
        let answer = self.driver.ask(Asked::Content { url, body: body.into() }, room);
        Ok(accept(answer, wait).await?.1)
    }

    async fn read_answer(
        &self,
        request: &GenerateContentRequest,
        wait: &Wait,
    ) -> Result<GenerateContentResponse, Error> {
        let answer = self.post(request, Method::Generate, Room::Whole(self.limits.max_body), wait).await?;
        judge(typed(&answer.whole(wait).await?), ANSWER)
    }

    async fn read_events<F>(&self, request: &GenerateContentRequest, wait: &Wait, mut on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        let mut answer = self.post(request, Method::stream(self.form), Room::Window(WINDOW), wait).await?;
        let mut events = EventStream::new(self.form, Vec::new(), self.limits.max_event, typed);
        let mut chunk = Vec::new();
        while answer.next(&mut chunk, wait).await? {
            if events.push(&chunk, &mut on_event)?.is_break() {
                return Ok(());
            }
        }
        events.finish(&mut on_event)
    }

    async fn read_reply(&self, url: &str, call: &Call, wait: &Wait) -> Result<Reply, Error> {
        let url = Address::parse(url)?.into();
        let answer = self.driver.ask(Asked::Call { url, call: call.clone() }, Room::Whole(self.limits.max_body));
        let (head, answer) = accept(answer, wait).await?;
        Ok(Reply { status: head.status, headers: head.fields, body: answer.whole(wait).await?.into() })
    }
}

/// Waits for the head of an answer and lets a successful one pass. Anything else is an error.
async fn accept<'d>(mut answer: Answer<'d>, wait: &Wait) -> Result<(Head, Answer<'d>), Error> {
    let head = wait.head(answer.head()).await??;
    match head.status {
        200..300 => return Ok((head, answer)),
        300..400 => return Err(Error::Redirect(head.status)),
        _ => {}
    }
    let (mut body, mut chunk) = (Vec::new(), Vec::new());
    // A refusal that breaks off is still a refusal: what came of it is read.
    while body.len() < MAX_ERROR_BODY
        && let Ok(true) = answer.next(&mut chunk, wait).await
    {
        body.extend_from_slice(&chunk);
    }
    Err(Error::Api(Box::new(ApiError { retry_after: head.retry_after, ..ApiError::from_body(head.status, &body) })))
}

impl Provider for LibcurlGeminiProvider {
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
            match self.read_reply(&url, call, &wait).await {
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
