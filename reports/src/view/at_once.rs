//! Time against requests at once: the same answers, asked for one by one and by the hundred.

use super::{Row, Scenario, View};
use crate::derive::{Figure, Measured, Percentile};

/// The scenario that all others differ from by the number of requests at once alone.
const ONE_BY_ONE: &str = "chat";
/// Numbers that a reader asks for, measured or not.
const ASKED: [u64; 2] = [100, 1_000];

/// The times of a record by how many requests are made at once.
#[derive(Debug)]
pub struct AtOnce<'a> {
    /// Numbers of requests at once, ascending, and the scenario that makes so many; `None` where none did.
    pub counts: Vec<(u64, Option<&'a str>)>,
    /// A line for each subject.
    pub lines: Vec<Crowd<'a>>,
    /// Factors that all have in common.
    pub common: String,
}

/// A subject's times.
#[derive(Debug)]
pub struct Crowd<'a> {
    /// The row that stands for it where requests are made one by one.
    pub row: &'a Row,
    /// Its name.
    pub name: String,
    /// For each number p50 and p99, the medians over the processes; `None` is not measured.
    pub times: Vec<Option<[Measured; 2]>>,
}

impl View {
    /// The times by requests at once; `None` where not more than one number of them was measured.
    #[must_use]
    pub fn at_once(&self) -> Option<AtOnce<'_>> {
        let base = self.scenario(ONE_BY_ONE)?;
        let mut counts: Vec<(u64, Option<&Scenario>)> = Vec::new();
        let alike = self.scenarios.iter().filter(|scenario| is_alike(base, scenario));
        for scenario in std::iter::once(base).chain(alike).filter(|scenario| self.is_timed(scenario)) {
            if !counts.iter().any(|(count, _)| *count == scenario.info.in_flight) {
                counts.push((scenario.info.in_flight, Some(scenario)));
            }
        }
        if counts.len() < 2 {
            return None;
        }
        for asked in ASKED {
            if !counts.iter().any(|(count, _)| *count == asked) {
                counts.push((asked, None));
            }
        }
        counts.sort_by_key(|(count, _)| *count);
        let rows = self.usual(base, "rss", &p50());
        let labels = self.labels(&rows, "rss");
        let lines = rows.iter().zip(labels.names).map(|(row, name)| Crowd {
            row,
            name,
            times: counts.iter().map(|(_, scenario)| self.times_in((*scenario)?, row)).collect(),
        });
        Some(AtOnce {
            lines: lines.filter(|line| line.times.iter().flatten().count() > 1).collect(),
            counts: counts.iter().map(|(count, scenario)| (*count, scenario.map(|s| s.info.id.as_str()))).collect(),
            common: labels.common,
        })
    }

    fn is_timed(&self, scenario: &Scenario) -> bool {
        scenario.rows.iter().any(|row| self.figure(row, "rss", &p50()).is_some())
    }

    fn times_in(&self, scenario: &Scenario, row: &Row) -> Option<[Measured; 2]> {
        let stands = self.stands_for(scenario, row, &p50())?;
        let of = |percentile| self.figure(stands, "rss", &Figure::Latency(percentile)).copied();
        Some([of(Percentile::P50)?, of(Percentile::P99)?])
    }
}

/// Whether two scenarios ask for the same answers and hold none.
fn is_alike(base: &Scenario, other: &Scenario) -> bool {
    let (base, other) = (&base.info, &other.info);
    let asked = |info: &crate::record::ScenarioInfo| (info.method.clone(), info.body_bytes, info.events);
    asked(base) == asked(other) && other.held.is_empty() && !other.steps.is_empty()
}

fn p50() -> Figure {
    Figure::Latency(Percentile::P50)
}
