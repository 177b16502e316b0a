//! Waivers that let nothing pass, because nothing is what they say: misspelled, or left behind by what they were for.

use std::collections::BTreeSet;

use plimsoll_reports::cell::is_meant;
use plimsoll_reports::gate::{Settings, Verdict, Waiver};
use plimsoll_reports::record::Cell;

use crate::spelling::nearest_cell;

/// Figures that are named where a waiver is of none of them.
const FIGURES: usize = 5;

/// What is to be said of them, a sentence each. `cells` are all that are gated, on either side.
///
/// Of waivers that are in the head's file: one that the head takes out is nobody's trouble any more, and one that it adds is best mended before it
/// is merged.
#[must_use]
pub fn told(settings: &Settings, cells: &[&Cell], verdict: &Verdict) -> Vec<String> {
    let waivers = &settings.proposed.as_ref().unwrap_or(&settings.rules).waivers;
    waivers.iter().filter_map(|waiver| of_no_cell(waiver, cells).or_else(|| of_no_figure(waiver, verdict))).collect()
}

fn of_no_cell(waiver: &Waiver, cells: &[&Cell]) -> Option<String> {
    if cells.iter().any(|cell| is_meant(&waiver.cell, cell)) {
        return None;
    }
    let nearest = nearest_cell(&waiver.cell, cells).map(|nearest| format!("; nearest: {nearest}")).unwrap_or_default();
    Some(format!("the waiver of {:?} matches no cell that is gated{nearest}", waiver.cell))
}

/// Cells that another waiver covers whole have no rows: of those nothing is said.
fn of_no_figure(waiver: &Waiver, verdict: &Verdict) -> Option<String> {
    let wanted = waiver.figure.as_ref()?;
    let rows = verdict.rows.iter().filter(|row| is_meant(&waiver.cell, &row.cell));
    let figures: BTreeSet<_> = rows.filter_map(|row| row.figure.as_ref()).collect();
    if figures.is_empty() || figures.iter().any(|figure| wanted.means(figure)) {
        return None;
    }
    let named: Vec<String> = figures.iter().take(FIGURES).map(ToString::to_string).collect();
    let more = if figures.len() > FIGURES { ", …" } else { "" };
    Some(format!(
        "the waiver of {:?} matches no figure: {wanted} is not judged there; what is: {}{more}",
        waiver.cell,
        named.join(", ")
    ))
}
