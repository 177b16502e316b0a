//! Benches: time beside bytes allocated, of the levels on the mock and of what reads the wire.

use maud::{Markup, html};

use super::not_measured;
use crate::bench::Measure;
use crate::derive::Measured;
use crate::view::{Benched, Benches, View};

/// What they are, to whoever reads them.
pub(crate) const ABOUT: &str = "Measured by criterion within one process, many times over: the median of one iteration. Time is followed by its 95 % interval, and a bold time is one that no other of its table is below. \
     Bytes and allocations are what Rust code asked its allocator for, counted in a program of its own; `=`: the same in every iteration. What C code asked for is in the samples’ counts, not here.";

/// A table for each group and input.
pub(super) fn section(view: &View) -> Markup {
    let all = view.benches();
    if all.is_empty() {
        return not_measured("no benches; `make criterion` runs them, and `plimsoll run --benches`.");
    }
    html! {
        p { (super::prose(ABOUT)) }
        @for (at, benches) in all.iter().enumerate() { (one(benches, at + 1)) }
    }
}

fn one(benches: &Benches<'_>, number: usize) -> Markup {
    let (id, title) = (format!("benches-{number}"), benches.title());
    html! {
        h3 id=(id) { a href={ "#" (id) } { (title) } }
        div.scroll id={ "table-" (id) } tabindex="0" role="region" aria-label={ "Benches, " (title) } {
            table.wide {
                thead { tr {
                    th scope="col" { "what" }
                    @for measure in Measure::ALL { th.num scope="col" { (measure.heading()) } }
                    @if benches.reads() { th.num scope="col" { "reads" } }
                } }
                tbody { @for row in &benches.rows { tr {
                    th scope="row" { (row.function) }
                    @for (at, figure) in row.figures.iter().enumerate() { (cell(row, figure.as_ref(), at == 0)) }
                    @if benches.reads() { td.num { (throughput(row)) } }
                } } }
            }
        }
    }
}

fn cell(row: &Benched<'_>, figure: Option<&Measured>, is_time: bool) -> Markup {
    let Some(figure) = figure else { return html! { td.num { span.soft title="not measured" { "—" } } } };
    html! {
        td.num.best[is_time && row.quickest] title={ (figure.min()) " to " (figure.max()) ", " (figure.stats.samples) " samples" } {
            span.v { (figure.median()) @if figure.is_exact() { span.exact { " =" } } }
            @if !figure.is_exact() { span.d { (figure.min()) " to " (figure.max()) } }
        }
    }
}

/// Bytes read in a second.
pub(crate) fn throughput(row: &Benched<'_>) -> String {
    row.throughput.map_or_else(|| "—".to_owned(), |bytes| format!("{bytes}/s"))
}
