//! GitHub's workflow commands: a line of standard output that becomes a mark beside the line of code.

use super::{change, coverage, difference, failing, limit, place, what, why};
use crate::cell::name;
use crate::gate::verdict::{Outcome, Row, State, Verdict};

/// GitHub shows no more than ten of a kind for a step.
const MOST: usize = 10;

/// The verdict's annotations: an error for each failing row, at the culprit's line where there is one; warnings for what is undecided and for
/// rules that the head would loosen. An advisory verdict only notices.
#[must_use]
pub fn annotations(verdict: &Verdict) -> String {
    let bad = if verdict.advisory.is_some() { "notice" } else { "error" };
    let mut out = String::new();
    let mut said = 0;
    let mut push = |line: String| {
        said += 1;
        if said <= MOST {
            out.push_str(&line);
            out.push('\n');
        }
    };
    for text in verdict.invalid.iter().chain(&verdict.misconfigured) {
        push(command("error", &[("title", "Plimsoll: no verdict")], text));
    }
    for row in failing(verdict) {
        push(failure(bad, row));
    }
    if said > MOST {
        let more = format!("{} more; the job's summary has them all", said - MOST);
        out.push_str(&command(bad, &[("title", "Plimsoll")], &more));
        out.push('\n');
    }
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

fn failure(level: &str, row: &Row) -> String {
    let culprit = row.blame.as_ref().and_then(|blame| blame.culprit());
    let mut message = format!("{}, {}: ", name(&row.cell), what(row));
    message.push_str(&match why(row) {
        Some(why) => why,
        None => format!("{}, {} (limit: {})", change(row), difference(row), limit(row)),
    });
    if let (Some(culprit), Some(coverage)) = (culprit, coverage(row)) {
        let at = place(culprit).map(|place| format!(" at {place}")).unwrap_or_default();
        message.push_str(&format!("\n{}{at}: {}; {coverage}", culprit.name, culprit.difference.signed()));
    }
    let line = culprit.and_then(|culprit| culprit.line).map(|line| line.to_string());
    let mut properties = Vec::new();
    if let Some(file) = culprit.and_then(|culprit| culprit.file.as_deref()) {
        properties.push(("file", file));
        properties.extend(line.as_deref().map(|line| ("line", line)));
    }
    properties.push(("title", "Plimsoll: memory"));
    command(level, &properties, &message)
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
