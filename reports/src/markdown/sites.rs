//! Call sites as Markdown: of each cell, what it asks for per request, largest first.

use std::fmt::Write as _;

use super::cell;
use crate::attribution::{self, Asked, Attribution};
use crate::function_name;
use crate::html::sites::amount;
use crate::record::Frame;
use crate::roots::Root;
use crate::units::percent;
use crate::view::{Labels, View};

/// Sites that are listed of each cell.
const LISTED: usize = 10;

/// Bytes that all tables together may take of a comment.
const LIMIT: usize = 16_000;

/// The table of each cell that has call sites per request, folded.
pub(super) fn table(view: &View) -> String {
    let all: Vec<Attribution<'_>> = attribution::of(&view.record).into_iter().filter(|a| !a.whole).collect();
    if all.is_empty() {
        return String::new();
    }
    let names: Vec<_> = all.iter().map(|a| (a.cell.subject.as_str(), &a.cell.factors)).collect();
    let labels = Labels::of(&names);
    let mut out =
        "### Call sites\n\nWhich code asked for memory, per request; C is what was counted beyond Rust’s own.\n\n"
            .to_owned();
    for (at, (attribution, name)) in all.iter().zip(&labels.names).enumerate() {
        if out.len() > LIMIT {
            let _ = writeln!(out, "_{} more cells have call sites; they are in the HTML report._\n", all.len() - at);
            break;
        }
        let title = cell(&format!("{name}, {}", attribution.cell.scenario));
        let named =
            attribution.coverage().map_or_else(String::new, |share| format!(", {} under a named root", percent(share)));
        let bytes = amount(attribution, attribution.all().bytes);
        let _ = writeln!(out, "<details><summary>{title}: {bytes} B{named}</summary>\n");
        out.push_str("| asked by | for | bytes | blocks | share |\n|---|---|---:|---:|---:|\n");
        for site in attribution.sites.iter().take(LISTED) {
            let share = attribution.share(site.asked.bytes).map_or_else(|| "—".to_owned(), percent);
            let (bytes, blocks) = (amount(attribution, site.asked.bytes), amount(attribution, site.asked.blocks));
            let _ = writeln!(out, "| {} | {} | {bytes} | {blocks} | {share} |", asker(view, site), root(view, site));
        }
        if let Some(c) = attribution.c().filter(|c| c.bytes != 0) {
            let share = attribution.share(c.bytes).map_or_else(|| "—".to_owned(), percent);
            let _ = writeln!(
                out,
                "| C | | {} | {} | {share} |",
                amount(attribution, c.bytes),
                amount(attribution, c.blocks)
            );
        }
        match attribution.sites.len().saturating_sub(LISTED) {
            0 => out.push_str("\n</details>\n\n"),
            more => {
                let _ = writeln!(out, "\n{more} more sites are in the HTML report.\n\n</details>\n");
            }
        }
    }
    out
}

fn asker(view: &View, site: &Asked<'_>) -> String {
    let Some(frame) = site.asker() else { return "several".to_owned() };
    let several = if site.rest { ", several sites" } else { "" };
    format!("{}{several}, {}", cell(&function_name::short(&frame.function)), place(view, frame))
}

fn root(view: &View, site: &Asked<'_>) -> String {
    match site.root {
        Root::Own(frame) => format!("{}, {}", cell(&function_name::short(&frame.function)), place(view, frame)),
        root => cell(root.name()),
    }
}

fn place(view: &View, frame: &Frame) -> String {
    let line = frame.line.map_or_else(String::new, |line| format!(":{line}"));
    let place = match &frame.file {
        Some(file) if frame.own => cell(&format!("{file}{line}")),
        _ => cell(&attribution::crate_name(frame)),
    };
    match view.source.as_ref().and_then(|source| source.link(frame)) {
        Some(link) => format!("[{place}]({link})"),
        None => place,
    }
}
