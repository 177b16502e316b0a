//! JUnit XML, which most CI systems can show: a test case for each row.

use std::fmt::Write as _;

use super::{change, coverage, difference, limit, place, smallest, what, why};
use crate::cell::name;
use crate::gate::verdict::{Row, State, Verdict};

/// The verdict as JUnit XML. It has no times: they would be of the measurement and say nothing.
#[must_use]
pub fn junit(verdict: &Verdict) -> String {
    let errors: Vec<&String> = verdict.invalid.iter().chain(&verdict.misconfigured).collect();
    let failures = verdict.in_state(|state| outcome(state) == Case::Failure).count();
    let skipped = verdict.in_state(|state| outcome(state) == Case::Skipped).count();
    let tests = verdict.rows.len() + errors.len();
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{}\" skipped=\"{skipped}\"", errors.len());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"plimsoll gate\" {counts}>");
    let _ = writeln!(out, "  <testsuite name=\"{}\" {counts}>", escaped(&verdict.headline()));
    for error in errors {
        let error = escaped(error);
        let _ = writeln!(
            out,
            "    <testcase classname=\"plimsoll\" name=\"{error}\">\n      <error message=\"{error}\"/>\n    </testcase>"
        );
    }
    for row in &verdict.rows {
        push(&mut out, row);
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn push(out: &mut String, row: &Row) {
    let (cell, figure) = (escaped(&name(&row.cell)), escaped(&format!("{} ({})", what(row), row.rule.name())));
    let message = escaped(&why(row).unwrap_or_else(|| format!("{}, {}", change(row), difference(row))));
    let _ = write!(out, "    <testcase classname=\"{cell}\" name=\"{figure}\"");
    match outcome(row.state) {
        Case::Passed => out.push_str("/>\n"),
        Case::Skipped => {
            let _ = writeln!(out, ">\n      <skipped message=\"{message}\"/>\n    </testcase>");
        }
        Case::Failure => {
            let _ = writeln!(
                out,
                ">\n      <failure type=\"{}\" message=\"{message}\">{}</failure>\n    </testcase>",
                row.state.name(),
                escaped(&detail(row))
            );
        }
    }
}

fn detail(row: &Row) -> String {
    let mut lines = vec![
        format!("{}, {}", change(row), difference(row)),
        format!("limit: {}; smallest change that would have been seen: {}", limit(row), smallest(row)),
    ];
    lines.extend(coverage(row));
    for part in row.blame.iter().flat_map(|blame| &blame.parts).take(5) {
        let at = place(part).map(|place| format!(" at {place}")).unwrap_or_default();
        lines.push(format!("{} {}{at}", part.difference.signed(), part.name));
    }
    lines.join("\n")
}

#[derive(PartialEq, Eq)]
enum Case {
    Passed,
    Skipped,
    Failure,
}

fn outcome(state: State) -> Case {
    match state {
        State::Fails | State::Missing => Case::Failure,
        State::Pass | State::Improved | State::NotRepeated => Case::Passed,
        State::Suspect
        | State::Inconclusive
        | State::TooFew
        | State::ExactOnOneSide
        | State::Waived
        | State::New
        | State::Unjudged => Case::Skipped,
    }
}

/// Text as an attribute or between tags may hold it; what XML 1.0 cannot hold at all is replaced. `]]>` is broken up by its last character.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_an_attribute_or_a_section() {
        assert_eq!(escaped("a\"b]]><c>&\u{1b}\n"), "a&quot;b]]&gt;&lt;c&gt;&amp;\u{FFFD}&#10;");
    }
}
