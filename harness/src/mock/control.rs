//! The control socket, seen from the runner: what happened, and `release` for answers that are held.
//!
//! One JSON object per line each way. The client here blocks, because the runner does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::corpus::hex;

/// A connection to a mock's control socket.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    stream: BufReader<UnixStream>,
}

/// How long the mock may take to answer, beside the time that a command itself may wait.
const PATIENCE: Duration = Duration::from_secs(10);

impl Control {
    /// Connects as the mock's owner: the mock ends when this connection does, also when this process is killed.
    pub fn connect(path: &Path) -> Result<Self, ControlError> {
        let mut control = Self::watch(path)?;
        control.ask(&Command::Own, Duration::ZERO)?;
        Ok(control)
    }

    /// Connects as an onlooker, whose leaving changes nothing.
    pub fn watch(path: &Path) -> Result<Self, ControlError> {
        let failed = |source| ControlError::Connect { path: path.to_owned(), source };
        let stream = UnixStream::connect(path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), stream: BufReader::new(stream) })
    }

    /// What happened since the start or the last [`Control::reset`].
    pub fn stats(&mut self) -> Result<Stats, ControlError> {
        self.ask(&Command::Stats, Duration::ZERO)
    }

    /// Lets every answer go on that is held now. Later ones are held again.
    pub fn release(&mut self) -> Result<Stats, ControlError> {
        self.ask(&Command::Release, Duration::ZERO)
    }

    /// Sets all counters to zero, but for the connections that are open and the answers that are held, and forgets all that was
    /// uploaded or cached, and what [`Control::serve`] said.
    pub fn reset(&mut self) -> Result<Stats, ControlError> {
        self.ask(&Command::Reset, Duration::ZERO)
    }

    /// Answers every request from now on by this script, whatever its path says, until another is given, `None`, or a [`Control::reset`].
    /// For a subject whose base URL stays the same while the work changes.
    pub fn serve(&mut self, script: Option<&str>) -> Result<Stats, ControlError> {
        self.ask(&Command::Serve { script: script.map(str::to_owned) }, Duration::ZERO)
    }

    /// Waits until at least `count` answers are held at once.
    pub fn wait_held(&mut self, count: u64, timeout: Duration) -> Result<Stats, ControlError> {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let stats = self.ask(&Command::WaitHeld { count, timeout_ms }, timeout)?;
        if stats.held < count {
            Err(ControlError::NotHeld { wanted: count, held: stats.held, timeout })
        } else {
            Ok(stats)
        }
    }

    /// Ends the mock.
    pub fn stop(mut self) -> Result<(), ControlError> {
        self.ask(&Command::Stop, Duration::ZERO).map(drop)
    }

    fn ask(&mut self, command: &Command, wait: Duration) -> Result<Stats, ControlError> {
        let failed = |source| ControlError::Talk { path: self.path.clone(), source };
        let mut line = serde_json::to_string(command).map_err(|error| failed(error.into()))?;
        line.push('\n');
        let socket = self.stream.get_mut();
        socket.set_read_timeout(Some(PATIENCE.saturating_add(wait))).map_err(failed)?;
        socket.write_all(line.as_bytes()).map_err(failed)?;
        line.clear();
        if self.stream.read_line(&mut line).map_err(failed)? == 0 {
            return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
        }
        match serde_json::from_str(&line).map_err(|error| failed(error.into()))? {
            Said::Stats(stats) => Ok(*stats),
            Said::Error(message) => Err(ControlError::Refused { message }),
        }
    }
}

/// The SHA-256 of a key in hexadecimal: what [`Stats::keys`] holds in its place.
pub fn key_digest(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

/// What the mock has seen. The key itself is never stored, only its digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Connections that are open.
    pub connections_open: u64,
    /// Connections that were accepted.
    pub connections_total: u64,
    /// TLS handshakes that failed: a client that does not trust the mock shows here.
    pub handshakes_failed: u64,
    /// Requests read whole.
    pub requests: u64,
    /// Answers written whole. A cut or abandoned one is not counted.
    pub answered: u64,
    /// Answers that are held at a hold point now.
    pub held: u64,
    /// Requests without a key.
    pub keyless: u64,
    /// Requests with the key in the URL, where it does not belong.
    pub keys_in_url: u64,
    /// Requests per key, by [`key_digest`].
    pub keys: BTreeMap<String, u64>,
    /// Requests per script, as the client spelled it.
    pub by_script: BTreeMap<String, u64>,
    /// Requests whose script was no script.
    pub bad_scripts: u64,
    /// Requests per protocol.
    pub protocols: Protocols,
    /// How well lock-step held.
    pub lockstep: LockStepStats,
}

/// Requests per protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocols {
    /// Over HTTP/1.1.
    pub h1: u64,
    /// Over HTTP/2.
    pub h2: u64,
    /// Of both, those over TLS.
    pub tls: u64,
}

/// How well lock-step held. Counts are exact only where the last three are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockStepStats {
    /// Steps that were waited for.
    pub steps: u64,
    /// Steps sent because the client stayed busy though it had read everything.
    pub unsettled: u64,
    /// Steps sent while other answers were under way, when busy says nothing: only reading was waited for.
    pub shared: u64,
    /// Steps sent blindly, because the client's socket is not on this machine or cannot be seen.
    pub unseen: u64,
}

/// What a line to the mock says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Command {
    Own,
    Stats,
    Release,
    Reset,
    WaitHeld { count: u64, timeout_ms: u64 },
    Serve { script: Option<String> },
    Stop,
}

/// What a line from the mock says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    Stats(Box<Stats>),
    Error(String),
}

/// Why a control command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no mock at the path.
    #[error("no mock listens on the control socket {}: {source}", path.display())]
    Connect {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The mock went away or said something else.
    #[error("the mock at the control socket {} does not answer: {source}", path.display())]
    Talk {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The mock would not do it.
    #[error("the mock refused: {message}")]
    Refused {
        /// In the mock's words.
        message: String,
    },
    /// Too few answers came to be held in time.
    #[error("only {held} of {wanted} answers are held after {timeout:?}")]
    NotHeld {
        /// How many were waited for.
        wanted: u64,
        /// How many there are.
        held: u64,
        /// How long it was waited.
        timeout: Duration,
    },
}
