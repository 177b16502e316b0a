//! How long a run will take: from the last run on this machine where it measured the same kind of cell, else from a table.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_reports::record::{Cell, PlannedCell, Record, Sample};

use super::scenario::{self, Scenario};
use crate::config::Probe;
use crate::run::live::requests_of;

/// Seconds per sample, by how well the past matches.
#[derive(Debug, Clone, Default)]
pub struct Predictor {
    exact: BTreeMap<Cell, Vec<f64>>,
    alike: BTreeMap<(String, String), Vec<f64>>,
    /// What each request takes, where that is set by a rate.
    paced: Option<Duration>,
}

/// What dhat takes to write a profile, names and all. Milliseconds.
const PROFILE_MS: f64 = 400.0;

/// What a sample costs besides its subject's own time: spawning, the trampoline, reading, writing the line. Milliseconds.
const OVERHEAD_MS: f64 = 12.0;

impl Predictor {
    /// For the live service: every request takes so long, whatever the subject.
    pub fn paced(request: Duration) -> Self {
        Self { paced: Some(request), ..Self::default() }
    }

    /// Learns from an earlier record, if it is of the mock: the time that others take says nothing of it.
    pub fn from_record(record: &Record) -> Self {
        let mut this = Self::default();
        if !record.environment.target.starts_with("mock") {
            return this;
        }
        for sample in &record.samples {
            this.learn(sample);
        }
        this
    }

    /// Learns from a sample, so that the time left gets truer as a run goes on.
    pub fn learn(&mut self, sample: &Sample) {
        let Some(last) = sample.checkpoints.last() else { return };
        let ms = last.at_ms + OVERHEAD_MS + profiles(sample);
        self.exact.entry(sample.cell.clone()).or_default().push(ms);
        let kind = (sample.cell.scenario.clone(), sample.cell.probe.clone());
        self.alike.entry(kind).or_default().push(ms);
    }

    /// The time that one sample of a cell will take.
    pub fn sample(&self, cell: &Cell) -> Duration {
        if let Some(request) = self.paced {
            return request * u32::try_from(requests_of(&cell.scenario)).unwrap_or(u32::MAX);
        }
        let kind = (cell.scenario.clone(), cell.probe.clone());
        let ms = self.exact.get(cell).or_else(|| self.alike.get(&kind)).map_or_else(|| by_table(cell), |v| mean(v));
        Duration::from_secs_f64(ms / 1000.0)
    }

    /// The time that all samples of some cells will take.
    pub fn total(&self, cells: &[PlannedCell]) -> Duration {
        cells.iter().map(|c| self.sample(&c.cell) * c.samples).sum()
    }
}

/// What a sample's profiles cost besides, milliseconds: each is written at its process's end, and those of shorter lives have processes of their own.
fn profiles(sample: &Sample) -> f64 {
    if sample.cell.probe != Probe::Dhat.as_str() {
        return 0.0;
    }
    let ends = scenario::find(&sample.cell.scenario).map_or(&[][..], Scenario::profiled_at);
    let lives = sample.checkpoints.iter().filter(|point| ends.iter().any(|at| point.name == format!("steady@{at}")));
    PROFILE_MS + lives.map(|point| point.at_ms + OVERHEAD_MS + PROFILE_MS).sum::<f64>()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Milliseconds per sample on a machine that has no history yet: means over the cells of a `full` and a `published` run, with nothing else running, on
/// two cores of an EPYC at 2.6 GHz. They are of subjects that keep their connections: one that makes a handshake for each request takes three to four times as
/// long, and some interpreted clients thirty; a run's own samples correct that as it goes on.
fn by_table(cell: &Cell) -> f64 {
    let is = |factor: &str, value: &str| cell.factors.get(factor).is_some_and(|own| own == value);
    // Of what may speak either, the mock takes HTTP/2.
    let h2 = is("protocol", "h2") || is("protocol", "auto");
    // A thousand requests over HTTP/1.1 are a thousand handshakes.
    let work = match cell.scenario.as_str() {
        "client" => 20.0,
        "chat-20x" => 240.0,
        "stream" => 900.0,
        "large" => 630.0,
        "inflight-head" | "inflight-event" | "line" | "crowd" if h2 => 430.0,
        "inflight-head" | "inflight-event" | "line" | "crowd" => 1900.0,
        "crowd-100" => 300.0,
        "crowd-5000" if h2 => 600.0,
        "crowd-5000" => 4000.0,
        "soak" => 14_000.0,
        _ => 330.0,
    };
    match cell.probe.as_str() {
        // Its profiles are written at the end, and those of shorter lives have processes of their own.
        "dhat" => work + PROFILE_MS + 250.0,
        _ => work,
    }
}
