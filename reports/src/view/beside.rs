//! The table of those that have other processes do their work: what is their own, and what stands beside it.

use std::collections::BTreeSet;

use super::{Block, Column, Row, Scenario, View};
use crate::derive::{CellFigures, Figure, GROWTH_AT};

/// The columns of that table.
#[must_use]
pub fn beside_columns() -> Vec<Column> {
    let at = |metric| Figure::at(GROWTH_AT, metric);
    vec![
        Column::new("own RSS", "rss", at("proc.rss"), "resident memory of the subject alone at steady@20"),
        Column::new("RSS beside", "rss", at("beside.rss"), "the same of its helpers and its proxy together"),
        Column::new(
            "PSS, whole",
            "rss",
            at("whole.pss"),
            "resident memory of all of them, pages that they share counted once",
        ),
        Column::new("own anon", "rss", at("proc.anon"), "anonymous memory of the subject alone at steady@20"),
        Column::new("anon beside", "rss", at("beside.anon"), "the same of its helpers and its proxy together"),
        Column::new(
            "anon growth, whole",
            "rss",
            Figure::growth("whole.anon"),
            "anonymous memory of all of them at steady@20 minus that at start: all of a helper that came since, of a proxy what it grew by",
        ),
        Column::new(
            "own allocs/request",
            "count",
            Figure::per_request("heap.allocs"),
            "calls of malloc and realloc per request in the subject alone",
        ),
        Column::new(
            "allocs/request beside",
            "count",
            Figure::per_request("beside.allocs"),
            "the same in its helpers and its proxy",
        ),
    ]
}

/// The figures that only those have.
const MARKS: [(&str, &str, &str); 2] = [
    ("rss", "beside.rss", "memory with helpers and proxy"),
    ("count", "beside.allocs", "allocations with helpers and proxy"),
];

/// The places of the cells whose subject had processes beside it, at any checkpoint: where requests are held there is no steady@20.
pub(super) fn sharing(cells: &[CellFigures]) -> BTreeSet<usize> {
    let is_mark = |figure: &Figure| matches!(figure, Figure::At { metric, .. } if MARKS.iter().any(|(_, mark, _)| metric == mark));
    let has = |cell: &CellFigures| cell.figures.keys().any(is_mark);
    cells.iter().enumerate().filter(|(_, cell)| has(cell)).map(|(at, _)| at).collect()
}

impl View {
    /// The tables of a scenario's usual rows that have processes beside the subject, one for each probe; none where no row has.
    #[must_use]
    pub fn beside<'a>(&self, scenario: &'a Scenario) -> Vec<Block<'a>> {
        let columns = beside_columns();
        let mut blocks = Vec::new();
        for (probe, mark, title) in MARKS {
            let has = |row: &&Row| self.figure(row, probe, &Figure::at(GROWTH_AT, mark)).is_some();
            let usual = |row: &&Row| self.is_usual(scenario, row, |row| has(&row));
            let rows: Vec<&Row> = scenario.rows.iter().filter(has).filter(usual).collect();
            if !rows.is_empty() {
                let own: Vec<Column> = columns.iter().filter(|column| column.probe == probe).cloned().collect();
                blocks.push(self.table(scenario, rows, &own, title));
            }
        }
        blocks
    }

    /// Whether a row has processes beside the subject. What they take off it is no saving, so it is called lowest of nothing but time.
    #[must_use]
    pub fn shares_work(&self, row: &Row) -> bool {
        row.cells().any(|at| self.sharing.contains(&at))
    }

    /// Whether any row of any scenario has.
    #[must_use]
    pub fn has_beside(&self) -> bool {
        self.scenarios.iter().any(|scenario| !self.beside(scenario).is_empty())
    }
}
