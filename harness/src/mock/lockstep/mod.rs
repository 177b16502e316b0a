//! Lock-step: the next step is sent only when the client is done with the last, because how many reads an answer takes
//! decides how much a client allocates. Waiting makes that a property of the client, not of the moment.
//!
//! The client's end of a loopback connection is on this machine, so its state can be read: [`diag`] asks the kernel for the
//! one socket, [`proc_net`] reads the table of all where that is not allowed, [`quiet`] looks whether the client's threads
//! sleep. The first looks are taken where the step is, because a client is mostly done within a tenth of a millisecond; whoever
//! takes longer is watched by a thread of its own, because tokio's timers tick in milliseconds.

mod diag;
mod proc_net;
mod quiet;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::wire::Meter;
use quiet::Owners;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// The client has read every byte that was written.
    Drained,
    /// And all of its threads sleep: it waits for more. Says something only while it has nothing else to do.
    Asleep,
}

/// How waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// As it should.
    Done,
    /// All was read, but the client stayed busy.
    StillBusy,
    /// The client's socket cannot be seen from here.
    Unseen,
    /// The client's socket is gone.
    Gone,
}

/// Those who look, and the way to the thread that looks at whoever takes longer.
pub(super) struct Pacer {
    eyes: Arc<Mutex<Eyes>>,
    watcher: mpsc::Sender<Waiter>,
}

impl Pacer {
    pub(super) fn start() -> io::Result<Self> {
        let (watcher, inbox) = mpsc::channel();
        let eyes = Arc::new(Mutex::new(Eyes::open()));
        let shared = Arc::clone(&eyes);
        thread::Builder::new().name("lockstep".to_owned()).spawn(move || watch(&shared, &inbox))?;
        Ok(Self { eyes, watcher })
    }

    /// Waits for the client at the other end of `meter`'s connection.
    pub(super) async fn settled(&self, meter: &Arc<Meter>, until: Until) -> Settled {
        let (done, settled) = oneshot::channel();
        let mut waiter =
            Waiter { meter: Arc::clone(meter), until, since: Instant::now(), drained: None, asleep: 0, done };
        while waiter.since.elapsed() < LOOK_HERE {
            if let Some(settled) = lock(&self.eyes).look(&mut waiter) {
                return settled;
            }
            tokio::task::yield_now().await;
        }
        // Only a thread that has panicked is not there; then nothing can be seen.
        if self.watcher.send(waiter).is_err() {
            return Settled::Unseen;
        }
        settled.await.unwrap_or(Settled::Unseen)
    }
}

/// What the kernel says of the client's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ClientSocket {
    /// It can still read.
    open: bool,
    /// Bytes that arrived and are not read.
    unread: u32,
    /// Bytes that arrived since the beginning, where the kernel says.
    received: Option<u64>,
    /// The socket's inode, by which its process is found.
    inode: u64,
}

/// Whether a socket could be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Seen(ClientSocket),
    /// There is no such socket (any more).
    Missing,
}

struct Waiter {
    meter: Arc<Meter>,
    until: Until,
    since: Instant,
    drained: Option<Instant>,
    /// Looks in a row that found every thread asleep.
    asleep: u8,
    done: oneshot::Sender<Settled>,
}

/// Threads are looked at one after the other, so one may wake another behind the look; twice in a row is proof enough.
const LOOKS: u8 = 2;
/// How long a client that has read everything may stay busy.
const BUSY_LIMIT: Duration = Duration::from_millis(20);
/// How long one that never sleeps is given instead: a spinning thread must not make a run take hours.
const RESTLESS_LIMIT: Duration = Duration::from_millis(1);
/// Times in a row that make a process a restless one.
const RESTLESS_STRIKES: u32 = 8;
/// What a client that cannot be looked at exactly is given after it has read: for /proc/net, which does not say how much is
/// still under way to it.
const BLIND_GRACE: Duration = Duration::from_micros(500);

/// How long a step looks for itself.
const LOOK_HERE: Duration = Duration::from_micros(200);

fn lock(eyes: &Mutex<Eyes>) -> MutexGuard<'_, Eyes> {
    // Eyes hold caches only, which are as good after a panic as before.
    eyes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch(eyes: &Mutex<Eyes>, inbox: &mpsc::Receiver<Waiter>) {
    // Naps are tens of microseconds; the default slack of 50 would double them. Refused, they are only longer.
    let _ = nix::sys::prctl::set_timerslack(1_000);
    let mut waiting: Vec<Waiter> = Vec::new();
    loop {
        if waiting.is_empty() {
            match inbox.recv() {
                Ok(waiter) => waiting.push(waiter),
                Err(_) => return,
            }
        }
        waiting.extend(inbox.try_iter());
        let mut at = 0;
        while at < waiting.len() {
            match lock(eyes).look(&mut waiting[at]) {
                // A waiter whose connection has ended is not interested.
                Some(settled) => drop(waiting.swap_remove(at).done.send(settled)),
                None if waiting[at].done.is_closed() => drop(waiting.swap_remove(at)),
                None => at += 1,
            }
        }
        if let Some(youngest) = waiting.iter().map(|waiter| waiter.since.elapsed()).min() {
            thread::sleep(nap(youngest));
        }
    }
}

/// Short while a client is about to be done, longer for one that does not read: it may stand at a checkpoint for seconds.
fn nap(waited: Duration) -> Duration {
    (waited / 16).clamp(Duration::from_micros(15), Duration::from_millis(2))
}

struct Eyes {
    diag: Option<diag::Diag>,
    owners: Owners,
    strikes: HashMap<u32, u32>,
}

impl Eyes {
    fn open() -> Self {
        Self { diag: diag::Diag::open().ok(), owners: Owners::default(), strikes: HashMap::new() }
    }

    fn look(&mut self, waiter: &mut Waiter) -> Option<Settled> {
        let socket = match self.sight(&waiter.meter) {
            Ok(Sight::Seen(socket)) if socket.open => socket,
            Ok(_) => return Some(Settled::Gone),
            Err(_) => return Some(Settled::Unseen),
        };
        let arrived = socket.received.is_none_or(|received| received >= waiter.meter.written());
        if socket.unread > 0 || !arrived {
            waiter.drained = None;
            waiter.asleep = 0;
            return None;
        }
        let drained = waiter.drained.get_or_insert_with(Instant::now).elapsed();
        if socket.received.is_none() && drained < BLIND_GRACE {
            return None;
        }
        match waiter.until {
            Until::Drained => Some(Settled::Done),
            Until::Asleep => self.look_at_threads(waiter, socket.inode, drained),
        }
    }

    fn look_at_threads(&mut self, waiter: &mut Waiter, inode: u64, drained: Duration) -> Option<Settled> {
        // Another user's process shows its sockets to nobody: then having read is all that can be waited for.
        let Some(process) = self.owners.of(inode) else { return Some(Settled::Unseen) };
        // A client in the mock's own process shares it with this very thread, which does not sleep.
        if process == std::process::id() {
            return Some(Settled::Unseen);
        }
        if quiet::asleep(process) {
            waiter.asleep += 1;
            if waiter.asleep >= LOOKS {
                self.strikes.remove(&process);
                return Some(Settled::Done);
            }
            return None;
        }
        waiter.asleep = 0;
        let restless = self.strikes.get(&process).is_some_and(|strikes| *strikes >= RESTLESS_STRIKES);
        if drained < if restless { RESTLESS_LIMIT } else { BUSY_LIMIT } {
            return None;
        }
        *self.strikes.entry(process).or_default() += 1;
        Some(Settled::StillBusy)
    }

    fn sight(&mut self, meter: &Meter) -> io::Result<Sight> {
        if let Some(diag) = &mut self.diag {
            match diag.look(meter.client, meter.server) {
                Ok(sight) => return Ok(sight),
                // Not allowed here, or not in this kernel: the table is always there.
                Err(_) => self.diag = None,
            }
        }
        proc_net::look(meter.client, meter.server)
    }
}
