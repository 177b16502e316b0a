//! The rows that stand for their subjects: one for each, under the factors that are usual, so that a chart says one thing.
//!
//! A record of every factor has dozens of rows in a scenario. All of them are in its table; what is drawn, picked and recommended is these.

use std::collections::BTreeMap;

use super::block::{self, Block, Column};
use super::rows::SPECIAL;
use super::{Row, Scenario, View};
use crate::derive::{Figure, Measured};

/// What is taken where a subject was measured under several, in the order of weight. Any other value is as good as the next.
const USUAL: [(&str, &str); 3] = [("allocator", "system"), ("crypto", "aws-lc"), ("protocol", "h1")];
/// The runtimes that are shown side by side: as in production first, because the other flatters real life.
const RUNTIMES: [&str; 2] = ["multi_thread", "current_thread"];

/// The usual rows on one runtime.
#[derive(Debug)]
pub struct Face<'a> {
    /// The runtime; empty where no row has a choice.
    pub runtime: &'static str,
    /// One row for each subject, in the plan's order; those without a choice of runtime stand in every face.
    pub rows: Vec<&'a Row>,
}

impl View {
    /// The usual rows of a scenario that have something to show: those on worker threads first.
    #[must_use]
    pub fn faces<'a>(&'a self, scenario: &'a Scenario, shows: impl Fn(&Row) -> bool) -> Vec<Face<'a>> {
        let rows = self.main_of(scenario.rows.iter().filter(|row| shows(row)).collect());
        let runs_on =
            |runtime: &str| rows.iter().any(|row| row.factors.get("runtime").is_some_and(|own| own == runtime));
        let mut runtimes: Vec<&'static str> = RUNTIMES.into_iter().filter(|runtime| runs_on(runtime)).collect();
        if runtimes.is_empty() {
            runtimes.push("");
        }
        let face = |runtime: &'static str| Face { runtime, rows: usual(&rows, runtime) };
        runtimes.into_iter().map(face).filter(|face| !face.rows.is_empty()).collect()
    }

    /// Of these rows, those that levels are compared by: without rungs of the ladder, other people's clients and single techniques, which have sections of
    /// their own. All of them, where there is nothing else.
    #[must_use]
    pub fn main_of<'a>(&self, rows: Vec<&'a Row>) -> Vec<&'a Row> {
        let main: Vec<&Row> = rows.iter().copied().filter(|row| !self.has_own_section(row)).collect();
        if main.is_empty() { rows } else { main }
    }

    /// Whether the figures of a row are shown in a section beside its like.
    #[must_use]
    pub fn has_own_section(&self, row: &Row) -> bool {
        matches!(row.kind.as_str(), "rung" | "peer") || self.is_ablation(&row.subject, &row.factors)
    }

    /// Whether a subject under these factors was measured to learn what a technique does.
    #[must_use]
    pub fn is_ablation(&self, subject: &str, factors: &BTreeMap<String, String>) -> bool {
        factors.contains_key("switches") && self.ablated.contains(subject)
    }

    /// Whether a row stands for its subject, on any of the runtimes that are shown.
    #[must_use]
    pub fn is_usual(&self, scenario: &Scenario, row: &Row, shows: impl Fn(&Row) -> bool) -> bool {
        self.faces(scenario, shows).iter().any(|face| face.rows.iter().any(|usual| std::ptr::eq(*usual, row)))
    }

    /// The same on the first of its runtimes, of those that a probe gave a figure of.
    #[must_use]
    pub fn usual<'a>(&'a self, scenario: &'a Scenario, probe: &str, figure: &Figure) -> Vec<&'a Row> {
        let shows = |row: &Row| self.figure(row, probe, figure).is_some();
        self.faces(scenario, shows).into_iter().next().map_or_else(Vec::new, |face| face.rows)
    }

    /// The tables that `columns` make of the usual rows on the first of their runtimes, one for each probe.
    #[must_use]
    pub fn usual_blocks<'a>(&'a self, scenario: &'a Scenario, columns: &[Column]) -> Vec<Block<'a>> {
        self.blocks_by_probe(scenario, columns, 1)
    }

    /// The same on each of their runtimes.
    #[must_use]
    pub fn face_blocks<'a>(&'a self, scenario: &'a Scenario, columns: &[Column]) -> Vec<Block<'a>> {
        self.blocks_by_probe(scenario, columns, RUNTIMES.len())
    }

    fn blocks_by_probe<'a>(&'a self, scenario: &'a Scenario, columns: &[Column], faces: usize) -> Vec<Block<'a>> {
        let mut probes: Vec<&'static str> = columns.iter().map(|column| column.probe).collect();
        probes.sort_unstable_by_key(|probe| *probe != "rss");
        probes.dedup();
        let block = |probe: &&'static str| {
            let own: Vec<Column> = columns.iter().filter(|column| column.probe == *probe).cloned().collect();
            let shows = |row: &Row| own.iter().any(|column| self.figure(row, probe, &column.figure).is_some());
            let mut rows: Vec<&Row> = Vec::new();
            for row in self.faces(scenario, shows).into_iter().take(faces).flat_map(|face| face.rows) {
                // Who has no choice of runtime is in every face.
                if !rows.iter().any(|other| std::ptr::eq(*other, row)) {
                    rows.push(row);
                }
            }
            let title = if probes.len() > 1 { block::title(probe) } else { "" };
            (!rows.is_empty()).then(|| self.table(scenario, rows, &own, title))
        };
        probes.iter().filter_map(block).collect()
    }

    /// A figure of a row; of a count also that of the same subject on another runtime, because counts may be taken on one thread only, where they
    /// repeat exactly.
    #[must_use]
    pub fn told(&self, scenario: &Scenario, row: &Row, probe: &str, figure: &Figure) -> Option<&Measured> {
        self.figure(row, probe, figure).or_else(|| {
            let same = |other: &Row, key: &str| other.factors.get(key) == row.factors.get(key);
            let others = scenario.rows.iter().filter(|other| {
                let alike = ["protocol", "crypto", "allocator", "switches"].iter().all(|key| same(other, key));
                probe == "count" && other.subject == row.subject && alike
            });
            others.filter_map(|other| self.figure(other, probe, figure)).next()
        })
    }
}

fn usual<'a>(rows: &[&'a Row], runtime: &str) -> Vec<&'a Row> {
    let on_it = |row: &&&Row| row.factors.get("runtime").is_none_or(|own| runtime.is_empty() || own == runtime);
    let mut chosen: Vec<&Row> = Vec::new();
    for row in rows.iter().filter(on_it).copied() {
        match chosen.iter_mut().find(|other| other.subject == row.subject) {
            Some(other) if strange(row) < strange(other) => *other = row,
            Some(_) => {}
            None => chosen.push(row),
        }
    }
    chosen.sort_by_key(|row| row.place);
    chosen
}

/// How far a row is from the usual: the less, the better it stands for its subject.
fn strange(row: &Row) -> Vec<bool> {
    let special = SPECIAL.iter().map(|key| row.factors.contains_key(*key));
    let other = USUAL.iter().map(|(key, value)| row.factors.get(*key).is_some_and(|own| own != value));
    special.chain(other).collect()
}
