//! Which level fits a budget, and what is recommended.

use std::fmt::Write as _;

use super::{cell, prose};
use crate::recommend;
use crate::view::View;
use crate::view::pick::{FIGURES, SHOWN};

/// Nothing where no subject was measured in `chat`, and no recommendation where no rule found figures.
pub(super) fn section(view: &View) -> String {
    let mut out = String::new();
    if let Some(target) = recommend::target(view) {
        let _ = writeln!(out, "{}\n", prose(&target));
    }
    let all = recommend::recommendations(view);
    if !all.is_empty() {
        out.push_str("### Recommendations\n\n");
        for one in &all {
            let figures: Vec<String> = one.figures.iter().take(4).map(|figure| cell(figure)).collect();
            let _ = writeln!(out, "- **{}** Rule: {}. {}.", prose(&one.advice), cell(one.rule), figures.join("; "));
        }
        out.push('\n');
    }
    let Some(picks) = view.picks() else { return out };
    let shown: Vec<usize> =
        SHOWN.into_iter().filter(|at| picks.lines.iter().any(|line| line.figures[*at].is_some())).collect();
    let heads: Vec<&str> = shown.iter().map(|at| FIGURES[*at].0).collect();
    let _ = write!(out, "### Which level fits my budget\n\n{}\n\n", cell(&picks.common));
    let _ = writeln!(out, "| subject | {} |\n|---|{}", heads.join(" | "), "---:|".repeat(shown.len()));
    for line in &picks.lines {
        let texts: Vec<String> = shown.iter().map(|at| line.text(*at).unwrap_or_else(|| "—".to_owned())).collect();
        let _ = writeln!(out, "| {}{} | {} |", cell(&line.name), if line.whole { " †" } else { "" }, texts.join(" | "));
    }
    if picks.lines.iter().any(|line| line.whole) {
        out.push_str("\n† of all its processes together (PSS).\n");
    }
    out.push('\n');
    out
}
