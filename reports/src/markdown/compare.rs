//! Two records side by side; and of a report, the live service beside the mock.

use std::fmt::Write as _;

use super::cell;
use crate::cell;
use crate::compare::{Asked, Compared, Comparison, Group};
use crate::derive::Measured;
use crate::summary;
use crate::view::View;

/// Differences that stand before all others.
const LARGEST: usize = 20;
/// Cells that are named one by one before the rest is only counted.
const NAMED: usize = 20;

/// The comparison: the verdict, what was not alike, the largest differences, then each subject in each scenario.
#[must_use]
pub(crate) fn render(comparison: &Comparison) -> String {
    let [a, b] = comparison.sides;
    let mut out = format!("## {b} beside {a}\n\n**{}**\n\n", cell(&comparison.verdict()));
    let _ = writeln!(out, "- {a}: {}\n- {b}: {}\n", cell(&comparison.names.0), cell(&comparison.names.1));
    if comparison.advisory {
        out.push_str("One of them is of the live service, so what differs is advisory.\n\n");
    }
    out.push_str(&conditions(comparison));
    let differences = comparison.differences();
    if !differences.is_empty() {
        out.push_str("### The largest differences\n\n");
        if let Some(chance) = comparison.by_chance() {
            let _ = writeln!(out, "{}\n", cell(&chance));
        }
        let rows: Vec<(&Compared, String)> =
            differences.iter().take(LARGEST).map(|row| (*row, cell::name(&row.cell))).collect();
        out.push_str(&table(comparison, &rows, "cell"));
    }
    for group in comparison.groups() {
        out.push_str(&one(comparison, &group));
    }
    out.push_str(&alone(comparison));
    out
}

/// The live service beside the mock, where a record of either is beside the report's; nothing elsewhere.
pub(super) fn live(view: &View) -> String {
    let Some(comparison) = &view.beside_target else { return String::new() };
    let mut out =
        format!("### Mock against live\n\n{}\n\n{}\n\n", cell(summary::ADVISORY), cell(&comparison.verdict()));
    for group in comparison.groups() {
        let _ = writeln!(out, "{}\n", cell(&title(&group)));
        out.push_str(&table(comparison, &group.rows, "under"));
    }
    out
}

fn title(group: &Group<'_>) -> String {
    let parts = [group.subject, group.scenario, group.common.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn conditions(comparison: &Comparison) -> String {
    if comparison.conditions.is_empty() {
        return String::new();
    }
    let [a, b] = comparison.sides;
    let mut out = format!(
        "### What was not alike\n\nA difference of figures may be a difference of these.\n\n| what | {a} | {b} | what it can move |\n|---|---|---|---|\n"
    );
    for condition in &comparison.conditions {
        let (x, y) = &condition.sides;
        let _ = writeln!(out, "| {} | {} | {} | {} |", cell(&condition.name), cell(x), cell(y), cell(condition.moves));
    }
    out.push('\n');
    out
}

fn one(comparison: &Comparison, group: &Group<'_>) -> String {
    let (differ, alike) = group.rows.split_at(group.differ);
    let title = cell(&title(group));
    let mut out = format!("### {title}\n\n");
    if !differ.is_empty() {
        out.push_str(&table(comparison, differ, "under"));
    }
    if !alike.is_empty() {
        let _ = write!(
            out,
            "<details><summary>{} without a difference: {title}</summary>\n\n{}</details>\n\n",
            alike.len(),
            table(comparison, alike, "under")
        );
    }
    out
}

/// Rows of figures; what is beside each stands under `head`, where any has it.
fn table(comparison: &Comparison, rows: &[(&Compared, String)], head: &str) -> String {
    let [a, b] = comparison.sides;
    let apart = rows.iter().any(|(_, under)| !under.is_empty());
    let (head, rule) = if apart { (format!(" {head} |"), "---|") } else { (String::new(), "") };
    let mut out = format!("| figure |{head} {a} | {b} | {b} less {a} | in words |\n|---|{rule}---:|---:|---:|---|\n");
    for (row, under) in rows {
        let under = if apart { format!(" {} |", cell(under)) } else { String::new() };
        let (x, y) = (shown(&row.asked, &row.sides.0), shown(&row.asked, &row.sides.1));
        let told = row.told(comparison.sides);
        let _ = writeln!(out, "| {} |{under} {x} | {y} | {} | {told} |", row.asked.heading, row.difference());
    }
    out.push('\n');
    out
}

/// The median with its spread, and how many processes it is of.
fn shown(asked: &Asked, measured: &Measured) -> String {
    let spread = match measured.stats.samples {
        1 => String::new(),
        _ if measured.is_exact() => " =".to_owned(),
        _ => format!(" ± {}", asked.text(measured.spread())),
    };
    format!("{}{spread}, n {}", asked.text(measured.median()), measured.stats.samples)
}

fn alone(comparison: &Comparison) -> String {
    let mut out = String::new();
    for (cells, side) in [(&comparison.alone.0, comparison.sides[0]), (&comparison.alone.1, comparison.sides[1])] {
        if cells.is_empty() {
            continue;
        }
        let mut names: Vec<String> = cells.iter().take(NAMED).map(|one| cell(&cell::name(one))).collect();
        if cells.len() > NAMED {
            names.push(format!("and {} more", cells.len() - NAMED));
        }
        let _ = writeln!(out, "Only in {side}, {}: {}\n", cells.len(), names.join(", "));
    }
    out
}
