//! What was planned, where it ran, how it was measured, and how to read it.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use crate::metric::METRICS;
use crate::units::Bytes;
use crate::view::View;

/// The cells of the plan.
pub(super) fn plan(view: &View) -> Markup {
    let plan = &view.record.plan;
    html! {
        p {
            "Suite " code { (plan.suite) } ", " (view.cells.len()) " cells. The order of samples was shuffled from seed " code { (plan.seed) } ", so that what drifts on the machine does not fall on one subject."
        }
        details {
            summary { "What was planned" }
            div.scroll id="table-plan" tabindex="0" role="region" aria-label="What was planned" {
                table.wide.plain {
                    thead { tr {
                        th scope="col" { "subject" } th scope="col" { "scenario" } th scope="col" { "probe" } th scope="col" { "under" }
                        th.num scope="col" { "cells" } th.num scope="col" { "samples planned" } th.num scope="col" { "count" } th.num scope="col" { "do not" }
                    } }
                    tbody { @for planned in planned(view) { tr {
                        th scope="row" { (planned.of[0]) }
                        th scope="row" { (planned.of[1]) }
                        th scope="row" { (planned.of[2]) }
                        th.text scope="row" { (planned.under()) }
                        td { (planned.cells) }
                        td { (planned.planned) }
                        td { (planned.ok) }
                        td { (planned.failed) }
                    } } }
                }
            }
        }
    }
}

/// The cells of a subject in a scenario under a probe. The record names each of them.
struct Planned<'a> {
    /// Subject, scenario, probe.
    of: [&'a str; 3],
    /// Of each factor, the values that any of them has.
    factors: BTreeMap<&'a str, BTreeSet<&'a str>>,
    cells: usize,
    planned: u32,
    ok: u32,
    failed: usize,
}

impl Planned<'_> {
    fn under(&self) -> String {
        let of = |(factor, values): (&&str, &BTreeSet<&str>)| match (*factor, values.len()) {
            ("switches", sets) if sets > 1 => format!("{sets} sets of switches"),
            ("switches", _) => format!("switches {}", values.iter().copied().collect::<String>()),
            _ => values.iter().copied().collect::<Vec<_>>().join(" or "),
        };
        self.factors.iter().map(of).collect::<Vec<_>>().join(" · ")
    }
}

fn planned(view: &View) -> Vec<Planned<'_>> {
    let mut all: Vec<Planned<'_>> = Vec::new();
    let mut places: BTreeMap<[&str; 3], usize> = BTreeMap::new();
    for figures in &view.cells {
        let cell = &figures.cell;
        let of = [cell.subject.as_str(), cell.scenario.as_str(), cell.probe.as_str()];
        let at = *places.entry(of).or_insert_with(|| {
            all.push(Planned { of, factors: BTreeMap::new(), cells: 0, planned: 0, ok: 0, failed: 0 });
            all.len() - 1
        });
        let planned = &mut all[at];
        for (factor, value) in &cell.factors {
            planned.factors.entry(factor.as_str()).or_default().insert(value.as_str());
        }
        planned.cells += 1;
        planned.planned += figures.planned;
        planned.ok += figures.ok;
        planned.failed += figures.failures.len();
    }
    all
}

/// Everything that can move a figure without a change of code.
pub(super) fn environment(view: &View) -> Markup {
    let (e, tool) = (&view.record.environment, &view.record.tool);
    let bytes = |n: u64| Bytes(i64::try_from(n).unwrap_or(i64::MAX)).to_string();
    let mut rows = vec![
        ("kernel", e.kernel.clone()),
        ("processor", format!("{} ({}), {} cores used", e.cpu, e.arch, e.cores)),
        ("memory", bytes(e.memory)),
        ("page size", bytes(e.page_size)),
        ("huge pages", e.thp.clone()),
        ("C library", e.libc.clone()),
        ("compiler", e.rustc.clone()),
        ("profile", e.profile.clone()),
        ("address randomisation", if e.aslr_off { "off for subjects" } else { "on: RSS varies by it" }.to_owned()),
        ("target", e.target.clone()),
        ("trusted roots", format!("{}, SHA-256 {}", e.trust.roots, e.trust.digest)),
        ("replies, SHA-256", e.corpus.clone()),
        ("Cargo.lock, SHA-256", e.lockfile.clone().unwrap_or_else(|| "none".to_owned())),
        ("plimsoll", tool.version.clone()),
    ];
    if let Some(finished) = view.record.finished {
        rows.push(("finished", finished.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()));
    }
    html! {
        dl.defs { @for (name, value) in &rows { dt { (name) } dd { (value) } } }
        @if !e.subject_env.is_empty() {
            h3 { "Given to subjects" }
            dl.defs { @for (name, value) in &e.subject_env { dt { code { (name) } } dd { code { (value) } } } }
        }
        @if !e.jemalloc.is_empty() {
            h3 { "jemalloc’s options, as read back" }
            dl.defs { @for (name, value) in &e.jemalloc { dt { code { (name) } } dd { code { (value) } } } }
        }
    }
}

/// How the figures came about.
pub(super) fn method() -> Markup {
    html! {
        ul.plain {
            li { "Each sample is a process of its own, and each level a binary of its own: what one does to memory cannot be charged to another." }
            li { "At a checkpoint the subject says so and stands still; its memory is read from outside, so reading costs it nothing." }
            li { "Every answer is checked. A sample with a wrong or missing answer is listed above and enters no figure: a failed request is cheap." }
            li { "Allocations are counted in the place of malloc, Rust and C alike, under the system allocator. jemalloc and dhat need binaries of their own; a row joins them by subject and factors." }
            li { "Growth, slope and residue are taken within each process, then summarised over processes. The slope is the smaller of two segments, so a cache that fills once is a step and not a leak." }
            li { "Resident memory is mostly file pages, which move with the address layout; anonymous memory is what the code asked for, and the verdict is given on it." }
            li { "Resident memory under two allocators is compared only where it is said." }
        }
    }
}

/// Signs and columns.
pub(super) fn reading(view: &View) -> Markup {
    html! {
        dl.defs {
            dt { "4.20 MiB" } dd { "Median over the processes of a cell. KiB and MiB are binary; lower is better." }
            dt { "=" } dd { "Identical in all processes, two or more." }
            dt { "± 4.0 KiB" } dd { "Median absolute deviation: half of the processes lie within it." }
            dt { "≈" } dd { "More than half of the processes identical, not all." }
            dt { "↑ 532.0 KiB" } dd { "The largest (↓ smallest) of the processes, where it lies more than four such deviations and 5 % from the median: an outlier, or a second mode. Not of times." }
            dt { "no sign" } dd { "One process only." }
            dt { "0.58×" } dd { "Ratio to the first subject under the same factors, its allocator apart." }
            dt { "green" } dd { "Lowest median of the column. Where ranges overlap this need not be a difference." }
            dt { "—" } dd { "Not measured." }
            @for column in view.columns() { dt { (column.heading) } dd { (column.meaning) "." } }
        }
    }
}

/// Every metric.
pub(super) fn glossary() -> Markup {
    html! {
        dl.defs { @for metric in METRICS { dt id={ "metric-" (metric.id) } { code { (metric.id) } } dd { (metric.definition) } } }
    }
}

/// The last line.
pub(super) fn footer(view: &View) -> Markup {
    html! {
        footer {
            "Made by plimsoll " (view.record.tool.version) " from record " code { (view.record.id) } " alone. Its figures are embedded in this page as JSON; the whole record lies beside it as "
            code { "record.json" } "."
        }
    }
}
