//! Time beside memory: what a subject's thrift costs in time, against the base level of the same run.

use super::{Labels, Row, Scenario, View};
use crate::derive::{Figure, Measured, Percentile};

/// The level that times are held against; the first subject where it was not measured.
const BASE: &str = "original";

/// The times of a scenario.
#[derive(Debug)]
pub struct Times<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The subject that the others are held against.
    pub base: &'a str,
    /// The rows' names.
    pub labels: Labels,
    /// The rows that were timed.
    pub rows: Vec<Timed<'a>>,
}

/// A row's time and memory.
#[derive(Debug)]
pub struct Timed<'a> {
    /// The row.
    pub row: &'a Row,
    /// Median time per request: the median over the processes.
    pub p50: Measured,
    /// Over that of the base under the same factors; `None` for the base itself, and where that was not measured.
    pub alike: Option<f64>,
    /// Over that of the base over HTTP/1.1, other factors the same, of a row that is over another protocol.
    pub over_h1: Option<f64>,
    /// Growth of anonymous memory, where the scenario has one.
    pub growth: Option<Measured>,
}

impl Times<'_> {
    /// Whether any row is held against the base over HTTP/1.1.
    #[must_use]
    pub fn over_h1(&self) -> bool {
        self.rows.iter().any(|timed| timed.over_h1.is_some())
    }
}

impl View {
    /// The times of every scenario in which two or more rows were timed.
    #[must_use]
    pub fn times(&self) -> Vec<Times<'_>> {
        self.scenarios.iter().filter_map(|scenario| self.times_of(scenario, |_| true)).collect()
    }

    /// The same of the rows that stand for their subjects, on each runtime.
    #[must_use]
    pub fn usual_times(&self) -> Vec<Times<'_>> {
        let of = |scenario| {
            let usual = |row: &Row| self.is_usual(scenario, row, |row| self.p50(row).is_some());
            self.times_of(scenario, usual)
        };
        self.scenarios.iter().filter_map(of).collect()
    }

    fn times_of<'a>(&'a self, scenario: &'a Scenario, is_shown: impl Fn(&Row) -> bool) -> Option<Times<'a>> {
        let timed = |row: &&Row| self.p50(row).is_some();
        let rows: Vec<&Row> = scenario.rows.iter().filter(timed).collect();
        let measured = |id: &str| rows.iter().any(|row| row.subject == id);
        let subjects = &self.record.plan.subjects;
        let base = subjects.iter().find(|s| s.id == BASE && measured(&s.id));
        let base = base.or_else(|| subjects.iter().find(|s| measured(&s.id)))?.id.as_str();
        let one = |row: &&'a Row| {
            let p50 = *self.p50(row)?;
            let over = |protocol| {
                let other = self.base_of(&rows, base, row, protocol).filter(|other| !std::ptr::eq(*other, *row))?;
                p50.median().ratio(self.p50(other)?.median())
            };
            let own = self.protocol(row);
            Some(Timed {
                row,
                p50,
                alike: own.and_then(over),
                over_h1: own.filter(|protocol| *protocol != "h1").and_then(|_| over("h1")),
                growth: self.figure(row, "rss", &Figure::growth("proc.anon")).copied(),
            })
        };
        let shown: Vec<&Row> = rows.iter().copied().filter(|row| is_shown(row)).collect();
        (shown.len() > 1).then(|| Times {
            scenario,
            base,
            labels: self.labels(&shown, "rss"),
            rows: shown.iter().filter_map(one).collect(),
        })
    }

    fn p50(&self, row: &Row) -> Option<&Measured> {
        self.figure(row, "rss", &Figure::Latency(Percentile::P50))
    }

    /// The base's row over `protocol` that differs from `row` in nothing else that both have; `None` when several would do.
    fn base_of<'a>(&self, rows: &[&'a Row], base: &str, row: &Row, protocol: &str) -> Option<&'a Row> {
        let near = |other: &&&Row| {
            let same = |key: &str| match (row.factors.get(key), other.factors.get(key)) {
                (Some(ours), Some(theirs)) => ours == theirs,
                _ => true,
            };
            other.subject == base
                && !other.factors.contains_key("switches")
                && self.protocol(other) == Some(protocol)
                && ["runtime", "crypto", "allocator"].into_iter().all(same)
        };
        match rows.iter().filter(near).copied().collect::<Vec<_>>().as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}
