//! One connection: opened, and then driven by a task of its own until it ends.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::{Ping, PingPong};
use rustls::ClientConfig;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::lines::Lines;
use super::socket::{Socket, Stream};
use crate::net::Origin;

/// How much of one answer may be under way, in bytes. A reader that stands still makes the connection hold so much at most.
const STREAM_WINDOW: u32 = 64 << 10;
/// The same of all answers on one connection.
const CONNECTION_WINDOW: u32 = 512 << 10;
/// The longest head of an answer, in bytes.
const MAX_HEAD: u32 = 64 << 10;
/// What is kept for frames of data shorter than 256 bytes that were not taken yet, in bytes: each counts with what it lacks of 256.
///
/// h2 ends a connection where it is exceeded, as a peer that sends crumbs can make it hold much for little. Its own choice, a quarter
/// of a mebibyte with this window, is what a thousand small answers that come at once take; this is sixteen frames for each of them.
const DATA_FRAME_BUDGET: usize = 4 << 20;
/// What h2 says of how many calls the server takes before the server has said it. Until then [`Lines`] lets one through.
const UNSAID: usize = usize::MAX - 1;
/// What is encrypted before the socket has taken what was encrypted before, in bytes.
const TLS_BUFFER: usize = 16 << 10;

/// How connections are made, and how they are watched.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) origin: Origin,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) connect: Duration,
    pub(super) watch: Watch,
}

/// How a connection is watched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    /// The peer is asked for a sign when it gave none in a span of so long, and given up when it gives none in the next.
    pub(super) silence: Duration,
    /// A connection that nobody uses is closed after so long.
    pub(super) idle: Duration,
}

/// What callers know of a connection.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Why it was given up, if it was not the transport that failed.
    lost: OnceLock<&'static str>,
}

impl Line {
    /// Why the connection was given up, if it was not the transport that failed.
    pub(super) fn lost(&self) -> Option<&'static str> {
        self.lost.get().copied()
    }
}

type Connection = h2::client::Connection<Socket, Bytes>;

/// Opens a connection for `lines`, and drives it until it ends.
pub(super) async fn serve(lines: Weak<Lines>, route: Arc<Route>) {
    let heard = Arc::new(AtomicBool::new(false));
    // In a box, because the task lives as long as the connection, and a handshake needs more room than all that follows.
    let open = Box::pin(tokio::time::timeout(route.connect, open(&route, Arc::clone(&heard))));
    let opened = match open.await {
        Ok(opened) => opened.map_err(Failure::Io),
        Err(_) => Err(Failure::Timeout(route.connect)),
    };
    let strong = lines.upgrade();
    match (opened, strong) {
        (Ok((sender, connection)), Some(strong)) => {
            let line = Arc::new(Line::default());
            strong.opened(Arc::clone(&line), sender);
            drop(strong);
            drive(connection, &lines, &line, &heard, route.watch).await;
            if let Some(lines) = lines.upgrade() {
                lines.retire(&line);
            }
        }
        (Err(failure), Some(strong)) => strong.failed(failure),
        // The provider is gone, and nobody waits for it.
        (_, None) => {}
    }
}

/// Why a connection could not be opened.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    Timeout(Duration),
}

async fn open(route: &Route, heard: Arc<AtomicBool>) -> io::Result<(SendRequest<Bytes>, Connection)> {
    let tcp = route.origin.connect().await?;
    let stream = match &route.origin.name {
        None => Stream::Plain(tcp),
        Some(name) => {
            let connector = TlsConnector::from(Arc::clone(&route.tls));
            let connect = connector.connect_with(name.clone(), tcp, |tls| tls.set_buffer_limit(Some(TLS_BUFFER)));
            let stream = connect.await?;
            if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                return Err(io::Error::new(io::ErrorKind::Unsupported, "the server does not speak HTTP/2"));
            }
            Stream::Tls(Box::new(stream))
        }
    };
    let handshake = Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEAD)
        // What the server repeats in its heads costs bytes on the wire, but no table that is kept.
        .header_table_size(0)
        .initial_max_send_streams(UNSAID)
        .data_frame_budget(DATA_FRAME_BUDGET)
        .handshake(Socket::new(stream, heard));
    handshake.await.map_err(io::Error::other)
}

/// Drives a connection to its end, and tells `lines` how many calls the server takes on it.
async fn drive(mut connection: Connection, lines: &Weak<Lines>, line: &Arc<Line>, heard: &AtomicBool, watch: Watch) {
    let mut limit = UNSAID;
    let mut pings = connection.ping_pong();
    let mut asked = false;
    let mut tick = pin!(tokio::time::sleep(watch.silence));
    let driven = poll_fn(|cx| {
        if Pin::new(&mut connection).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let allowed = connection.max_concurrent_send_streams();
        if allowed != limit {
            limit = allowed;
            if let Some(lines) = lines.upgrade() {
                lines.allow(line, allowed);
            }
        }
        if let Some(pings) = &mut pings {
            // What it says is known from the bytes; it is taken so that there can be another.
            let _ = pings.poll_pong(cx);
        }
        while tick.as_mut().poll(cx).is_ready() {
            tick.as_mut().reset(Instant::now() + watch.silence);
            if heard.swap(false, Ordering::Relaxed) {
                asked = false;
            } else if asked {
                let _ = line.lost.set("the server does not answer a PING");
                return Poll::Ready(());
            } else if lines.upgrade().is_none_or(|lines| lines.is_in_use(line, watch.idle)) {
                asked = ask(&mut pings);
            }
        }
        Poll::Pending
    });
    driven.await;
}

/// Asks the peer for a sign. A connection that cannot be asked ends by itself.
fn ask(pings: &mut Option<PingPong>) -> bool {
    pings.as_mut().is_some_and(|pings| pings.send_ping(Ping::opaque()).is_ok())
}
