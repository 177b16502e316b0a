//! The mock's process: started like a subject, so that its memory is never the subject's and it dies with the harness.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use super::launch::Key;
use crate::mock::control::{Control, ControlError, Stats, key_digest};
use crate::process::{Launch, Lost, Process};

/// A running mock.
#[derive(Debug)]
pub struct Mock {
    // Dropped first: the mock ends when its owner's connection does.
    control: RefCell<Control>,
    origin: String,
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
}

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// The variable by which `plimsoll mock` says where it listens.
pub const BASE_URL: &str = "GEMINI_BASE_URL";

impl Mock {
    /// Starts one, controlled by a socket at `control`.
    ///
    /// # Errors
    /// When it does not start, or its control socket does not answer.
    pub fn start(control: &Path, traffic: Option<&Path>) -> Result<Self, MockError> {
        let mut arguments = vec!["mock".to_owned(), "--control".to_owned(), control.to_string_lossy().into_owned()];
        if let Some(dir) = traffic {
            let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
            arguments.extend(["--traffic".to_owned(), dir.to_string_lossy().into_owned()]);
        }
        // By its name while it has one, for whoever looks at the list of processes.
        let named = std::env::current_exe().ok().filter(|path| path.is_file());
        let program = named.unwrap_or_else(|| crate::process::exec::SELF.into());
        let mut process = Process::start(&Launch { program, arguments, env: Vec::new() }).map_err(MockError::Start)?;
        let said = process.listen(PATIENCE, &|| false).map_err(MockError::Start)?;
        let origin = said.strip_prefix(BASE_URL).and_then(|rest| rest.strip_prefix('=')).map(str::to_owned);
        let origin = origin.ok_or(MockError::Said(said))?;
        let control = RefCell::new(Control::connect(control)?);
        Ok(Self { control, origin, _process: process })
    }

    /// `https://localhost:PORT`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Sets its counters to zero.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn reset(&self) -> Result<(), ControlError> {
        self.control.borrow_mut().reset().map(drop)
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
