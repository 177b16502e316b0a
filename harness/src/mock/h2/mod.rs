//! HTTP/2 by the `h2` crate, one flush to a TLS record.
//!
//! What the crate does not do is done behind its back: [`settings`] that change, a connection that is taken from it ([`lent`]) and
//! frames by hand ([`raw`]).

mod lent;
mod raw;
mod settings;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::header::{CONTENT_LENGTH, HeaderValue, LINK};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::answer;
use super::front::Shared;
use super::plan::{Head, Outlet, Special, StreamReset, TakeOver, Walked, Write, walk};
use super::request::Request;
use super::script::{Ending, Framing};
use super::service::intake::Intake;
use super::wire::{Corked, Meter};
use lent::Lent;
use settings::Pending;

pub(super) use settings::as_stream_limit;

/// Windows so wide that a run never sees a WINDOW_UPDATE for what it uploads: one would come every few hundred requests and
/// be a read of its own.
const WINDOW: u32 = 1 << 30;

/// What a stream wants done to the connection.
enum Wish {
    /// With whom to tell when it is on its way: what the stream sends after that comes after it.
    Special(Special, oneshot::Sender<()>),
    TakeOver(TakeOver, u32),
}

/// Answers streams until the connection ends.
pub(super) async fn serve<S>(stream: S, meter: Arc<Meter>, shared: &Arc<Shared>, tls: bool) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut builder = Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    if let Some(limit) = shared.max_concurrent_streams {
        builder.max_concurrent_streams(limit);
    }
    let lent = Lent::new(stream);
    let corked = Corked::new(lent.handle(), Arc::clone(&meter));
    let mut connection = builder.handshake(corked).await.map_err(io::Error::other)?;
    // Dropped with the connection, and its tasks with it.
    let mut streams = JoinSet::new();
    let (wish, mut wishes) = mpsc::unbounded_channel();
    let mut pending = Pending::default();
    let (how, id) = loop {
        tokio::select! {
            biased;
            Some(wish) = wishes.recv() => match wish {
                Wish::Special(Special::LowerStreams(limit), sent) => {
                    meter.limit_streams(limit);
                    pending.send(WINDOW, sent);
                }
                Wish::Special(Special::ShutWindow, sent) => pending.send(0, sent),
                // Whoever waits for `sent` goes on when it is dropped, too.
                Wish::Special(Special::GoAwayGracefully, _sent) => connection.graceful_shutdown(),
                Wish::Special(Special::Raw(_), _sent) => {}
                Wish::TakeOver(how, id) => break (how, id),
            },
            accepted = poll_fn(|cx| pending.poll_accept(&mut connection, cx)) => match accepted {
                None => return Ok(()),
                Some(accepted) => {
                    let (request, respond) = accepted.map_err(io::Error::other)?;
                    let (shared, meter, wish) = (Arc::clone(shared), Arc::clone(&meter), wish.clone());
                    streams.spawn(async move {
                        // A stream that fails is its client's affair; what was not answered is not counted.
                        if let Err(error) = answer_stream(request, respond, &meter, &shared, tls, wish).await {
                            tracing::debug!(%error, "a stream ended");
                        }
                    });
                }
            },
            () = meter.aborted() => return Ok(()),
            Some(_) = streams.join_next() => {}
        }
    };
    streams.shutdown().await;
    drop(connection);
    match lent.take() {
        Some(stream) => raw::run(how, id, stream).await,
        None => Ok(()),
    }
}

async fn answer_stream(
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
    meter: &Arc<Meter>,
    shared: &Shared,
    tls: bool,
    wish: mpsc::UnboundedSender<Wish>,
) -> io::Result<()> {
    let (parts, mut body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let authority = parts.uri.authority().map_or("localhost", |authority| authority.as_str());
    let request = Request::new(parts.method, target, &parts.headers, &shared.default_script).over_http2(authority);
    let request = if tls { request.over_tls() } else { request };
    let mut request = request.served_by(&shared.state);
    let mut intake = Intake::of(&request, &shared.state);
    while let Some(data) = body.data().await {
        let data = data.map_err(io::Error::other)?;
        intake.take(&data);
        body.flow_control().release_capacity(data.len()).map_err(io::Error::other)?;
    }
    request.taken = intake.done();
    let answering = shared.state.answering();
    shared.state.count(|stats| {
        stats.protocols.h2 += 1;
        stats.protocols.tls += u64::from(tls);
    });
    let plan = answer::plan(shared, &request).await;
    let id = respond.stream_id().as_u32();
    let mut outlet = Http2 { respond, body: None, meter, wish };
    match walk(plan, &mut outlet, shared, meter, answering).await? {
        Walked::Whole | Walked::Left => {}
        Walked::Abort(ending) => {
            if ending == Ending::Reset {
                meter.reset_at_end();
            }
            meter.abort();
        }
        Walked::ResetStream(reset) => outlet.reset(reset),
        Walked::TakeOver(how) => {
            outlet.wish(Wish::TakeOver(how, id));
            // Whatever this stream has open stays so until the connection is taken, and this task ended with it.
            std::future::pending::<()>().await;
        }
    }
    Ok(())
}

struct Http2<'a> {
    respond: SendResponse<Bytes>,
    /// There from the head on.
    body: Option<SendStream<Bytes>>,
    meter: &'a Meter,
    wish: mpsc::UnboundedSender<Wish>,
}

impl Outlet for Http2<'_> {
    async fn ready(&mut self, write: &Write) -> io::Result<()> {
        match &mut self.body {
            Some(body) if !write.data.is_empty() => {
                body.reserve_capacity(write.data.len());
                capacity(body).await
            }
            _ => Ok(()),
        }
    }

    async fn write(&mut self, head: &Head, write: Write) -> io::Result<()> {
        let before = self.meter.flushed();
        if write.head {
            if head.frills.informational {
                self.respond.send_informational(hints()).map_err(io::Error::other)?;
            }
            let only_head = write.end && write.data.is_empty();
            self.body = Some(self.respond.send_response(response(head), only_head).map_err(io::Error::other)?);
            if only_head || write.data.is_empty() {
                return self.flushed(before + 1).await;
            }
        }
        let Some(body) = &mut self.body else {
            return Err(io::Error::other("a body before its head"));
        };
        let mut rest = write.data;
        if rest.is_empty() {
            body.send_data(rest, true).map_err(io::Error::other)?;
            return self.flushed(before + 1).await;
        }
        let mut sent = 0;
        while !rest.is_empty() {
            body.reserve_capacity(rest.len());
            // All of it goes at once, but to a client with a very narrow window.
            capacity(body).await?;
            let now = rest.split_to(rest.len().min(body.capacity()));
            sent += now.len() as u64;
            let end = write.end && rest.is_empty();
            body.send_data(now, end).map_err(io::Error::other)?;
        }
        self.flushed(before + sent).await
    }

    async fn special(&mut self, special: Special) -> io::Result<()> {
        let (sent, on_its_way) = oneshot::channel();
        self.wish(Wish::Special(special, sent));
        let _ = on_its_way.await;
        Ok(())
    }

    async fn gone(&mut self) {
        let reset = match &mut self.body {
            Some(body) => poll_fn(|cx| body.poll_reset(cx)).await,
            None => poll_fn(|cx| self.respond.poll_reset(cx)).await,
        };
        tracing::debug!(?reset, "the client gave a stream up");
    }
}

impl Http2<'_> {
    /// Asks for something to be done to the connection. One that has ended needs nothing done.
    fn wish(&self, wish: Wish) {
        let _ = self.wish.send(wish);
    }

    fn reset(&mut self, reset: StreamReset) {
        let reason = match reset {
            StreamReset::Refused => Reason::REFUSED_STREAM,
            StreamReset::Internal => Reason::INTERNAL_ERROR,
        };
        match &mut self.body {
            Some(body) => body.send_reset(reason),
            None => self.respond.send_reset(reason),
        }
    }

    /// Waits until the connection's task has handed over `bytes` bytes, or the client has reset the stream and they never will.
    async fn flushed(&mut self, bytes: u64) -> io::Result<()> {
        tokio::select! {
            biased;
            () = self.meter.flushed_at_least(bytes) => Ok(()),
            () = self.gone() => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

/// Waits until the client's window lets a byte through.
async fn capacity(body: &mut SendStream<Bytes>) -> io::Result<()> {
    while body.capacity() == 0 {
        match poll_fn(|cx| body.poll_capacity(cx)).await {
            Some(granted) => granted.map_err(io::Error::other)?,
            None => return Err(io::ErrorKind::BrokenPipe.into()),
        };
    }
    Ok(())
}

/// The one informational head that HTTP/2 clients meet.
fn hints() -> http::Response<()> {
    let mut hints = http::Response::new(());
    *hints.status_mut() = http::StatusCode::EARLY_HINTS;
    hints.headers_mut().insert(LINK, HeaderValue::from_static("</style.css>; rel=preload"));
    hints
}

fn response(head: &Head) -> http::Response<()> {
    let mut response = http::Response::new(());
    *response.status_mut() = head.status;
    for (name, value) in &head.headers {
        response.headers_mut().append(name, value.clone());
    }
    if head.framing == Framing::Length {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(head.length));
    }
    response
}
