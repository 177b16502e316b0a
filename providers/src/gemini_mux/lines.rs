//! The connections of a provider: as few as the calls need, each with as many of them as the server takes.

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::connection::{self, Failure, Line, Route};
use crate::error::{Error, Phase};

/// The most connections. With the 100 calls on each that public servers take, these are 12,800 calls at once; the others wait.
const MAX_LINES: usize = 128;
/// The most calls on one connection, whatever its server takes.
const MAX_CALLS: usize = 1000;
/// What a server is thought to take before one was asked: what public ones do.
const USUAL: usize = 100;
/// The calls that are begun before the server has said how many it takes: the one that the connection was opened for.
const BEFORE_SETTINGS: usize = 1;
/// How long no further connection is tried after one failed while others work.
const PAUSE: Duration = Duration::from_secs(1);

/// The connections of a provider.
pub(super) struct Lines {
    me: Weak<Self>,
    route: Arc<Route>,
    state: Mutex<State>,
    /// Woken when there may be a place for one who waits.
    changed: Notify,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    /// Connections that are being opened.
    opening: usize,
    /// Calls that wait for a place.
    waiting: usize,
    /// How many calls the last server that said it takes.
    usual: Option<usize>,
    /// How often opening failed, when last, and why.
    failures: u64,
    failed: Option<(Instant, Arc<Failure>)>,
}

struct Entry {
    line: Arc<Line>,
    sender: SendRequest<Bytes>,
    taken: usize,
    /// How many calls it may have.
    limit: usize,
    /// Whether the server has said so: until then there may be as many to come as usual.
    settled: bool,
    /// When its last call ended; `None`: it has had none.
    since: Option<Instant>,
}

impl Lines {
    /// No connection yet.
    pub(super) fn new(route: Route) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            route: Arc::new(route),
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// A place for one call, on a connection that is there or on a new one, and the way to send it.
    pub(super) async fn take(&self) -> Result<(Place<'_>, SendRequest<Bytes>), Error> {
        // Two statements, so that the lock is not held over the wait.
        let free = self.lock().take();
        if let Some(taken) = free {
            return Ok(self.place(taken));
        }
        let (_waiting, failures) = Waiting::begin(self);
        loop {
            let mut changed = pin!(self.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                if let Some(taken) = state.take() {
                    if state.free() > 0 && state.waiting > 1 {
                        self.changed.notify_one();
                    }
                    drop(state);
                    return Ok(self.place(taken));
                }
                if state.failures > failures
                    && state.entries.is_empty()
                    && state.opening == 0
                    && let Some((_, failure)) = &state.failed
                {
                    return Err(unopened(failure));
                }
                self.grow(&mut state);
            }
            changed.await;
        }
    }

    /// A connection is open.
    pub(super) fn opened(&self, line: Arc<Line>, sender: SendRequest<Bytes>) {
        let mut state = self.lock();
        state.opening -= 1;
        state.entries.push(Entry { line, sender, taken: 0, limit: BEFORE_SETTINGS, settled: false, since: None });
        self.changed.notify_one();
    }

    /// A connection could not be opened. Who waits goes on waiting while there are others, and else fails with it.
    pub(super) fn failed(&self, failure: Failure) {
        let mut state = self.lock();
        state.opening -= 1;
        state.failures += 1;
        state.failed = Some((Instant::now(), Arc::new(failure)));
        drop(state);
        self.changed.notify_waiters();
    }

    /// The server takes so many calls on a connection.
    pub(super) fn allow(&self, line: &Arc<Line>, calls: usize) {
        let mut state = self.lock();
        let calls = calls.min(MAX_CALLS);
        state.usual = Some(calls);
        if let Some(entry) = state.entry(line) {
            (entry.limit, entry.settled) = (calls, true);
        }
        self.grow(&mut state);
        if state.waiting > 0 {
            self.changed.notify_one();
        }
    }

    /// No further call goes on this connection. It ends with the last that it has.
    pub(super) fn retire(&self, line: &Arc<Line>) {
        let mut state = self.lock();
        state.entries.retain(|entry| !Arc::ptr_eq(&entry.line, line));
        self.grow(&mut state);
        if state.waiting > 0 {
            self.changed.notify_one();
        }
    }

    /// Whether a call is on this connection. If none was for `idle`, it ends.
    pub(super) fn is_in_use(&self, line: &Arc<Line>, idle: Duration) -> bool {
        let mut state = self.lock();
        let Some(entry) = state.entry(line) else { return true };
        let in_use = entry.taken > 0;
        if !in_use && entry.since.is_some_and(|since| since.elapsed() >= idle) {
            state.entries.retain(|entry| !Arc::ptr_eq(&entry.line, line));
        }
        in_use
    }

    fn place(&self, (line, sender, reused): (Arc<Line>, SendRequest<Bytes>, bool)) -> (Place<'_>, SendRequest<Bytes>) {
        (Place { lines: self, line, reused }, sender)
    }

    fn give_back(&self, line: &Arc<Line>) {
        let mut state = self.lock();
        if let Some(entry) = state.entry(line) {
            entry.taken -= 1;
            entry.since = Some(Instant::now());
        }
        if state.waiting > 0 {
            self.changed.notify_one();
        }
    }

    /// Opens as many connections as those who wait need.
    fn grow(&self, state: &mut State) {
        let usual = state.usual.unwrap_or(USUAL).max(1);
        let paused = !state.entries.is_empty() && state.failed.as_ref().is_some_and(|(when, _)| when.elapsed() < PAUSE);
        while !paused && state.waiting > state.expected(usual) && state.entries.len() + state.opening < MAX_LINES {
            state.opening += 1;
            tokio::spawn(connection::serve(Weak::clone(&self.me), Arc::clone(&self.route)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is made by one statement after another that cannot fail.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a place on the first connection that has one, so that those behind it are idle when there is less to do.
    fn take(&mut self) -> Option<(Arc<Line>, SendRequest<Bytes>, bool)> {
        let entry = self.entries.iter_mut().find(|entry| entry.taken < entry.limit)?;
        let reused = entry.taken == 0 && entry.since.is_some();
        entry.taken += 1;
        Some((Arc::clone(&entry.line), entry.sender.clone(), reused))
    }

    fn free(&self) -> usize {
        self.entries.iter().map(|entry| entry.limit.saturating_sub(entry.taken)).sum()
    }

    /// The places that are there or on their way, where a server takes `usual` calls.
    fn expected(&self, usual: usize) -> usize {
        let unsettled = self.entries.iter().filter(|entry| !entry.settled);
        let to_come: usize = unsettled.map(|entry| usual.saturating_sub(entry.limit.max(entry.taken))).sum();
        self.free() + to_come + self.opening * usual
    }

    fn entry(&mut self, line: &Arc<Line>) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| Arc::ptr_eq(&entry.line, line))
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let calls: usize = state.entries.iter().map(|entry| entry.taken).sum();
        write!(f, "Lines({} connections, {calls} calls, {} waiting)", state.entries.len(), state.waiting)
    }
}

/// One call's place on a connection, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place<'l> {
    lines: &'l Lines,
    line: Arc<Line>,
    /// Whether the connection had been used before and was idle.
    pub(super) reused: bool,
}

impl Place<'_> {
    /// The connection of this place takes no further call.
    pub(super) fn retire(&self) {
        self.lines.retire(&self.line);
    }

    /// What became of the connection, given what its transport says.
    pub(super) fn failure(&self, phase: Phase, error: h2::Error) -> Error {
        match self.line.lost() {
            Some(why) => Error::Transport { phase, source: why.into() },
            None => Error::Transport { phase, source: Box::new(error) },
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.lines.give_back(&self.line);
    }
}

/// One who waits, counted as long as it does.
struct Waiting<'l>(&'l Lines);

impl<'l> Waiting<'l> {
    /// Begins to wait; how often opening had failed by then.
    fn begin(lines: &'l Lines) -> (Self, u64) {
        let mut state = lines.lock();
        state.waiting += 1;
        (Self(lines), state.failures)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

/// A connection that could not be opened, as the error of each who waited for it.
fn unopened(failure: &Arc<Failure>) -> Error {
    match &**failure {
        Failure::Timeout(limit) => Error::Timeout { phase: Phase::Connect, limit: *limit },
        Failure::Io(_) => Error::Transport { phase: Phase::Connect, source: Box::new(Shared(Arc::clone(failure))) },
    }
}

/// One failure of several calls.
#[derive(Debug)]
struct Shared(Arc<Failure>);

impl Shared {
    fn io(&self) -> Option<&io::Error> {
        match &*self.0 {
            Failure::Io(error) => Some(error),
            Failure::Timeout(_) => None,
        }
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.io() {
            Some(error) => error.fmt(f),
            None => f.write_str("it took too long"),
        }
    }
}

impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.io()?.source()
    }
}
