//! The record as reports show it: per scenario, one row for each subject under given factors, with the cells of all its probes.
//!
//! - `rows`: rows made of cells, and their names.
//! - `block`: columns, and the tables that they make of rows.
//! - `beside`: the table of those that have other processes do their work.
//! - `benches`: benches, by what they were run on.
//! - `failures`: what does not count, by its reason.
//! - `accounts`: byte ledgers, side by side.
//! - `at_once`: time against requests at once.
//! - `peers`: other people's clients beside the levels.
//! - `pick`: which subject fits a budget.
//! - `time`: time beside memory, against the base level.
//! - `typical`: one row for each subject, under the usual factors: what is drawn.

mod accounts;
pub mod at_once;
mod benches;
mod beside;
mod block;
mod failures;
pub mod peers;
pub mod pick;
mod rows;
mod time;
mod typical;

use std::collections::{BTreeMap, BTreeSet};

pub use accounts::{Accounts, GROUPS};
pub use benches::{Benched, Benches};
pub use beside::beside_columns;
pub use block::{Block, Column, Entry, columns};
pub use failures::FailureGroup;
pub use rows::{Labels, Row};
pub use time::{Timed, Times};
pub use typical::Face;

use crate::compare::{self, Comparison};
use crate::derive::{self, CellFigures, Figure, Measured};
use crate::model::{self, Model};
use crate::record::{Cell, Record, ScenarioInfo, Status};
use crate::source_url::SourceUrl;

/// A record, its figures, and its rows.
#[derive(Debug)]
pub struct View {
    /// The record, made safe to show.
    pub record: Record,
    /// The figures of every cell.
    pub cells: Vec<CellFigures>,
    /// The scenarios in the plan's order, then those that only samples name.
    pub scenarios: Vec<Scenario>,
    /// Where the project's source can be read, for links to its lines.
    pub source: Option<SourceUrl>,
    /// The live service beside the mock, of this record and another.
    pub beside_target: Option<Comparison>,
    /// Subjects whose techniques were switched one by one.
    ablated: BTreeSet<String>,
    /// Places of the cells whose subject had other processes do its work.
    sharing: BTreeSet<usize>,
}

/// A scenario and its rows.
#[derive(Debug)]
pub struct Scenario {
    /// What it does.
    pub info: ScenarioInfo,
    /// Subjects under their factors: those under the same conditions together, in the plan's order.
    pub rows: Vec<Row>,
}

impl View {
    /// Prepares a record for showing.
    #[must_use]
    pub fn new(record: &Record) -> Self {
        let record = crate::clean::record(record);
        let cells = derive::cells(&record);
        let scenarios = scenarios(&record, &cells);
        let ablated = ablated(&cells);
        let sharing = beside::sharing(&cells);
        Self { record, cells, scenarios, source: None, beside_target: None, ablated, sharing }
    }

    /// The same, with links to lines of the project's own code.
    #[must_use]
    pub fn linked(record: &Record, source: Option<&SourceUrl>) -> Self {
        Self { source: source.cloned(), ..Self::new(record) }
    }

    /// The same, beside a record of the other target, mock or live; nothing is beside it where that is of the same.
    #[must_use]
    pub fn beside_record(self, other: Option<&Record>) -> Self {
        let beside_target = other.and_then(|other| compare::mock_and_live(&self.record, other));
        Self { beside_target, ..self }
    }

    /// The cell of a row under a probe.
    #[must_use]
    pub fn cell(&self, row: &Row, probe: &str) -> Option<&CellFigures> {
        self.cells.get(row.cell(probe)?)
    }

    /// A figure of a row under a probe.
    #[must_use]
    pub fn figure(&self, row: &Row, probe: &str, figure: &Figure) -> Option<&Measured> {
        self.cell(row, probe)?.figure(figure)
    }

    /// What memory depends on: the models that the record's cells allow.
    #[must_use]
    pub fn models(&self) -> Vec<Model> {
        model::models(&self.record, &self.cells)
    }

    /// Whether a model is of a row that stands for its subject.
    #[must_use]
    pub fn is_usual_model(&self, model: &Model) -> bool {
        let Some(scenario) = self.scenario(&model.cell.scenario) else { return false };
        let cell = |row: &Row| self.cell(row, &model.cell.probe);
        let holds = |row: &Row| cell(row).is_some_and(|cell| cell.checkpoints.iter().any(|at| at.starts_with("held@")));
        let is_its = |row: &&Row| cell(row).is_some_and(|cell| cell.cell == model.cell);
        scenario.rows.iter().filter(is_its).any(|row| self.is_usual(scenario, row, holds))
    }

    /// The factors under which a row's cell of that probe ran; the row's own where it has no such cell.
    #[must_use]
    pub fn factors<'a>(&'a self, row: &'a Row, probe: &str) -> &'a BTreeMap<String, String> {
        self.cell(row, probe).map_or(&row.factors, |cell| &cell.cell.factors)
    }

    /// Names for rows whose cells of that probe are shown.
    #[must_use]
    pub fn labels(&self, rows: &[&Row], probe: &str) -> Labels {
        let named: Vec<_> = rows.iter().map(|row| (row.subject.as_str(), self.factors(row, probe))).collect();
        Labels::of(&named)
    }

    /// The scenario of that name.
    #[must_use]
    pub fn scenario(&self, id: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.info.id == id)
    }

    /// The protocol that a row's valid samples spoke, by its factor or as negotiated.
    #[must_use]
    pub fn protocol<'a>(&'a self, row: &'a Row) -> Option<&'a str> {
        // Of what was offered both, one was agreed on.
        if let Some(protocol) = row.factors.get("protocol").filter(|protocol| *protocol != "auto") {
            return Some(protocol);
        }
        let cells: Vec<&Cell> = row.cells().filter_map(|at| self.cells.get(at)).map(|c| &c.cell).collect();
        let spoken = self.record.samples.iter().filter(|s| s.status == Status::Ok && cells.contains(&&s.cell));
        spoken.map(|sample| sample.answers.protocol.as_str()).find(|protocol| !protocol.is_empty())
    }

    /// The row that `row` is compared with: of the first subject, under the same conditions, with the same allocator if there is one.
    /// `None` when several would do, as for a subject that has no choice of runtime beside one that was measured under two.
    #[must_use]
    pub fn reference<'a>(&self, scenario: &'a Scenario, row: &Row) -> Option<&'a Row> {
        let first = self.record.plan.subjects.iter().find(|s| scenario.rows.iter().any(|row| row.subject == s.id))?;
        let near: Vec<&Row> =
            scenario.rows.iter().filter(|other| other.subject == first.id && other.comparable(row)).collect();
        let alike = |other: &&&Row| {
            other.factors.get("allocator") == row.factors.get("allocator") && !other.factors.contains_key("switches")
        };
        let same: Vec<&Row> = near.iter().filter(alike).copied().collect();
        match (same.as_slice(), near.as_slice()) {
            ([one], _) | ([], [one]) => Some(one),
            _ => None,
        }
    }
}

fn scenarios(record: &Record, cells: &[CellFigures]) -> Vec<Scenario> {
    let mut infos = record.plan.scenarios.clone();
    let known: BTreeSet<String> = infos.iter().map(|info| info.id.clone()).collect();
    let further: BTreeSet<&str> = cells.iter().map(|cell| cell.cell.scenario.as_str()).collect();
    infos.extend(further.into_iter().filter(|id| !known.contains(*id)).map(undescribed));
    infos.into_iter().map(|info| Scenario { rows: rows::of(record, cells, &info.id), info }).collect()
}

/// Sets of switches from which on they were set to tell techniques apart, and not to show a level as it is used: all, none, and one alone at least. Without
/// none, or one left out, nothing is told apart in the technique ledger, and the rows are a program's own.
const ABLATION: usize = 3;

fn ablated(cells: &[CellFigures]) -> BTreeSet<String> {
    let mut sets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for CellFigures { cell, .. } in cells {
        if let Some(set) = cell.factors.get("switches") {
            sets.entry(&cell.subject).or_default().insert(set);
        }
    }
    let tells = |sets: &BTreeSet<&str>| sets.iter().any(|set| *set == "none" || set.starts_with('-'));
    let of_techniques = sets.into_iter().filter(|(_, sets)| sets.len() >= ABLATION && tells(sets));
    of_techniques.map(|(subject, _)| subject.to_owned()).collect()
}

/// A scenario that samples name and the plan does not.
fn undescribed(id: &str) -> ScenarioInfo {
    ScenarioInfo {
        id: id.to_owned(),
        description: "not described in the plan".to_owned(),
        method: String::new(),
        in_flight: 0,
        body_bytes: None,
        events: None,
        deterministic: false,
        steps: Vec::new(),
        held: Vec::new(),
    }
}

/// Factors, in the order of their names.
type Factors = BTreeMap<String, String>;
