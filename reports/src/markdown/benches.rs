//! Benches: time beside bytes allocated, folded.

use std::fmt::Write as _;

use super::{cell, prose};
use crate::bench::Measure;
use crate::derive::Measured;
use crate::html::benches::{ABOUT, throughput};
use crate::view::View;

/// Nothing where no bench was run.
pub(super) fn section(view: &View) -> String {
    let all = view.benches();
    if all.is_empty() {
        return String::new();
    }
    let mut out = format!("<details><summary>Benches</summary>\n\n{}\n\n| on | what |", prose(ABOUT));
    for measure in Measure::ALL {
        let _ = write!(out, " {} |", measure.heading());
    }
    out.push_str(" reads |\n|---|---|---:|---:|---:|---:|\n");
    for benches in &all {
        for row in &benches.rows {
            let [time, bytes, allocations] = row.figures.map(|figure| shown(figure.as_ref()));
            let time = if row.quickest { format!("**{time}**") } else { time };
            let (title, function, reads) = (cell(&benches.title()), cell(row.function), throughput(row));
            let _ = writeln!(out, "| {title} | {function} | {time} | {bytes} | {allocations} | {reads} |");
        }
    }
    out.push_str("\n</details>\n\n");
    out
}

fn shown(figure: Option<&Measured>) -> String {
    match figure {
        None => "—".to_owned(),
        Some(figure) if figure.is_exact() => format!("{} =", figure.median()),
        Some(figure) => format!("{} ({} to {})", figure.median(), figure.min(), figure.max()),
    }
}
