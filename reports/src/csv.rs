//! Every figure of a record, one a row (RFC 4180), for spreadsheets and scripts. A sample that does not count is a row too.

use crate::record::{Cell, Record};
use crate::summary::status_name;
use crate::view::View;

/// Factors that have a column of their own; further ones stand together in the last of them.
const FACTORS: [&str; 5] = ["allocator", "runtime", "protocol", "crypto", "switches"];

const HEADER: [&str; 22] = [
    "subject",
    "scenario",
    "probe",
    "allocator",
    "runtime",
    "protocol",
    "crypto",
    "switches",
    "factors",
    "status",
    "index",
    "error",
    "form",
    "checkpoint",
    "metric",
    "unit",
    "samples",
    "median",
    "mad",
    "min",
    "max",
    "exactness",
];

/// The record as CSV, in UTF-8, with a header and CRLF line ends.
#[must_use]
pub fn render(record: &Record) -> String {
    let view = View::new(record);
    let mut out = String::new();
    push(&mut out, &HEADER.map(str::to_owned));
    for figures in &view.cells {
        for (figure, measured) in &figures.figures {
            let checkpoint = figure.checkpoint().unwrap_or("");
            let stats = &measured.stats;
            let mut row = names(&figures.cell);
            row.extend(["ok", "", "", figure.form(), checkpoint, figure.metric(), measured.unit.name()].map(text));
            row.push(stats.samples.to_string());
            row.extend([stats.median, stats.mad, stats.min, stats.max].map(number));
            row.push(crate::json::exactness(stats.exactness).to_owned());
            push(&mut out, &row);
        }
        for failure in &figures.failures {
            let mut row = names(&figures.cell);
            row.extend([status_name(failure.status).to_owned(), failure.index.to_string(), text(&failure.error)]);
            row.resize(HEADER.len(), String::new());
            push(&mut out, &row);
        }
    }
    out
}

fn names(cell: &Cell) -> Vec<String> {
    let mut row = vec![text(&cell.subject), text(&cell.scenario), text(&cell.probe)];
    row.extend(FACTORS.map(|factor| cell.factors.get(factor).map_or_else(String::new, |value| text(value))));
    let rest = cell.factors.iter().filter(|(key, _)| !FACTORS.contains(&key.as_str()));
    let rest: Vec<String> = rest.map(|(key, value)| format!("{key}={value}")).collect();
    row.push(text(&rest.join("; ")));
    row
}

/// Text from outside must not become a formula in a spreadsheet.
fn text(raw: &str) -> String {
    if raw.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{raw}") } else { raw.to_owned() }
}

fn number(value: f64) -> String {
    let text = format!("{value}");
    if text == "-0" { "0".to_owned() } else { text }
}

fn push(out: &mut String, fields: &[String]) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if field.contains(['"', ',', '\n', '\r']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let mut out = String::new();
        push(&mut out, &["a".into(), "b,c".into(), "d\"e".into(), String::new()]);
        assert_eq!(out, "a,\"b,c\",\"d\"\"e\",\r\n");
    }

    #[test]
    fn text_is_never_a_formula_and_numbers_stay_numbers() {
        assert_eq!(text("=1+1"), "'=1+1");
        assert_eq!(number(-0.0), "0");
        assert_eq!(number(-9000.0), "-9000");
        assert_eq!(number(0.5), "0.5");
    }
}
