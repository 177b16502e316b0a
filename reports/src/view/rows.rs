//! Rows made of cells, and the names by which they are told apart.

use std::collections::{BTreeMap, BTreeSet};

use super::Factors;
use crate::derive::CellFigures;
use crate::record::{Cell, Record};

/// Factors that belong to a level itself, and not to the conditions under which levels are compared.
const OWN: [&str; 2] = ["allocator", "switches"];

/// Factors that no usual row has: they were set to learn what they do.
pub(super) const SPECIAL: [&str; 3] = ["switches", "streams", "in-flight"];

/// A subject under given factors. The probes need different builds and allocators of the same subject; the row joins them.
#[derive(Debug, Clone)]
pub struct Row {
    /// The subject's id.
    pub subject: String,
    /// `level`, `baseline`, `peer`, `rung`, `external`.
    pub kind: String,
    /// Factors of the cell that the row stands for: that of the `rss` probe if there is one.
    pub factors: BTreeMap<String, String>,
    /// Place of the subject in the plan: colours follow it.
    pub place: usize,
    cells: BTreeMap<String, usize>,
}

/// How rows are told apart in one table or chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// For each row, the subject and the factors by which the rows differ: `original · multi_thread`.
    pub names: Vec<String>,
    /// The factors that they have in common: `aws-lc · h1`; empty when there are none.
    pub common: String,
}

impl Row {
    /// Place of the row's cell under a probe.
    pub(super) fn cell(&self, probe: &str) -> Option<usize> {
        self.cells.get(probe).copied()
    }

    /// Places of its cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = usize> {
        self.cells.values().copied()
    }

    /// The factors under which it may be compared with other subjects.
    #[must_use]
    pub fn conditions(&self) -> BTreeMap<&str, &str> {
        self.factors.iter().filter(|(key, _)| !OWN.contains(&key.as_str())).map(|(k, v)| (&**k, &**v)).collect()
    }

    /// Whether it has a factor that was set to learn what it does: then it does not stand for its subject as that comes.
    #[must_use]
    pub fn is_special(&self) -> bool {
        SPECIAL.iter().any(|key| self.factors.contains_key(*key))
    }

    /// Whether the two may stand beside each other. A factor that one of them does not have (an interpreter has no choice of runtime) does
    /// not set them apart.
    #[must_use]
    pub fn comparable(&self, other: &Self) -> bool {
        let theirs = other.conditions();
        self.conditions().into_iter().all(|(key, value)| theirs.get(key).is_none_or(|their| *their == value))
    }
}

impl Labels {
    /// Names for subjects under these factors. A factor is in a name when it sets them apart.
    #[must_use]
    pub fn of(rows: &[(&str, &BTreeMap<String, String>)]) -> Self {
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (key, value) in rows.iter().flat_map(|(_, factors)| *factors) {
            values.entry(key).or_default().insert(value);
        }
        // A level's default switches are not written into its factors: the few rows that have them differ from the rest by them.
        let differs = |key: &str| values.get(key).is_some_and(|values| values.len() > 1) || key == "switches";
        let name = |(subject, factors): &(&str, &BTreeMap<String, String>)| {
            let own = factors.iter().filter(|(key, _)| differs(key));
            own.fold((*subject).to_owned(), |name, (key, value)| match key.as_str() {
                "streams" => format!("{name} · {value} streams"),
                "switches" if matches!(value.as_str(), "" | "none") => format!("{name} · no techniques"),
                _ => format!("{name} · {value}"),
            })
        };
        let common = values.iter().filter(|(key, _)| !differs(key)).flat_map(|(key, values)| {
            values.iter().map(move |value| {
                if matches!(*key, "allocator" | "streams") { format!("{value} {key}") } else { (*value).to_owned() }
            })
        });
        Self { names: rows.iter().map(name).collect(), common: common.collect::<Vec<_>>().join(" · ") }
    }
}

/// The rows of a scenario.
pub(super) fn of(record: &Record, cells: &[CellFigures], scenario: &str) -> Vec<Row> {
    let here = cells.iter().enumerate().map(|(at, c)| (at, &c.cell)).filter(|(_, cell)| cell.scenario == scenario);
    let (rss, others): (Vec<_>, Vec<_>) = here.partition(|(_, cell)| cell.probe == "rss");
    let mut rows: Vec<Row> = rss.into_iter().map(|(at, cell)| row(record, cell, at)).collect();
    for (at, cell) in others {
        join(record, &mut rows, cell, at);
    }
    let sorted: BTreeMap<_, _> = rows.into_iter().enumerate().map(|(at, row)| (order(&row, at), row)).collect();
    sorted.into_values().collect()
}

/// Conditions first, so that what may be compared stands together; a row that lacks a condition stands last.
fn order(row: &Row, at: usize) -> (Vec<String>, usize, usize) {
    let last = || "\u{10ffff}".to_owned();
    let mut conditions: Vec<String> = ["runtime", "protocol", "crypto"]
        .iter()
        .map(|key| row.factors.get(*key).cloned().unwrap_or_else(last))
        .collect();
    conditions.extend(row.conditions().into_iter().map(|(key, value)| format!("{key}={value}")));
    (conditions, row.place, at)
}

fn row(record: &Record, cell: &Cell, at: usize) -> Row {
    let place = record.plan.subjects.iter().position(|subject| subject.id == cell.subject);
    Row {
        subject: cell.subject.clone(),
        kind: place.map_or_else(|| "external".to_owned(), |place| record.plan.subjects[place].kind.clone()),
        factors: cell.factors.clone(),
        place: place.unwrap_or(record.plan.subjects.len()),
        cells: BTreeMap::from([(cell.probe.clone(), at)]),
    }
}

/// Gives a cell of another probe to the rows that it belongs to: those of the same factors, else those that differ by the allocator only,
/// because each probe needs its own.
fn join(record: &Record, rows: &mut Vec<Row>, cell: &Cell, at: usize) {
    if let Some(row) = rows.iter_mut().find(|row| row.subject == cell.subject && row.factors == cell.factors) {
        row.cells.insert(cell.probe.clone(), at);
        return;
    }
    let mut joined = false;
    for row in
        rows.iter_mut().filter(|row| row.subject == cell.subject && same_but_allocator(&row.factors, &cell.factors))
    {
        row.cells.entry(cell.probe.clone()).or_insert(at);
        joined = true;
    }
    if !joined {
        rows.push(row(record, cell, at));
    }
}

fn same_but_allocator(a: &Factors, b: &Factors) -> bool {
    let rest = |factors: &Factors| -> Vec<(String, String)> {
        factors.iter().filter(|(key, _)| *key != "allocator").map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    rest(a) == rest(b)
}
