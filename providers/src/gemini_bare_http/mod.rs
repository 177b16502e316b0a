//! The level `bare`: a minimal HTTP/1.1 client of our own over rustls. No hyper, no reqwest.
//!
//! - Wire code does no IO and works where the bytes lie ([`wire`](crate::wire)): heads by httparse, chunks, gzip, JSON.
//! - TLS is rustls's unbuffered API: records lie in buffers that all connections share, and one that waits holds none. After the
//!   handshake a connection keeps rustls's keys and little else of it
//!   ([`LeanRecords`](Technique::LeanRecords), with what is traded for it).
//! - A body is put together in the buffer that it arrived in and read there by serde, escapes undone in place: what an answer owns is
//!   all that is allocated for it.
//! - Connections are kept alive, a bounded number for a bounded time. One that was closed just as it was used again is replaced, once,
//!   if no byte of an answer had come.
//!
//! Besides [`Provider`]'s owned form there is a visitor form, [`BareGeminiProvider::generate_with`] and
//! [`stream_with`](BareGeminiProvider::stream_with): an answer is told to a [`Visitor`] as it arrives, and nothing is allocated for it.
//!
//! It speaks HTTP/1.1 only, uses no proxy and follows no redirect.

mod connection;
mod exchange;
mod idle;
mod records;
mod request;
mod rooms;
mod socket;
mod visiting;

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use rustls::ClientConfig;

use crate::call::{self, Reply};
use crate::error::{ApiError, Error, Phase};
use crate::gemini_proxied::ProxyAddress;
use crate::net::{self, Address, ApiKey, MAX_ERROR_BODY, Method, Origin, Patience, Wait};
use crate::options::{Limits, Options, Protocol, StreamForm};
use crate::provider::Provider;
use crate::retry::Retry;
use crate::technique::{Level, Technique};
use crate::types::{GenerateContentRequest, GenerateContentResponse};
use crate::wire::answer::{ANSWER, EventStream, judge, typed};
use crate::wire::decode::decode;

use connection::Connection;
use exchange::{Answer, ask};
use idle::Idle;
use records::Tickets;
use request::Fields;
use rooms::Rooms;

pub use crate::config::Config as BareGeminiConfig;
pub use crate::wire::visit::{Call, Usage, Visitor};

/// The level `bare`.
#[derive(Debug)]
pub struct BareGeminiProvider {
    origin: Origin,
    /// How the API is addressed: without the key, and with the path of the base for a base.
    config: BareGeminiConfig,
    fields: Fields,
    key: ApiKey,
    /// `None`: a proxy does it.
    tls: Option<Arc<ClientConfig>>,
    patience: Patience,
    limits: Limits,
    form: StreamForm,
    retry: Retry,
    idle: Idle,
    tickets: Tickets,
    rooms: Rooms,
}

impl BareGeminiProvider {
    /// A provider with everything as it comes.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration that cannot work.
    pub async fn new(config: BareGeminiConfig) -> Result<Self, Error> {
        Self::with_options(config, Options::default()).await
    }

    /// A provider with `options`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration or options that cannot work; [`Protocol::Http2`] is one.
    pub async fn with_options(config: BareGeminiConfig, options: Options) -> Result<Self, Error> {
        config.check()?;
        let lean = options.techniques.of(Level::Bare)?.contains(Technique::LeanRecords);
        let mut tls = net::lean_tls_config(&options.trust, options.crypto, Protocol::Http1)?;
        // For `Records`; no connection of this configuration is anybody else's.
        tls.enable_secret_extraction = lean;
        let origin = Origin::new(&config, &options)?;
        Self::to(origin, Some(tls), Level::Bare, config, options)
    }

    /// A provider that speaks by way of a proxy, which does its TLS: the level `proxied`.
    pub(crate) fn through(proxy: ProxyAddress, config: BareGeminiConfig, options: Options) -> Result<Self, Error> {
        config.check()?;
        let origin = Origin::new(&config, &options)?.through(proxy);
        Self::to(origin, None, Level::Proxied, config, options)
    }

    fn to(
        origin: Origin,
        tls: Option<ClientConfig>,
        level: Level,
        mut config: BareGeminiConfig,
        options: Options,
    ) -> Result<Self, Error> {
        options.techniques.of(level)?;
        if options.protocol == Protocol::Http2 {
            return Err(Error::config(format!("{level} speaks HTTP/1.1 only: choose h1, or another level")));
        }
        let key = ApiKey::new(&config.api_key)?;
        let fields = Fields::new(&origin.authority, key.header().as_bytes());
        let patience = Patience::new(&config, &options.timeouts);
        config.api_key = String::new();
        config.base_url = Some(origin.prefix.to_string());
        Ok(Self {
            origin,
            config,
            fields,
            key,
            tls: tls.map(Arc::new),
            patience,
            limits: options.limits,
            form: options.stream_form,
            retry: options.retry,
            idle: Idle::default(),
            tickets: Tickets::default(),
            rooms: Rooms::new(),
        })
    }

    /// Sends a request for content, and judges the head of its answer.
    async fn post(&self, request: &GenerateContentRequest, method: Method, wait: &Wait) -> Result<Answer, Error> {
        let address = Address::new(&self.config, request.model.as_deref(), method)?;
        let mut written = self.rooms.bodies.lease();
        let start = request::write(written.vec(), &address, &self.fields, method == Method::Generate, request)?;
        let answer = {
            let asked = pin!(self.answer([&written.as_ref()[start..], &[]], true, wait));
            wait.head(asked).await??
        };
        drop(written);
        self.accept(answer, wait).await
    }

    /// Sends a call to the base's own host, and reads its whole answer.
    async fn read_reply(&self, url: &reqwest::Url, call: &call::Call, wait: &Wait) -> Result<Reply, Error> {
        let mut written = self.rooms.bodies.lease();
        let rest = request::write_call(written.vec(), url, &self.fields, call);
        let mut answer = {
            let asked = pin!(self.answer([written.as_ref(), rest], call.is_repeatable(), wait));
            wait.head(asked).await??
        };
        drop(written);
        if call.method() == http::Method::HEAD {
            answer = answer.without_body();
        }
        let mut answer = self.accept(answer, wait).await?;
        let (status, headers) = (answer.head.status, answer.headers());
        let (body, start) = answer.whole(wait, &self.rooms, self.limits.max_body).await?;
        self.keep(answer);
        Ok(Reply { status, headers, body: Bytes::copy_from_slice(&body.as_ref()[start..]) })
    }

    /// Lets a successful answer pass. Anything else is an error.
    async fn accept(&self, answer: Answer, wait: &Wait) -> Result<Answer, Error> {
        match answer.head.status {
            200..300 => Ok(answer),
            300..400 => Err(Error::Redirect(answer.head.status)),
            // In a box, so that a call that succeeds has no room for it.
            _ => Err(Box::pin(self.refusal(answer, wait)).await),
        }
    }

    /// What the API says for not answering.
    async fn refusal(&self, mut answer: Answer, wait: &Wait) -> Error {
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| net::delay(value.to_str().ok()?.trim()));
        // A refusal that breaks off is still a refusal: what came of it is read.
        let mut body = Vec::new();
        let read = answer.read(wait, &self.rooms, |piece| {
            body.extend_from_slice(&piece[..piece.len().min(MAX_ERROR_BODY - body.len())]);
            Ok(if body.len() < MAX_ERROR_BODY { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        });
        let _ = read.await;
        let status = answer.head.status;
        self.keep(answer);
        Error::Api(Box::new(ApiError { retry_after, ..ApiError::from_body(status, &body) }))
    }

    /// Asks on a connection that waits, or else on a new one. `repeatable`: asking twice changes nothing.
    async fn answer(&self, request: [&[u8]; 2], repeatable: bool, wait: &Wait) -> Result<Answer, Error> {
        let failed = |unanswered: exchange::Unanswered| Error::Transport {
            phase: Phase::Head,
            source: Box::new(unanswered.error),
        };
        if let Some(connection) = self.idle.take() {
            match ask(connection, request).await {
                Ok(answer) => return Ok(answer),
                // It was closed just as it was used again, and nothing says that the request was read: once more, and on a new one.
                Err(unanswered) if unanswered.silent && repeatable => {}
                Err(unanswered) => return Err(failed(unanswered)),
            }
        }
        // In a box: a call on a connection that is there has no room for making one.
        let connection = Box::pin(self.connect(wait)).await?;
        ask(connection, request).await.map_err(failed)
    }

    async fn connect(&self, wait: &Wait) -> Result<Box<Connection>, Error> {
        let open = Connection::open(&self.origin, self.tls.as_ref(), &self.rooms.records, &self.tickets);
        match tokio::time::timeout(wait.connect, open).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(Error::Transport { phase: Phase::Connect, source: Box::new(error) }),
            Err(_) => Err(Error::Timeout { phase: Phase::Connect, limit: wait.connect }),
        }
    }

    /// Keeps the connection of an answer that was read, if it may be kept.
    fn keep(&self, answer: Answer) {
        if let Some(connection) = answer.into_connection() {
            self.idle.put(connection);
        }
    }

    async fn read_answer(
        &self,
        request: &GenerateContentRequest,
        wait: &Wait,
    ) -> Result<GenerateContentResponse, Error> {
        let mut answer = self.post(request, Method::Generate, wait).await?;
        let (mut body, start) = answer.whole(wait, &self.rooms, self.limits.max_body).await?;
        self.keep(answer);
        judge(decode(&mut body.vec()[start..]), ANSWER)
    }

    async fn read_events<F>(&self, request: &GenerateContentRequest, wait: &Wait, mut on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        let mut answer = self.post(request, Method::stream(self.form), wait).await?;
        let mut events = EventStream::new(self.form, self.rooms.cut(), self.limits.max_event, typed);
        if answer.read(wait, &self.rooms, |piece| events.push(piece, &mut on_event)).await? {
            self.keep(answer);
            events.finish(&mut on_event)?;
        }
        Ok(())
    }
}

impl Provider for BareGeminiProvider {
    async fn generate(&self, request: &GenerateContentRequest) -> Result<GenerateContentResponse, Error> {
        let (wait, mut retries) = (self.patience.generate(), self.retry.begin("generateContent", true));
        loop {
            match self.read_answer(request, &wait).await {
                Ok(answer) => {
                    retries.done();
                    return Ok(answer);
                }
                Err(error) => Box::pin(retries.pause(self.key.cleanse(error), &wait)).await?,
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
                Err(error) => Box::pin(retries.pause(error, &wait)).await?,
            }
        }
    }

    async fn call(&self, call: &call::Call) -> Result<Reply, Error> {
        // The configuration holds only the path of the base: an address is made of it so that a path is cleaned as by the other levels.
        let url = Address::parse(&["http://", &self.origin.authority, &call.url(&self.config)].concat())?;
        let wait = self.patience.generate();
        let mut retries = self.retry.begin(call.name(), call.is_repeatable());
        loop {
            match self.read_reply(&url, call, &wait).await {
                Ok(reply) => {
                    retries.done();
                    return Ok(reply);
                }
                Err(error) => Box::pin(retries.pause(self.key.cleanse(error), &wait)).await?,
            }
        }
    }

    fn default_model(&self) -> &str {
        &self.config.default_model
    }
}
