//! What the mock counts and keeps, and the gate at which answers are held.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::control::Stats;
use super::script::Script;
use super::service::Service;

/// Shared by every connection of one mock.
#[derive(Debug)]
pub(super) struct State {
    stats: Mutex<Stats>,
    service: Mutex<Service>,
    /// The script of every request, where the control socket said one.
    serving: Mutex<Option<Script>>,
    held: watch::Sender<u64>,
    /// Counts releases; whoever is held waits for it to change.
    gate: watch::Sender<u64>,
    /// Requests that are being answered and not held.
    answering: AtomicU64,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            stats: Mutex::default(),
            service: Mutex::default(),
            serving: Mutex::default(),
            held: watch::Sender::new(0),
            gate: watch::Sender::new(0),
            answering: AtomicU64::new(0),
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let mut stats = self.lock().clone();
        stats.held = *self.held.borrow();
        stats
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.lock());
    }

    pub(super) fn reset(&self) {
        *self.service() = Service::default();
        self.serve(None);
        let mut stats = self.lock();
        *stats = Stats { connections_open: stats.connections_open, ..Stats::default() };
    }

    /// What was uploaded, cached and begun.
    pub(super) fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn serve(&self, script: Option<Script>) {
        *self.serving.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// What stands in for the script that a request's path names.
    pub(super) fn serving(&self) -> Option<Script> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn release(&self) {
        self.gate.send_modify(|releases| *releases += 1);
    }

    pub(super) async fn wait_held(&self, count: u64, timeout: Duration) {
        let mut held = self.held.subscribe();
        // A mock whose state is gone has nothing to wait for, and too few are told from the count that is returned.
        let _ = tokio::time::timeout(timeout, held.wait_for(|held| *held >= count)).await;
    }

    /// Waits for the next release. Given up, it is no longer counted as held.
    pub(super) async fn hold(&self) {
        let mut gate = self.gate.subscribe();
        let _held = Held::new(self);
        let _ = gate.changed().await;
    }

    pub(super) fn connection(&self) -> OpenConnection<'_> {
        self.count(|stats| {
            stats.connections_open += 1;
            stats.connections_total += 1;
        });
        OpenConnection(self)
    }

    pub(super) fn answering(&self) -> Answering<'_> {
        self.answering.fetch_add(1, Ordering::Relaxed);
        Answering(self)
    }

    /// How many requests are being answered and not held.
    pub(super) fn under_way(&self) -> u64 {
        self.answering.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Stats> {
        // Counters stay readable whatever happened to another task.
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a connection as open while it lives.
pub(super) struct OpenConnection<'a>(&'a State);

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.count(|stats| stats.connections_open = stats.connections_open.saturating_sub(1));
    }
}

/// Counts a request as being answered while it lives.
pub(super) struct Answering<'a>(&'a State);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Held<'a>(&'a State);

impl<'a> Held<'a> {
    fn new(state: &'a State) -> Self {
        state.answering.fetch_sub(1, Ordering::Relaxed);
        state.held.send_modify(|held| *held += 1);
        Self(state)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.held.send_modify(|held| *held = held.saturating_sub(1));
        self.0.answering.fetch_add(1, Ordering::Relaxed);
    }
}
