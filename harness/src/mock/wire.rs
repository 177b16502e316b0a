//! A TCP connection as the mock sees it: what was read ahead to tell the protocol, how many bytes were written, and how it
//! ends.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Notify};

use super::h2::as_stream_limit;

/// What is known of a connection by those who do not hold it.
#[derive(Debug)]
pub(super) struct Meter {
    /// The client's end.
    pub(super) client: SocketAddr,
    /// Our end.
    pub(super) server: SocketAddr,
    /// One step at a time on a connection, also when many streams share it.
    pub(super) turn: Mutex<()>,
    written: AtomicU64,
    flushed: AtomicU64,
    flush: Notify,
    reset: AtomicBool,
    abort: Notify,
    /// A limit of streams that is yet to be told, or [`NO_LIMIT`].
    streams: AtomicU32,
}

const NO_LIMIT: u32 = u32::MAX;

impl Meter {
    /// Bytes handed to the kernel so far, TLS included.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Bytes of HTTP that passed a [`Corked`] so far.
    pub(super) fn flushed(&self) -> u64 {
        self.flushed.load(Ordering::Acquire)
    }

    /// Waits until [`Meter::flushed`] is at least `bytes`.
    pub(super) async fn flushed_at_least(&self, bytes: u64) {
        loop {
            let notified = self.flush.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.flushed() >= bytes {
                return;
            }
            notified.await;
        }
    }

    /// Has the connection end with a TCP reset when it is dropped.
    pub(super) fn reset_at_end(&self) {
        self.reset.store(true, Ordering::Release);
    }

    /// Has the next settings that are sent say that there may be so many streams.
    pub(super) fn limit_streams(&self, limit: u32) {
        self.streams.store(limit, Ordering::Release);
    }

    /// Tells whoever holds the connection to drop it.
    pub(super) fn abort(&self) {
        self.abort.notify_one();
    }

    /// Completes when [`Meter::abort`] was called.
    pub(super) async fn aborted(&self) {
        self.abort.notified().await;
    }
}

/// A TCP connection with its [`Meter`].
#[derive(Debug)]
pub(super) struct Wire {
    tcp: TcpStream,
    ahead: Bytes,
    meter: Arc<Meter>,
}

impl Wire {
    pub(super) fn new(tcp: TcpStream) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let meter = Meter {
            client: tcp.peer_addr()?,
            server: tcp.local_addr()?,
            turn: Mutex::new(()),
            written: AtomicU64::new(0),
            flushed: AtomicU64::new(0),
            flush: Notify::new(),
            reset: AtomicBool::new(false),
            abort: Notify::new(),
            streams: AtomicU32::new(NO_LIMIT),
        };
        Ok(Self { tcp, ahead: Bytes::new(), meter: Arc::new(meter) })
    }

    pub(super) fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    /// Reads the first bytes, at most `wanted`, without taking them, for as long as they are the beginning of `like`.
    pub(super) async fn look_ahead(&mut self, like: &[u8]) -> io::Result<&[u8]> {
        let mut seen = BytesMut::with_capacity(like.len());
        while seen.len() < like.len() && like.starts_with(&seen) {
            let mut rest = (&mut self.tcp).take((like.len() - seen.len()) as u64);
            if rest.read_buf(&mut seen).await? == 0 {
                break;
            }
        }
        self.ahead = seen.freeze();
        Ok(&self.ahead)
    }

    /// Whether what was read ahead is `like`.
    pub(super) fn looked_like(&self, like: &[u8]) -> bool {
        self.ahead == like
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.meter.reset.load(Ordering::Acquire) {
            // Where it cannot be set the connection ends with a FIN, which is a cut as well.
            let _ = self.tcp.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.has_remaining() {
            let taken = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead.split_to(taken));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.tcp).poll_write(cx, data))?;
        self.meter.written.fetch_add(written as u64, Ordering::AcqRel);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.tcp).poll_write_vectored(cx, data))?;
        self.meter.written.fetch_add(written as u64, Ordering::AcqRel);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Collects what is written until it is flushed, so that one flush of the HTTP/2 library is one TLS record.
#[derive(Debug)]
pub(super) struct Corked<S> {
    stream: S,
    pending: BytesMut,
    meter: Arc<Meter>,
}

/// How much is collected before it goes out unasked, in bytes. Lock-step keeps steps far below it.
const CORK_LIMIT: usize = 256 * 1024;

impl<S> Corked<S> {
    pub(super) fn new(stream: S, meter: Arc<Meter>) -> Self {
        Self { stream, pending: BytesMut::new(), meter }
    }
}

impl<S: AsyncWrite + Unpin> Corked<S> {
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let limit = self.meter.streams.load(Ordering::Acquire);
        if limit != NO_LIMIT && as_stream_limit(&mut self.pending, limit) {
            self.meter.limit_streams(NO_LIMIT);
        }
        while self.pending.has_remaining() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.advance(written);
            self.meter.flushed.fetch_add(written as u64, Ordering::AcqRel);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Corked<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Corked<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if self.pending.len() >= CORK_LIMIT {
            ready!(self.poll_drain(cx))?;
        }
        self.pending.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.meter.flush.notify_waiters();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
