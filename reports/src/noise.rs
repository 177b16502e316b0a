//! What repeating a measurement shows of the instrument: which figures are the same in every process, how far the others vary, and how
//! small a change could be seen through that.

use std::fmt::Write;

use crate::derive::{self, Figure, Measured, Percentile};
use crate::record::{Cell, Record};
use crate::stats::power::Rule;
use crate::units::{Quantity, Unit, whole};

/// How surely a change of the size that is told would be seen.
pub const POWER: f64 = 0.9;

/// The noise of one figure of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// The cell.
    pub cell: Cell,
    /// The figure.
    pub figure: Figure,
    /// Its samples.
    pub measured: Measured,
    /// The smallest increase that the rule would catch with the power of [`POWER`]; for an exact figure the rule's floor: any increase
    /// over it. `None`: it would catch none, however large.
    pub smallest: Option<Quantity>,
    /// Why it is not the same in every process; empty for one that is.
    pub why: &'static str,
}

impl Noise {
    /// What lies between the smallest and the largest sample, as a share of the median; `None` where it is twice that or more: of a slope about zero a share
    /// says nothing.
    #[must_use]
    pub fn range(&self) -> Option<f64> {
        let stats = &self.measured.stats;
        let range = stats.max - stats.min;
        (range < 2.0 * stats.median.abs()).then(|| range / stats.median.abs())
    }
}

/// The figures that code is compared by, for each probe.
#[must_use]
pub fn compared(probe: &str) -> Vec<Figure> {
    match probe {
        "rss" => vec![
            Figure::growth("proc.anon"),
            Figure::growth("proc.rss"),
            Figure::at(derive::GROWTH_AT, "proc.anon"),
            Figure::at(derive::GROWTH_AT, "proc.hwm"),
            Figure::slope("proc.anon"),
            Figure::Latency(Percentile::P50),
        ],
        "count" => vec![
            Figure::per_request("heap.allocs"),
            Figure::per_request("heap.bytes"),
            Figure::at("first", "heap.allocs"),
            Figure::growth("heap.live"),
            Figure::at(derive::GROWTH_AT, "heap.peak"),
        ],
        "jemalloc" => vec![Figure::growth("jemalloc.allocated"), Figure::growth("jemalloc.resident")],
        _ => vec![],
    }
}

/// The noise of every figure that code is compared by, cell by cell.
#[must_use]
pub fn noise(record: &Record, rule: &Rule) -> Vec<Noise> {
    let mut all = Vec::new();
    for planned in &record.plan.cells {
        let samples: Vec<_> = record.samples.iter().filter(|sample| sample.cell == planned.cell).collect();
        let values = derive::values(&samples);
        for figure in compared(&planned.cell.probe) {
            let Some((values, measured)) =
                values.get(&figure).and_then(|values| Some((values, Measured::of(values, figure.unit())?)))
            else {
                continue;
            };
            let change = rule.smallest_change(values, POWER).map(|change| change.max(grain(record, &figure)));
            let smallest = change.and_then(|change| Quantity::new(change, figure.unit()));
            let why = if measured.is_exact() { "" } else { why(record, &planned.cell, &figure) };
            all.push(Noise { cell: planned.cell.clone(), figure, measured, smallest, why });
        }
    }
    all
}

/// Why a figure differs between processes that do the same.
pub(crate) fn why(record: &Record, cell: &Cell, figure: &Figure) -> &'static str {
    let is = |factor: &str, value: &str| cell.factors.get(factor).is_some_and(|own| own == value);
    let deterministic = record.plan.scenarios.iter().any(|info| info.id == cell.scenario && info.deterministic);
    let metric = figure.metric();
    match figure {
        Figure::Latency(_) => "a clock's time",
        _ if metric.starts_with("proc.") => "pages: which of them were touched",
        _ if metric.starts_with("jemalloc.") => "its caches and the time of its decay",
        _ if !deterministic => "requests at once meet in another order each time",
        _ if is("runtime", "multi_thread") => "two threads: which of them comes first",
        Figure::At { checkpoint, .. } if checkpoint == "first" => {
            "the handshake: random numbers, and when its flights arrive"
        }
        _ => "nothing that is known",
    }
}

/// What a figure is a multiple of: the kernel accounts for memory by pages, so that no smaller change of it can occur.
pub(crate) fn grain(record: &Record, figure: &Figure) -> f64 {
    let by_pages = figure.metric().starts_with("proc.") && figure.unit() == Unit::Bytes;
    match figure {
        Figure::At { .. } | Figure::Growth(_) if by_pages => {
            whole(i64::try_from(record.environment.page_size).unwrap_or_default())
        }
        _ => 0.0,
    }
}

/// The table as Markdown, for METHODOLOGY: a number alone is identical in all samples.
#[must_use]
pub fn markdown(noise: &[Noise]) -> String {
    let mut out = String::from(
        "| scenario | factors | figure | samples | middle | from – to | range | smallest change seen | why it varies |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in noise {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.cell.scenario,
            factors(&row.cell),
            row.figure,
            row.measured.stats.samples,
            row.measured.median(),
            if row.measured.is_exact() {
                "identical".to_owned()
            } else {
                format!("{} – {}", row.measured.min(), row.measured.max())
            },
            range(row),
            smallest(row),
            row.why,
        );
    }
    out
}

/// The factors that tell cells of one subject apart, without the allocator, which the probe names.
#[must_use]
pub fn factors(cell: &Cell) -> String {
    let told = cell.factors.iter().filter(|(name, _)| *name != "allocator").map(|(_, value)| value.as_str());
    told.collect::<Vec<_>>().join(", ")
}

/// The range as a share of the middle, in words; nothing for an exact figure.
#[must_use]
pub fn range(row: &Noise) -> String {
    match row.range() {
        Some(share) if !row.measured.is_exact() => {
            let decimals = if share < 0.1 { 2 } else { 0 };
            format!("{:.decimals$} %", share * 100.0)
        }
        _ => String::new(),
    }
}

/// The smallest change that would be seen, in words.
#[must_use]
pub fn smallest(row: &Noise) -> String {
    match row.smallest {
        None => "none".to_owned(),
        Some(change) if change.value() == 0.0 => "any".to_owned(),
        Some(change) => format!("+{change}"),
    }
}
