//! A run as JUnit XML, which most CI systems can show: a test case for each cell. A cell passes when all of its samples count, fails when one does
//! not, and is skipped where it cannot be measured. Figures are judged by the gate, which has a JUnit file of its own.

use std::fmt::Write as _;

use crate::cell::name;
use crate::derive::{CellFigures, Failure};
use crate::gate::show::escaped;
use crate::record::{Record, Status};
use crate::summary::status_name;
use crate::view::View;

/// The record as JUnit XML. It has no times, so that the same record gives the same bytes and nobody reads a build's pace as a figure.
#[must_use]
pub fn render(record: &Record) -> String {
    let view = View::new(record);
    let counts = counts(&view.cells.iter().collect::<Vec<_>>());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"plimsoll run {}\" {counts}>", escaped(&view.record.id));
    for scenario in &view.scenarios {
        let cells: Vec<&CellFigures> =
            view.cells.iter().filter(|figures| figures.cell.scenario == scenario.info.id).collect();
        if cells.is_empty() {
            continue;
        }
        let _ = writeln!(out, "  <testsuite name=\"{}\" {}>", escaped(&scenario.info.id), self::counts(&cells));
        for figures in cells {
            push(&mut out, figures);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn counts(cells: &[&CellFigures]) -> String {
    let of = |case: Case| cells.iter().filter(|figures| outcome(figures) == case).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"",
        cells.len(),
        of(Case::Failure),
        of(Case::Skipped)
    )
}

#[derive(PartialEq, Eq)]
enum Case {
    Passed,
    Skipped,
    Failure,
}

fn outcome(figures: &CellFigures) -> Case {
    if figures.failures.iter().any(|failure| failure.status != Status::Unavailable) {
        Case::Failure
    } else if figures.ok == 0 {
        Case::Skipped
    } else {
        Case::Passed
    }
}

fn push(out: &mut String, figures: &CellFigures) {
    let (subject, cell) = (escaped(&figures.cell.subject), escaped(&name(&figures.cell)));
    let _ = write!(out, "    <testcase classname=\"{subject}\" name=\"{cell}\"");
    let told =
        |failure: &Failure| format!("sample {}: {}: {}", failure.index, status_name(failure.status), failure.error);
    let reasons: Vec<String> = figures.failures.iter().map(told).collect();
    match outcome(figures) {
        Case::Passed => out.push_str("/>\n"),
        Case::Skipped => {
            let reason = reasons.first().map_or("no sample of it was measured", String::as_str);
            let _ = writeln!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>", escaped(reason));
        }
        Case::Failure => {
            let message = format!("{} of {} samples count", figures.ok, figures.planned.max(figures.ok));
            let _ = writeln!(
                out,
                ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
                escaped(&message),
                escaped(&reasons.join("\n"))
            );
        }
    }
}
