//! Figures of two records side by side: a row for each, with the direction in words.

use maud::{Markup, html};

use crate::compare::{Asked, Compared, Direction};
use crate::derive::Measured;

/// A table of figures; `rows` have beside each what sets its cell apart. Every row has an anchor.
pub(super) fn table([a, b]: [&str; 2], rows: &[(&Compared, String)], id: &str, about: &str) -> Markup {
    let apart = rows.iter().any(|(_, under)| !under.is_empty());
    html! {
        div.scroll id=(id) tabindex="0" role="region" aria-label=(about) {
            table.wide {
                thead { tr {
                    th scope="col" { "figure" }
                    @if apart { th scope="col" { "under" } }
                    th.num scope="col" { (a) }
                    th.num scope="col" { (b) }
                    th.num scope="col" { (b) " less " (a) }
                    th scope="col" { "in words" }
                } }
                tbody { @for (at, (row, under)) in rows.iter().enumerate() {
                    @let anchor = format!("{id}-{}", at + 1);
                    tr id=(anchor) {
                        th scope="row" title=(row.asked.figure) { (row.asked.heading) }
                        @if apart { td { (under) } }
                        (side(&row.asked, &row.sides.0))
                        (side(&row.asked, &row.sides.1))
                        td.num { (row.difference()) }
                        td.text { span class=(class(row.direction())) { (row.told([a, b])) } }
                    }
                } }
            }
        }
    }
}

/// The median, and under it the range and how many processes it is of.
fn side(asked: &Asked, measured: &Measured) -> Markup {
    let n = measured.stats.samples;
    html! {
        td.num {
            span.v { (asked.text(measured.median())) @if measured.is_exact() { span.exact { " =" } } }
            span.d {
                @if !measured.is_exact() && n > 1 { (asked.text(measured.min())) " to " (asked.text(measured.max())) " · " }
                "n " (n)
            }
        }
    }
}

/// The class of a direction: lower is better of everything that is compared.
fn class(direction: Direction) -> &'static str {
    match direction {
        Direction::Less => "tag words ok",
        Direction::More => "tag words bad",
        Direction::Same | Direction::Noise | Direction::TooFew => "soft",
    }
}
