//! Figures as tables: a row for each subject, a column for each figure.

use maud::{Markup, html};

use super::colour;
use crate::units::ratio;
use crate::view::{Column, Entry, Row, Scenario, View};

/// A table of `columns` for the scenario's rows; columns that nobody has are left out. `None` when none is left.
pub(super) fn figures(view: &View, scenario: &Scenario, columns: &[Column], id: &str, about: &str) -> Option<Markup> {
    let filled: Vec<(&Column, Vec<Option<Entry>>)> = columns
        .iter()
        .map(|column| (column, view.column(scenario, column)))
        .filter(|(_, entries)| entries.iter().any(Option::is_some))
        .collect();
    if filled.is_empty() {
        return None;
    }
    Some(html! {
        div.scroll id=(id) tabindex="0" role="region" aria-label=(about) {
            table.wide {
                thead { tr {
                    th scope="col" { "subject" }
                    @for (column, _) in &filled { th.num scope="col" title=(column.meaning) { (column.heading) } }
                } }
                tbody { @for (at, row) in scenario.rows.iter().enumerate() {
                    tr {
                        th scope="row" { (name(row)) }
                        @for (_, entries) in &filled { (entry(entries[at].as_ref())) }
                    }
                } }
            }
        }
    })
}

/// A row's name with its colour.
pub(super) fn name(row: &Row) -> Markup {
    html! { span class={ "sw " (colour(row.place)) } {} (row.label) }
}

fn entry(entry: Option<&Entry>) -> Markup {
    let Some(entry) = entry else { return html! { td.num { span.soft title="not measured" { "—" } } } };
    let measured = &entry.measured;
    let samples = measured.stats.samples;
    let range = format!(
        "{} to {}, {samples} {}",
        measured.min(),
        measured.max(),
        if samples == 1 { "sample" } else { "samples" }
    );
    html! {
        td.num.best[entry.lowest] title=(range) {
            span.v { (entry.text) @if measured.is_exact() { span.exact { " =" } } }
            @if !measured.is_exact() && !entry.mark.is_empty() { span.d { (entry.mark.trim()) } }
            @if let Some(value) = entry.ratio { span.d { (ratio(value)) } }
        }
    }
}
