//! The level `isolated`: requests in helper processes. What an HTTP client takes, and keeps, is a helper's; and a helper ends.
//!
//! A helper is this very program, started again: the first statement of `main` must be [`enter_helper`], which returns at once, except in
//! a helper, where it never returns. (Or a program of its own: [`Helpers::program`].)
//!
//! ```no_run
//! use plimsoll_providers::gemini_process_isolated::{IsolatedGeminiConfig, IsolatedGeminiProvider, enter_helper};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     enter_helper();
//!     tokio::runtime::Runtime::new()?.block_on(async {
//!         let provider = IsolatedGeminiProvider::new(IsolatedGeminiConfig::default()).await?;
//!         // …
//!         Ok(())
//!     })
//! }
//! ```
//!
//! - The client in a helper is that of [`original`](crate::gemini_original): what sets the two levels apart is isolation alone.
//! - The key goes over the pipe, a pair of sockets that no other process has; argv and the environment never hold it.
//! - A helper does HTTP and TLS and passes bodies on as they come, unpacked and unread: JSON is read once, here, so that an answer is in
//!   this process only as what it owns. A slow reader holds up its own answer and no other.
//! - There are at most [`Helpers::most`], each with so many requests in flight. One is relieved after so many requests, or when it has
//!   grown past a bound: the system then has all of its memory back.
//! - One that dies takes its requests with it: they fail as [`Error::Transport`], caused by [`HelperEnded`], by which
//!   [`Retry`] sends them again; without it, once, what had no byte of an answer and changes nothing. When helpers die
//!   one after the other, no more are started for a while, and calls fail at once.
//! - A helper ends when its provider does, however that ends: the pipe does, too.
//! - Dropping a call tells its helper. Timeouts and limits are kept on both sides.

mod frame;
mod helper;
mod pool;
mod serve;
mod setup;

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};

use crate::call::{Call, Reply};
use crate::error::{ApiError, Error, Limited, Phase};
use crate::net::{self, Address, ApiKey, Method, Patience, Wait};
use crate::options::{Limits, Options, StreamForm};
use crate::provider::Provider;
use crate::retry::Retry;
use crate::technique::Level;
use crate::types::{GenerateContentRequest, GenerateContentResponse};
use crate::wire::answer::{ANSWER, EventStream, judge, typed};
use crate::wire::decode::decode;

use frame::{Ask, Head};
use helper::{Begun, Event};
use pool::Pool;

pub use crate::config::Config as IsolatedGeminiConfig;
pub use helper::HelperEnded;
pub use pool::Helpers;

/// Makes this process a helper if it was started as one, and then never returns. Anywhere else it does nothing.
///
/// It must come first in `main`: what runs before it runs in every helper, too.
pub fn enter_helper() {
    if std::env::args_os().nth(1).is_some_and(|word| word == serve::WORD) {
        let ended = serve::run();
        std::process::exit(i32::from(ended != ExitCode::SUCCESS));
    }
}

/// The level `isolated`.
pub struct IsolatedGeminiProvider {
    pool: Arc<Pool>,
    /// How the API is addressed: without the key.
    config: IsolatedGeminiConfig,
    key: ApiKey,
    patience: Patience,
    limits: Limits,
    form: StreamForm,
    retry: Retry,
}

impl IsolatedGeminiProvider {
    /// A provider with everything as it comes. It starts a helper.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration that cannot work, [`Error::Transport`] for a helper that cannot be started.
    pub async fn new(config: IsolatedGeminiConfig) -> Result<Self, Error> {
        Self::with_options(config, Options::default()).await
    }

    /// A provider with `options`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub async fn with_options(config: IsolatedGeminiConfig, options: Options) -> Result<Self, Error> {
        Self::with_helpers(config, options, Helpers::default()).await
    }

    /// A provider with `options` and helpers of one's own choice.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub async fn with_helpers(
        mut config: IsolatedGeminiConfig,
        options: Options,
        helpers: Helpers,
    ) -> Result<Self, Error> {
        config.check()?;
        options.techniques.of(Level::Isolated)?;
        let key = ApiKey::new(&config.api_key)?;
        let pool = Pool::new(&config, &options, helpers)?;
        pool.start().await.map_err(|error| key.cleanse(error))?;
        let patience = Patience::new(&config, &options.timeouts);
        config.api_key = String::new();
        Ok(Self {
            pool,
            config,
            key,
            patience,
            limits: options.limits,
            form: options.stream_form,
            retry: options.retry,
        })
    }

    /// The ids of the helper processes that take requests now, for whoever watches their memory.
    pub fn helpers(&self) -> Vec<u32> {
        self.pool.processes()
    }

    /// Sends a request for content, and judges the head of its answer.
    async fn post(&self, request: &GenerateContentRequest, method: Method, wait: &Wait) -> Result<Answer, Error> {
        let url = Address::new(&self.config, request.model.as_deref(), method)?.text();
        let body: Bytes = serde_json::to_vec(request).map_err(|error| Error::Request(Box::new(error)))?.into();
        let mut headers = HeaderMap::with_capacity(1);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let streams = method != Method::Generate;
        let ask = Ask { method: http::Method::POST, url, headers, streams, length: body.len() };
        self.answer(&ask, &body, true, wait).await
    }

    /// Asks a helper. `repeatable`: asking twice changes nothing.
    async fn answer(&self, ask: &Ask, body: &Bytes, repeatable: bool, wait: &Wait) -> Result<Answer, Error> {
        let answered = wait.head(async {
            match self.ask(ask, body).await {
                // Nothing says that it was asked of the server at all: once more, of another helper.
                Err(Error::Transport { source, .. }) if repeatable && source.is::<HelperEnded>() => {
                    self.ask(ask, body).await
                }
                answered => answered,
            }
        });
        let mut answer = answered.await??;
        match answer.status {
            200..300 => return Ok(answer),
            300..400 => return Err(Error::Redirect(answer.status)),
            _ => {}
        }
        let mut body = Vec::new();
        // A refusal that breaks off is still a refusal: what came of it is read.
        while let Ok(Some(piece)) = answer.next(wait).await {
            body.extend_from_slice(&piece);
        }
        let headers = answer.headers().unwrap_or_default();
        let retry_after = headers.get(RETRY_AFTER).and_then(|value| net::delay(value.to_str().ok()?.trim()));
        Err(Error::Api(Box::new(ApiError { retry_after, ..ApiError::from_body(answer.status, &body) })))
    }

    /// The head of the answer of whichever helper has room.
    async fn ask(&self, ask: &Ask, body: &Bytes) -> Result<Answer, Error> {
        let mut begun = self.pool.begin().await?;
        begun.ask(ask, body.clone());
        match begun.event().await {
            Event::Head(head) => {
                let status = Head::status(&head).map_err(|error| broken(Phase::Head, error))?;
                Ok(Answer { begun, status, head })
            }
            Event::Failed(error) => Err(error),
            Event::Gone(ended) => Err(Error::Transport { phase: Phase::Head, source: Box::new(ended) }),
            Event::Data(_) | Event::End => Err(broken(Phase::Head, io::ErrorKind::InvalidData.into())),
        }
    }

    /// The whole body of an answer, of at most so many bytes as the limits allow.
    async fn whole(&self, mut answer: Answer, wait: &Wait) -> Result<Vec<u8>, Error> {
        let (mut body, limit) = (Vec::new(), self.limits.max_body);
        while let Some(piece) = answer.next(wait).await? {
            if body.len() + piece.len() > limit {
                return Err(Error::TooLong { what: Limited::Body, limit });
            }
            if body.is_empty() {
                body = piece;
            } else {
                body.extend_from_slice(&piece);
            }
        }
        Ok(body)
    }

    async fn read_answer(
        &self,
        request: &GenerateContentRequest,
        wait: &Wait,
    ) -> Result<GenerateContentResponse, Error> {
        let answer = self.post(request, Method::Generate, wait).await?;
        let mut body = self.whole(answer, wait).await?;
        judge(decode(&mut body), ANSWER)
    }

    async fn read_events<F>(&self, request: &GenerateContentRequest, wait: &Wait, mut on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        let mut answer = self.post(request, Method::stream(self.form), wait).await?;
        let mut events = EventStream::new(self.form, Vec::new(), self.limits.max_event, typed);
        while let Some(piece) = answer.next(wait).await? {
            if events.push(&piece, &mut on_event)?.is_break() {
                return Ok(());
            }
        }
        events.finish(&mut on_event)
    }

    async fn read_reply(&self, call: &Call, wait: &Wait) -> Result<Reply, Error> {
        let ask = Ask {
            method: call.method().clone(),
            url: call.url(&self.config),
            headers: call.headers().clone(),
            streams: false,
            length: call.body().len(),
        };
        let answer = self.answer(&ask, call.body(), call.is_repeatable(), wait).await?;
        let (status, headers) = (answer.status, answer.headers().map_err(|error| broken(Phase::Head, error))?);
        Ok(Reply { status, headers, body: self.whole(answer, wait).await?.into() })
    }
}

/// An answer whose body is still to come.
struct Answer {
    begun: Begun,
    status: u16,
    head: Vec<u8>,
}

impl Answer {
    fn headers(&self) -> io::Result<HeaderMap> {
        Head::headers(&self.head)
    }

    /// The next piece of the body; `None`: it is whole.
    async fn next(&mut self, wait: &Wait) -> Result<Option<Vec<u8>>, Error> {
        match wait.body(self.begun.event()).await? {
            Event::Data(piece) => Ok(Some(piece)),
            Event::End => Ok(None),
            Event::Failed(error) => Err(error),
            Event::Gone(ended) => Err(Error::Transport { phase: Phase::Body, source: Box::new(ended) }),
            Event::Head(_) => Err(broken(Phase::Body, io::ErrorKind::InvalidData.into())),
        }
    }
}

fn broken(phase: Phase, error: io::Error) -> Error {
    Error::Transport { phase, source: Box::new(error) }
}

impl Provider for IsolatedGeminiProvider {
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
        let wait = self.patience.generate();
        let mut retries = self.retry.begin(call.name(), call.is_repeatable());
        loop {
            match self.read_reply(call, &wait).await {
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

impl fmt::Debug for IsolatedGeminiProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IsolatedGeminiProvider")
            .field("config", &self.config)
            .field("helpers", &self.helpers())
            .finish_non_exhaustive()
    }
}
