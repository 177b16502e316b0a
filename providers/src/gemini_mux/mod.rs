//! The level `mux`: HTTP/2 by the `h2` crate over rustls, for thousands of calls on few connections.
//!
//! - As many calls share a connection as its server takes, never more; there is another connection only when all are full. Each is driven
//!   by a task of its own, and closed when nobody has used it for a while.
//! - A call that waits, for a place, for its answer or for the rest of it, holds no buffer: requests are written when there is a place for
//!   them, bodies are read from where the connection left them, and windows are as wide as what one answer may make us hold.
//! - A server that has gone without a word is found out: where nothing is heard of it, it is asked by a PING.
//! - A request that the server says it did not look at is sent again, once, and so is one that met a connection which had been idle and
//!   broke before a sign of an answer. Dropping a call resets its stream and leaves the others alone.
//!
//! It speaks HTTP/2 only, without TLS by prior knowledge, uses no proxy and follows no redirect.

mod connection;
mod exchange;
mod lines;
mod request;
mod socket;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use crate::call::{Call, Reply};
use crate::error::{ApiError, Error};
use crate::net::{
    self, Address, ApiKey, BufferPool, MAX_ERROR_BODY, Method, Origin, Patience, Unpackers, Wait, lean_tls_config,
};
use crate::options::{Limits, Options, Protocol, StreamForm};
use crate::provider::Provider;
use crate::retry::Retry;
use crate::technique::Level;
use crate::types::{GenerateContentRequest, GenerateContentResponse};
use crate::wire::answer::{ANSWER, EventStream, judge, typed};
use crate::wire::decode::decode;

use connection::{Route, Watch};
use exchange::{Answer, Rooms, ask};
use lines::Lines;

pub use crate::config::Config as MuxGeminiConfig;

/// Buffers that are kept for whole bodies and cut events, and the most of each, in bytes.
const BODY_BUFFERS: usize = 4;
const BODY_BYTES: usize = 64 << 10;
/// Longer than the pauses of a service that is in use, shorter than servers and what stands before them usually wait.
const IDLE: Duration = Duration::from_secs(55);
/// The longest silence of a connection in use before it is asked for a sign, and the shortest.
const MAX_SILENCE: Duration = Duration::from_secs(15);
const MIN_SILENCE: Duration = Duration::from_millis(250);

/// The level `mux`.
#[derive(Debug)]
pub struct MuxGeminiProvider {
    /// How the API is addressed, without the key.
    config: MuxGeminiConfig,
    key: ApiKey,
    patience: Patience,
    limits: Limits,
    form: StreamForm,
    retry: Retry,
    lines: Arc<Lines>,
    rooms: Rooms,
}

impl MuxGeminiProvider {
    /// A provider with everything as it comes.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration that cannot work.
    pub async fn new(config: MuxGeminiConfig) -> Result<Self, Error> {
        Self::with_options(config, Options::default()).await
    }

    /// A provider with `options`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration or options that cannot work; [`Protocol::Http1`] is one.
    pub async fn with_options(mut config: MuxGeminiConfig, options: Options) -> Result<Self, Error> {
        config.check()?;
        options.techniques.of(Level::Mux)?;
        if options.protocol == Protocol::Http1 {
            return Err(Error::config("mux speaks HTTP/2 only: choose h2, or another level"));
        }
        let origin = Origin::new(&config, &options)?;
        let key = ApiKey::new(&config.api_key)?;
        let tls = lean_tls_config(&options.trust, options.crypto, Protocol::Http2)?;
        let patience = Patience::new(&config, &options.timeouts);
        config.api_key = String::new();
        config.base_url = Some(origin.base());
        // A server that is gone is to be found out before the calls that wait for it give up by themselves.
        let silence = patience.shortest().map_or(MAX_SILENCE, |wait| (wait / 8).clamp(MIN_SILENCE, MAX_SILENCE));
        let watch = Watch { silence, idle: IDLE };
        Ok(Self {
            config,
            key,
            patience,
            limits: options.limits,
            form: options.stream_form,
            retry: options.retry,
            lines: Lines::new(Route { origin, tls: Arc::new(tls), connect: patience.connect, watch }),
            rooms: Rooms { bodies: BufferPool::new(BODY_BUFFERS, BODY_BYTES), unpackers: Unpackers::default() },
        })
    }

    /// Sends a request for content, and judges the head of its answer.
    async fn post(&self, request: &GenerateContentRequest, method: Method, wait: &Wait) -> Result<Answer<'_>, Error> {
        let address = Address::new(&self.config, request.model.as_deref(), method)?;
        let write = || request::content(&address, &self.key, method == Method::Generate, request);
        let asked = std::pin::pin!(ask(&self.lines, true, write));
        let (answer, fields) = wait.head(asked).await??;
        match answer.status {
            200..300 => Ok(answer),
            _ => Err(Box::pin(self.refusal(answer, fields, wait)).await),
        }
    }

    /// Sends a call, and reads its whole answer.
    async fn read_reply(&self, url: &str, call: &Call, wait: &Wait) -> Result<Reply, Error> {
        let write = || request::call(url, &self.key, call);
        let asked = std::pin::pin!(ask(&self.lines, call.is_repeatable(), write));
        let (mut answer, fields) = wait.head(asked).await??;
        if !matches!(answer.status, 200..300) {
            return Err(self.refusal(answer, fields, wait).await);
        }
        if call.method() == http::Method::HEAD {
            answer = answer.without_body();
        }
        let headers = answer.unpacked(fields);
        let mut body = answer.whole(wait, &self.rooms, self.limits.max_body).await?;
        Ok(Reply { status: answer.status, headers, body: std::mem::take(body.vec()).into() })
    }

    /// What is not a success, as an error.
    async fn refusal(&self, mut answer: Answer<'_>, fields: HeaderMap, wait: &Wait) -> Error {
        if matches!(answer.status, 300..400) {
            return Error::Redirect(answer.status);
        }
        let retry_after = fields.get(RETRY_AFTER).and_then(|value| net::delay(value.to_str().ok()?.trim()));
        drop(fields);
        // A refusal that breaks off is still a refusal: what came of it is read.
        let mut body = Vec::new();
        let read = answer.read(wait, &self.rooms, |piece| {
            body.extend_from_slice(&piece[..piece.len().min(MAX_ERROR_BODY - body.len())]);
            Ok(if body.len() < MAX_ERROR_BODY { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        });
        let _ = read.await;
        Error::Api(Box::new(ApiError { retry_after, ..ApiError::from_body(answer.status, &body) }))
    }

    async fn read_answer(
        &self,
        request: &GenerateContentRequest,
        wait: &Wait,
    ) -> Result<GenerateContentResponse, Error> {
        let mut answer = self.post(request, Method::Generate, wait).await?;
        let mut body = answer.whole(wait, &self.rooms, self.limits.max_body).await?;
        drop(answer);
        judge(decode(body.vec()), ANSWER)
    }

    async fn read_events<F>(&self, request: &GenerateContentRequest, wait: &Wait, mut on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        let mut answer = self.post(request, Method::stream(self.form), wait).await?;
        let mut events = EventStream::new(self.form, self.rooms.bodies.lease(), self.limits.max_event, typed);
        if answer.read(wait, &self.rooms, |piece| events.push(piece, &mut on_event)).await? {
            events.finish(&mut on_event)?;
        }
        Ok(())
    }
}

impl Provider for MuxGeminiProvider {
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
        // By way of a URL, so that a path is cleaned as by the other levels.
        let url = Address::parse(&call.url(&self.config))?;
        let wait = self.patience.generate();
        let mut retries = self.retry.begin(call.name(), call.is_repeatable());
        loop {
            match self.read_reply(url.as_str(), call, &wait).await {
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
