//! Synthetic records. Every figure here is made up, and the environment says so, so that none can be taken for a result.
//!
//! - `samples`: what a made-up process shows at its checkpoints; `sites`: what its call sites ask for.
//! - `records`: whole records, each of something that a report can hold.
#![allow(dead_code, reason = "each test uses a part of it")]

mod records;
mod samples;
pub(crate) mod sites;

use std::collections::BTreeMap;

use plimsoll_reports::record::*;

pub(crate) use records::*;
use samples::sample;
pub(crate) use samples::varied;

/// Builds a record cell by cell.
pub(crate) struct Builder {
    record: Record,
}

/// What a made-up process does.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Anonymous bytes at start.
    pub(crate) start: i64,
    /// Anonymous bytes that the first 20 requests add.
    pub(crate) growth: i64,
    /// File bytes that they touch.
    pub(crate) file: i64,
    /// Bytes that each request leaks.
    pub(crate) leak: i64,
    /// Bytes that appear once between request 64 and 128.
    pub(crate) step: i64,
    /// Allocations per request.
    pub(crate) allocs: i64,
    /// Bytes asked for per request.
    pub(crate) bytes: i64,
    /// Microseconds per request.
    pub(crate) micros: u64,
}

pub(crate) const PLAIN: Shape = Shape {
    start: 200_704,
    growth: 733_184,
    file: 3_670_016,
    leak: 0,
    step: 0,
    allocs: 119,
    bytes: 13_412,
    micros: 410,
};

pub(crate) const STEPS: [u64; 4] = [20, 64, 128, 256];

pub(crate) fn factors(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn cell(subject: &str, scenario: &str, probe: &str, pairs: &[(&str, &str)]) -> Cell {
    Cell { subject: subject.into(), scenario: scenario.into(), probe: probe.into(), factors: factors(pairs) }
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            record: Record {
                schema: SCHEMA.into(),
                id: "20200102-030405-fake".into(),
                started: "2020-01-02T03:04:05Z".parse().unwrap(),
                finished: Some("2020-01-02T03:14:05Z".parse().unwrap()),
                tool: Tool { version: "0.0.0-synthetic".into(), git: Some("0123abc".into()), dirty: true },
                environment: Environment {
                    kernel: "Linux 0.0 (synthetic)".into(),
                    cpu: "No Such CPU".into(),
                    arch: "x86_64".into(),
                    cores: 2,
                    memory: 8 << 30,
                    page_size: 4096,
                    thp: "madvise; off for subjects".into(),
                    libc: "glibc 0.0".into(),
                    rustc: "rustc 0.0".into(),
                    profile: "release (lto off)".into(),
                    aslr_off: true,
                    open_files: Some(16_384),
                    subject_env: factors(&[("MALLOC_ARENA_MAX", "1")]),
                    lockfile: Some("ab".repeat(32)),
                    corpus: "cd".repeat(32),
                    trust: Trust { roots: 143, digest: "ef".repeat(32) },
                    jemalloc: factors(&[("opt.narenas", "1"), ("opt.tcache", "false")]),
                    target: "mock".into(),
                },
                plan: Plan { suite: "synthetic".into(), seed: 7, subjects: vec![], scenarios: vec![], cells: vec![] },
                samples: vec![],
                frames: vec![],
                sites: vec![],
                benches: vec![],
            },
        }
    }

    pub(crate) fn subject(mut self, id: &str, kind: &str, description: &str) -> Self {
        self.record.plan.subjects.push(SubjectInfo {
            id: id.into(),
            description: description.into(),
            kind: kind.into(),
            below: None,
        });
        self
    }

    /// A rung of a ladder, above another or the first.
    pub(crate) fn rung(self, id: &str, below: Option<&str>) -> Self {
        let mut with = self.subject(id, "rung", "a made-up component");
        with.record.plan.subjects.last_mut().unwrap().below = below.map(str::to_owned);
        with
    }

    pub(crate) fn scenario(mut self, id: &str, in_flight: u64) -> Self {
        let stream = id.contains("stream");
        self.record.plan.scenarios.push(ScenarioInfo {
            id: id.into(),
            description: format!("made-up work {id}"),
            method: if stream { "streamGenerateContent" } else { "generateContent" }.into(),
            in_flight,
            body_bytes: Some(2_048),
            events: stream.then_some(50),
            deterministic: in_flight == 1,
            steps: STEPS.to_vec(),
            held: vec![],
        });
        self
    }

    /// A cell with one sample for each shape.
    pub(crate) fn measured(mut self, cell: &Cell, shapes: &[Shape]) -> Self {
        self.plan(cell, shapes.len());
        for (index, shape) in shapes.iter().enumerate() {
            let order = self.record.samples.len();
            self.record.samples.push(sample(cell, index, order, shape));
        }
        self
    }

    /// A sample that does not count, added to its cell.
    pub(crate) fn failed(mut self, cell: &Cell, status: Status, error: &str) -> Self {
        self.plan(cell, 1);
        let index = self.record.samples.iter().filter(|sample| sample.cell == *cell).count();
        // It carries figures all the same, and absurdly good ones: they must not be used.
        let mut sample =
            sample(cell, index, self.record.samples.len(), &Shape { growth: 1, allocs: 0, bytes: 0, ..PLAIN });
        sample.status = status;
        sample.error = Some(error.into());
        self.record.samples.push(sample);
        self
    }

    fn plan(&mut self, cell: &Cell, samples: usize) {
        let samples = u32::try_from(samples).unwrap();
        match self.record.plan.cells.iter_mut().find(|planned| planned.cell == *cell) {
            Some(planned) => planned.samples += samples,
            None => self.record.plan.cells.push(PlannedCell { cell: cell.clone(), samples }),
        }
    }

    pub(crate) fn build(self) -> Record {
        self.record
    }
}

/// Adds bytes to everything that a subject had at a checkpoint, and nothing to what it had given up.
pub(crate) fn grow(point: &mut Checkpoint, bytes: i64) {
    let metrics = point.metrics.iter_mut().filter(|(metric, _)| *metric != "proc.lazyfree");
    metrics.for_each(|(_, value)| *value += bytes);
}

/// Makes every sample of a scenario one that was read with 1, 10, 100 and 1,000 requests held: `per_request` bytes for each, the samples 900 bytes
/// apart in all, and a tenth of it when they are answered.
pub(crate) fn held(record: &mut Record, scenario: &str, per_request: i64) {
    const HELD: [u64; 4] = [1, 10, 100, 1_000];
    let info = record.plan.scenarios.iter_mut().find(|info| info.id == scenario).unwrap();
    (info.steps, info.held, info.in_flight) = (vec![], HELD.to_vec(), 1_000);
    for sample in record.samples.iter_mut().filter(|sample| sample.cell.scenario == scenario) {
        sample.latency = None;
        let start = sample.checkpoints.iter().find(|c| c.name == "start").unwrap().clone();
        sample.checkpoints.retain(|c| ["start", "runtime", "client"].contains(&c.name.as_str()));
        let more = 900 * i64::from(sample.index);
        let point = |name: String, requests: u64, bytes: i64| {
            let mut point = Checkpoint {
                name,
                requests,
                at_ms: 100.0,
                metrics: start.metrics.clone(),
                processes: vec![],
                sites: vec![],
                memory: None,
            };
            grow(&mut point, bytes);
            point
        };
        let mut done = 0;
        for count in HELD {
            let bytes = i64::try_from(count).unwrap() * per_request + if count == 1_000 { more } else { 0 };
            sample.checkpoints.push(point(format!("held@{count}"), done, bytes));
            done += count;
            sample.checkpoints.push(point(format!("after@{count}"), done, bytes / 10));
        }
    }
}
