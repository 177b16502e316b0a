//! The old report's claims, folded.

use std::fmt::Write as _;

use super::cell;
use crate::claims::{self, Verdict};
use crate::view::View;

/// Lines of what was measured that are shown of a claim.
const LINES: usize = 2;

/// Each claim that this run answers, with what was measured and its verdict; the others are counted.
pub(super) fn section(view: &View) -> String {
    let rows = claims::ledger(view);
    let told: Vec<_> = rows.iter().filter(|row| row.verdict != Verdict::NotMeasured).collect();
    if told.is_empty() {
        return String::new();
    }
    let mut out = format!("<details><summary>{}</summary>\n\n", cell(&claims::told(&rows)));
    out.push_str("| claim | verdict | measured |\n|---|---|---|\n");
    for row in told {
        let mut lines: Vec<String> = row.measured.iter().take(LINES).map(|line| cell(line)).collect();
        if row.measured.len() > LINES {
            lines.push(format!("and {} more", row.measured.len() - LINES));
        }
        let _ = writeln!(out, "| {} | {} | {} |", cell(row.claim), row.verdict.label(), lines.join("<br>"));
    }
    out.push_str("\n</details>\n\n");
    out
}
