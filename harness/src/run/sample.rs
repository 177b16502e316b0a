//! One sample: a fresh process put through a scenario, read at every checkpoint, its answers checked.

mod answers;
mod hold;
mod options;
mod profile;
mod reading;
mod soak;
mod start;

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use plimsoll_reports::line::OUT_OF_MEMORY;
use plimsoll_reports::record::{Answers, Sample, Status};

use self::answers::Tally;
use super::launch::{self, Shared};
use super::live::{self, Live};
use super::mock::Mock;
use super::proxy::Proxy;
use crate::config::{Probe, Project, Subject};
use crate::plan::order::Turn;
use crate::plan::scenario::Scenario;
use crate::probe::count::Counters;
use crate::probe::proc::Watched;
use crate::process::group::Group;
use crate::process::protocol::{self, Answer, Pairs};
use crate::process::{Lost, Process};

/// What a sample is taken with.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The project that the subject belongs to.
    pub project: &'a Project,
    /// What all samples share.
    pub shared: &'a Shared,
    /// The mock, where the target is the mock.
    pub mock: Option<&'a Mock>,
    /// The live service, where that is the target.
    pub live: Option<&'a Live>,
    /// What is added to every script, to see how a failure looks: `status=500`.
    pub fault: Option<&'a str>,
    /// The run's seed, which decides the order of mixed work.
    pub seed: u64,
    /// The run's folder.
    pub dir: &'a Path,
    /// How long one command may take.
    pub timeout: Duration,
}

/// Why a sample is not `ok`.
struct Trouble {
    status: Status,
    message: String,
}

impl Trouble {
    fn failed(message: impl ToString) -> Self {
        Self { status: Status::Failed, message: message.to_string() }
    }

    fn unavailable(message: impl ToString) -> Self {
        Self { status: Status::Unavailable, message: message.to_string() }
    }

    /// The same, with what else was seen.
    fn and(self, state: &str) -> Self {
        Self { message: format!("{}; {state}", self.message), ..self }
    }
}

impl From<Lost> for Trouble {
    fn from(lost: Lost) -> Self {
        let status = match lost {
            Lost::Timeout(_) => Status::Timeout,
            Lost::Signalled { .. } => Status::Killed,
            _ => Status::Failed,
        };
        Self { status, message: lost.to_string() }
    }
}

impl From<protocol::ProtocolError> for Trouble {
    fn from(error: protocol::ProtocolError) -> Self {
        Self::failed(error)
    }
}

/// Why a run ends before its last sample.
#[derive(Debug)]
pub enum Stop {
    /// Somebody wants it to.
    Interrupted,
    /// The live service refuses, and would refuse the rest too.
    Refused {
        /// Why the run cannot go on, and what to do.
        why: String,
        /// What the subject said.
        said: String,
    },
}

/// Takes a sample: a row, whatever became of it.
///
/// # Errors
/// When the run must end: the sample in hand is then as if it had not been begun.
pub fn take(
    bench: &Bench<'_>,
    turn: &Turn,
    subject: &Subject,
    scenario: &Scenario,
    probe: Probe,
    interrupted: &dyn Fn() -> bool,
) -> Result<Sample, Stop> {
    let mut sample = Sample {
        cell: turn.cell.clone(),
        index: turn.index,
        order: turn.order,
        started: Timestamp::now(),
        status: Status::Ok,
        error: None,
        greeting: Pairs::new(),
        checkpoints: Vec::new(),
        mappings: Vec::new(),
        processes: Vec::new(),
        answers: Answers::default(),
        latency: None,
        profile: None,
        unattributed: None,
    };
    let sent = bench.live.map_or(0, Live::sent);
    let held = scenario.held_by(&turn.cell);
    let outcome = Taking { bench, scenario, held, probe, sample: &mut sample, interrupted, until: None }.run(subject);
    if outcome.is_ok() && probe == Probe::Dhat {
        profile::shorter_lives(bench, subject, scenario, &mut sample, interrupted);
    }
    if interrupted() {
        return Err(Stop::Interrupted);
    }
    if let Err(trouble) = outcome {
        let said = bench.shared.key.scrub(&trouble.message);
        if let Some(live) = bench.live.filter(|live| live.sent() > sent)
            && let Some(why) = live::verdict(&said, live.sent() == 1)
        {
            return Err(Stop::Refused { why, said: format!("{}, {said}", subject.id) });
        }
        sample.status = trouble.status;
        sample.error = Some(said);
    }
    Ok(sample)
}

/// The checkpoint at which mappings are read: the one that `growth` is defined by.
const MAPPED_AT: u64 = 20;

struct Taking<'a> {
    bench: &'a Bench<'a>,
    scenario: &'a Scenario,
    /// Requests to hold at once, a batch each.
    held: Vec<u64>,
    probe: Probe,
    sample: &'a mut Sample,
    interrupted: &'a dyn Fn() -> bool,
    /// Requests after which its life ends, with all that it has then: only for a profile of it.
    until: Option<u64>,
}

struct Subjected {
    proxy: Option<Proxy>,
    process: Process,
    watched: Watched,
    counters: Option<Counters>,
    /// Goes last, after its processes.
    group: Option<Group>,
}

impl Taking<'_> {
    fn run(mut self, subject: &Subject) -> Result<(), Trouble> {
        let mut it = self.start(subject)?;
        let done = self.through(&mut it).map_err(|trouble| match &it.group {
            Some(group) if group.killed() > 0 => trouble.and(OUT_OF_MEMORY),
            _ => trouble,
        })?;
        it.process.finish(self.bench.timeout)?;
        self.check_with_mock(done)
    }

    /// From its greeting to its exit; gives the requests that were answered.
    fn through(&mut self, it: &mut Subjected) -> Result<u64, Trouble> {
        let greeting = it.process.listen(self.bench.timeout, self.interrupted)?;
        let greeting = protocol::greeting(&greeting)?;
        options::took(launch::allocator(&self.sample.cell), &greeting)?;
        let unread = |error: crate::probe::proc::ReadError| Trouble::failed(error);
        if matches!(self.probe, Probe::Rss | Probe::Ledger) {
            it.watched.reset_high_water_mark().map_err(unread)?;
        }
        self.checkpoint(it, "start", 0, &greeting)?;
        self.sample.greeting = greeting;
        for phase in ["runtime", "client"] {
            let pairs = self.command(it, phase)?;
            self.checkpoint(it, phase, 0, &pairs)?;
        }
        let mut tally = Tally::default();
        let mut mixed = soak::pieces(self.scenario.mix, self.bench.seed);
        for &step in self.scenario.steps {
            let mut pairs = Pairs::new();
            if !self.scenario.mix.is_empty() {
                self.soak(it, &mixed.next().unwrap_or_default(), &mut tally)?;
            }
            while tally.answered < step {
                let asked = self.turn(step - tally.answered)?;
                let work = self.scenario.work.command();
                pairs = self.command(it, &format!("{work} {asked} {}", self.scenario.in_flight))?;
                self.time(&pairs)?;
                self.tally(&mut tally, asked, self.scenario.script, &pairs)?;
            }
            if let Some(latency) = self.bench.live.and_then(Live::latency) {
                self.sample.latency = Some(latency);
            }
            let name = if step == 1 { "first".to_owned() } else { format!("steady@{step}") };
            self.checkpoint(it, &name, tally.answered, &pairs)?;
            if self.probe == Probe::Rss && step <= MAPPED_AT {
                self.sample.mappings = it.watched.mappings().map_err(unread)?;
            }
            if self.until == Some(step) {
                return self.exit(it, step);
            }
        }
        for count in self.held.clone() {
            self.hold(it, count, &mut tally)?;
        }
        let done = tally.answered;
        let pairs = self.command(it, "idle")?;
        self.checkpoint(it, "idle", done, &pairs)?;
        if let Some(idle) = self.sample.checkpoints.last() {
            self.sample.processes.clone_from(&idle.processes);
        }
        let pairs = self.command(it, "drop")?;
        self.checkpoint(it, "dropped", done, &pairs)?;
        self.exit(it, done)
    }

    /// Lets it exit, with what was read of it last.
    fn exit(&mut self, it: &mut Subjected, done: u64) -> Result<u64, Trouble> {
        self.note_modules(it);
        it.process.tell("exit")?;
        Ok(done)
    }

    fn command(&self, it: &mut Subjected, command: &str) -> Result<Pairs, Trouble> {
        it.process.tell(command)?;
        self.answer(it, command)
    }

    fn answer(&self, it: &mut Subjected, command: &str) -> Result<Pairs, Trouble> {
        let line = it.process.listen(self.bench.timeout, self.interrupted).map_err(|lost| {
            let trouble = Trouble::from(lost);
            Trouble { message: format!("at {command:?}: {}", trouble.message), ..trouble }
        })?;
        understood(command, &line)
    }

    /// How many of `left` requests to ask for now: all, or one where a rate is to be held to, as soon as its turn comes.
    fn turn(&self, left: u64) -> Result<u64, Trouble> {
        let Some(live) = self.bench.live else { return Ok(left) };
        let until = Instant::now() + live.turn(Instant::now());
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if (self.interrupted)() {
                return Err(Lost::Interrupted.into());
            }
            if left.is_zero() {
                return Ok(1);
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }
}

/// The pairs of an answer; anything but `ok` is a reason why the sample does not count.
fn understood(command: &str, line: &str) -> Result<Pairs, Trouble> {
    match protocol::answer(command, line)? {
        Answer::Ok(pairs) => Ok(pairs),
        Answer::Error(kind, message) => Err(Trouble::failed(format!("at {command:?}: {kind}: {message}"))),
        Answer::Unsupported(reason) => Err(Trouble { status: Status::Unavailable, message: reason }),
    }
}
