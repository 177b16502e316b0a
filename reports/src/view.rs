//! The record as reports show it: per scenario, one row for each subject under given factors, with the cells of all its probes.

use std::collections::{BTreeMap, BTreeSet};

use crate::derive::{self, CellFigures, Failure, Figure, GROWTH_AT, Measured, Percentile};
use crate::record::{Cell, Record, ScenarioInfo, Status};

/// A record, its figures, and its rows.
#[derive(Debug)]
pub struct View {
    /// The record, made safe to show.
    pub record: Record,
    /// The figures of every cell.
    pub cells: Vec<CellFigures>,
    /// The scenarios in the plan's order, then those that only samples name.
    pub scenarios: Vec<Scenario>,
}

/// A scenario and its rows.
#[derive(Debug)]
pub struct Scenario {
    /// What it does.
    pub info: ScenarioInfo,
    /// Subjects under their factors.
    pub rows: Vec<Row>,
}

/// A subject under given factors. The probes need different builds and allocators of the same subject; the row joins them.
#[derive(Debug, Clone)]
pub struct Row {
    /// The subject's id.
    pub subject: String,
    /// `level`, `baseline`, `peer`, `rung`, `external`.
    pub kind: String,
    /// Factors of the cell that the row stands for: that of the `rss` probe if there is one.
    pub factors: BTreeMap<String, String>,
    /// The subject, and the factors by which the scenario's rows differ.
    pub label: String,
    /// Place of the subject in the plan: colours follow it.
    pub place: usize,
    cells: BTreeMap<String, usize>,
}

/// A column of the main table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its heading.
    pub heading: &'static str,
    /// The probe whose cell has the figure.
    pub probe: &'static str,
    /// The figure.
    pub figure: Figure,
    /// Multiplied by this: 1,000 for slopes per 1,000 requests.
    pub times: u32,
    /// Whether bytes are written in full.
    pub in_full: bool,
    /// What it means, for the glossary.
    pub meaning: &'static str,
}

/// A cell of the main table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The figure.
    pub measured: Measured,
    /// The median, as shown.
    pub text: String,
    /// ` =` when exact, ` ± 4.0 KiB` when it varies, nothing when there is one sample only.
    pub mark: String,
    /// Whether no other row's is lower, and there is another.
    pub lowest: bool,
    /// This over the first subject's under the same factors, where that is above zero.
    pub ratio: Option<f64>,
}

impl View {
    /// Prepares a record for showing.
    #[must_use]
    pub fn new(record: &Record) -> Self {
        let record = crate::clean::record(record);
        let cells = derive::cells(&record);
        let scenarios = scenarios(&record, &cells);
        Self { record, cells, scenarios }
    }

    /// The cell of a row under a probe.
    #[must_use]
    pub fn cell(&self, row: &Row, probe: &str) -> Option<&CellFigures> {
        row.cells.get(probe).and_then(|at| self.cells.get(*at))
    }

    /// A figure of a row under a probe.
    #[must_use]
    pub fn figure(&self, row: &Row, probe: &str, figure: &Figure) -> Option<&Measured> {
        self.cell(row, probe)?.figure(figure)
    }

    /// The scenario of that name.
    #[must_use]
    pub fn scenario(&self, id: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.info.id == id)
    }

    /// Every sample that does not count, with its cell.
    pub fn failures(&self) -> impl Iterator<Item = (&Cell, &Failure)> {
        self.cells.iter().flat_map(|cell| cell.failures.iter().map(move |failure| (&cell.cell, failure)))
    }

    /// The protocol that a row's valid samples spoke, by its factor or as negotiated.
    #[must_use]
    pub fn protocol<'a>(&'a self, row: &'a Row) -> Option<&'a str> {
        if let Some(protocol) = row.factors.get("protocol") {
            return Some(protocol);
        }
        let cells: Vec<&Cell> = row.cells.values().filter_map(|at| self.cells.get(*at)).map(|c| &c.cell).collect();
        let spoken = self.record.samples.iter().filter(|s| s.status == Status::Ok && cells.contains(&&s.cell));
        spoken.map(|sample| sample.answers.protocol.as_str()).find(|protocol| !protocol.is_empty())
    }

    /// The row that `row` is compared with: of the first subject, under the same factors (the allocator apart).
    #[must_use]
    pub fn reference<'a>(&self, scenario: &'a Scenario, row: &Row) -> Option<&'a Row> {
        let first = &scenario.rows.first()?.subject;
        scenario.rows.iter().find(|other| other.subject == *first && comparable(&other.factors, &row.factors))
    }

    /// The entries of a column, one for each row of the scenario.
    #[must_use]
    pub fn column(&self, scenario: &Scenario, column: &Column) -> Vec<Option<Entry>> {
        let figures: Vec<Option<&Measured>> =
            scenario.rows.iter().map(|row| self.figure(row, column.probe, &column.figure)).collect();
        let lowest = figures.iter().flatten().map(|m| m.stats.median).min_by(f64::total_cmp);
        let several = figures.iter().flatten().count() > 1;
        let entries = scenario.rows.iter().zip(&figures).map(|(row, measured)| {
            let measured = **measured.as_ref()?;
            let show = |q: crate::units::Quantity| {
                let q = q.times(column.times);
                if column.in_full { q.in_full() } else { q.to_string() }
            };
            let reference = self.reference(scenario, row).and_then(|r| self.figure(r, column.probe, &column.figure));
            Some(Entry {
                text: show(measured.median()),
                mark: match measured.stats.exactness {
                    crate::stats::Exactness::Single => String::new(),
                    crate::stats::Exactness::Identical => " =".to_owned(),
                    crate::stats::Exactness::Varies => format!(" ± {}", show(measured.spread())),
                },
                lowest: several && lowest == Some(measured.stats.median),
                ratio: reference.and_then(|reference| measured.median().ratio(reference.median())),
                measured,
            })
        });
        entries.collect()
    }
}

/// Whether rows under these factors may stand beside each other. The allocator and the switches are part of what a level is.
fn comparable(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> bool {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).filter(|k| !OWN.contains(&k.as_str())).collect();
    // A factor that one of them does not have (an interpreter has no choice of runtime) does not set them apart.
    keys.into_iter().all(|key| match (a.get(key), b.get(key)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    })
}

/// Factors that belong to a level itself.
const OWN: [&str; 2] = ["allocator", "switches"];

/// The columns of the main table.
#[must_use]
pub fn columns() -> Vec<Column> {
    let column = |heading, probe, figure, meaning| Column { heading, probe, figure, times: 1, in_full: false, meaning };
    vec![
        column(
            "RSS growth",
            "rss",
            Figure::growth("proc.rss"),
            "resident memory at steady@20 minus that at start, file pages included",
        ),
        column(
            "anon growth",
            "rss",
            Figure::growth("proc.anon"),
            "the same of anonymous memory only: heap, stacks, written data",
        ),
        column(
            "start RSS",
            "rss",
            Figure::at("start", "proc.rss"),
            "resident memory before the first statement: growth alone could be gamed by growing earlier",
        ),
        column(
            "peak RSS",
            "rss",
            Figure::at(GROWTH_AT, "proc.hwm"),
            "highest resident memory up to steady@20 (hwm): giving memory back before a reading cannot hide it",
        ),
        column(
            "allocs/request",
            "count",
            Figure::per_request("heap.allocs"),
            "calls of malloc and realloc per request, Rust and C, over requests 64 to 128",
        ),
        Column {
            in_full: true,
            ..column(
                "bytes/request",
                "count",
                Figure::per_request("heap.bytes"),
                "bytes asked for in those calls, a realloc's whole new size included",
            )
        },
        Column {
            times: 1_000,
            ..column(
                "live/1,000 req",
                "count",
                Figure::slope("heap.live"),
                "slope of the live heap per 1,000 requests, the smaller of the segments 64–128 and 128–256: above zero is a leak",
            )
        },
        column(
            "p50",
            "rss",
            Figure::Latency(Percentile::P50),
            "median time per request in the last batch, as the subject measured it",
        ),
    ]
}

fn scenarios(record: &Record, cells: &[CellFigures]) -> Vec<Scenario> {
    let mut infos = record.plan.scenarios.clone();
    for cell in cells {
        if !infos.iter().any(|info| info.id == cell.cell.scenario) {
            infos.push(ScenarioInfo {
                id: cell.cell.scenario.clone(),
                description: "not described in the plan".to_owned(),
                method: String::new(),
                in_flight: 0,
                body_bytes: None,
                events: None,
                deterministic: false,
                steps: Vec::new(),
            });
        }
    }
    infos.into_iter().map(|info| Scenario { rows: rows(record, cells, &info.id), info }).collect()
}

fn rows(record: &Record, cells: &[CellFigures], scenario: &str) -> Vec<Row> {
    let here: Vec<(usize, &Cell)> =
        cells.iter().enumerate().map(|(at, c)| (at, &c.cell)).filter(|(_, cell)| cell.scenario == scenario).collect();
    let mut rows: Vec<Row> = Vec::new();
    let (rss, others): (Vec<_>, Vec<_>) = here.into_iter().partition(|(_, cell)| cell.probe == "rss");
    for (at, cell) in rss {
        rows.push(row(record, cell, at));
    }
    for (at, cell) in others {
        join(record, &mut rows, cell, at);
    }
    rows.sort_by_key(|row| row.place);
    let varying = varying(&rows);
    for row in &mut rows {
        row.label = label(&row.subject, varying.iter().filter_map(|key| row.factors.get(key)));
    }
    rows
}

fn row(record: &Record, cell: &Cell, at: usize) -> Row {
    let place = record.plan.subjects.iter().position(|subject| subject.id == cell.subject);
    Row {
        subject: cell.subject.clone(),
        kind: place.map_or_else(|| "external".to_owned(), |place| record.plan.subjects[place].kind.clone()),
        factors: cell.factors.clone(),
        label: String::new(),
        place: place.unwrap_or(record.plan.subjects.len()),
        cells: BTreeMap::from([(cell.probe.clone(), at)]),
    }
}

/// Gives a cell of another probe to the rows that it belongs to: those of the same factors, else those that differ by the allocator only,
/// because each probe needs its own.
fn join(record: &Record, rows: &mut Vec<Row>, cell: &Cell, at: usize) {
    let same = |row: &Row| row.subject == cell.subject && row.factors == cell.factors;
    let near = |a: &BTreeMap<String, String>| without(a, "allocator") == without(&cell.factors, "allocator");
    if let Some(row) = rows.iter_mut().find(|row| same(row)) {
        row.cells.insert(cell.probe.clone(), at);
        return;
    }
    let mut joined = false;
    for row in rows.iter_mut().filter(|row| row.subject == cell.subject && near(&row.factors)) {
        row.cells.entry(cell.probe.clone()).or_insert(at);
        joined = true;
    }
    if !joined {
        rows.push(row(record, cell, at));
    }
}

fn without<'a>(factors: &'a BTreeMap<String, String>, key: &str) -> Vec<(&'a String, &'a String)> {
    factors.iter().filter(|(name, _)| *name != key).collect()
}

/// The factors of which the rows have more than one value.
fn varying(rows: &[Row]) -> Vec<String> {
    let mut values: BTreeMap<&String, BTreeSet<&String>> = BTreeMap::new();
    for (key, value) in rows.iter().flat_map(|row| &row.factors) {
        values.entry(key).or_default().insert(value);
    }
    values.into_iter().filter(|(_, values)| values.len() > 1).map(|(key, _)| key.clone()).collect()
}

fn label<'a>(subject: &str, factors: impl Iterator<Item = &'a String>) -> String {
    factors.fold(subject.to_owned(), |label, value| format!("{label} · {value}"))
}
