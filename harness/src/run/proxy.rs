//! The proxy of a subject that says it needs one: started before it, told to it, read at each checkpoint, and never counted as its own.

use std::path::PathBuf;
use std::time::Duration;

use plimsoll_reports::record::Process as ProcessRow;

use crate::config::Probe;
use crate::probe::Metrics;
use crate::probe::count::Counters;
use crate::probe::proc::Watched;
use crate::process::group::Group;
use crate::process::{Launch, Lost, Process};

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);
/// What it says when it listens, before the address.
const GREETING: &str = "plimsoll-proxy 1 address=";
/// The variable that tells a subject where its proxy listens.
pub const VARIABLE: &str = "PLIMSOLL_PROXY";
/// What records call it.
const ROLE: &str = "proxy";

/// A running proxy. It ends with its sample.
#[derive(Debug)]
pub struct Proxy {
    process: Process,
    watched: Watched,
    counters: Option<Counters>,
    address: String,
}

/// A proxy that does not run, or cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// It could not be started, or ended.
    #[error("the subject's proxy: {0}")]
    Lost(#[from] Lost),
    /// It said something else than where it listens.
    #[error("the subject's proxy said {0:?}, not `{GREETING}…`; see PROTOCOL.md")]
    Said(String),
    /// Its memory cannot be read.
    #[error("the subject's proxy: {0}")]
    Unread(#[from] crate::probe::proc::ReadError),
    /// Its counters cannot be read.
    #[error("the subject's proxy: {0}")]
    Uncounted(#[from] crate::probe::count::CountError),
}

impl Proxy {
    /// Starts one, in the subject's control group if it has one. With `count_file`, its allocations are counted there.
    ///
    /// # Errors
    /// When it does not say where it listens.
    pub fn start(launch: &Launch, count_file: Option<&PathBuf>, group: Option<&Group>) -> Result<Self, ProxyError> {
        let counters = count_file.map(|path| Counters::create(path)).transpose()?;
        let mut process = Process::start_in(launch, group)?;
        let said = process.listen(PATIENCE, &|| false)?;
        let address = said.strip_prefix(GREETING).filter(|address| !address.is_empty()).map(str::to_owned);
        let address = address.ok_or(ProxyError::Said(said))?;
        let watched = Watched::new(process.id())?;
        watched.reset_high_water_mark()?;
        Ok(Self { process, watched, counters, address })
    }

    /// Where it listens, in its own words.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits until it is at rest, for no longer than `patience`.
    pub fn rest(&self, patience: Duration) {
        self.watched.rest(patience);
    }

    /// What it takes, by that probe; nothing for probes that only a subject itself can be read by.
    ///
    /// # Errors
    /// When it is gone.
    pub fn row(&self, probe: Probe) -> Result<Option<ProcessRow>, ProxyError> {
        let metrics: Option<Metrics> = match (probe, &self.counters) {
            (Probe::Rss | Probe::Ledger, _) => Some(self.watched.metrics()?),
            (Probe::Count, Some(counters)) => counters.subject(self.process.id())?,
            _ => None,
        };
        Ok(metrics.map(|metrics| ProcessRow { role: ROLE.to_owned(), metrics }))
    }
}
