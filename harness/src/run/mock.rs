//! The mock's process: started like a subject, so that its memory is never the subject's and it dies with the harness.

use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use super::launch::Key;
use crate::config::Streams;
use crate::mock::control::{Control, ControlError, Stats, key_digest};
use crate::probe::proc::{ReadError, Watched};
use crate::process::{Launch, Lost, Process};

/// A running mock.
#[derive(Debug)]
pub struct Mock {
    // Dropped first: the mock ends when its owner's connection does.
    control: RefCell<Control>,
    origin: String,
    watched: Watched,
    _process: Process,
}

/// A mock that does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MockError {
    /// It could not be started.
    #[error("cannot start the mock: {0}")]
    Start(Lost),
    /// It said something else than where it listens.
    #[error("the mock said {0:?} instead of where it listens")]
    Said(String),
    /// Its control socket does not answer.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// It is gone as soon as it was started.
    #[error("the mock is gone: {0}")]
    Gone(#[from] ReadError),
}

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the connections of a subject that has ended may take to be closed.
const CLOSING: Duration = Duration::from_secs(10);

/// The variable by which `plimsoll mock` says where it listens.
pub const BASE_URL: &str = "GEMINI_BASE_URL";

impl Mock {
    /// Starts one, controlled by a socket at `control`, with or without the usual limit of streams on an HTTP/2 connection.
    ///
    /// # Errors
    /// When it does not start, or its control socket does not answer.
    pub fn start(control: &Path, traffic: Option<&Path>, streams: Streams) -> Result<Self, MockError> {
        let mut arguments = vec!["mock".to_owned(), "--control".to_owned(), control.to_string_lossy().into_owned()];
        if let Some(dir) = traffic {
            let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
            arguments.extend(["--traffic".to_owned(), dir.to_string_lossy().into_owned()]);
        }
        if streams == Streams::Unlimited {
            arguments.extend(["--max-streams".to_owned(), "0".to_owned()]);
        }
        // By its name while it has one, for whoever looks at the list of processes.
        let named = std::env::current_exe().ok().filter(|path| path.is_file());
        let program = named.unwrap_or_else(|| crate::process::exec::SELF.into());
        let mut process = Process::start(&Launch { program, arguments, env: Vec::new() }).map_err(MockError::Start)?;
        let said = process.listen(PATIENCE, &|| false).map_err(MockError::Start)?;
        let origin = said.strip_prefix(BASE_URL).and_then(|rest| rest.strip_prefix('=')).map(str::to_owned);
        let origin = origin.ok_or(MockError::Said(said))?;
        let control = RefCell::new(Control::connect(control)?);
        let watched = Watched::new(process.id())?;
        Ok(Self { control, origin, watched, _process: process })
    }

    /// `https://localhost:PORT`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Begins anew: lets go on what an earlier subject left held, waits until its connections are closed, and sets the counters to zero. Else
    /// what arrived late from a subject that was ended would be counted as the next one's.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn reset(&self) -> Result<(), ControlError> {
        let mut control = self.control.borrow_mut();
        let until = Instant::now() + CLOSING;
        loop {
            let stats = control.release()?;
            // A process that outlives its subject may keep a connection: whoever is measured next is counted all the same.
            if (stats.held, stats.connections_open) == (0, 0) || Instant::now() >= until {
                return control.reset().map(drop);
            }
            std::thread::yield_now();
        }
    }

    /// Whether all of its threads sleep: then what it is to get has not been sent.
    pub fn sleeps(&self) -> bool {
        self.watched.sleeps()
    }

    /// Waits until at least `count` answers are held at once, or `patience` is over; gives what it saw by then in either case.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn wait_held(&self, count: u64, patience: Duration) -> Result<Stats, ControlError> {
        let mut control = self.control.borrow_mut();
        match control.wait_held(count, patience) {
            Err(ControlError::NotHeld { .. }) => control.stats(),
            other => other,
        }
    }

    /// Lets go on what it holds; gives what it saw by then.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn release(&self) -> Result<Stats, ControlError> {
        self.control.borrow_mut().release()
    }

    /// Has every request answered by this script from now on, whatever its path says; `None` ends that.
    ///
    /// # Errors
    /// When it does not answer, or the script is none.
    pub fn serve(&self, script: Option<&str>) -> Result<(), ControlError> {
        self.control.borrow_mut().serve(script).map(drop)
    }

    /// What it saw since.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn stats(&self) -> Result<Stats, ControlError> {
        self.control.borrow_mut().stats()
    }
}

/// Requests that carried this key in the header.
pub fn keyed(stats: &Stats, key: &Key) -> u64 {
    stats.keys.get(&key_digest(key.expose())).copied().unwrap_or_default()
}

/// The protocol of all requests: `h1`, `h2`, or nothing if there were none or both.
pub fn protocol(stats: &Stats) -> &'static str {
    match (stats.protocols.h1, stats.protocols.h2) {
        (1.., 0) => "h1",
        (0, 1..) => "h2",
        _ => "",
    }
}
