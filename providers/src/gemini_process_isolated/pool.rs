//! The helpers of a provider: as few as do, never more than allowed, each for a bounded time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use super::frame::{self, Kind};
use super::helper::{Begun, Helper};
use super::setup::Setup;
use crate::config::Config;
use crate::error::{Error, Phase};
use crate::options::Options;

/// Which helpers there are, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helpers {
    /// The program that they are; `None`: this one, which must call [`enter_helper`](super::enter_helper) first in its `main`.
    pub program: Option<PathBuf>,
    /// The most that take requests. The first is started with the provider, another when those that there are have no room left.
    pub most: usize,
    /// Requests in flight that one helper takes. What has no room in any waits.
    pub at_once: usize,
    /// Requests after which one is relieved: it is asked nothing more, ends what it has, and exits.
    pub requests: u32,
    /// Resident bytes past which one is relieved, where the system tells them (Linux).
    pub rss: u64,
}

impl Default for Helpers {
    /// This program, at most 4 helpers of 256 requests at a time, each relieved after 10,000 requests or past 64 MiB.
    fn default() -> Self {
        Self { program: None, most: 4, at_once: 256, requests: 10_000, rss: 64 << 20 }
    }
}

/// Helpers that may end one after the other without an answer before no more are started for a while.
const DEATHS: u32 = 4;
/// For how long then at first; it doubles with each further one.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest that no helper is started.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// A provider's helpers.
pub(super) struct Pool {
    program: PathBuf,
    /// The frame that sets a helper up. It holds the key.
    setup: Vec<u8>,
    helpers: Helpers,
    /// A place for each call that may be in flight.
    places: Arc<Semaphore>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Those that take calls.
    ready: Vec<Arc<Helper>>,
    starting: usize,
    /// Helpers that ended in a row without having answered anything.
    deaths: u32,
    last: String,
    /// No helper is started before.
    not_before: Option<Instant>,
}

enum Step {
    Begun(Begun),
    Start,
    Wait,
}

impl Pool {
    pub(super) fn new(config: &Config, options: &Options, helpers: Helpers) -> Result<Arc<Self>, Error> {
        if helpers.most == 0 || helpers.at_once == 0 || helpers.requests == 0 {
            return Err(Error::config(
                "a pool of no helpers, or of helpers that are asked nothing: allow at least one",
            ));
        }
        let places = helpers.most.saturating_mul(helpers.at_once).min(Semaphore::MAX_PERMITS);
        let setup = Setup::new(config, options, helpers.rss);
        let setup = serde_json::to_vec(&setup).map_err(|error| Error::Request(Box::new(error)))?;
        Ok(Arc::new(Self {
            program: program(&helpers)?,
            setup: frame::frame(Kind::Setup, 0, &setup),
            helpers,
            places: Arc::new(Semaphore::new(places)),
            state: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// Starts a helper, so that what cannot work shows before the first request.
    pub(super) async fn start(self: &Arc<Self>) -> Result<(), Error> {
        self.lock().starting += 1;
        let starting = Starting(self);
        let started = Helper::start(&self.program, &self.setup, self).await;
        let mut state = self.lock();
        let end = match started {
            Ok(helper) => {
                state.ready.push(helper);
                Ok(())
            }
            Err(error) => {
                // What is wrong with the configuration is no helper's death.
                if !matches!(error, Error::Config(_)) {
                    state.died(error.to_string());
                }
                Err(error)
            }
        };
        drop(state);
        drop(starting);
        end
    }

    /// A place on a helper for one call: at once, or when there is one.
    pub(super) async fn begin(self: &Arc<Self>) -> Result<Begun, Error> {
        let closed = |_| Error::config("the provider is being dropped");
        let mut place = Some(Arc::clone(&self.places).acquire_owned().await.map_err(closed)?);
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.step(&mut place)? {
                Step::Begun(begun) => return Ok(begun),
                Step::Start => self.start().await?,
                Step::Wait => changed.await,
            }
        }
    }

    fn step(&self, place: &mut Option<tokio::sync::OwnedSemaphorePermit>) -> Result<Step, Error> {
        let mut state = self.lock();
        let begun = state.ready.iter().find_map(|helper| {
            let (call, events) = helper.begin(self.helpers.at_once)?;
            let helper = Arc::clone(helper);
            Some(Begun { helper, call, events, _place: place.take()?, done: false, taken: 0 })
        });
        if let Some(begun) = begun {
            if begun.helper.begun() >= self.helpers.requests {
                state.ready.retain(|helper| !Arc::ptr_eq(helper, &begun.helper));
            }
            return Ok(Step::Begun(begun));
        }
        if state.ready.len() + state.starting >= self.helpers.most {
            return Ok(Step::Wait);
        }
        match state.not_before.filter(|then| *then > Instant::now()) {
            None => Ok(Step::Start),
            Some(then) => {
                let (deaths, last, wait) = (state.deaths, &state.last, then.saturating_duration_since(Instant::now()));
                let source = format!(
                    "{deaths} helper processes in a row ended without an answer (the last: {last}), the next is started in {wait:.1?}"
                );
                Err(Error::Transport { phase: Phase::Connect, source: source.into() })
            }
        }
    }

    /// Asks a helper nothing more. It ends when what it has is answered.
    pub(super) fn relieve(&self, helper: &Arc<Helper>) {
        self.lock().ready.retain(|ready| !Arc::ptr_eq(ready, helper));
        self.changed.notify_waiters();
    }

    /// A helper ended by itself. Those who wait for its answers hear of it when it can be found no more.
    pub(super) fn lost(&self, helper: &Arc<Helper>) {
        self.relieve(helper);
        let ended = helper.reap();
        let mut state = self.lock();
        if helper.has_answered() {
            state.deaths = 0;
        }
        state.died(ended.to_string());
        drop(state);
        helper.end(ended);
        self.changed.notify_waiters();
    }

    /// The processes that take calls.
    pub(super) fn processes(&self) -> Vec<u32> {
        self.lock().ready.iter().map(|helper| helper.id()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is guarded here can be left half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn died(&mut self, how: String) {
        self.deaths = self.deaths.saturating_add(1);
        self.last = how;
        self.not_before = self.deaths.checked_sub(DEATHS).and_then(|beyond| {
            let pause = PAUSE.saturating_mul(1 << beyond.min(16)).min(MAX_PAUSE);
            Instant::now().checked_add(pause)
        });
    }
}

/// A helper that is being started; also when nobody waits for it any more.
struct Starting<'p>(&'p Pool);

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.0.lock().starting -= 1;
        self.0.changed.notify_waiters();
    }
}

/// The program that helpers are.
fn program(helpers: &Helpers) -> Result<PathBuf, Error> {
    if let Some(program) = &helpers.program {
        return Ok(program.clone());
    }
    // Of itself, also when another version has taken its place on disk meanwhile: the two sides of the pipe must be one.
    if cfg!(target_os = "linux") {
        return Ok("/proc/self/exe".into());
    }
    std::env::current_exe()
        .map_err(|error| Error::config(format!("this program cannot be found to be started again: {error}")))
}
