//! One sample: a fresh process put through a scenario, read at every checkpoint, its answers checked.

mod hold;
mod profile;
mod soak;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use plimsoll_reports::line::{LIMIT, OUT_OF_MEMORY};
use plimsoll_reports::record::{Answers, Checkpoint, Latency, Memory, Process as ProcessRow, Sample, Status};

use super::launch::{self, Missing, Shared};
use super::live::{self, Live};
use super::mock::{self, Mock};
use super::proxy::{self, Proxy};
use crate::config::{Allocator, Probe, Project, Subject};
use crate::plan::order::Turn;
use crate::plan::scenario::Scenario;
use crate::probe::count::{self, Counters};
use crate::probe::proc::Watched;
use crate::probe::{Metrics, family, memory};
use crate::process::group::Group;
use crate::process::protocol::{self, Answer, Pairs};
use crate::process::{Launch, Lost, Process, exec};

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

/// How long a subject may take to come to rest when its answer is out, before it is read all the same.
const REST: Duration = Duration::from_millis(250);

/// Files that a subject needs besides its connections: its own, its runtime's, its libraries'.
const SPARE_FILES: u64 = 64;

/// The checkpoint at which mappings are read: the one that `growth` is defined by.
const MAPPED_AT: u64 = 20;

/// How often a ledger is read of a subject that does not stand still.
const TRIES: u32 = 5;

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

/// What was answered so far.
#[derive(Debug, Default)]
struct Tally {
    answered: u64,
    crc: u64,
    /// What the sum of what was served is.
    expected: u64,
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

    /// Takes the answer to a batch of work into the tally, and compares it with what was asked for and served.
    fn tally(&mut self, tally: &mut Tally, asked: u64, script: &str, pairs: &Pairs) -> Result<(), Trouble> {
        self.sample.answers.asked += asked;
        let answered = self.number(pairs, "answered")?;
        self.sample.answers.answered += answered;
        tally.answered += answered;
        let sum = self.number(pairs, "crc")?;
        tally.crc = tally.crc.wrapping_add(sum);
        self.sample.answers.crc = tally.crc.to_string();
        if let Some(protocol) = pairs.get("protocol") {
            self.sample.answers.protocol.clone_from(protocol);
        }
        if answered != asked {
            let message = format!("it answered for {answered} of {asked} requests without saying that any failed");
            return Err(Trouble { status: Status::WrongAnswer, message });
        }
        // What the live service serves is not known; of its answers, which come one by one, only that none is empty: the CRC-32 of no
        // text is 0.
        if self.bench.live.is_some() && sum == 0 {
            let message = format!("the answer to request {} has no text", tally.answered);
            return Err(Trouble { status: Status::WrongAnswer, message });
        }
        self.check(tally, asked, script)
    }

    fn start(&mut self, subject: &Subject) -> Result<Subjected, Trouble> {
        let bench = self.bench;
        self.room()?;
        let (program, arguments) = self.locate(subject, &subject.command)?;
        let prefix = bench.mock.map_or_else(String::new, |_| format!("/s/{}", self.script(self.scenario.script)));
        let dhat_file = self.profile_file();
        let mut env =
            launch::environment(subject, &self.sample.cell, self.probe, &prefix, bench.shared, dhat_file.as_deref());
        let counters = if self.probe.counts() {
            Some(Counters::create(&bench.shared.count_file).map_err(Trouble::failed)?)
        } else {
            None
        };
        if let Some(mock) = bench.mock {
            mock.reset().map_err(Trouble::failed)?;
        }
        let group = self.group()?;
        let proxy =
            subject.proxy.as_ref().map(|command| self.start_proxy(subject, command, group.as_ref())).transpose()?;
        env.extend(proxy.iter().map(|proxy| (proxy::VARIABLE.to_owned(), proxy.address().to_owned())));
        let process = Process::start_in(&Launch { program, arguments, env }, group.as_ref())?;
        let watched = Watched::new(process.id()).map_err(Trouble::failed)?;
        Ok(Subjected { proxy, process, watched, counters, group })
    }

    /// A control group where requests are held: it tells what a limit would count. One that must have a limit must be there.
    fn group(&self) -> Result<Option<Group>, Trouble> {
        if self.held.is_empty() || self.probe != Probe::Rss {
            return Ok(None);
        }
        match launch::factor(&self.sample.cell, LIMIT).map(str::parse) {
            Some(Ok(limit)) => Group::create(Some(limit)).map(Some).map_err(Trouble::unavailable),
            Some(Err(_)) => Err(Trouble::failed("its limit is no number of bytes")),
            None => Ok(Group::create(None).ok()),
        }
    }

    /// A script with the fault that the run adds to each.
    fn script(&self, script: &str) -> String {
        self.bench.fault.map_or_else(|| script.to_owned(), |fault| format!("{script}+{fault}"))
    }

    fn locate(&self, subject: &Subject, command: &[String]) -> Result<(PathBuf, Vec<String>), Trouble> {
        let located = launch::locate(self.bench.project, subject, command, launch::allocator(&self.sample.cell));
        located.map_err(|missing| match missing {
            Missing::NotInstalled(name) => {
                Trouble::unavailable(format!("{name} is not in PATH; install it to measure this"))
            }
            Missing::Absent(how) => Trouble::unavailable(format!("{} is not there; to get it: {how}", subject.id)),
            Missing::NotBuilt(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Trouble::failed(format!("{name} is not there; build it, or name its build command in plimsoll.toml"))
            }
        })
    }

    fn start_proxy(&self, subject: &Subject, command: &[String], group: Option<&Group>) -> Result<Proxy, Trouble> {
        let shared = self.bench.shared;
        let (program, arguments) = self.locate(subject, command)?;
        let env = launch::proxy_environment(&self.sample.cell, self.probe, shared);
        // The last sample's proxy was killed and left its socket.
        let _ = std::fs::remove_file(&shared.proxy_socket);
        let count_file = self.probe.counts().then_some(&shared.proxy_count_file);
        Proxy::start(&Launch { program, arguments, env }, count_file, group).map_err(Trouble::failed)
    }

    /// The processes beside the subject, as its probe reads them.
    fn beside(&self, it: &Subjected) -> Result<Vec<ProcessRow>, Trouble> {
        let subject = it.process.id();
        let mut rows = Vec::new();
        let row = |role: &str, metrics| ProcessRow { role: role.to_owned(), metrics };
        match (self.probe, &it.counters) {
            (Probe::Rss | Probe::Ledger, _) => {
                for helper in family::descendants(subject) {
                    // One that ends just now takes no memory any more.
                    let Ok(metrics) = Watched::new(helper).and_then(|helper| helper.metrics()) else { continue };
                    rows.push(row("helper", metrics));
                }
            }
            (Probe::Count, Some(counters)) => {
                let living = family::descendants(subject);
                for (helper, mut metrics) in counters.helpers(subject).map_err(Trouble::failed)? {
                    let lives = living.contains(&helper);
                    metrics.retain(|name, _| lives || !count::LEVELS.contains(&&**name));
                    rows.push(row(if lives { "helper" } else { "ended" }, metrics));
                }
            }
            _ => {}
        }
        if let Some(proxy) = &it.proxy {
            rows.extend(proxy.row(self.probe).map_err(Trouble::failed)?);
        }
        Ok(rows)
    }

    /// Waits until all that work for the subject are at rest, too: what they still do they do for it.
    fn rest(&self, it: &Subjected) {
        it.watched.rest(REST);
        if let Some(proxy) = &it.proxy {
            proxy.rest(REST);
        }
        for helper in family::descendants(it.process.id()).into_iter().filter_map(|helper| Watched::new(helper).ok()) {
            helper.rest(REST);
        }
    }

    /// Refuses work for which there are not enough files to open. Over HTTP/2 many requests share one.
    fn room(&self) -> Result<(), Trouble> {
        let in_flight = self.held.iter().copied().fold(self.scenario.in_flight, u64::max);
        let files = exec::open_files();
        let needed = in_flight + SPARE_FILES;
        if needed <= files || launch::factor(&self.sample.cell, "protocol") == Some("h2") {
            return Ok(());
        }
        let message = format!(
            "{in_flight} connections at once need {needed} open files, and a subject may have {files} here: raise the hard limit (ulimit -Hn)"
        );
        Err(Trouble { status: Status::Unavailable, message })
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

    fn checkpoint(&mut self, it: &Subjected, name: &str, requests: u64, pairs: &Pairs) -> Result<(), Trouble> {
        self.rest(it);
        let mut metrics: Metrics = protocol::metrics(pairs)?;
        let mut memory = None;
        match self.probe {
            Probe::Rss => {
                metrics.extend(it.watched.metrics().map_err(Trouble::failed)?);
                metrics.extend(it.group.iter().flat_map(Group::metrics));
            }
            Probe::Count => metrics.extend(counts(it)?),
            Probe::Ledger => {
                let (read, lies) = self.account(it)?;
                metrics.extend(read);
                memory = Some(lies);
            }
            Probe::Jemalloc | Probe::Dhat => {
                let wanted = if self.probe == Probe::Jemalloc { "jemalloc.allocated" } else { "dhat.total" };
                if !metrics.contains_key(wanted) {
                    return Err(Trouble::failed(format!(
                        "its answer lacks `{wanted}=`; build this binary with plimsoll-worker's feature for {}",
                        self.probe
                    )));
                }
            }
        }
        self.sample.checkpoints.push(Checkpoint {
            name: name.to_owned(),
            requests,
            at_ms: it.process.age_ms(),
            metrics,
            processes: self.beside(it)?,
            sites: Vec::new(),
            memory,
        });
        Ok(())
    }

    /// What the subject has in memory, and where. It takes several readings, which belong together only if nothing moved between the first and the
    /// last: else they are taken again, a few times.
    fn account(&self, it: &Subjected) -> Result<(Metrics, Memory), Trouble> {
        let known = self.known();
        let mut tries = 0;
        loop {
            tries += 1;
            let mut metrics = it.watched.metrics().map_err(Trouble::failed)?;
            metrics.extend(counts(it)?);
            let memory = memory::read(it.process.id(), &known).map_err(Trouble::failed)?;
            let after = it.watched.metrics().map_err(Trouble::failed)?;
            let still = after["proc.rss"] == metrics["proc.rss"]
                && counts(it)?.get("heap.allocs") == metrics.get("heap.allocs");
            if still || tries == TRIES {
                let held = memory::socket_memory(it.process.id()).and_then(|bytes| i64::try_from(bytes).ok());
                metrics.extend(held.map(|bytes| ("proc.sockets".to_owned(), bytes)));
                return Ok((metrics, memory));
            }
            self.rest(it);
        }
    }

    /// What tells Plimsoll's own files from the subject's.
    fn known(&self) -> memory::Known {
        let shared = self.bench.shared;
        memory::Known {
            jemalloc: launch::allocator(&self.sample.cell) == Allocator::Jemalloc,
            instrument: vec![shared.count_library.clone(), shared.count_file.clone()],
            roots: shared.ca.clone(),
        }
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

    fn number(&self, pairs: &Pairs, key: &'static str) -> Result<u64, Trouble> {
        protocol::number(pairs, key)?
            .ok_or_else(|| Trouble::failed(format!("its answer lacks `{key}=`; see PROTOCOL.md")))
    }

    /// Notes the times of the last batch.
    fn time(&mut self, pairs: &Pairs) -> Result<(), Trouble> {
        let of = |key| protocol::number(pairs, key);
        if let (Some(p50_us), Some(p90_us), Some(p99_us), Some(max_us)) =
            (of("p50_us")?, of("p90_us")?, of("p99_us")?, of("max_us")?)
        {
            self.sample.latency = Some(Latency { p50_us, p90_us, p99_us, max_us });
            if let Some(live) = self.bench.live {
                live.timed(max_us);
            }
        }
        Ok(())
    }

    /// Compares the sum of what was read with the sum of what was served, after every batch.
    fn check(&mut self, tally: &mut Tally, asked: u64, script: &str) -> Result<(), Trouble> {
        if self.bench.mock.is_none() {
            return Ok(());
        }
        let Some(text) = script.parse().ok().and_then(|script| crate::corpus::expected_text(&script)) else {
            return Err(Trouble::failed(format!("scenario {} has no reply in the corpus", self.scenario.id)));
        };
        let served = u64::from(crc32fast::hash(text.as_bytes())).wrapping_mul(asked);
        tally.expected = tally.expected.wrapping_add(served);
        let Tally { answered: done, crc, expected } = *tally;
        self.sample.answers.expected = Some(expected.to_string());
        if crc == expected {
            return Ok(());
        }
        let message = format!(
            "what it read is not what was served: after {done} answers the sum of CRC-32 is {crc}, served was {expected}"
        );
        Err(Trouble { status: Status::WrongAnswer, message })
    }

    /// Asks the mock what it saw: all requests, no more, each with the key and no other.
    fn check_with_mock(&mut self, done: u64) -> Result<(), Trouble> {
        let Some(mock) = self.bench.mock else { return Ok(()) };
        let stats = mock.stats().map_err(Trouble::failed)?;
        self.sample.answers.seen = Some(stats.requests);
        let lockstep = stats.lockstep;
        self.sample.answers.unpaced = Some(lockstep.unsettled + lockstep.shared + lockstep.unseen);
        if self.sample.answers.protocol.is_empty() {
            self.sample.answers.protocol = mock::protocol(&stats).to_owned();
        }
        if stats.requests != done {
            let message = format!("the mock saw {} requests where {done} were asked for", stats.requests);
            return Err(Trouble { status: Status::WrongAnswer, message });
        }
        if mock::keyed(&stats, &self.bench.shared.key) != done {
            let message = "the mock did not get the key in `x-goog-api-key` with every request".to_owned();
            return Err(Trouble { status: Status::WrongAnswer, message });
        }
        Ok(())
    }
}

/// The counts of the subject.
fn counts(it: &Subjected) -> Result<Metrics, Trouble> {
    let Some(counters) = &it.counters else { return Ok(Metrics::new()) };
    counters.subject(it.process.id()).map_err(Trouble::failed)?.ok_or_else(|| {
        Trouble::unavailable(
            "it did not load libplimsoll_count.so: it is statically linked, or not a program for this C library; \
             measure it with `rss`",
        )
    })
}

/// The pairs of an answer; anything but `ok` is a reason why the sample does not count.
fn understood(command: &str, line: &str) -> Result<Pairs, Trouble> {
    match protocol::answer(command, line)? {
        Answer::Ok(pairs) => Ok(pairs),
        Answer::Error(kind, message) => Err(Trouble::failed(format!("at {command:?}: {kind}: {message}"))),
        Answer::Unsupported(reason) => Err(Trouble { status: Status::Unavailable, message: reason }),
    }
}
