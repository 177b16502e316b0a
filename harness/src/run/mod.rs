//! A run: plan → mock → one fresh process per sample → record.
//!
//! - `environment`: where it measures
//! - `launch`: how a subject is started
//! - `live`: what the live service needs besides
//! - `mock`: the mock's process
//! - `proxy`: the process of a subject's proxy
//! - `sample`: one sample
//! - `scratch`: the folder for sockets and counters
//! - `session`: what the samples of one time are taken with: servers, and what subjects are told of them
//! - `store`: what is left on disk

pub mod environment;
pub mod launch;
pub mod live;
pub mod mock;
pub mod proxy;
pub mod sample;
pub mod scratch;
pub mod session;
pub mod store;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use plimsoll_reports::record::{Cell, Environment, Plan, PlannedCell, Record, SCHEMA, Sample, Status, Trust};
use sha2::{Digest, Sha256};

use crate::attribute;
use crate::config::{Allocator, Probe, Project};
use crate::corpus::hex;
use crate::event::{Event, Reporter};
use crate::plan::order::{self, Turn};
use crate::plan::predict::Predictor;
use crate::plan::{self, Selection, scenario};
use launch::{Key, Shared};
use live::Access;
use mock::MockError;
use sample::{Bench, Stop};
use session::Session;
use store::{Store, StoreError};

/// What requests go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A mock of our own, in a process of its own.
    Mock,
    /// The live service: at a rate, with a key of the user's, advisory.
    Live,
    /// A server that is there already: its origin, e.g. `http://127.0.0.1:9`.
    Url(String),
}

impl Target {
    /// As records name it.
    pub fn name(&self) -> &str {
        match self {
            Self::Mock => "mock",
            Self::Live => "live",
            Self::Url(url) => url,
        }
    }
}

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Order {
    /// The suite's name.
    pub suite: String,
    /// Seed of the order of samples.
    pub seed: u64,
    /// What requests go to.
    pub target: Target,
    /// The key that subjects send.
    pub key: Key,
    /// Modifiers added to every script of the mock.
    pub fault: Option<String>,
    /// A folder of recorded traffic for the mock.
    pub traffic: Option<PathBuf>,
    /// How a server that is not the mock is reached.
    pub access: Access,
    /// How long one command of a subject may take.
    pub timeout: Duration,
}

/// What ended a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The mock.
    #[error(transparent)]
    Mock(#[from] MockError),
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder for sockets and counters.
    #[error("cannot make a folder for temporary files: {0}; free some space, or point TMPDIR elsewhere")]
    Scratch(std::io::Error),
    /// A harness without its library.
    #[error("{} is not there: it is built together with plimsoll, by `make build`, and stays beside it", .0.display())]
    NoCountLibrary(PathBuf),
    /// A debug build of the harness.
    #[error("this plimsoll is a debug build, whose subjects are likely debug builds too; build with --release")]
    Debug,
    /// A record of another plan.
    #[error("{} cannot be resumed: {why}; start a new run", dir.display())]
    Resume {
        /// The run's folder.
        dir: PathBuf,
        /// What differs.
        why: String,
    },
    /// A record that cannot be predicted from.
    #[error("{} cannot be used: {why}; leave out --record to measure", path.display())]
    Adopt {
        /// The record.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// What `--ca` names is no bundle of roots.
    #[error("{0}")]
    Roots(String),
    /// The live service refuses, and would refuse the rest too.
    #[error("{why}. It was said: {said}. The samples so far are kept in {}", dir.display())]
    Refused {
        /// Why the run cannot go on, and what to do.
        why: String,
        /// What the subject said.
        said: String,
        /// The run's folder.
        dir: PathBuf,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted; the samples so far are kept: continue with `plimsoll run --resume --out {}`", .0.display())]
    Interrupted(PathBuf),
}

/// A new record for an order, without samples.
pub fn blank_record(project: &Project, selection: &Selection, order: &Order, trust: Trust) -> Record {
    let suite = &project.config.suite[&order.suite];
    let is_in = |cell: &dyn Fn(&Cell) -> bool| selection.cells.iter().any(|c| cell(&c.cell));
    let subjects = plan::in_order(project, suite).filter(|s| is_in(&|c| c.subject == s.id));
    let scenarios =
        suite.scenarios.iter().filter_map(|id| scenario::find(id)).filter(|s| is_in(&|c| c.scenario == s.id));
    let mut environment = environment::gather(&project.root, trust, order.target.name());
    if let (Target::Live, Some(resolve)) = (&order.target, &order.access.resolve) {
        // A rehearsal must not pass for the service.
        environment.target = format!("{}, resolved to {} port {}", environment.target, resolve.address, resolve.port);
    }
    if let Some(fault) = &order.fault {
        environment.target = format!("{} +{fault}", environment.target);
    }
    let started = Timestamp::now();
    Record {
        schema: SCHEMA.to_owned(),
        id: run_id(started, order.seed),
        started,
        finished: None,
        tool: environment::tool(&project.root),
        plan: Plan {
            suite: order.suite.clone(),
            seed: order.seed,
            subjects: subjects.map(plan::subject_info).collect(),
            scenarios: scenarios.map(|s| s.info(order.target == Target::Mock)).collect(),
            cells: selection.cells.clone(),
        },
        environment,
        samples: Vec::new(),
        frames: Vec::new(),
        sites: Vec::new(),
        benches: Vec::new(),
    }
}

/// `YYYYMMDD-HHMMSS-xxxx`: sorts by time, and the seed's end tells two of one second apart.
pub fn run_id(started: Timestamp, seed: u64) -> String {
    format!("{}-{:04x}", started.strftime("%Y%m%d-%H%M%S"), seed & 0xffff)
}

/// The trust bundle of every cell, as PEM, and how records name it.
pub fn trust_bundle() -> (String, Trust) {
    let (pem, roots) = crate::mock::certs::trust_bundle_pem();
    let digest = hex(&Sha256::digest(pem.as_bytes()));
    (pem, Trust { roots, digest })
}

/// A run in progress.
pub struct Runner<'a> {
    project: &'a Project,
    order: &'a Order,
    store: Store,
    record: Record,
    predictor: Predictor,
    reporters: Vec<Box<dyn Reporter>>,
    interrupted: &'a dyn Fn() -> bool,
}

impl<'a> Runner<'a> {
    /// Prepares a new run in `dir`.
    ///
    /// # Errors
    /// When `dir` holds a run already or cannot be written.
    pub fn create(
        project: &'a Project,
        order: &'a Order,
        record: Record,
        dir: &Path,
        interrupted: &'a dyn Fn() -> bool,
    ) -> Result<Self, RunError> {
        let store = Store::create(dir, &record)?;
        Ok(Self { project, order, store, record, predictor: Predictor::default(), reporters: Vec::new(), interrupted })
    }

    /// Prepares to go on with the run in `dir`. `now` is what a new run of the same order would be: machine, build and target must not
    /// have changed in between.
    ///
    /// # Errors
    /// When `dir` holds no run, or something changed.
    pub fn resume(
        project: &'a Project,
        order: &'a Order,
        now: &Record,
        dir: &Path,
        interrupted: &'a dyn Fn() -> bool,
    ) -> Result<Self, RunError> {
        let (store, record) = Store::resume(dir)?;
        let refuse = |why: String| Err(RunError::Resume { dir: dir.to_owned(), why });
        if (&record.tool.version, &record.tool.git) != (&now.tool.version, &now.tool.git) {
            return refuse("it was begun with another version of the code".into());
        }
        if let Some(changed) = changed(&record.environment, &now.environment) {
            return refuse(format!("its environment was another one ({changed})"));
        }
        let runner =
            Self { project, order, store, record, predictor: Predictor::default(), reporters: Vec::new(), interrupted };
        let gone = |turn: &&Turn| !project.config.subject.iter().any(|subject| subject.id == turn.cell.subject);
        match runner.missing().iter().find(gone) {
            Some(turn) => {
                let (id, file) = (&turn.cell.subject, project.path());
                refuse(format!("it has still to measure {id:?}, which {} no longer names", file.display()))
            }
            None => Ok(runner),
        }
    }

    /// Lets a reporter hear what happens.
    pub fn report_to(&mut self, reporter: Box<dyn Reporter>) {
        self.reporters.push(reporter);
    }

    /// Predicts from the past.
    pub fn predict_with(&mut self, predictor: Predictor) {
        self.predictor = predictor;
    }

    fn tell(&mut self, event: &Event) {
        for reporter in &mut self.reporters {
            reporter.hear(event);
        }
    }

    /// Takes all samples that are still missing, and writes the record.
    ///
    /// # Errors
    /// When the mock or the disk fails, or when interrupted: what was measured is kept.
    pub fn run(self) -> Result<Record, RunError> {
        self.run_on(&mut |_| Vec::new())
    }

    /// The same, and then what `more` plans from what was measured, until it plans nothing more.
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub fn run_on(mut self, more: &mut dyn FnMut(&Record) -> Vec<PlannedCell>) -> Result<Record, RunError> {
        let begun = Instant::now();
        let mut turns = VecDeque::from(self.missing());
        let session = Session::open(self.order, turns.iter().any(session::wants_unlimited))?;
        let total = turns.len() + self.record.samples.len();
        let mut left = self.left(&turns);
        let (id, done) = (self.record.id.clone(), self.record.samples.len());
        self.tell(&Event::RunStarted { id, samples: total, done, predicted_s: left.as_secs_f64() });
        loop {
            let Some(turn) = turns.pop_front() else {
                let cells = more(&self.record);
                if cells.is_empty() {
                    break;
                }
                turns = self.grow(cells)?.into();
                left = self.left(&turns);
                continue;
            };
            let turn = &turn;
            let predicted = self.predictor.sample(&turn.cell);
            let (cell, index, order) = (turn.cell.clone(), turn.index, turn.order);
            self.tell(&Event::SampleStarted { cell, index, order, left_s: left.as_secs_f64() });
            let at = Instant::now();
            let sample = self.keep(&session, turn)?;
            let finished = Event::finished(sample, at.elapsed());
            // What was learned changes what was said of all the others.
            let anew = self.record.samples.len().is_multiple_of(16);
            left = if anew { self.left(&turns) } else { left.saturating_sub(predicted) };
            self.tell(&finished);
        }
        self.finish()?;
        let ok = self.record.samples.iter().filter(|s| s.status == Status::Ok).count();
        let not_ok = self.record.samples.len() - ok;
        self.tell(&Event::RunFinished { ok, not_ok, took_s: begun.elapsed().as_secs_f64() });
        Ok(self.record)
    }

    fn left(&self, turns: &VecDeque<Turn>) -> Duration {
        self.predictor.each(turns.iter().map(|turn| &turn.cell))
    }

    /// Takes one sample and keeps it, on disk first.
    ///
    /// # Errors
    /// When the mock or the disk fails, or when interrupted: the sample in hand is lost.
    pub fn keep(&mut self, session: &Session, turn: &Turn) -> Result<&Sample, RunError> {
        let dir = || self.store.dir().to_owned();
        let sample = match self.take(turn, session) {
            Ok(sample) => sample,
            Err(Stop::Interrupted) => return Err(RunError::Interrupted(dir())),
            Err(Stop::Refused { why, said }) => return Err(RunError::Refused { why, said, dir: dir() }),
        };
        self.store.push(&sample)?;
        self.predictor.learn(&sample);
        self.record.samples.push(sample);
        let at = self.record.samples.len() - 1;
        Ok(&self.record.samples[at])
    }

    /// Reads what profiles there are, and writes the record whole.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn finish(&mut self) -> Result<&Record, RunError> {
        self.attribute();
        self.record.environment.jemalloc = jemalloc_options(&self.record.samples);
        self.record.finished = Some(Timestamp::now());
        self.store.finish(&self.record)?;
        Ok(&self.record)
    }

    /// Adds cells to the plan; gives the turns of their samples, which come after all others.
    fn grow(&mut self, cells: Vec<PlannedCell>) -> Result<Vec<Turn>, RunError> {
        let plan = &mut self.record.plan;
        let begin = plan.cells.iter().map(|planned| planned.samples).sum::<u32>();
        let mut turns = order::turns(&cells, plan.seed);
        turns.iter_mut().for_each(|turn| turn.order += begin);
        for scenario in cells.iter().filter_map(|planned| scenario::find(&planned.cell.scenario)) {
            if !plan.scenarios.iter().any(|known| known.id == scenario.id) {
                plan.scenarios.push(scenario.info(self.order.target == Target::Mock));
            }
        }
        plan.cells.extend(cells);
        self.store.finish(&self.record)?;
        self.tell(&Event::PlanGrew { samples: self.record.samples.len() + turns.len() });
        Ok(turns)
    }

    /// Takes over what an earlier run measured of cells of this plan, so that it need not be measured again, and gives the cells that it lacks.
    /// Machine, build and target must be the same.
    ///
    /// # Errors
    /// When something differs.
    pub fn adopt(&mut self, earlier: Record, path: &Path) -> Result<Vec<Cell>, RunError> {
        let refuse = |why: String| Err(RunError::Adopt { path: path.to_owned(), why });
        if let Some(changed) = changed(&earlier.environment, &self.record.environment) {
            return refuse(format!("its environment was another one ({changed})"));
        }
        for planned in &mut self.record.plan.cells {
            let known = earlier.samples.iter().filter(|sample| sample.cell == planned.cell);
            planned.samples = known.clone().count() as u32;
            self.record.samples.extend(known.cloned());
        }
        if self.record.samples.is_empty() {
            return refuse("it has no sample of what is asked for".into());
        }
        for (order, sample) in self.record.samples.iter_mut().enumerate() {
            sample.order = order as u32;
            self.store.push(sample)?;
        }
        let missing = self.record.plan.cells.extract_if(.., |planned| planned.samples == 0);
        Ok(missing.map(|planned| planned.cell).collect())
    }

    /// Reads the profiles, and fills in which code asked for memory.
    fn attribute(&mut self) {
        let project = self.project;
        let program = |cell: &Cell| {
            let subject = project.config.subject.iter().find(|subject| subject.id == cell.subject)?;
            launch::locate(project, subject, &subject.command, launch::allocator(cell)).ok().map(|(program, _)| program)
        };
        attribute::fill(&mut self.record, self.store.dir(), &project.root, &program);
    }

    /// The turns that have no sample yet, in the order that the recorded seed gives.
    pub fn missing(&self) -> Vec<Turn> {
        let taken: std::collections::BTreeSet<u32> = self.record.samples.iter().map(|s| s.order).collect();
        let all = order::turns(&self.record.plan.cells, self.record.plan.seed);
        all.into_iter().filter(|turn| !taken.contains(&turn.order)).collect()
    }

    /// What was measured so far, and of what.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Requests that the samples still missing will make.
    pub fn requests_left(&self) -> u64 {
        self.missing().iter().map(|turn| live::requests_of(&turn.cell.scenario)).sum()
    }

    fn take(&self, turn: &Turn, session: &Session) -> Result<Sample, Stop> {
        let subject = self.project.config.subject.iter().find(|s| s.id == turn.cell.subject);
        let scenario = scenario::find(&turn.cell.scenario);
        let probe = Probe::ALL.iter().copied().find(|p| p.as_str() == turn.cell.probe);
        let (Some(subject), Some(scenario), Some(probe)) = (subject, scenario, probe) else {
            return Err(Stop::Interrupted); // the plan was made from these lists
        };
        let served = session.served(turn);
        let shared = Shared { target: self.project.target_dir(), ..served.shared().clone() };
        let bench = Bench {
            project: self.project,
            shared: &shared,
            mock: served.mock(),
            live: session.live(),
            fault: self.order.fault.as_deref(),
            seed: self.record.plan.seed,
            dir: self.store.dir(),
            timeout: self.order.timeout,
        };
        sample::take(&bench, turn, subject, scenario, probe, self.interrupted)
    }
}

/// What is not the same in two halves of a run, by the names that records have for it; `None` where all is that must be. What jemalloc has read
/// back is known only at the end.
fn changed(then: &Environment, now: &Environment) -> Option<String> {
    let members = |environment: &Environment| {
        let environment = Environment { jemalloc: BTreeMap::new(), ..environment.clone() };
        match serde_json::to_value(environment) {
            Ok(serde_json::Value::Object(members)) => members,
            _ => serde_json::Map::new(),
        }
    };
    let (then, now) = (members(then), members(now));
    let names: std::collections::BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let others: Vec<&str> =
        names.into_iter().filter(|name| then.get(*name) != now.get(*name)).map(String::as_str).collect();
    (!others.is_empty()).then(|| others.join(", "))
}

/// jemalloc's options as the first subject that has them read them back; those of another allocator than `jemalloc` with its name behind.
fn jemalloc_options(samples: &[Sample]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for allocator in Allocator::ALL.iter().filter(|allocator| allocator.is_jemalloc()) {
        let of = |sample: &&Sample| launch::allocator(&sample.cell) == *allocator;
        let greetings = samples.iter().filter(of).map(|sample| &sample.greeting);
        let greeting = greetings.into_iter().find(|g| g.keys().any(|key| key.starts_with("opt.")));
        for (key, value) in greeting.into_iter().flatten().filter(|(key, _)| key.starts_with("opt.")) {
            let plain = *allocator == Allocator::Jemalloc;
            all.insert(if plain { key.clone() } else { format!("{key} ({allocator})") }, value.clone());
        }
    }
    all
}

/// The exit code that a record deserves: 3 if a sample is not valid, or none is.
pub fn exit_code(record: &Record) -> u8 {
    let bad = |status| !matches!(status, Status::Ok | Status::Unavailable);
    let none = !record.samples.iter().any(|s| s.status == Status::Ok);
    if none || record.samples.iter().any(|s| bad(s.status)) { 3 } else { 0 }
}

impl std::fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("id", &self.record.id).field("dir", &self.store.dir()).finish_non_exhaustive()
    }
}
