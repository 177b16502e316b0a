//! Two records side by side: every figure that both have of the same cell, with the direction spelled out. It judges nothing; the gate does.
//!
//! Lower is better of everything that is compared. Whether two figures differ is said by their samples: where those of one side reach into the
//! other's, there is no difference that so many samples show.

use std::fmt::Write as _;

use crate::cell;
use crate::derive::{CellFigures, Figure, GROWTH_AT, Measured, Percentile};
use crate::markdown;
use crate::record::{Cell, Record};
use crate::summary::is_live;
use crate::units::percent;
use crate::view::View;

/// How a figure of the second record stands to that of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The second has less.
    Less,
    /// The second has more.
    More,
    /// Both are the same to the last digit.
    Same,
    /// The samples of the one reach into the other's.
    Overlap,
}

/// A figure that both records have of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The cell.
    pub cell: Cell,
    /// The figure.
    pub figure: Figure,
    /// In the first record and in the second.
    pub sides: (Measured, Measured),
}

/// Two records, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The records' ids, dates and targets, as they are named.
    pub names: (String, String),
    /// What differs of where and with what they were measured: name, first, second. A difference of figures may be a difference of these.
    pub conditions: Vec<(&'static str, String, String)>,
    /// Every figure that both have, cells in the first record's order.
    pub rows: Vec<Compared>,
    /// Cells that only the first has, and those that only the second has.
    pub alone: (Vec<Cell>, Vec<Cell>),
    /// Whether either was measured against the live service.
    pub advisory: bool,
}

impl Compared {
    /// How the second stands to the first.
    #[must_use]
    pub fn direction(&self) -> Direction {
        let (a, b) = (&self.sides.0.stats, &self.sides.1.stats);
        if a.median == b.median && a.min == b.min && a.max == b.max {
            Direction::Same
        } else if a.overlaps(b) {
            Direction::Overlap
        } else if b.median < a.median {
            Direction::Less
        } else {
            Direction::More
        }
    }

    /// The direction in words: `less in B, by 12 % (better)`.
    #[must_use]
    pub fn told(&self) -> String {
        let (a, b) = (self.sides.0.stats.median, self.sides.1.stats.median);
        let share = if a > 0.0 { format!(", by {}", percent((b - a).abs() / a)) } else { String::new() };
        match self.direction() {
            Direction::Less => format!("less in B{share} (better)"),
            Direction::More => format!("more in B{share} (worse)"),
            Direction::Same => "the same".to_owned(),
            Direction::Overlap => "samples overlap: no difference shown".to_owned(),
        }
    }

    /// The second less the first, with its sign.
    #[must_use]
    pub fn difference(&self) -> String {
        self.sides.1.median().minus(self.sides.0.median()).map_or_else(String::new, |difference| difference.signed())
    }
}

/// The figures that are compared, the main ones of each probe.
fn figures() -> Vec<Figure> {
    vec![
        Figure::growth("proc.anon"),
        Figure::growth("proc.rss"),
        Figure::at("start", "proc.rss"),
        Figure::at(GROWTH_AT, "proc.hwm"),
        Figure::in_flight("proc.anon"),
        Figure::in_flight("proc.rss"),
        Figure::Latency(Percentile::P50),
        Figure::per_request("heap.allocs"),
        Figure::per_request("heap.bytes"),
        Figure::slope("heap.live"),
        Figure::at(GROWTH_AT, "jemalloc.allocated"),
    ]
}

/// Compares two records, the second against the first.
#[must_use]
pub fn compare(a: &Record, b: &Record) -> Comparison {
    let (first, second) = (View::new(a), View::new(b));
    let find = |cells: &[CellFigures], cell: &Cell| cells.iter().position(|other| other.cell == *cell);
    let mut rows = Vec::new();
    for own in &first.cells {
        let Some(at) = find(&second.cells, &own.cell) else { continue };
        for figure in figures() {
            let sides = own.figure(&figure).zip(second.cells[at].figure(&figure));
            rows.extend(sides.map(|(x, y)| Compared { cell: own.cell.clone(), figure, sides: (*x, *y) }));
        }
    }
    let missing = |from: &View, other: &View| {
        let cells = from.cells.iter().map(|figures| &figures.cell);
        cells.filter(|cell| find(&other.cells, cell).is_none()).cloned().collect()
    };
    Comparison {
        names: (name(&first.record), name(&second.record)),
        conditions: conditions(&first.record, &second.record),
        rows,
        alone: (missing(&first, &second), missing(&second, &first)),
        advisory: [a, b].iter().any(|record| is_live(&record.environment.target)),
    }
}

fn name(record: &Record) -> String {
    format!(
        "{}, {}, suite {}, target {}",
        record.id,
        record.started.strftime("%Y-%m-%d %H:%M UTC"),
        record.plan.suite,
        record.environment.target
    )
}

fn conditions(a: &Record, b: &Record) -> Vec<(&'static str, String, String)> {
    let commit = |record: &Record| {
        let dirty = if record.tool.dirty { " with changes" } else { "" };
        format!("{}{dirty}", record.tool.git.as_deref().unwrap_or("not a git checkout"))
    };
    let of = |record: &Record| {
        let e = &record.environment;
        [
            ("commit", commit(record)),
            ("plimsoll", record.tool.version.clone()),
            ("target", e.target.clone()),
            ("kernel", e.kernel.clone()),
            ("processor", format!("{}, {} cores", e.cpu, e.cores)),
            ("C library", e.libc.clone()),
            ("compiler", e.rustc.clone()),
            ("profile", e.profile.clone()),
            ("Cargo.lock", e.lockfile.clone().unwrap_or_default()),
            ("replies", e.corpus.clone()),
            ("trusted roots", format!("{}, {}", e.trust.roots, e.trust.digest)),
            ("address randomisation", if e.aslr_off { "off" } else { "on" }.to_owned()),
        ]
    };
    let pairs = of(a).into_iter().zip(of(b));
    pairs.filter(|((_, x), (_, y))| x != y).map(|((name, x), (_, y))| (name, x, y)).collect()
}

impl Comparison {
    /// How many figures are less, more, the same and without a difference shown, in a sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        let of = |direction: Direction| self.rows.iter().filter(|row| row.direction() == direction).count();
        if self.rows.is_empty() {
            return "The two records have no cell in common: nothing can be compared.".to_owned();
        }
        format!(
            "Of {} figures that both have, B has less in {}, more in {}, the same in {}; in {} the samples overlap and show no difference.",
            self.rows.len(),
            of(Direction::Less),
            of(Direction::More),
            of(Direction::Same),
            of(Direction::Overlap)
        )
    }

    /// As Markdown: the verdict, what differs besides, then each figure; first those that differ.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("## A beside B\n\n**{}**\n\n", markdown::prose(&self.verdict()));
        let _ = writeln!(out, "- A: {}\n- B: {}\n", markdown::cell(&self.names.0), markdown::cell(&self.names.1));
        if self.advisory {
            out.push_str("One of them is of the live service, so what differs is advisory.\n\n");
        }
        if !self.conditions.is_empty() {
            out.push_str("What differs besides, and may be why:\n\n| | A | B |\n|---|---|---|\n");
            for (name, a, b) in &self.conditions {
                let _ = writeln!(out, "| {name} | {} | {} |", markdown::cell(a), markdown::cell(b));
            }
            out.push('\n');
        }
        for (title, differs) in [("What differs", true), ("What does not", false)] {
            let rows: Vec<&Compared> = self
                .rows
                .iter()
                .filter(|row| matches!(row.direction(), Direction::Less | Direction::More) == differs)
                .collect();
            if rows.is_empty() {
                continue;
            }
            let _ = writeln!(
                out,
                "### {title}\n\n| cell | figure | A | B | B less A | direction |\n|---|---|---:|---:|---:|---|"
            );
            for row in rows {
                let (cell, figure) = (markdown::cell(&cell::name(&row.cell)), markdown::cell(&row.figure.to_string()));
                let (a, b) = (shown(&row.sides.0), shown(&row.sides.1));
                let _ = writeln!(out, "| {cell} | {figure} | {a} | {b} | {} | {} |", row.difference(), row.told());
            }
            out.push('\n');
        }
        for (cells, side) in [(&self.alone.0, "A"), (&self.alone.1, "B")] {
            if !cells.is_empty() {
                let names: Vec<String> = cells.iter().map(|cell| markdown::cell(&cell::name(cell))).collect();
                let _ = writeln!(out, "Only in {side}, {}: {}\n", cells.len(), names.join(", "));
            }
        }
        out
    }
}

fn shown(measured: &Measured) -> String {
    let exact = if measured.is_exact() { " =" } else { "" };
    format!("{}{exact}", measured.median())
}
