//! Time per request against requests at once.

use std::fmt::Write as _;

use super::cell;
use crate::units::{Count, Quantity};
use crate::view::View;

/// Nothing where not more than one number of requests at once was measured.
pub(super) fn section(view: &View) -> String {
    let Some(all) = view.at_once().filter(|all| !all.lines.is_empty()) else { return String::new() };
    let mut out = "### Time by requests at once\n\nThe same answers as in `chat`, so many at once: p50 / p99, medians over processes. Of a crowd nothing is warm: the handshakes of \
                   its connections are in its times.\n\n"
        .to_owned();
    if !all.common.is_empty() {
        let _ = writeln!(out, "{}\n", cell(&all.common));
    }
    out.push_str("| subject |");
    for (count, _) in &all.counts {
        let _ = write!(out, " {} |", Quantity::from(Count(i64::try_from(*count).unwrap_or(i64::MAX))));
    }
    let _ = writeln!(out, "\n|---|{}", "---:|".repeat(all.counts.len()));
    for line in &all.lines {
        let _ = write!(out, "| {} |", cell(&line.name));
        for ((_, scenario), times) in all.counts.iter().zip(&line.times) {
            let text = match times {
                Some([p50, p99]) => format!("{} / {}", p50.median(), p99.median()),
                None if scenario.is_none() => "not measured".to_owned(),
                None => "—".to_owned(),
            };
            let _ = write!(out, " {text} |");
        }
        out.push('\n');
    }
    out.push('\n');
    out
}
