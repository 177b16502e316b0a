//! Other people's clients beside the levels of the same run.

use super::{Row, Scenario, View};
use crate::derive::{Figure, GROWTH_AT, Measured, Percentile};
use crate::record::Status;
use crate::units::Quantity;

/// What a subject is called that is somebody else's client.
const KIND: &str = "peer";
/// The level that times are held against.
pub const BASE: &str = "original";

/// Peers and what stands beside them in one scenario.
#[derive(Debug)]
pub struct Peers<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// A line for each subject under each runtime, other subjects under their usual factors, in the order of the scenario's rows.
    pub lines: Vec<Peer<'a>>,
    /// The factors that all have in common.
    pub common: String,
}

/// What is told of one of them; `None` where it was not measured.
#[derive(Debug)]
pub struct Peer<'a> {
    /// The row.
    pub row: &'a Row,
    /// Its name.
    pub name: String,
    /// The version that its greeting named, without what tells one build from another.
    pub version: Option<String>,
    /// The figures, in the order of [`FIGURES`].
    pub figures: Vec<Option<Measured>>,
    /// Resident memory at steady@20 less that at `runtime`, medians: growth without what imports and the runtime took.
    pub since_runtime: Option<Quantity>,
    /// Its median time over that of the base, in the same run.
    pub over_base: Option<f64>,
}

/// The figures of a line: heading, probe, meaning.
pub const FIGURES: [(&str, &str, &str); 6] = [
    ("RSS growth", "rss", "resident memory at steady@20 minus that at start, file pages included"),
    ("anon growth", "rss", "the same of anonymous memory only"),
    ("RSS in all", "rss", "resident memory at steady@20: what the process takes, interpreter and libraries included"),
    ("allocs/request", "count", "calls of malloc and realloc per request, over requests 64 to 128"),
    ("bytes/request", "count", "bytes asked for in those calls"),
    ("p50", "rss", "median time per request in the last batch, as the subject measured it"),
];

/// What the column behind them says.
pub const SINCE_RUNTIME: &str =
    "resident memory at steady@20 less that at runtime, medians: growth without what imports and the runtime took";

/// The figure in that place of [`FIGURES`].
#[must_use]
pub fn figure(at: usize) -> Figure {
    match at {
        0 => Figure::growth("proc.rss"),
        1 => Figure::growth("proc.anon"),
        2 => Figure::at(GROWTH_AT, "proc.rss"),
        3 => Figure::per_request("heap.allocs"),
        4 => Figure::per_request("heap.bytes"),
        _ => Figure::Latency(Percentile::P50),
    }
}

/// The median of the figure in that place, as it is written: bytes per request to the byte.
#[must_use]
pub fn text(at: usize, measured: &Measured) -> String {
    if matches!(figure(at), Figure::PerRequest(_)) {
        measured.median().in_full()
    } else {
        measured.median().to_string()
    }
}

impl View {
    /// Each scenario in which somebody else's client was measured, with the rows beside it that stand for the other subjects.
    #[must_use]
    pub fn peers(&self) -> Vec<Peers<'_>> {
        self.scenarios.iter().filter_map(|scenario| self.peers_of(scenario)).collect()
    }

    fn peers_of<'a>(&'a self, scenario: &'a Scenario) -> Option<Peers<'a>> {
        let measured = |row: &Row| (0..FIGURES.len()).any(|at| self.told_of(scenario, row, at).is_some());
        if !scenario.rows.iter().any(|row| row.kind == KIND && measured(row)) {
            return None;
        }
        // Counts run on one thread, where they repeat exactly: a row that has nothing else gives its own to the rows of its subject.
        let rows: Vec<&Row> = scenario
            .rows
            .iter()
            .filter(|row| measured(row))
            .filter(|row| row.kind == KIND || self.is_usual(scenario, row, measured))
            .filter(|row| self.cell(row, "rss").is_some() || !has_rss(self, scenario, &row.subject))
            .collect();
        let labels = self.labels(&rows, "rss");
        let lines = rows.iter().zip(labels.names).map(|(row, name)| Peer {
            row,
            name,
            version: self.version(&row.subject),
            figures: (0..FIGURES.len()).map(|at| self.told_of(scenario, row, at).copied()).collect(),
            since_runtime: self.since_runtime(row),
            over_base: self.over_base(scenario, row),
        });
        Some(Peers { scenario, lines: lines.collect(), common: labels.common })
    }

    fn told_of(&self, scenario: &Scenario, row: &Row, at: usize) -> Option<&Measured> {
        self.told(scenario, row, FIGURES[at].1, &figure(at))
    }

    fn since_runtime(&self, row: &Row) -> Option<Quantity> {
        let at = |checkpoint: &str| Some(self.figure(row, "rss", &Figure::at(checkpoint, "proc.rss"))?.median());
        at(GROWTH_AT)?.minus(at("runtime")?)
    }

    /// A row's median time over that of the base under the same runtime; of a row that cannot choose one, over that on worker threads.
    fn over_base(&self, scenario: &Scenario, row: &Row) -> Option<f64> {
        let runtime = row.factors.get("runtime").map_or("multi_thread", String::as_str);
        let p50 = |row: &Row| Some(self.figure(row, "rss", &Figure::Latency(Percentile::P50))?.median());
        let is_base = |other: &&Row| {
            let plain = !other.factors.contains_key("switches")
                && other.factors.get("allocator") == row.factors.get("allocator")
                && other.factors.get("protocol") == row.factors.get("protocol");
            other.subject == BASE && other.factors.get("runtime").is_some_and(|other| other == runtime) && plain
        };
        let usual = |base: &&Row| self.is_usual(scenario, base, |row| p50(row).is_some());
        let mut bases = scenario.rows.iter().filter(is_base).filter(usual);
        // Of several that would do, none says which is meant.
        let (base, None) = (bases.next()?, bases.next()) else { return None };
        if std::ptr::eq(base, row) { None } else { p50(row)?.ratio(p50(base)?) }
    }

    /// The version that a subject's valid samples greeted with: what stands before the first `+`.
    fn version(&self, subject: &str) -> Option<String> {
        let samples = self.record.samples.iter().filter(|s| s.cell.subject == subject && s.status == Status::Ok);
        let build = samples.filter_map(|sample| sample.greeting.get("build")).next()?;
        Some(build.split('+').next().unwrap_or(build).to_owned())
    }
}

fn has_rss(view: &View, scenario: &Scenario, subject: &str) -> bool {
    scenario.rows.iter().any(|row| row.subject == subject && view.cell(row, "rss").is_some())
}
