//! The allocator matrix: the same client, doing the same work, on each allocator.
//!
//! Rows that differ in nothing but the allocator are held against the C library's, in pairs of processes of one round. What comes of it says something
//! of allocators and nothing of the client: each keeps other pages back, and none of that is memory that the client asked for.

use std::collections::BTreeMap;

use crate::contrast::{Contrast, Side};
use crate::derive::{Figure, GROWTH_AT, Measured, Percentile};
use crate::record::Record;
use crate::techniques::{self, Effect, Sign};
use crate::view::{Labels, Row, Scenario, View};

/// The allocator that the others are held against: the C library's.
pub const BASE: &str = "system";

/// What must be said wherever memory under two allocators stands side by side.
pub const WARNING: &str = "Rows of a client differ by the allocator alone: it asks for the same memory on each. What differs is what an allocator keeps: free pages, blocks in threads' \
     caches, its own book-keeping. So a difference here is one between allocators, and RSS on one is compared with RSS on another nowhere else in this report without saying so. C code has the C \
     library's allocator in all rows.";

/// How a difference is told.
pub const HOW: &str = "Differences from `system` are taken in pairs of processes of one round, with their 95 % interval; a sign is given where chance is ruled out for the whole column (Holm, 5 %).";

/// The figures of a row: heading, meaning.
pub const FIGURES: [(&str, &str); 4] = [
    ("RSS growth", "resident memory at steady@20 minus that at start, file pages included"),
    ("anon growth", "the same of anonymous memory only"),
    ("peak RSS", "highest resident memory up to steady@20 (hwm): giving memory back before a reading cannot hide it"),
    ("p50", "median time per request in the last batch, as the subject measured it"),
];

/// The figure in that place of [`FIGURES`].
#[must_use]
pub fn figure(at: usize) -> Figure {
    match at {
        0 => Figure::growth("proc.rss"),
        1 => Figure::growth("proc.anon"),
        2 => Figure::at(GROWTH_AT, "proc.hwm"),
        _ => Figure::Latency(Percentile::P50),
    }
}

/// Clients on several allocators, in one scenario under one runtime.
#[derive(Debug)]
pub struct Matrix {
    /// Scenario and runtime: `chat · multi_thread`.
    pub title: String,
    /// The factors that all have in common.
    pub common: String,
    /// Clients in the plan's order, each with its allocators one below the other.
    pub lines: Vec<Line>,
}

/// A client on an allocator.
#[derive(Debug, Clone)]
pub struct Line {
    /// The client, with the factors that set it apart from the others.
    pub name: String,
    /// Its place in the plan, for its colour.
    pub place: usize,
    /// The allocator.
    pub allocator: String,
    /// Processes that count.
    pub samples: usize,
    /// The figures, in the order of [`FIGURES`].
    pub figures: [Option<Measured>; 4],
    /// What each has beyond that on [`BASE`]; `None` for the latter itself, and where that was not measured.
    pub effects: [Option<Effect>; 4],
}

/// The matrices of a record: none where no client ran on two allocators.
#[must_use]
pub fn matrices(view: &View) -> Vec<Matrix> {
    let mut matrices: Vec<Matrix> = view.scenarios.iter().flat_map(|scenario| of(view, scenario)).collect();
    // All questions of a column are one family, whatever table they stand in.
    for at in 0..FIGURES.len() {
        let contrasts: Vec<Option<Contrast>> =
            matrices.iter().flat_map(|m| &m.lines).map(|line| line.effects[at].map(|e| e.contrast)).collect();
        let judged = techniques::judge(&contrasts);
        for (line, effect) in matrices.iter_mut().flat_map(|m| &mut m.lines).zip(judged) {
            line.effects[at] = effect;
        }
    }
    matrices
}

/// An effect in a word, because a table has many; `None` where the pairs are too few for one.
#[must_use]
pub fn told(effect: &Effect) -> Option<&'static str> {
    match effect.sign {
        Sign::Saves => Some("saves"),
        Sign::Costs => Some("costs"),
        Sign::Nothing => Some("no effect seen"),
        Sign::TooFew => None,
    }
}

/// What has to be said where an effect has no word.
#[must_use]
pub fn too_few(matrices: &[Matrix]) -> Option<&'static str> {
    let mut effects = matrices.iter().flat_map(|matrix| &matrix.lines).flat_map(|line| line.effects.iter().flatten());
    effects
        .any(|effect| effect.sign == Sign::TooFew)
        .then_some("A difference without a word beside it is of too few pairs to say which it is.")
}

/// jemalloc's options as they were read back, by the allocator that they make: `narenas=1 tcache=false …`.
#[must_use]
pub fn options(record: &Record) -> Vec<(String, String)> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in &record.environment.jemalloc {
        let name = key.trim_start_matches("opt.");
        let (name, allocator) = match name.split_once(" (") {
            Some((name, allocator)) => (name, allocator.trim_end_matches(')')),
            None => (name, "jemalloc"),
        };
        all.entry(allocator.to_owned()).or_default().push(format!("{name}={value}"));
    }
    all.into_iter().map(|(allocator, options)| (allocator, options.join(" "))).collect()
}

fn of(view: &View, scenario: &Scenario) -> Vec<Matrix> {
    let measured = |row: &&Row| (0..FIGURES.len()).any(|at| view.figure(row, "rss", &figure(at)).is_some());
    let alike = |row: &&Row| measured(row) && !view.is_ablation(&row.subject, &row.factors);
    let rows: Vec<&Row> = scenario.rows.iter().filter(alike).collect();
    let several =
        |row: &&Row| rows.iter().any(|other| is_same_client(row, other) && allocator(row) != allocator(other));
    let rows: Vec<&Row> = rows.iter().copied().filter(several).collect();
    let mut runtimes: Vec<Option<&String>> = Vec::new();
    for row in &rows {
        let runtime = row.factors.get("runtime");
        if !runtimes.contains(&runtime) {
            runtimes.push(runtime);
        }
    }
    let matrix = |runtime: Option<&String>| {
        let here: Vec<&Row> = rows.iter().copied().filter(|row| row.factors.get("runtime") == runtime).collect();
        // The allocator has a column of its own.
        let others: Vec<BTreeMap<String, String>> = here.iter().map(|row| without_allocator(row)).collect();
        let labels =
            Labels::of(&here.iter().zip(&others).map(|(row, f)| (row.subject.as_str(), f)).collect::<Vec<_>>());
        let title = std::iter::once(scenario.info.id.as_str()).chain(runtime.map(String::as_str));
        let lines = here.iter().zip(labels.names).map(|(row, name)| line(view, &rows, row, name)).collect();
        Matrix { title: title.collect::<Vec<_>>().join(" · "), common: labels.common, lines }
    };
    runtimes.into_iter().map(matrix).collect()
}

fn line(view: &View, rows: &[&Row], row: &Row, name: String) -> Line {
    let base = rows.iter().find(|other| is_same_client(row, other) && allocator(other) == BASE);
    let base = base.filter(|_| allocator(row) != BASE).and_then(|base| view.cell(base, "rss"));
    let effect = |at: usize| {
        let (own, base, figure) = (view.cell(row, "rss")?, base?, figure(at));
        let side = |cell| Side { cell, figure: &figure };
        // Signs are given when all are known.
        techniques::judge(&[Contrast::of(&view.record, side(&own.cell), side(&base.cell))])[0]
    };
    let figures: [Option<Measured>; 4] = std::array::from_fn(|at| view.figure(row, "rss", &figure(at)).copied());
    Line {
        name,
        place: row.place,
        allocator: allocator(row).to_owned(),
        samples: figures.iter().flatten().map(|measured| measured.stats.samples).max().unwrap_or_default(),
        figures,
        effects: std::array::from_fn(effect),
    }
}

fn allocator(row: &Row) -> &str {
    row.factors.get("allocator").map_or("", String::as_str)
}

fn without_allocator(row: &Row) -> BTreeMap<String, String> {
    row.factors.iter().filter(|(key, _)| *key != "allocator").map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn is_same_client(a: &Row, b: &Row) -> bool {
    a.subject == b.subject && without_allocator(a) == without_allocator(b)
}
