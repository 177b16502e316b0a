//! GitHub's workflow commands: a line of standard output that becomes a mark beside the line of code.

use std::collections::BTreeSet;

use super::culprits::{Culprit, culprits};
use super::{change, coverage, difference, failing, in_project, limit, what, why};
use crate::cell::name;
use crate::gate::verdict::{Outcome, Row, State, Verdict, count};

/// GitHub shows no more than ten of a kind for a step.
const MOST: usize = 10;
const TITLE: &str = "Plimsoll: memory";
/// Rows that a culprit's mark tells before the rest is only counted.
const ROWS: usize = 6;

/// The verdict's annotations: an error for each culprit, at its line, with all the rows that it is behind, and for each failing row that nobody is
/// blamed for; warnings for what is undecided and for rules that the head would loosen. An advisory verdict only notices.
#[must_use]
pub fn annotations(verdict: &Verdict) -> String {
    let bad = if verdict.advisory.is_some() { "notice" } else { "error" };
    let unmeasured = verdict.invalid.iter().chain(&verdict.misconfigured);
    let mut marks: Vec<String> =
        unmeasured.map(|text| command("error", &[("title", "Plimsoll: no verdict")], text)).collect();
    let culprits = culprits(verdict);
    marks.extend(culprits.iter().map(|culprit| blamed(bad, culprit)));
    let with_culprit: BTreeSet<*const Row> = culprits.iter().flat_map(Culprit::rows).map(std::ptr::from_ref).collect();
    let alone = failing(verdict).filter(|row| !with_culprit.contains(&std::ptr::from_ref(*row)));
    marks.extend(alone.map(|row| command(bad, &[("title", TITLE)], &told(row))));
    if marks.len() > MOST {
        let more = marks.len() - (MOST - 1);
        marks.truncate(MOST - 1);
        marks.push(command(bad, &[("title", TITLE)], &format!("{more} more; the job's summary has them all")));
    }
    let mut out: String = marks.into_iter().map(|mark| mark + "\n").collect();
    for notice in verdict.notices.iter().filter(|n| n.kind == crate::gate::NoticeKind::Weakened).take(MOST / 2) {
        out.push_str(&command("warning", &[("title", "Plimsoll: rules loosened")], &notice.text));
        out.push('\n');
    }
    if verdict.outcome == Outcome::Undecided || verdict.in_state(State::is_undecided).next().is_some() {
        for row in verdict.in_state(State::is_undecided).take(MOST / 2) {
            let message = format!("{}, {}: {}", name(&row.cell), what(row), why(row).unwrap_or_default());
            out.push_str(&command("warning", &[("title", "Plimsoll: undecided")], &message));
            out.push('\n');
        }
    }
    out
}

/// One mark for a culprit: what it asks for, and then each row.
fn blamed(level: &str, culprit: &Culprit<'_>) -> String {
    let mut message = format!("{}: {}", culprit.part.name, culprit.amounts().join(", "));
    for row in culprit.rows().take(ROWS) {
        message.push_str(&format!("\n{}", told(row)));
    }
    let more = culprit.rows().count().saturating_sub(ROWS);
    if more > 0 {
        message.push_str(&format!("\nand {} more", count(more, "figure")));
    }
    let line = culprit.part.line.map(|line| line.to_string());
    let mut properties = Vec::new();
    // A file of another repository has no line here that could be marked.
    if let Some(file) = culprit.part.file.as_deref().filter(|file| in_project(file)) {
        properties.push(("file", file));
        properties.extend(line.as_deref().map(|line| ("line", line)));
    }
    properties.push(("title", TITLE));
    command(level, &properties, &message)
}

/// A failing row in a sentence, with how much of it is explained.
fn told(row: &Row) -> String {
    let said = why(row).unwrap_or_else(|| format!("{}, {} (limit: {})", change(row), difference(row), limit(row)));
    let coverage = coverage(row).map(|coverage| format!("; {coverage}")).unwrap_or_default();
    format!("{}, {}: {said}{coverage}", name(&row.cell), what(row))
}

/// `::error file=a.rs,line=1,title=…::…`, escaped as GitHub's own toolkit escapes it.
fn command(level: &str, properties: &[(&str, &str)], message: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let properties: Vec<String> = properties.iter().map(|(key, value)| format!("{key}={}", property(value))).collect();
    format!("::{level} {}::{}", properties.join(","), data(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_ends_a_command_or_begins_another() {
        let line = command("error", &[("file", "a,b:c\n::x"), ("title", "100%")], "a\r\n::error::b %0A");
        assert_eq!(line, "::error file=a%2Cb%3Ac%0A%3A%3Ax,title=100%25::a%0D%0A::error::b %250A");
        assert_eq!(line.lines().count(), 1);
    }
}
