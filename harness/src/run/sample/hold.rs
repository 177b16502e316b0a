//! Requests in flight: the mock keeps the answers back, the subject is read with all of them open, and only then do they go on.

use std::time::{Duration, Instant};

use super::answers::Tally;
use super::{Subjected, Taking, Trouble, understood};
use crate::config::Probe;
use crate::mock::control::Stats;
use crate::probe::proc::Watched;
use crate::process::Lost;
use crate::process::protocol::Pairs;
use crate::run::mock::Mock;

/// How long the mock is waited for before it is looked whether the subject has said something instead.
const SLICE: Duration = Duration::from_millis(100);

/// After this long with subject and mock asleep and nothing new at the mock, no more requests will come. Asleep, because on a busy machine a
/// thousand handshakes together take longer than that until the first request arrives.
const STALL: Duration = Duration::from_secs(5);

/// How long both are looked at for one moment in which they sleep: asked how many it holds, the mock itself has just been awake.
const LOOK: Duration = Duration::from_millis(50);

/// How long a subject may take to read what has come and sleep, with all of its requests held. One that does not is not read.
const REST: Duration = Duration::from_secs(10);

impl Taking<'_> {
    /// One batch of `count` requests, all at once: read at `held@COUNT` while the mock holds them all, and at `after@COUNT` when they are
    /// answered.
    pub(super) fn hold(&mut self, it: &mut Subjected, count: u64, tally: &mut Tally) -> Result<(), Trouble> {
        let Some(mock) = self.bench.mock else {
            return Err(Trouble::unavailable("requests are held by the mock: measure this with --target mock"));
        };
        let command = format!("{} {count} {count}", self.scenario.work.command());
        it.process.tell(&command)?;
        // Whatever happened, nothing stays held: the mock outlives the sample.
        let held = self.read_held(mock, it, &command, count, tally);
        mock.release().map_err(Trouble::failed)?;
        held?;
        let pairs = self.answer(it, &command)?;
        self.tally(tally, count, self.scenario.script, &pairs)?;
        self.checkpoint(it, &format!("after@{count}"), tally.answered, &pairs)
    }

    fn read_held(
        &mut self,
        mock: &Mock,
        it: &mut Subjected,
        command: &str,
        count: u64,
        tally: &Tally,
    ) -> Result<(), Trouble> {
        self.wait_held(mock, it, command, count, tally.answered + count)?;
        if !it.watched.rest(REST) {
            return Err(Trouble::failed(format!(
                "at {command:?}: its threads do not sleep though all {count} requests are held; a subject is read at rest"
            )));
        }
        // A metric that the subject reads itself would come with its answer, and that is held: the plan has no such cells.
        self.checkpoint(it, &format!("held@{count}"), tally.answered, &Pairs::new())?;
        if self.probe == Probe::Rss && self.held.last() == Some(&count) {
            self.sample.mappings = it.watched.mappings().map_err(Trouble::failed)?;
        }
        Ok(())
    }

    /// Waits until the mock holds `count` requests, `seen` in all since the sample began.
    fn wait_held(&self, mock: &Mock, it: &mut Subjected, command: &str, count: u64, seen: u64) -> Result<(), Trouble> {
        let begun = Instant::now();
        let (mut last, mut moved) = (Stats::default(), begun);
        loop {
            let stats = mock.wait_held(count, SLICE).map_err(Trouble::failed)?;
            if stats.held >= count && stats.requests >= seen {
                return Ok(());
            }
            let state = state(count, &stats);
            match it.process.heard() {
                Ok(None) => {}
                Ok(Some(line)) => {
                    let trouble = understood(command, &line).err();
                    let trouble = trouble.unwrap_or_else(|| {
                        Trouble::failed(format!(
                            "at {command:?}: it says that it is done while the mock holds its requests"
                        ))
                    });
                    return Err(trouble.and(&state));
                }
                Err(lost) => return Err(Trouble::from(lost).and(&state)),
            }
            if (self.interrupted)() {
                return Err(Lost::Interrupted.into());
            }
            if stats != last || !both_sleep(&it.watched, mock) {
                (last, moved) = (stats, Instant::now());
            }
            if moved.elapsed() >= STALL || begun.elapsed() >= self.bench.timeout {
                let why = "no more came: it keeps the others back itself, by a bounded pool or by the server's limit of streams on a connection";
                return Err(Trouble::failed(format!("at {command:?}: {state} and {why}")));
            }
        }
    }
}

/// Whether there is a moment soon in which neither does anything. One look is not enough: on a busy machine the mock often still has the
/// processor when its answer to the question has arrived, and what is looked at each 100 ms for five seconds is seen awake once by chance.
fn both_sleep(subject: &Watched, mock: &Mock) -> bool {
    let until = Instant::now() + LOOK;
    loop {
        if subject.sleeps() && mock.sleeps() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// `100 of 1000 requests were held over 1 connection`.
fn state(count: u64, stats: &Stats) -> String {
    let (held, connections) = (stats.held, stats.connections_open);
    let plural = if connections == 1 { "" } else { "s" };
    format!("{held} of {count} requests were held over {connections} connection{plural}")
}
