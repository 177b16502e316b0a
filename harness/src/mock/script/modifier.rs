//! The words after a script's `+`.

use std::fmt;
use std::mem::discriminant;
use std::str::FromStr;
use std::time::Duration;

use super::ScriptError;
use super::fault::Fault;
use crate::corpus;

/// One thing done to a reply on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Modifier {
    /// `status=CODE`: serve the service's error of that name instead.
    Status(String),
    /// `hold=POINT`: wait there until the control socket says `release`.
    Hold(HoldPoint),
    /// `cut=WHERE[-fin]`: end the connection inside the body.
    Cut {
        /// How much of the body is sent first.
        at: CutAt,
        /// How the connection ends.
        ending: Ending,
    },
    /// `wrong-text`: other words of the same length in every text; only a client that checks its answers will notice.
    WrongText,
    /// `malformed`: the last closing brace is missing.
    Malformed,
    /// `silence`: take the request and never answer.
    Silence,
    /// `pace=TIME`: let at least this pass before every step after the first.
    Pace(Duration),
    /// `delay=TIME`: let at least this pass before the head.
    Delay(Duration),
    /// `gzip` or `gzip=force`: compress a JSON body, as the service does where the client offers it.
    Gzip {
        /// Also where the client did not offer it.
        forced: bool,
    },
    /// `split=BYTES`: cut the body into pieces of this many bytes, one per TLS record.
    Split(usize),
    /// `framing=length|chunked`: how HTTP/1.1 says where the body ends.
    Framing(Framing),
    /// `lockstep=drained|off`: do not wait for the client to be done with the last step.
    LockStep(LockStep),
    /// `close`: say `Connection: close` and do so (HTTP/1.1).
    Close,
    /// Something goes wrong.
    Fault(Fault),
}

/// What a value should be.
pub(super) type Bad = &'static str;

impl Modifier {
    /// Whether the two are of one kind, of which a script has one.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fault(one), Self::Fault(other)) => discriminant(one) == discriminant(other),
            (one, other) => discriminant(one) == discriminant(other),
        }
    }
}

impl FromStr for Modifier {
    type Err = ScriptError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let bad = |wanted: &'static str| ScriptError::BadValue { word: word.to_owned(), wanted };
        match (name, value) {
            ("status", Some(code)) if corpus::reply(&format!("error-{code}")).is_some() => {
                Ok(Self::Status(code.to_owned()))
            }
            ("status", _) => Err(bad("the code of an error in the corpus, e.g. status=503 or status=429-daily")),
            ("hold", Some("before-head")) => Ok(Self::Hold(HoldPoint::BeforeHead)),
            ("hold", Some("after-first-event")) => Ok(Self::Hold(HoldPoint::AfterFirstEvent)),
            ("hold", _) => Err(bad("hold=before-head or hold=after-first-event")),
            ("cut", Some(value)) => {
                parse_cut(value).ok_or_else(|| bad("cut=50%, cut=1200 (bytes) or either with -fin"))
            }
            ("cut", None) => Err(bad("cut=50%, cut=1200 (bytes) or either with -fin")),
            ("wrong-text", None) => Ok(Self::WrongText),
            ("malformed", None) => Ok(Self::Malformed),
            ("silence", None) => Ok(Self::Silence),
            ("pace", value) => value.and_then(parse_time).map(Self::Pace).ok_or_else(|| bad("a time, e.g. pace=5ms")),
            ("delay", value) => value.and_then(parse_time).map(Self::Delay).ok_or_else(|| bad("a time, e.g. delay=1s")),
            ("gzip", None) => Ok(Self::Gzip { forced: false }),
            ("gzip", Some("force")) => Ok(Self::Gzip { forced: true }),
            ("gzip", _) => Err(bad("gzip or gzip=force")),
            ("split", value) => value
                .and_then(|v| v.parse().ok())
                .filter(|bytes| (1..=MAX_SPLIT).contains(bytes))
                .map(Self::Split)
                .ok_or_else(|| bad("a number of bytes from 1 to 16000, e.g. split=7")),
            ("framing", Some("length")) => Ok(Self::Framing(Framing::Length)),
            ("framing", Some("chunked")) => Ok(Self::Framing(Framing::Chunked)),
            ("framing", _) => Err(bad("framing=length or framing=chunked")),
            ("lockstep", Some("full")) => Ok(Self::LockStep(LockStep::Full)),
            ("lockstep", Some("drained")) => Ok(Self::LockStep(LockStep::Drained)),
            ("lockstep", Some("off")) => Ok(Self::LockStep(LockStep::Off)),
            ("lockstep", _) => Err(bad("lockstep=full, lockstep=drained or lockstep=off")),
            ("close", None) => Ok(Self::Close),
            ("wrong-text" | "malformed" | "silence" | "close", Some(_)) => Err(bad("no value")),
            _ => match Fault::read(name, value) {
                Some(fault) => fault.map(Self::Fault).map_err(bad),
                None => Err(ScriptError::UnknownModifier { word: word.to_owned() }),
            },
        }
    }
}

impl fmt::Display for Modifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "status={code}"),
            Self::Hold(HoldPoint::BeforeHead) => f.write_str("hold=before-head"),
            Self::Hold(HoldPoint::AfterFirstEvent) => f.write_str("hold=after-first-event"),
            Self::Cut { at, ending } => {
                match at {
                    CutAt::Percent(percent) => write!(f, "cut={percent}%")?,
                    CutAt::Bytes(bytes) => write!(f, "cut={bytes}")?,
                }
                f.write_str(if *ending == Ending::Fin { "-fin" } else { "" })
            }
            Self::WrongText => f.write_str("wrong-text"),
            Self::Malformed => f.write_str("malformed"),
            Self::Silence => f.write_str("silence"),
            Self::Pace(time) => write!(f, "pace={}", Spelled(*time)),
            Self::Delay(time) => write!(f, "delay={}", Spelled(*time)),
            Self::Gzip { forced: false } => f.write_str("gzip"),
            Self::Gzip { forced: true } => f.write_str("gzip=force"),
            Self::Split(bytes) => write!(f, "split={bytes}"),
            Self::Framing(Framing::Length) => f.write_str("framing=length"),
            Self::Framing(Framing::Chunked) => f.write_str("framing=chunked"),
            Self::LockStep(LockStep::Full) => f.write_str("lockstep=full"),
            Self::LockStep(LockStep::Drained) => f.write_str("lockstep=drained"),
            Self::LockStep(LockStep::Off) => f.write_str("lockstep=off"),
            Self::Close => f.write_str("close"),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

/// The most that `split=` takes, in bytes: what one TLS record holds beside HTTP's own framing.
pub const MAX_SPLIT: usize = 16_000;

/// Where an answer can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldPoint {
    /// The request is read, nothing of the answer is sent.
    BeforeHead,
    /// The head and the first event (of a body without events: its first half) are with the client.
    AfterFirstEvent,
}

/// How much of a body is sent before the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CutAt {
    /// Percent of the body's bytes, 0 to 99.
    Percent(u8),
    /// Bytes of the body.
    Bytes(usize),
}

impl CutAt {
    /// The number of bytes that are sent of a body of `total` bytes; always fewer than all.
    pub fn of(self, total: usize) -> usize {
        let asked = match self {
            Self::Percent(percent) => total * usize::from(percent) / 100,
            Self::Bytes(bytes) => bytes,
        };
        asked.min(total.saturating_sub(1))
    }
}

/// How a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// A TCP reset.
    Reset,
    /// A TCP FIN, without TLS's close_notify.
    Fin,
}

/// How HTTP/1.1 delimits a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// `Content-Length`.
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// How long a step waits for the client to be done with the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LockStep {
    /// Until the client has read all bytes and, when it has only this one answer in hand, sleeps again.
    #[default]
    Full,
    /// Until the client has read all bytes.
    Drained,
    /// Not at all.
    Off,
}

fn parse_cut(value: &str) -> Option<Modifier> {
    let (place, ending) = match value.strip_suffix("-fin") {
        Some(place) => (place, Ending::Fin),
        None => (value, Ending::Reset),
    };
    let at = match place.strip_suffix('%') {
        Some(percent) => CutAt::Percent(percent.parse().ok().filter(|p| *p < 100)?),
        None => CutAt::Bytes(place.parse().ok()?),
    };
    Some(Modifier::Cut { at, ending })
}

/// The longest time that a script may ask for.
const TIME_LIMIT: Duration = Duration::from_secs(3_600);

fn parse_time(value: &str) -> Option<Duration> {
    let number = |unit: &str| value.strip_suffix(unit)?.parse::<u64>().ok();
    // Seconds last: their unit ends the others too.
    let time = number("us").map(Duration::from_micros).or_else(|| number("ms").map(Duration::from_millis));
    time.or_else(|| number("s").map(Duration::from_secs)).filter(|time| *time <= TIME_LIMIT)
}

/// A time in the largest unit that says it in whole numbers.
struct Spelled(Duration);

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        match micros {
            _ if micros.is_multiple_of(1_000_000) => write!(f, "{}s", micros / 1_000_000),
            _ if micros.is_multiple_of(1_000) => write!(f, "{}ms", micros / 1_000),
            _ => write!(f, "{micros}us"),
        }
    }
}
