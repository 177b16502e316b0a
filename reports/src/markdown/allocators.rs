//! The allocator matrix as a table for each scenario and runtime.

use std::fmt::Write as _;

use super::{cell, prose};
use crate::allocators::{self, FIGURES, HOW, WARNING};
use crate::derive::Measured;
use crate::techniques::Effect;
use crate::view::View;

/// Nothing where no client ran on two allocators.
pub(super) fn section(view: &View) -> String {
    let matrices = allocators::matrices(view);
    if matrices.is_empty() {
        return String::new();
    }
    let mut out = format!("### Allocators\n\n{} {}", cell(WARNING), prose(HOW));
    if let Some(note) = allocators::too_few(&matrices) {
        let _ = write!(out, " {note}");
    }
    out.push_str("\n\n");
    for (allocator, options) in allocators::options(&view.record) {
        let _ = writeln!(out, "{}, as read back: {}\n", cell(&allocator), cell(&options));
    }
    for matrix in &matrices {
        let caption = [matrix.title.as_str(), matrix.common.as_str()];
        let caption: Vec<String> = caption.iter().filter(|part| !part.is_empty()).map(|part| cell(part)).collect();
        let _ = write!(out, "{}\n\n| subject | allocator | processes |", caption.join(": "));
        FIGURES.iter().for_each(|(heading, _)| out.push_str(&format!(" {heading} |")));
        let _ = writeln!(out, "\n|---|---|{}", "---:|".repeat(FIGURES.len() + 1));
        for line in &matrix.lines {
            let _ = write!(out, "| {} | {} | {} |", cell(&line.name), cell(&line.allocator), line.samples);
            for (figure, effect) in line.figures.iter().zip(&line.effects) {
                let _ =
                    write!(out, " {} |", figure.as_ref().map_or_else(|| "—".to_owned(), |m| show(m, effect.as_ref())));
            }
            out.push('\n');
        }
        out.push('\n');
    }
    out
}

/// The median with its spread, or with what it is beyond that on the base allocator.
fn show(measured: &Measured, effect: Option<&Effect>) -> String {
    match effect {
        Some(effect) => {
            let contrast = &effect.contrast;
            let told = allocators::told(effect).map_or_else(String::new, |told| format!(", {told}"));
            format!("{}: {} ({}){told}", measured.median(), contrast.difference().signed(), contrast.range())
        }
        None if measured.is_exact() => format!("{} =", measured.median()),
        None => format!("{} ({} to {})", measured.median(), measured.min(), measured.max()),
    }
}
