//! The words that make something go wrong, or merely unusual, on its way out.

use std::fmt;

use super::modifier::Bad;

/// One fault. A script may have several, each kind once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// `error-event=bare|data`: half of the events, then an error under HTTP 200.
    ErrorEvent {
        /// Behind `data:`, like an event.
        framed: bool,
    },
    /// `early-finish`: the first event says why the answer ends.
    EarlyFinish,
    /// `no-finish`: no event says why the answer ends.
    NoFinish,
    /// `pad=SIZE`: the first text is longer by so many bytes.
    Pad(usize),
    /// `bomb=SIZE`: the body is gzipped, with so many bytes of white space behind it.
    Bomb(u64),
    /// `redirect=CODE`: to the same path on another host, which is this mock too.
    Redirect(u16),
    /// `reset=before|behind`: the connection is reset before the head or behind the whole answer.
    Reset(ResetAt),
    /// `informational`: heads of the 1xx kind go first.
    Informational,
    /// `chunk-extensions`: each chunk's size is followed by some (HTTP/1.1).
    ChunkExtensions,
    /// `trailers`: fields behind the last chunk (HTTP/1.1).
    Trailers,
    /// `bad-chunk`: words where the second chunk's size should be (HTTP/1.1).
    BadChunk,
    /// `reuse=closed|dropped`: the connection ends though nothing was said (HTTP/1.1).
    Reuse(Reuse),
    /// `goaway` or `goaway=graceful`: behind the first event (HTTP/2).
    GoAway {
        /// What is under way is finished.
        graceful: bool,
    },
    /// `refused`: RST_STREAM with REFUSED_STREAM in place of an answer (HTTP/2).
    Refused,
    /// `rst`: RST_STREAM with INTERNAL_ERROR behind the first event (HTTP/2).
    ResetStream,
    /// `stream-limit=N`: from now on fewer streams at a time (HTTP/2).
    StreamLimit(u32),
    /// `zero-window`: from now on no stream may send a body (HTTP/2).
    ZeroWindow,
    /// `continuations`: a head that does not end (HTTP/2).
    Continuations,
    /// `no-ping`: nothing is answered any more (HTTP/2).
    NoPing,
}

/// Where a connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResetAt {
    /// Before the head.
    Before,
    /// Behind the answer's last byte.
    Behind,
}

/// How a kept connection ends unsaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reuse {
    /// Behind the answer, at once.
    Closed,
    /// When the next request was read, in place of its answer.
    Dropped,
}

impl Fault {
    /// Reads one word; `None` where it is no fault's.
    pub(super) fn read(name: &str, value: Option<&str>) -> Option<Result<Self, Bad>> {
        let plain = |fault: Self| Ok(fault).and_then(|fault| value.map_or(Ok(fault), |_| Err("no value")));
        Some(match name {
            "error-event" => match value {
                Some("bare") => Ok(Self::ErrorEvent { framed: false }),
                Some("data") => Ok(Self::ErrorEvent { framed: true }),
                _ => Err("error-event=bare or error-event=data"),
            },
            "early-finish" => plain(Self::EarlyFinish),
            "no-finish" => plain(Self::NoFinish),
            "pad" => size(value)
                .and_then(|size| usize::try_from(size).ok())
                .filter(|size| *size <= MAX_PAD)
                .map(Self::Pad)
                .ok_or("a size up to 256MiB, e.g. pad=4MiB"),
            "bomb" => size(value)
                .filter(|size| *size <= MAX_BOMB)
                .map(Self::Bomb)
                .ok_or("a size up to 1024MiB, e.g. bomb=64MiB"),
            "redirect" => value
                .and_then(|code| code.parse().ok())
                .filter(|code| matches!(code, 301 | 302 | 303 | 307 | 308))
                .map(Self::Redirect)
                .ok_or("redirect=301, 302, 303, 307 or 308"),
            "reset" => match value {
                Some("before") => Ok(Self::Reset(ResetAt::Before)),
                Some("behind") => Ok(Self::Reset(ResetAt::Behind)),
                _ => Err("reset=before or reset=behind"),
            },
            "informational" => plain(Self::Informational),
            "chunk-extensions" => plain(Self::ChunkExtensions),
            "trailers" => plain(Self::Trailers),
            "bad-chunk" => plain(Self::BadChunk),
            "reuse" => match value {
                Some("closed") => Ok(Self::Reuse(Reuse::Closed)),
                Some("dropped") => Ok(Self::Reuse(Reuse::Dropped)),
                _ => Err("reuse=closed or reuse=dropped"),
            },
            "goaway" => match value {
                None => Ok(Self::GoAway { graceful: false }),
                Some("graceful") => Ok(Self::GoAway { graceful: true }),
                Some(_) => Err("goaway or goaway=graceful"),
            },
            "refused" => plain(Self::Refused),
            "rst" => plain(Self::ResetStream),
            "stream-limit" => value
                .and_then(|limit| limit.parse().ok())
                .filter(|limit| *limit > 0)
                .map(Self::StreamLimit)
                .ok_or("a number of streams from 1 on, e.g. stream-limit=1"),
            "zero-window" => plain(Self::ZeroWindow),
            "continuations" => plain(Self::Continuations),
            "no-ping" => plain(Self::NoPing),
            _ => return None,
        })
    }

    /// Whether it happens on HTTP/2 only, or on HTTP/1.1 only; `None`: on both.
    pub(crate) fn is_of_http2(&self) -> Option<bool> {
        match self {
            Self::ChunkExtensions | Self::Trailers | Self::BadChunk | Self::Reuse(_) => Some(false),
            Self::GoAway { .. }
            | Self::Refused
            | Self::ResetStream
            | Self::StreamLimit(_)
            | Self::ZeroWindow
            | Self::Continuations
            | Self::NoPing => Some(true),
            Self::ErrorEvent { .. }
            | Self::EarlyFinish
            | Self::NoFinish
            | Self::Pad(_)
            | Self::Bomb(_)
            | Self::Redirect(_)
            | Self::Reset(_)
            | Self::Informational => None,
        }
    }

    /// Whether it is about chunks, so that there must be some.
    pub(crate) fn wants_chunks(&self) -> bool {
        matches!(self, Self::ChunkExtensions | Self::Trailers | Self::BadChunk)
    }

    /// Whether something of the body must be out first.
    pub(crate) fn is_behind_the_first_piece(&self) -> bool {
        matches!(self, Self::BadChunk | Self::GoAway { .. } | Self::ResetStream)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ErrorEvent { framed: false } => f.write_str("error-event=bare"),
            Self::ErrorEvent { framed: true } => f.write_str("error-event=data"),
            Self::EarlyFinish => f.write_str("early-finish"),
            Self::NoFinish => f.write_str("no-finish"),
            Self::Pad(size) => write!(f, "pad={}", Size(*size as u64)),
            Self::Bomb(size) => write!(f, "bomb={}", Size(*size)),
            Self::Redirect(code) => write!(f, "redirect={code}"),
            Self::Reset(ResetAt::Before) => f.write_str("reset=before"),
            Self::Reset(ResetAt::Behind) => f.write_str("reset=behind"),
            Self::Informational => f.write_str("informational"),
            Self::ChunkExtensions => f.write_str("chunk-extensions"),
            Self::Trailers => f.write_str("trailers"),
            Self::BadChunk => f.write_str("bad-chunk"),
            Self::Reuse(Reuse::Closed) => f.write_str("reuse=closed"),
            Self::Reuse(Reuse::Dropped) => f.write_str("reuse=dropped"),
            Self::GoAway { graceful: false } => f.write_str("goaway"),
            Self::GoAway { graceful: true } => f.write_str("goaway=graceful"),
            Self::Refused => f.write_str("refused"),
            Self::ResetStream => f.write_str("rst"),
            Self::StreamLimit(limit) => write!(f, "stream-limit={limit}"),
            Self::ZeroWindow => f.write_str("zero-window"),
            Self::Continuations => f.write_str("continuations"),
            Self::NoPing => f.write_str("no-ping"),
        }
    }
}

/// The most that `pad=` takes, in bytes: the mock holds such a body in memory.
const MAX_PAD: usize = 256 << 20;
/// The most that `bomb=` takes, in bytes: compressed it is a thousandth.
const MAX_BOMB: u64 = 1 << 30;

/// A size in bytes: `4096`, `64KiB`, `4MiB`.
fn size(value: Option<&str>) -> Option<u64> {
    let value = value?;
    let (number, unit) = match (value.strip_suffix("KiB"), value.strip_suffix("MiB")) {
        (Some(number), _) => (number, 1 << 10),
        (_, Some(number)) => (number, 1 << 20),
        _ => (value, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|size| *size > 0)
}

/// A size in the largest unit that says it in whole numbers.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            size if size.is_multiple_of(1 << 20) => write!(f, "{}MiB", size >> 20),
            size if size.is_multiple_of(1 << 10) => write!(f, "{}KiB", size >> 10),
            size => write!(f, "{size}"),
        }
    }
}
