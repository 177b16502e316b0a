//! `plimsoll explain`: names anywhere, cells from a record, and the command that measures a cell again.

use std::fs;

use crate::baseline::measured;
use crate::common::{Project, assert_code, said};

const CELL: &str = "c/client/count/allocator=system/protocol=h1";

/// A gate that has the cell, another suite, a budget that is broken and a waiver.
const MORE: &str = r#"
[suite.more]
subjects = ["c"]
scenarios = ["chat"]
matrix = [{ probes = ["rss", "count"] }]
[gate]
suite = "quick"
[[budget]]
subject = "c"
metric = "heap.live at client"
max = 1
[[waiver]]
cell = "c/client"
metric = "heap.peak at client"
reason = "it is asked for"
owner = "whoever wrote it"
expires = 2999-12-31
"#;

fn explained(project: &Project, words: &[&str]) -> String {
    let output = project.plimsoll(&[&["explain"], words].concat());
    assert_code(&output, 0);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(project: &Project, words: &[&str], says: &str) {
    let output = project.plimsoll(&[&["explain"], words].concat());
    assert_code(&output, 2);
    assert!(said(&output).contains(says), "{says:?} in {}", said(&output));
}

#[test]
fn a_name_is_told_where_there_is_no_project_and_one_that_is_none_has_a_nearest() {
    let project = Project::foreign("version = 1", "");
    fs::remove_file(project.path().join("plimsoll.toml")).expect("deletable");
    let text = explained(&project, &["heap.allocs", "per", "request"]);
    assert!(text.starts_with("heap.allocs per request  figure\n") && text.contains("Calls of malloc"), "{text}");
    assert!(explained(&project, &["client"]).contains("client  scenario\n"), "{}", explained(&project, &["client"]));
    refused(&project, &["proc.annon"], "did you mean \"proc.anon\"?");
    refused(&project, &["a/cell"], "name a record with --record");
    refused(&project, &["proc.anon", "--all"], "is no cell");
}

#[test]
fn a_cell_has_its_figures_its_gate_and_the_command_that_measures_it_again() {
    let project = measured();
    let file = project.path().join("plimsoll.toml");
    let text = fs::read_to_string(&file).expect("readable") + MORE;
    fs::write(&file, text).expect("writable");

    let text = explained(&project, &["c/client"]);
    for part in [
        "2 of 2 samples count",
        "c: a subject of ",
        "heap.live at client",
        "the same: exact",
        "exact: any increase fails",
        "heap.live: Blocks allocated and not freed",
        "yes, it is of the suite quick",
        "heap.live at client: at most 1 B; ",
        "which is over",
        "heap.peak at client, until 2999-12-31: it is asked for (whoever wrote it)",
        &format!("plimsoll gate --only {CELL}"),
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let again = text.lines().find_map(|line| line.trim().strip_prefix("plimsoll run ")).expect("a command");
    let words: Vec<&str> = ["run", "--out", "out"].into_iter().chain(again.split(' ')).collect();
    assert_code(&project.plimsoll(&words), 0);
    let record = project.record("out");
    let cells: Vec<String> = record.plan.cells.iter().map(|planned| plimsoll::plan::cell_name(&planned.cell)).collect();
    assert_eq!((cells, record.samples.len()), (vec![CELL.to_owned()], 2));

    // The same by another name of the record; and every figure.
    assert_eq!(explained(&project, &["--record", "latest", CELL]), text);
    assert!(explained(&project, &["--all", CELL]).contains("heap.frees at start"));
    // What is planned and was not measured, and what is neither.
    assert!(explained(&project, &["c/chat/rss"]).contains("not measured in the record"));
    let several = explained(&project, &["c/chat"]);
    assert!(several.starts_with("2 cells are called \"c/chat\"") && several.contains("  c/chat/count/"), "{several}");
    refused(&project, &["d/client"], "nearest: c/client");
    refused(&project, &["--record", "nowhere", CELL], "nowhere");
    let words = project.plimsoll(&["list", "words"]);
    assert_code(&words, 0);
    assert!(said(&words).contains("proc.hwm · ") && said(&words).contains("inconclusive"), "{}", said(&words));
}
