//! The technique ledger as a table.

use std::fmt::Write as _;

use super::cell;
use crate::techniques::{self, Effect, Measure};
use crate::view::View;

/// Nothing where no technique was switched on its own.
pub(super) fn section(view: &View) -> String {
    let rows = techniques::ledger(view);
    if rows.is_empty() {
        return String::new();
    }
    let mut out = "### Technique ledger\n\nWhat having each technique adds, alone and on top of all the others: differences in pairs of processes of one \
                   round, with 95 % intervals. A sign is given where chance is ruled out for the whole column (Holm, 5 %) or the figures are exact.\n\n\
                   | subject | technique | where |"
        .to_owned();
    for measure in Measure::ALL {
        let _ = write!(out, " {} |", measure.heading());
    }
    out.push_str("\n|---|---|---|");
    out.push_str(&"---:|".repeat(Measure::ALL.len()));
    out.push('\n');
    for row in &rows {
        let _ = write!(out, "| {} | {} | {} |", cell(&row.subject), cell(&row.technique), row.place.label());
        for effect in &row.effects {
            let _ = write!(out, " {} |", effect.as_ref().map_or_else(|| "—".to_owned(), show));
        }
        out.push('\n');
    }
    out.push('\n');
    out
}

fn show(effect: &Effect) -> String {
    format!("{} ({}): {}", effect.contrast.difference().signed(), effect.contrast.range(), effect.told())
}
