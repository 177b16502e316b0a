//! Columns, and the tables that they make of rows.

use super::{Labels, Row, Scenario, View};
use crate::derive::{Figure, GROWTH_AT, Measured, Percentile};
use crate::stats::{End, Exactness};
use crate::units::Quantity;

/// A column of a table.
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

/// A figure in a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The figure.
    pub measured: Measured,
    /// The median, as shown.
    pub text: String,
    /// ` =` when exact, ` ± 4.0 KiB` when it varies, ` ≈` when it varies and most processes are identical, nothing when there is one sample only.
    pub mark: String,
    /// ` ↑ 532.0 KiB` or ` ↓ 444.0 KiB` where that end of the samples lies far beyond what their median deviation says; else nothing. Of times never: some process is interrupted always.
    pub far: String,
    /// Whether no row that it may be compared with is lower, and one is higher.
    pub lowest: bool,
    /// This over the first subject's under the same conditions, where that is above zero.
    pub ratio: Option<f64>,
}

/// A table: rows that have something to show, and what they show.
#[derive(Debug)]
pub struct Block<'a> {
    /// What its columns are about: `memory`, `allocations`; empty when all probes share one table.
    pub title: &'static str,
    /// The rows.
    pub rows: Vec<&'a Row>,
    /// Their names.
    pub labels: Labels,
    /// Each column, with one entry for each row.
    pub columns: Vec<(Column, Vec<Option<Entry>>)>,
}

impl Column {
    /// A column of a figure as it is.
    #[must_use]
    pub fn new(heading: &'static str, probe: &'static str, figure: Figure, meaning: &'static str) -> Self {
        Self { heading, probe, figure, times: 1, in_full: false, meaning }
    }

    /// A column of a figure per 1,000 requests.
    #[must_use]
    pub fn per_thousand(self) -> Self {
        Self { times: 1_000, ..self }
    }

    fn text(&self, quantity: Quantity) -> String {
        let quantity = quantity.times(self.times);
        if self.in_full { quantity.in_full() } else { quantity.to_string() }
    }
}

impl View {
    /// The tables that `columns` make of a scenario: one when every row has cells of all their probes, else one for each probe, because a
    /// probe may have run under other factors than its neighbour. Rows and columns without any figure are left out.
    #[must_use]
    pub fn blocks<'a>(&self, scenario: &'a Scenario, columns: &[Column]) -> Vec<Block<'a>> {
        self.blocks_of(scenario, scenario.rows.iter().collect(), columns)
    }

    /// The same of the rows that levels are compared by.
    #[must_use]
    pub fn main_blocks<'a>(&self, scenario: &'a Scenario, columns: &[Column]) -> Vec<Block<'a>> {
        let any = |row: &&Row| columns.iter().any(|column| self.figure(row, column.probe, &column.figure).is_some());
        self.blocks_of(scenario, self.main_of(scenario.rows.iter().filter(any).collect()), columns)
    }

    fn blocks_of<'a>(&self, scenario: &'a Scenario, rows: Vec<&'a Row>, columns: &[Column]) -> Vec<Block<'a>> {
        let whole = self.block(scenario, &rows, columns, "");
        let mut probes: Vec<&'static str> = whole.columns.iter().map(|(column, _)| column.probe).collect();
        probes.dedup();
        probes.sort_unstable_by_key(|probe| *probe != "rss");
        probes.dedup();
        let has = |row: &Row, probe: &str| {
            whole.columns.iter().any(|(c, _)| c.probe == probe && self.figure(row, probe, &c.figure).is_some())
        };
        if whole.rows.is_empty() {
            return Vec::new();
        }
        let one_table = |row: &&Row| {
            let same = probes.iter().all(|probe| self.factors(row, probe) == &row.factors);
            same && probes.iter().all(|probe| has(row, probe))
        };
        if probes.len() < 2 || whole.rows.iter().all(one_table) {
            return vec![whole];
        }
        let own = |probe: &str| -> Vec<Column> { columns.iter().filter(|c| c.probe == probe).cloned().collect() };
        probes.into_iter().map(|probe| self.block(scenario, &rows, &own(probe), title(probe))).collect()
    }

    /// The columns of the main table that have a figure in this record.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        let rows = || self.scenarios.iter().flat_map(|scenario| &scenario.rows);
        let used = |column: &Column| rows().any(|row| self.figure(row, column.probe, &column.figure).is_some());
        columns().into_iter().filter(used).collect()
    }

    fn block<'a>(
        &self,
        scenario: &'a Scenario,
        rows: &[&'a Row],
        columns: &[Column],
        title: &'static str,
    ) -> Block<'a> {
        let any = |row: &&Row| columns.iter().any(|column| self.figure(row, column.probe, &column.figure).is_some());
        self.table(scenario, rows.iter().copied().filter(any).collect(), columns, title)
    }

    /// The table of these rows.
    pub(super) fn table<'a>(
        &self,
        scenario: &'a Scenario,
        rows: Vec<&'a Row>,
        columns: &[Column],
        title: &'static str,
    ) -> Block<'a> {
        let columns: Vec<(Column, Vec<Option<Entry>>)> = columns
            .iter()
            .map(|column| (column.clone(), self.entries(scenario, &rows, column)))
            .filter(|(_, entries)| entries.iter().any(Option::is_some))
            .collect();
        let probe = columns.first().map_or("rss", |(column, _): &(Column, _)| column.probe);
        Block { title, labels: self.labels(&rows, probe), rows, columns }
    }

    fn entries(&self, scenario: &Scenario, rows: &[&Row], column: &Column) -> Vec<Option<Entry>> {
        let figure = |row: &Row| self.figure(row, column.probe, &column.figure);
        // Who has others do the work is compared with its like only, but for the time it takes.
        let is_time = matches!(column.figure, Figure::Latency(_));
        let all_alike = is_time || rows.iter().all(|row| self.shares_work(row));
        let counts = |row: &Row| (all_alike || !self.shares_work(row)) && row.kind != "rung";
        let entry = |row: &Row| {
            let measured = *figure(row)?;
            let others = || {
                rows.iter()
                    .filter(|other| !std::ptr::eq(**other, row) && other.comparable(row) && counts(other))
                    .filter_map(|r| figure(r))
            };
            // A rung is held against the one below it, in a table of its own.
            let reference = self.reference(scenario, row).filter(|_| row.kind != "rung").and_then(figure);
            Some(Entry {
                text: column.text(measured.median()),
                mark: match measured.stats.exactness {
                    Exactness::Single => String::new(),
                    Exactness::Identical => " =".to_owned(),
                    Exactness::Varies if measured.stats.mad == 0.0 => " ≈".to_owned(),
                    Exactness::Varies => format!(" ± {}", column.text(measured.spread())),
                },
                far: match measured.stats.far() {
                    Some(End::Smallest) if !is_time => format!(" ↓ {}", column.text(measured.min())),
                    Some(End::Largest) if !is_time => format!(" ↑ {}", column.text(measured.max())),
                    _ => String::new(),
                },
                // Where all are the same, none is best; and nothing is better than not growing.
                lowest: counts(row)
                    && others().all(|other| grown(&measured) <= grown(other))
                    && others().any(|other| grown(&measured) < grown(other)),
                ratio: reference.and_then(|reference| measured.median().ratio(reference.median())),
                measured,
            })
        };
        rows.iter().map(|row| entry(row)).collect()
    }
}

fn grown(measured: &Measured) -> f64 {
    measured.stats.median.max(0.0)
}

pub(super) fn title(probe: &str) -> &'static str {
    match probe {
        "rss" => "memory",
        "count" => "allocations",
        "jemalloc" => "jemalloc",
        "dhat" => "dhat",
        _ => "further",
    }
}

/// The columns of the main table, those included that this record has nothing for.
#[must_use]
pub fn columns() -> Vec<Column> {
    vec![
        Column::new("RSS growth", "rss", Figure::growth("proc.rss"), "resident memory at steady@20 minus that at start, file pages included"),
        Column::new("anon growth", "rss", Figure::growth("proc.anon"), "the same of anonymous memory only: heap, stacks, written data"),
        Column::new(
            "start RSS",
            "rss",
            Figure::at("start", "proc.rss"),
            "resident memory before the first statement: growth alone could be gamed by growing earlier",
        ),
        Column::new(
            "peak RSS",
            "rss",
            Figure::at(GROWTH_AT, "proc.hwm"),
            "highest resident memory up to steady@20 (hwm): giving memory back before a reading cannot hide it",
        ),
        Column::new("anon/in flight", "rss", Figure::in_flight("proc.anon"), "anonymous memory that one more request in flight takes: (held@1000 − held@100) / 900"),
        Column::new("RSS/in flight", "rss", Figure::in_flight("proc.rss"), "the same of resident memory"),
        Column::new("kernel/in flight", "rss", Figure::in_flight("cgroup.kernel"), "kernel memory that one more request in flight takes, and no RSS shows: sockets, page tables"),
        Column::new("RSS at 1,000", "rss", Figure::at("held@1000", "proc.rss"), "resident memory with 1,000 requests held"),
        Column::new("anon after", "rss", Figure::since("after@1000", "proc.anon"), "anonymous memory since start when the 1,000 are answered: what stays"),
        Column::new("p50", "rss", Figure::Latency(Percentile::P50), "median time per request in the last batch, as the subject measured it"),
        Column::new(
            "allocs/request",
            "count",
            Figure::per_request("heap.allocs"),
            "calls of malloc and realloc per request, Rust and C, over requests 64 to 128",
        ),
        Column {
            in_full: true,
            ..Column::new(
                "bytes/request",
                "count",
                Figure::per_request("heap.bytes"),
                "bytes asked for in those calls, a realloc's whole new size included",
            )
        },
        Column::new(
            "live/1,000 req",
            "count",
            Figure::slope("heap.live"),
            "slope of the live heap per 1,000 requests, the smaller of the segments 64–128 and 128–256 (of a soak 2,000–6,000 and 6,000–10,000): above zero is a leak",
        )
        .per_thousand(),
        Column::new("live/in flight", "count", Figure::in_flight("heap.live"), "live heap that one more request in flight takes"),
    ]
}
