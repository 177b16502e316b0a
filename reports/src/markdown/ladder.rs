//! The component ladder: the five claims, then a table for each runtime.

use std::fmt::Write as _;

use super::cell;
use crate::claims::{self, COMPONENTS};
use crate::components::{self, Components};
use crate::ladder::{self, Height, Rung, Step};
use crate::units::{Bytes, Count};
use crate::view::View;

/// Nothing where no rung was measured.
pub(super) fn section(view: &View) -> String {
    let ladders = ladder::ladders(view);
    if ladders.is_empty() {
        return String::new();
    }
    let components = components::of(&view.record);
    let mut out =
        "### Why 8 MB was thought hard\n\n| claim | measured, with its 95 % interval | in original, by call site | verdict |\n|---|---|---|---|\n"
            .to_owned();
    for row in claims::ledger(view).into_iter().filter(|row| COMPONENTS.contains(&row.id)) {
        let lines: Vec<String> = row.measured.iter().map(|line| cell(line)).collect();
        let measured = if lines.is_empty() { "—".to_owned() } else { lines.join("<br>") };
        let asked = components.as_ref().and_then(|components| components.of(row.id));
        let asked = asked.map_or_else(|| "—".to_owned(), |asked| cell(&asked.told()));
        let _ = writeln!(out, "| {} | {measured} | {asked} | {} |", cell(row.claim), row.verdict.label());
    }
    if let Some(components) = &components {
        push_components(&mut out, components);
    }
    for ladder in ladders {
        let runtime = if ladder.runtime.is_empty() { String::new() } else { format!(" on {}", cell(ladder.runtime)) };
        let _ = write!(
            out,
            "\n<details><summary>The component ladder{runtime}</summary>\n\nRungs that ask are read at steady@20 (allocations: at first), the \
             others when they are made. In brackets: what it has beyond the rung below, and the 95 % interval over rounds.\n\n| rung | beyond |"
        );
        for height in Height::ALL {
            let _ = write!(out, " {} |", height.heading());
        }
        out.push_str("\n|---|---|");
        out.push_str(&"---:|".repeat(Height::ALL.len()));
        out.push('\n');
        for rung in &ladder.rungs {
            push_rung(&mut out, rung);
        }
        out.push_str("\n</details>\n");
    }
    out.push('\n');
    out
}

fn push_components(out: &mut String, components: &Components<'_>) {
    let _ = write!(
        out,
        "\n<details><summary>The same by attribution</summary>\n\n{} Here: when {} requests are answered.\n\n\
         | who asked | live | asked for | blocks | by crate, live of asked for |\n|---|---:|---:|---:|---|\n",
        cell(components::ABOUT),
        components.requests
    );
    for part in &components.parts {
        let live = part.live.map_or_else(|| "—".to_owned(), |live| Bytes(live).to_string());
        let (total, blocks) = (Bytes(part.total.bytes), Count(part.total.blocks));
        let _ =
            writeln!(out, "| {} | {live} | {total} | {blocks} | {} |", cell(part.asker.name()), cell(&part.by_crate()));
    }
    out.push_str("\n</details>\n");
}

fn push_rung(out: &mut String, rung: &Rung<'_>) {
    let scenario = if rung.asks { format!(" · {}", cell(rung.scenario)) } else { String::new() };
    let below = rung.info.below.as_deref().map_or_else(|| "—".to_owned(), cell);
    let _ = write!(out, "| {}{scenario} | {below} |", cell(&rung.info.id));
    for step in &rung.steps {
        let _ = write!(out, " {} |", show(step));
    }
    out.push('\n');
}

fn show(step: &Step) -> String {
    let Some(height) = &step.height else { return "—".to_owned() };
    let exact = if height.is_exact() { " =" } else { "" };
    let beyond = step
        .beyond
        .map_or_else(String::new, |beyond| format!("<br>({}; {})", beyond.difference().signed(), beyond.range()));
    format!("{}{exact}{beyond}", height.median())
}
