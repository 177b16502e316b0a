//! What the allocators say themselves: jemalloc's statistics, dhat's totals.

use maud::{Markup, html};

use super::{bars, not_measured, table};
use crate::derive::{Figure, GROWTH_AT};
use crate::view::{Column, Row, Scenario, View};

const JEMALLOC: [(&str, &str, &str); 6] = [
    ("allocated", "jemalloc.allocated", "bytes in blocks in use, thread caches included"),
    ("active", "jemalloc.active", "bytes in pages that hold such a block"),
    ("metadata", "jemalloc.metadata", "jemalloc's own book-keeping"),
    ("resident", "jemalloc.resident", "upper bound of its pages in memory, not the RSS"),
    ("mapped", "jemalloc.mapped", "address space in use"),
    ("retained", "jemalloc.retained", "address space kept for later, takes no memory"),
];

/// jemalloc's statistics at steady@20, for each scenario in which the probe ran.
pub(super) fn jemalloc(view: &View) -> Markup {
    let columns: Vec<Column> = JEMALLOC
        .iter()
        .map(|(heading, metric, meaning)| Column::new(heading, "jemalloc", Figure::at(GROWTH_AT, metric), meaning))
        .chain([Column::new(
            "live C heap",
            "jemalloc",
            Figure::at(GROWTH_AT, "cheap.live"),
            "the C library's heap beside jemalloc's",
        )])
        .collect();
    let shown: Vec<Markup> = view
        .scenarios
        .iter()
        .enumerate()
        .filter_map(|(at, scenario)| jemalloc_of(view, scenario, at, &columns))
        .collect();
    if shown.is_empty() {
        return not_measured("no sample under the probe `jemalloc` counts.");
    }
    html! {
        p { "Binaries built with jemalloc, read after the epoch was advanced, at steady@20. From allocated to resident, what is between two neighbours is rounding to size classes, then pages held, then pages not yet given back." }
        @for part in &shown { (part) }
    }
}

fn jemalloc_of(view: &View, scenario: &Scenario, at: usize, columns: &[Column]) -> Option<Markup> {
    let id = format!("jemalloc-{}", at + 1);
    let table = table::figures(view, scenario, columns, &id, &format!("jemalloc at steady@20, {}", scenario.info.id))?;
    let at_20 = |metric| Figure::at(GROWTH_AT, metric);
    let rows: Vec<&Row> = scenario.rows.iter().collect();
    let chart = bars::of(
        view,
        bars::Spec {
            rows: &rows,
            id: format!("{id}-chart"),
            title: format!("In use and resident by jemalloc, {}", scenario.info.id),
            about: "Statistics of jemalloc at steady@20: allocated solid, resident pale.",
            probe: "jemalloc",
            series: &[("allocated", at_20("jemalloc.allocated")), ("resident", at_20("jemalloc.resident"))],
        },
    );
    Some(html! {
        h3 { (scenario.info.id) }
        (table)
        @if let Some(chart) = chart { (chart.frame(true)) }
    })
}

/// dhat's totals, wherever the harness noted them: at the last checkpoint that has them.
pub(super) fn dhat(view: &View) -> Markup {
    let shown: Vec<Markup> =
        view.scenarios.iter().enumerate().filter_map(|(at, scenario)| dhat_of(view, scenario, at)).collect();
    if shown.is_empty() {
        return not_measured("no sample under the probe `dhat` counts, or its totals were not noted.");
    }
    html! {
        p { "Rust’s own blocks as dhat counts them; C is not in these figures. Its profiles lie beside the record, under " code { "profiles/" } "." }
        @for part in &shown { (part) }
    }
}

fn dhat_of(view: &View, scenario: &Scenario, at: usize) -> Option<Markup> {
    let checkpoint = scenario.rows.iter().filter_map(|row| view.cell(row, "dhat")).find_map(|cell| {
        let has = |name: &&String| cell.figure(&Figure::at(name, "dhat.total")).is_some();
        cell.checkpoints.iter().rev().find(has).cloned()
    })?;
    let columns = [
        Column::new("total", "dhat", Figure::at(&checkpoint, "dhat.total"), "bytes asked for over the whole life"),
        Column::new(
            "at peak",
            "dhat",
            Figure::at(&checkpoint, "dhat.t_gmax"),
            "bytes live when there were most (t-gmax)",
        ),
        Column::new("at end", "dhat", Figure::at(&checkpoint, "dhat.t_end"), "bytes never freed (t-end)"),
    ];
    let table = table::figures(
        view,
        scenario,
        &columns,
        &format!("dhat-{}", at + 1),
        &format!("dhat totals, {}", scenario.info.id),
    )?;
    Some(html! { h3 { (scenario.info.id) } p.note { "Read at " code { (checkpoint) } "." } (table) })
}
