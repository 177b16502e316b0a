//! Tables of GLOSSARY.md and METHODOLOGY.md, so that each definition is written once: what is said on the command line is what they say.

const GLOSSARY: &str = include_str!("../../../GLOSSARY.md");
const METHODOLOGY: &str = include_str!("../../../METHODOLOGY.md");

/// A row of a table: the names that its first cell has, and the other cells as plain text.
pub(super) struct Row {
    pub(super) names: Vec<String>,
    pub(super) cells: Vec<String>,
}

/// Words of reports and records, with their meaning.
pub(super) fn words() -> Vec<Row> {
    rows(GLOSSARY, "| word | meaning |")
}

/// Forms of figures, with their meaning.
pub(super) fn figures() -> Vec<Row> {
    rows(GLOSSARY, "| figure | meaning |")
}

/// Outcomes of a sample, with their meaning.
pub(super) fn statuses() -> Vec<Row> {
    rows(GLOSSARY, "| status | meaning |")
}

/// Checkpoints: when each is, and why there.
pub(super) fn checkpoints() -> Vec<Row> {
    rows(METHODOLOGY, "| checkpoint | when | why there |")
}

/// Forms of figures: by which formula, and of which metrics.
pub(super) fn formulas() -> Vec<Row> {
    rows(METHODOLOGY, "| figure | formula | of |")
}

/// Probes: what is in the process, and what it cannot see.
pub(super) fn probes() -> Vec<Row> {
    rows(METHODOLOGY, "| probe | what is in the process | what it cannot see |")
}

/// What a metric has in common with those in its table, and which probe reads them: the table's heading.
pub(super) fn group(metric: &str) -> Option<String> {
    let (before, _) = GLOSSARY.split_once(&format!("\n| `{metric}` |"))?;
    let heading = before.lines().rfind(|line| line.starts_with("### "))?;
    heading.split_once(": ").map(|(_, text)| plain(text))
}

fn rows(document: &str, header: &str) -> Vec<Row> {
    let table = document.lines().skip_while(|line| *line != header).skip(2);
    table.take_while(|line| line.starts_with("| ")).filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut cells = line.trim_start_matches("| ").trim_end_matches(" |").split(" | ");
    let names = cells.next()?.replace(['`', '*'], "");
    // `steady@64` (warm); **rung**, **ladder**; `after@1` … `after@1000`
    let names = names.split([',', '(', ')', '…']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    Some(Row { names: names.collect(), cells: cells.map(plain).collect() })
}

/// A cell without bold type and links.
fn plain(cell: &str) -> String {
    let mut rest = cell.trim();
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once("](") {
        let Some((_, behind)) = after.split_once(')') else { break };
        let (before, text) = before.rsplit_once('[').unwrap_or((before, ""));
        out.push_str(before);
        out.push_str(text);
        rest = behind;
    }
    out.push_str(rest);
    out.replace("**", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_found_and_has_no_empty_row() {
        for (what, rows, at_least, cells) in [
            ("words", words(), 30, 1),
            ("figures", figures(), 10, 1),
            ("statuses", statuses(), 6, 1),
            ("checkpoints", checkpoints(), 10, 2),
            ("formulas", formulas(), 7, 2),
            ("probes", probes(), 5, 2),
        ] {
            assert!(rows.len() >= at_least, "{what}: {} rows; has the document's table another head?", rows.len());
            for row in rows {
                assert!(!row.names.is_empty() && row.cells.len() == cells, "{what}: {:?} {:?}", row.names, row.cells);
                assert!(
                    row.cells.iter().all(|cell| !cell.is_empty() && !cell.contains("](")),
                    "{what}: {:?}",
                    row.cells
                );
            }
        }
    }

    #[test]
    fn every_metric_is_of_a_group() {
        for metric in plimsoll_reports::metric::METRICS {
            assert!(group(metric.id).is_some_and(|text| !text.is_empty()), "{}", metric.id);
        }
        assert!(group("heap.allocs").is_some_and(|text| text.contains("`count` probe")));
    }

    #[test]
    fn a_row_may_have_several_names_and_links_are_their_text() {
        let row = row("| `steady@64` (warm), **b** | see [the page](x.md#y), **all** of [it](z) | c |").expect("a row");
        assert_eq!(row.names, ["steady@64", "warm", "b"]);
        assert_eq!(row.cells, ["see the page, all of it", "c"]);
    }
}
