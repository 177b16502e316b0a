//! How long a run will take: from the last run on this machine and the one that the project keeps, where they measured the same kind of cell, else from a table.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_reports::record::{Cell, PlannedCell, Record, Sample};

use super::scenario::{self, Scenario};
use crate::baseline;
use crate::config::{Probe, Project};
use crate::run::live::requests_of;
use crate::run::store;

/// What was seen, the nearest first: this machine's own samples, and those of a record that was kept, perhaps elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Predictor {
    here: Seen,
    kept: Seen,
    /// What each request takes, where that is set by a rate.
    paced: Option<Duration>,
}

/// How long samples took, by how much of their cell is asked for.
#[derive(Debug, Clone, Default)]
struct Seen {
    cells: BTreeMap<Cell, Mean>,
    /// By subject, scenario and probe: under other factors.
    subjects: BTreeMap<(String, String, String), Mean>,
    /// By scenario and probe: of other subjects.
    scenarios: BTreeMap<(String, String), Mean>,
}

/// A mean, milliseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, ms: f64) {
        self.sum += ms;
        self.count += 1.0;
    }

    fn ms(&self) -> f64 {
        self.sum / self.count
    }
}

impl Seen {
    fn of(record: &Record) -> Self {
        let mut this = Self::default();
        // What others took says nothing of the mock's time.
        if record.environment.target.starts_with("mock") {
            record.samples.iter().for_each(|sample| this.learn(sample));
        }
        this
    }

    fn learn(&mut self, sample: &Sample) {
        let Some(last) = sample.checkpoints.last() else { return };
        let ms = last.at_ms + OVERHEAD_MS + profiles(sample);
        self.cells.entry(sample.cell.clone()).or_default().add(ms);
        self.subjects.entry(by_subject(&sample.cell)).or_default().add(ms);
        self.scenarios.entry(by_scenario(&sample.cell)).or_default().add(ms);
    }
}

fn by_subject(cell: &Cell) -> (String, String, String) {
    (cell.subject.clone(), cell.scenario.clone(), cell.probe.clone())
}

fn by_scenario(cell: &Cell) -> (String, String) {
    (cell.scenario.clone(), cell.probe.clone())
}

/// What dhat takes to write a profile, names and all. Milliseconds.
const PROFILE_MS: f64 = 400.0;

/// Between what was kept and the table, times: farther apart, they are not of the same kind of cell.
const FAR: f64 = 2.5;

/// What a sample costs besides its subject's own time: spawning, the trampoline, reading, writing the line. Milliseconds.
const OVERHEAD_MS: f64 = 12.0;

impl Predictor {
    /// For the live service: every request takes so long, whatever the subject.
    pub fn paced(request: Duration) -> Self {
        Self { paced: Some(request), ..Self::default() }
    }

    /// For the mock: from the project's latest run, and the record that it commits. One that cannot be read is of no help and no error.
    pub fn of(project: &Project) -> Self {
        let seen =
            |path: &str| store::read(&project.root.join(path)).map(|record| Seen::of(&record)).unwrap_or_default();
        Self { here: seen(store::LATEST), kept: seen(baseline::COMMITTED), paced: None }
    }

    /// Learns from a sample, so that the time left gets truer as a run goes on.
    pub fn learn(&mut self, sample: &Sample) {
        self.here.learn(sample);
    }

    /// The time that one sample of a cell will take.
    pub fn sample(&self, cell: &Cell) -> Duration {
        if let Some(request) = self.paced {
            return request * u32::try_from(requests_of(&cell.scenario)).unwrap_or(u32::MAX);
        }
        let table = by_table(cell);
        let known = self.nearest(table, |seen| seen.cells.get(cell));
        let known = known.or_else(|| self.nearest(table, |seen| seen.subjects.get(&by_subject(cell))));
        let known = known.or_else(|| self.nearest(table, |seen| seen.scenarios.get(&by_scenario(cell))));
        Duration::from_secs_f64(known.unwrap_or(table) / 1000.0)
    }

    /// Milliseconds as seen here; else as kept, where that is so far from the table that the table is not of such cells. What is nearer differs by how busy a machine
    /// was, and the table is of a quiet one.
    fn nearest(&self, table: f64, of: impl Fn(&Seen) -> Option<&Mean>) -> Option<f64> {
        let kept = || {
            let ms = of(&self.kept)?.ms();
            Some(if (table / FAR..=table * FAR).contains(&ms) { table } else { ms })
        };
        of(&self.here).map(|mean| mean.ms()).or_else(kept)
    }

    /// The time that one sample each of these cells will take.
    pub fn each<'a>(&self, cells: impl Iterator<Item = &'a Cell>) -> Duration {
        cells.map(|cell| self.sample(cell)).sum()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(subject: &str, scenario: &str, runtime: &str) -> Cell {
        Cell {
            subject: subject.to_owned(),
            scenario: scenario.to_owned(),
            probe: "rss".to_owned(),
            factors: [("runtime".to_owned(), runtime.to_owned())].into(),
        }
    }

    fn seen(cell: &Cell, ms: f64) -> Seen {
        let mut seen = Seen::default();
        seen.cells.entry(cell.clone()).or_default().add(ms);
        seen.subjects.entry(by_subject(cell)).or_default().add(ms);
        seen.scenarios.entry(by_scenario(cell)).or_default().add(ms);
        seen
    }

    #[test]
    fn the_nearest_that_was_seen_is_taken_here_before_elsewhere() {
        let told = |predictor: &Predictor, cell: &Cell| predictor.sample(cell).as_millis();
        let mut predictor = Predictor::default();
        let (slow, other, stranger) = (
            cell("slow", "chat", "multi_thread"),
            cell("slow", "chat", "current_thread"),
            cell("x", "chat", "multi_thread"),
        );
        assert_eq!(told(&predictor, &slow), 330, "nothing was seen: the table");
        predictor.kept = seen(&slow, 4_000.0);
        assert_eq!(
            (told(&predictor, &slow), told(&predictor, &other), told(&predictor, &stranger)),
            (4_000, 4_000, 4_000)
        );
        predictor.kept = seen(&slow, 500.0);
        assert_eq!(told(&predictor, &slow), 330, "a busier hour's, as likely");
        predictor.kept = seen(&slow, 4_000.0);
        predictor.here = seen(&stranger, 200.0);
        assert_eq!(
            (told(&predictor, &slow), told(&predictor, &other), told(&predictor, &stranger)),
            (4_000, 4_000, 200)
        );
        predictor.here = seen(&other, 5_000.0);
        assert_eq!(
            (told(&predictor, &slow), told(&predictor, &other), told(&predictor, &stranger)),
            (4_000, 5_000, 5_000)
        );
        assert_eq!(
            told(&predictor, &cell("slow", "large", "multi_thread")),
            630,
            "another scenario takes another time"
        );
        assert_eq!(predictor.each([&slow, &other].into_iter()).as_millis(), 9_000);
    }
}
