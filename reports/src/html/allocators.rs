//! The allocator matrix: the same client on each allocator.

use maud::{Markup, html};

use super::differences::{self, Bar};
use super::{colour, not_measured, prose};
use crate::allocators::{self, BASE, FIGURES, HOW, Line, Matrix, WARNING};
use crate::derive::Measured;
use crate::techniques::{Effect, Sign};
use crate::view::View;

/// A table and a chart for each scenario and runtime in which a client ran on two allocators.
pub(super) fn section(view: &View) -> Markup {
    let matrices = allocators::matrices(view);
    if matrices.is_empty() {
        return not_measured("no client on two allocators; `plimsoll run --suite allocators` does it.");
    }
    html! {
        p { (WARNING) }
        p { (prose(HOW)) @if let Some(note) = allocators::too_few(&matrices) { " " (note) } }
        @for (allocator, options) in allocators::options(&view.record) {
            p.caption { code { (allocator) } ": " span.soft { (options) ", as read back" } }
        }
        @for (at, matrix) in matrices.iter().enumerate() { (one(matrix, at)) }
    }
}

fn one(matrix: &Matrix, at: usize) -> Markup {
    let id = format!("allocators-{}", at + 1);
    let bars: Vec<Bar> = matrix.lines.iter().filter_map(bar).collect();
    let chart = differences::chart(
        format!("{id}-chart"),
        format!("Anonymous growth beyond that on {BASE}, {}", matrix.title),
        format!(
            "What each allocator adds to the growth of anonymous memory over that on {BASE}: to the left it saves, to the right it costs; whiskers are 95 % intervals."
        ),
        &bars,
    );
    html! {
        h3 { (matrix.title) }
        @if !matrix.common.is_empty() { p.caption { span.soft { (matrix.common) } } }
        div.scroll id=(id) tabindex="0" role="region" aria-label={ "Allocators, " (matrix.title) } {
            table.wide {
                thead { tr {
                    th scope="col" { "subject" }
                    th scope="col" { "allocator" }
                    th.num scope="col" { "processes" }
                    @for (heading, meaning) in FIGURES { th.num scope="col" title=(meaning) { (heading) } }
                } }
                tbody { @for (at, line) in matrix.lines.iter().enumerate() { tr.apart[at > 0 && matrix.lines[at - 1].name != line.name] {
                    th scope="row" { span class={ "sw " (colour(line.place)) } {} (line.name) }
                    td { (line.allocator) }
                    td.num { (line.samples) }
                    @for (figure, effect) in line.figures.iter().zip(&line.effects) { (cell(figure.as_ref(), effect.as_ref())) }
                } } }
            }
        }
        @if let Some(chart) = chart { (chart.frame(true)) }
    }
}

fn cell(figure: Option<&Measured>, effect: Option<&Effect>) -> Markup {
    let Some(measured) = figure else { return html! { td.num { span.soft title="not measured" { "—" } } } };
    html! {
        td.num {
            span.v { (measured.median()) @if measured.is_exact() { span.exact { " =" } } }
            @if !measured.is_exact() { span.d { (measured.min()) " to " (measured.max()) } }
            @if let Some(effect) = effect {
                @let class = match effect.sign {
                    Sign::Saves => "tag ok",
                    Sign::Costs => "tag bad",
                    Sign::Nothing | Sign::TooFew => "tag",
                };
                span.d { (effect.contrast.difference().signed()) " (" (effect.contrast.range()) ")" }
                @if let Some(told) = allocators::told(effect) { span class=(class) { (told) } }
            }
        }
    }
}

/// The difference in anonymous growth.
fn bar(line: &Line) -> Option<Bar> {
    let effect = line.effects[1]?;
    Some(Bar {
        name: format!("{} · {}", line.name, line.allocator),
        place: line.place,
        contrast: effect.contrast,
        told: effect.told(),
    })
}
