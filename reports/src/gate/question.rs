//! What is asked of two records: the figures of each cell, both sides of each.

use std::collections::{BTreeMap, BTreeSet};

use super::settings::{Base, Settings};
use crate::cell::is_meant;
use crate::derive::{self, Figure};
use crate::record::{Cell, Record, Sample, Status};

/// The probe whose counts can be exact.
const COUNTS: &str = "count";

/// One figure of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The cell.
    pub cell: Cell,
    /// The figure.
    pub figure: Figure,
    /// Whether it can be expected to be exact: a count of a scenario that is declared deterministic.
    pub exact: bool,
    /// Whether it is a member of the noisy family.
    pub family: bool,
    /// The base's processes.
    pub base: Vec<f64>,
    /// The head's, of the same pairs at the same places.
    pub head: Vec<f64>,
}

impl Question {
    /// The differences `head − base`, pair by pair.
    #[must_use]
    pub fn differences(&self) -> Vec<f64> {
        self.head.iter().zip(&self.base).map(|(head, base)| head - base).collect()
    }
}

/// Everything that is asked of two records, cell by cell: those of the base's plan in its order, then those that only the head has. A figure
/// that only one side has is a question with nothing on the other.
#[must_use]
pub fn questions(base: &Record, head: &Record, settings: &Settings) -> Vec<Question> {
    let (b, h) = (Readings::of(base), Readings::of(head));
    let rules = &settings.rules;
    let mut all = Vec::new();
    for cell in cells(base, head, settings) {
        let (b, h) = (b.by_cell.get(cell), h.by_cell.get(cell));
        let Some(last) = b.or(h).and_then(|read| read.last.as_deref()) else { continue };
        let deterministic = is_deterministic(if b.is_some() { base } else { head }, &cell.scenario);
        let may_be_exact = deterministic && cell.probe == COUNTS;
        let mut asked: BTreeMap<Figure, (bool, bool)> = BTreeMap::new();
        if may_be_exact {
            asked.extend(exact_figures(last).into_iter().map(|figure| (figure, (true, false))));
        }
        if settings.base == Base::Measured {
            for wanted in &rules.family {
                asked.entry(wanted.at(last)).or_default().1 = true;
            }
        }
        for (figure, (exact, family)) in asked {
            let side =
                |read: Option<&Cells>| read.and_then(|read| read.figures.get(&figure).cloned()).unwrap_or_default();
            let (base, head) = aligned(side(b), side(h));
            if !base.is_empty() || !head.is_empty() {
                all.push(Question { cell: cell.clone(), figure, exact, family, base, head });
            }
        }
    }
    all
}

/// The cells that are judged, each once: the base's in its plan's order, then the head's further ones.
pub(super) fn cells<'a>(base: &'a Record, head: &'a Record, settings: &Settings) -> Vec<&'a Cell> {
    let mut known = BTreeSet::new();
    let named = [base, head].into_iter().flat_map(planned);
    named
        .filter(|cell| settings.only.as_deref().is_none_or(|only| is_meant(only, cell)) && known.insert(*cell))
        .collect()
}

/// The cells of a record: those of its plan, then those that only samples name.
pub(super) fn planned(record: &Record) -> impl Iterator<Item = &Cell> {
    record.plan.cells.iter().map(|planned| &planned.cell).chain(record.samples.iter().map(|sample| &sample.cell))
}

/// What DESIGN calls allocations and bytes per request, live heap, its peak, and its slope.
fn exact_figures(last: &str) -> [Figure; 5] {
    [
        Figure::per_request("heap.allocs"),
        Figure::per_request("heap.bytes"),
        Figure::at(last, "heap.live"),
        Figure::at(last, "heap.peak"),
        Figure::slope("heap.live"),
    ]
}

fn is_deterministic(record: &Record, scenario: &str) -> bool {
    record.plan.scenarios.iter().any(|info| info.id == scenario && info.deterministic)
}

/// The figures of every cell of a record, by the index of the sample.
struct Readings<'a> {
    by_cell: BTreeMap<&'a Cell, Cells>,
}

#[derive(Default)]
struct Cells {
    figures: BTreeMap<Figure, BTreeMap<u32, f64>>,
    /// The checkpoint at which its work is done, or most of it is in flight.
    last: Option<String>,
}

impl<'a> Readings<'a> {
    fn of(record: &'a Record) -> Self {
        let mut by_cell: BTreeMap<&Cell, Cells> = BTreeMap::new();
        for sample in record.samples.iter().filter(|sample| sample.status == Status::Ok) {
            let cell = by_cell.entry(&sample.cell).or_default();
            cell.last = cell.last.take().or_else(|| last(sample));
            for (figure, value) in derive::of_sample(sample) {
                cell.figures.entry(figure).or_default().insert(sample.index, value);
            }
        }
        Self { by_cell }
    }
}

/// The last batch of requests, answered or held; for a client that asks nothing, where it is made.
fn last(sample: &Sample) -> Option<String> {
    let worked = |name: &str| name.starts_with("steady@") || name.starts_with("held@");
    let point = |wanted: &dyn Fn(&str) -> bool| sample.checkpoints.iter().rfind(|point| wanted(&point.name));
    point(&worked).or_else(|| point(&|name| name == "client")).map(|point| point.name.clone())
}

/// Both sides of the pairs that both have; a side that stands alone as it is.
fn aligned(base: BTreeMap<u32, f64>, head: BTreeMap<u32, f64>) -> (Vec<f64>, Vec<f64>) {
    if base.is_empty() || head.is_empty() {
        return (base.into_values().collect(), head.into_values().collect());
    }
    base.iter().filter_map(|(index, value)| Some((*value, *head.get(index)?))).unzip()
}
