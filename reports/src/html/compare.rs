//! Two records side by side as a page of its own, in the report's style.

use maud::{Markup, html};

use super::chart::{Chart, Data, NAME_LENGTH, pc, px, short};
use super::{Part, compared, document, prose, toc};
use crate::cell;
use crate::compare::{CHANCE, Compared, Comparison, Direction, Group};
use crate::record::Cell;
use crate::units::percent;

/// Links of the contents to single subjects.
const NAMED: usize = 30;
/// Bars of the chart.
const DRAWN: usize = 12;
const FROM: f64 = 2.0;
const SPAN: f64 = 60.0;
const ROW: f64 = 44.0;

/// The page.
#[must_use]
pub(crate) fn render(comparison: &Comparison) -> String {
    let parts = [
        Part { id: "conditions", title: "What was not alike", body: conditions(comparison) },
        Part { id: "largest", title: "The largest differences", body: largest(comparison) },
        Part { id: "figures", title: "Side by side", body: figures(comparison) },
        Part { id: "alone", title: "Only in one of them", body: alone(comparison) },
        Part { id: "reading", title: "How to read this", body: reading(comparison) },
    ];
    let [a, b] = comparison.sides;
    let body = html! {
        header.top {
            div.brand { span.mark aria-hidden="true" {} "Plimsoll" }
            h1 { (b) " beside " (a) }
            dl.defs { dt { (a) } dd { (comparison.names.0) } dt { (b) } dd { (comparison.names.1) } }
            p.verdict { (comparison.verdict()) }
            @if comparison.advisory { p { "One of them is of the live service, so what differs is advisory." } }
        }
        (toc(parts.iter().map(|part| (part.id, part.title, if part.id == "figures" { named(comparison) } else { html! {} }))))
        main { @for part in &parts { (part.section()) } }
        footer { "It judges nothing: " code { "plimsoll gate" } " does. Both records are read, neither is changed." }
    };
    document(&format!("Plimsoll · {b} beside {a}"), "conditions", body, None)
}

/// Links to what differs.
fn named(comparison: &Comparison) -> Markup {
    let groups = comparison.groups();
    let differ: Vec<_> = groups.iter().enumerate().filter(|(_, group)| group.differ > 0).take(NAMED).collect();
    html! {
        @if !differ.is_empty() {
            ol { @for (at, group) in differ { li { a href={ "#figures-" (at + 1) } { (group.subject) " · " (group.scenario) } } } }
        }
    }
}

/// What may be why.
fn conditions(comparison: &Comparison) -> Markup {
    let [a, b] = comparison.sides;
    if comparison.conditions.is_empty() {
        return html! { p { "Nothing: machine, build, replies, roots, protocols and target are the same in both." } };
    }
    html! {
        p { "A difference of figures may be a difference of these." }
        div.scroll id="table-conditions" tabindex="0" role="region" aria-label="Conditions of both" {
            table.wide {
                thead { tr { th scope="col" { "what" } th scope="col" { (a) } th scope="col" { (b) } th scope="col" { "what it can move" } } }
                tbody { @for condition in &comparison.conditions { tr {
                    th scope="row" { (condition.name) }
                    td.text { (condition.sides.0) }
                    td.text { (condition.sides.1) }
                    td.rule { (condition.moves) }
                } } }
            }
        }
    }
}

fn largest(comparison: &Comparison) -> Markup {
    let all = comparison.differences();
    html! {
        @match chart(comparison, &all) {
            Some(chart) => {
                @if let Some(chance) = comparison.by_chance() { p { (chance) } }
                (chart.frame(true))
            },
            None => p { "None: no figure that both have differs by more than noise makes, or there are too few processes to say." },
        }
    }
}

/// Bars to either side of nothing, as shares of the first.
fn chart(comparison: &Comparison, all: &[&Compared]) -> Option<Chart> {
    let [a, b] = comparison.sides;
    let share = |row: &Compared| {
        let (first, second) = (row.sides.0.stats.median, row.sides.1.stats.median);
        (first > 0.0).then(|| (second - first) / first)
    };
    let bars: Vec<(&Compared, f64)> = all.iter().filter_map(|row| Some((*row, share(row)?))).take(DRAWN).collect();
    let low = bars.iter().map(|(_, share)| *share).fold(0.0, f64::min);
    let high = bars.iter().map(|(_, share)| *share).fold(0.0, f64::max);
    if high <= low {
        return None;
    }
    let scale = |value: f64| FROM + (value - low) / (high - low) * SPAN;
    let name = |row: &Compared| format!("{} · {} · {}", row.cell.subject, row.cell.scenario, row.asked.heading);
    let rows = || bars.iter().zip(0_u32..).map(|((row, share), at)| (*row, *share, ROW * f64::from(at)));
    Some(Chart {
        id: "largest-chart".to_owned(),
        title: format!("{b} less {a}, as a share of {a}"),
        about: format!(
            "The {} largest differences that noise does not explain: to the left {b} takes less, to the right more.",
            bars.len()
        ),
        legend: Vec::new(),
        class: "",
        height: rows().map(|(_, _, top)| top + ROW).fold(0.0, f64::max),
        drawing: html! {
            line.grid.zero x1=(pc(scale(0.0))) x2=(pc(scale(0.0))) y1="0" y2=(px(rows().map(|(_, _, top)| top + ROW - 8.0).fold(0.0, f64::max))) {}
            @for (row, share, top) in rows() {
                @let (from, to) = (scale(share.min(0.0)), scale(share.max(0.0)));
                text.name x="0" y=(px(top + 12.0)) { (short(&name(row), NAME_LENGTH)) }
                rect class=(if share < 0.0 { "bar less" } else { "bar more" }) x=(pc(from)) y=(px(top + 18.0)) width=(pc(to - from)) height="14" rx="2" {}
                text x=(pc(to)) dx="6" y=(px(top + 29.0)) { (row.difference()) }
            }
        },
        data: Data {
            head: ["figure", "cell", a, b, "in words"].map(str::to_owned).into(),
            rows: bars
                .iter()
                .map(|(row, _)| {
                    let side = |measured: &crate::derive::Measured| row.asked.text(measured.median());
                    vec![
                        name(row),
                        cell::name(&row.cell),
                        side(&row.sides.0),
                        side(&row.sides.1),
                        row.told(comparison.sides),
                    ]
                })
                .collect(),
        },
    })
}

/// A section for each subject in each scenario: those with the largest differences first, what does not differ folded.
fn figures(comparison: &Comparison) -> Markup {
    let groups = comparison.groups();
    if groups.is_empty() {
        return html! { p { (comparison.verdict()) } };
    }
    html! {
        p { "Each subject in each scenario, those with the largest differences first. A value is the median, with the smallest and the largest of n processes below it." }
        @for (at, group) in groups.iter().enumerate() { (one(comparison, group, at + 1)) }
    }
}

fn one(comparison: &Comparison, group: &Group<'_>, number: usize) -> Markup {
    let id = format!("figures-{number}");
    let title = format!("{} · {}", group.subject, group.scenario);
    let (differ, alike) = group.rows.split_at(group.differ);
    html! {
        h3 id=(id) { a href={ "#" (id) } { (title) } }
        @if !group.common.is_empty() { p.caption { span.soft { (group.common) } } }
        @if !differ.is_empty() { (compared::table(comparison.sides, differ, &format!("{id}-differ"), &format!("What differs, {title}"))) }
        @if !alike.is_empty() { details {
            summary { (alike.len()) " without a difference: " (title) }
            (compared::table(comparison.sides, alike, &format!("{id}-alike"), &format!("What does not differ, {title}")))
        } }
    }
}

fn alone(comparison: &Comparison) -> Markup {
    let list = |cells: &[Cell], side: &str, id: &str| {
        html! {
            @if cells.is_empty() { p { "Only in " (side) ": none." } } @else {
                p id=(id) { "Only in " (side) ", " (cells.len()) ":" }
                ul.plain { @for one in cells { li { code { (cell::name(one)) } } } }
            }
        }
    };
    let [a, b] = comparison.sides;
    html! {
        p { "Cells that have no twin: another subject, scenario, probe or factor. Nothing is said of them." }
        (list(&comparison.alone.0, a, "alone-first"))
        (list(&comparison.alone.1, b, "alone-second"))
    }
}

fn reading(comparison: &Comparison) -> Markup {
    let [a, b] = comparison.sides;
    let told = |direction: Direction| match direction {
        Direction::Less | Direction::More => format!("`{b} takes … more than {a}`"),
        Direction::Same => "`the same`".to_owned(),
        Direction::Noise => "`no difference that noise would not make`".to_owned(),
        Direction::TooFew => "`too few to say`".to_owned(),
    };
    html! {
        dl.defs {
            dt { (prose(&told(Direction::More))) } dd { "All processes of one side lie on the same side of all of the other, and chance would have so many lie so in at most " (percent(CHANCE)) " of figures that do not differ; or the figure repeats exactly on both sides, and is not the same. The percentage is of " (a) "." }
            dt { (prose(&told(Direction::Same))) } dd { "Median, smallest and largest are equal." }
            dt { (prose(&told(Direction::Noise))) } dd { "The ranges of the two meet." }
            dt { (prose(&told(Direction::TooFew))) } dd { "They do not meet, but so few processes would lie apart by chance too often." }
            dt { "=" } dd { "Identical in all processes, two or more." }
            dt { "n" } dd { "Processes that count." }
            dt { "Lower is better" } dd { "of everything here. KiB and MiB are binary." }
        }
    }
}
