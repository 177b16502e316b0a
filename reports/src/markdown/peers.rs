//! Other people's clients beside the levels, a table for each scenario.

use std::fmt::Write as _;

use super::cell;
use crate::units::ratio;
use crate::view::View;
use crate::view::peers::{BASE, FIGURES, text};

/// Nothing where no client of somebody else's was measured.
pub(super) fn section(view: &View) -> String {
    let mut out = String::new();
    for peers in view.peers() {
        if out.is_empty() {
            out.push_str("### Other people's clients\n\nNone of this is judged: what changes here is not ours.\n\n");
        }
        let caption = [peers.scenario.info.id.as_str(), peers.common.as_str()];
        let caption: Vec<String> = caption.iter().filter(|part| !part.is_empty()).map(|part| cell(part)).collect();
        let _ = write!(out, "{}\n\n| subject | version |", caption.join(": "));
        FIGURES.iter().for_each(|(heading, _, _)| out.push_str(&format!(" {heading} |")));
        let _ = writeln!(out, " since runtime | × {BASE} |\n|---|---|{}", "---:|".repeat(FIGURES.len() + 2));
        for line in &peers.lines {
            let _ = write!(
                out,
                "| {} | {} |",
                cell(&line.name),
                line.version.as_deref().map_or_else(|| "—".to_owned(), cell)
            );
            for (at, measured) in line.figures.iter().enumerate() {
                let text = measured.as_ref().map_or_else(
                    || "—".to_owned(),
                    |m| format!("{}{}", text(at, m), if m.is_exact() { " =" } else { "" }),
                );
                let _ = write!(out, " {text} |");
            }
            let since = line.since_runtime.map_or_else(|| "—".to_owned(), |growth| growth.to_string());
            let _ = writeln!(out, " {since} | {} |", line.over_base.map_or_else(|| "—".to_owned(), ratio));
        }
        out.push('\n');
    }
    out
}
