//! Figures as tables: a row for each subject, a column for each figure.

use maud::{Markup, html};

use super::colour;
use crate::units::ratio;
use crate::view::{Block, Column, Entry, Scenario, View};

/// Tables of `columns` for the scenario, one or one for each probe; `None` when there is nothing to show.
pub(super) fn figures(view: &View, scenario: &Scenario, columns: &[Column], id: &str, about: &str) -> Option<Markup> {
    let blocks = view.blocks(scenario, columns);
    (!blocks.is_empty()).then(|| all(&blocks, id, about))
}

/// The same of the usual rows, with all that levels are compared by in a fold where there are more: those without much mark-up, because there are many.
pub(super) fn usual(view: &View, scenario: &Scenario, columns: &[Column], id: &str, about: &str) -> Option<Markup> {
    let (few, whole) = (view.usual_blocks(scenario, columns), view.main_blocks(scenario, columns));
    let count = |blocks: &[Block<'_>]| -> usize { blocks.iter().map(|block| block.rows.len()).sum() };
    let rows = whole.iter().map(|block| block.rows.len()).max().unwrap_or(0);
    (!few.is_empty()).then(|| {
        html! {
            (all(&few, id, about))
            @if count(&whole) > count(&few) {
                details {
                    summary { "All " (rows) " rows, under every factor: " (about) }
                    @for (at, block) in whole.iter().enumerate() { (plain(block, &numbered(&format!("{id}-all"), at), &format!("{about}, all rows"))) }
                }
            }
        }
    })
}

/// The same of the usual rows alone, without much mark-up.
pub(super) fn usual_only(
    view: &View,
    scenario: &Scenario,
    columns: &[Column],
    id: &str,
    about: &str,
) -> Option<Markup> {
    let blocks: Vec<Block<'_>> =
        view.usual_blocks(scenario, columns).into_iter().filter(|block| !block.columns.is_empty()).collect();
    let one = |(at, block): (usize, &Block<'_>)| plain(block, &numbered(id, at), about);
    (!blocks.is_empty()).then(|| html! { @for block in blocks.iter().enumerate() { (one(block)) } })
}

fn all(blocks: &[Block<'_>], id: &str, about: &str) -> Markup {
    html! {
        @for (at, block) in blocks.iter().enumerate() { (one(block, &numbered(id, at), about)) }
    }
}

/// The anchor of a block: the first has its table's.
fn numbered(id: &str, at: usize) -> String {
    if at == 0 { id.to_owned() } else { format!("{id}-{}", at + 1) }
}

/// What a block is about, for those who do not see it.
fn label(block: &Block<'_>, about: &str) -> String {
    if block.title.is_empty() { about.to_owned() } else { format!("{about}: {}", block.title) }
}

fn caption(block: &Block<'_>) -> Markup {
    html! {
        @if !block.title.is_empty() || !block.labels.common.is_empty() {
            p.caption {
                @if !block.title.is_empty() { strong { (block.title) } " " }
                span.soft { (block.labels.common) }
            }
        }
    }
}

fn headings(block: &Block<'_>) -> Markup {
    html! {
        thead { tr {
            th scope="col" { "subject" }
            @for (column, _) in &block.columns { th.num scope="col" title=(column.meaning) { (column.heading) } }
        } }
    }
}

/// A block of many rows: medians and their spread, without ranges and ratios.
fn plain(block: &Block<'_>, id: &str, about: &str) -> Markup {
    html! {
        (caption(block))
        div.scroll id=(id) tabindex="0" role="region" aria-label=(label(block, about)) {
            table.wide.plain {
                (headings(block))
                tbody { @for (at, name) in block.labels.names.iter().enumerate() { tr {
                    th scope="row" { (name) }
                    @for (_, entries) in &block.columns { @match &entries[at] {
                        Some(entry) => td.best[entry.lowest] { (entry.text) (entry.mark) (entry.far) },
                        None => td { "—" },
                    } }
                } } }
            }
        }
    }
}

pub(super) fn one(block: &Block<'_>, id: &str, about: &str) -> Markup {
    html! {
        (caption(block))
        div.scroll id=(id) tabindex="0" role="region" aria-label=(label(block, about)) {
            table.wide {
                (headings(block))
                tbody { @for (at, row) in block.rows.iter().enumerate() {
                    tr.apart[at > 0 && block.rows[at - 1].conditions() != row.conditions()] {
                        th scope="row" { span class={ "sw " (colour(row.place)) } {} (block.labels.names[at]) }
                        @for (_, entries) in &block.columns { (entry(entries[at].as_ref())) }
                    }
                } }
            }
        }
    }
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
            @let sign = entry.mark.trim();
            @let spread = sign.starts_with('±').then(|| format!("{sign}{}", entry.far));
            @let below: Vec<String> = spread.iter().cloned().chain(entry.ratio.map(ratio)).collect();
            span.v { (entry.text) @if spread.is_none() && !sign.is_empty() { span.exact { " " (sign) (entry.far) } } }
            @if !below.is_empty() { span.d { (below.join(" · ")) } }
        }
    }
}
