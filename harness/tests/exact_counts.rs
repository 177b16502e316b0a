//! What is declared exact is exact: to the byte, over ten processes.

mod common;

use std::collections::BTreeSet;

use common::{Project, assert_code, at, ok};
use plimsoll_reports::record::Record;

const TEN: &str = r#"
[suite.s]
subjects = ["original", "ultra"]
scenarios = ["chat", "stream"]
[[suite.s.matrix]]
probes = ["count"]
runtimes = ["current_thread"]
protocols = ["h1", "h2"]
"#;

/// The different values of (allocations, bytes) between 64 and 128 requests.
fn differences(record: &Record) -> BTreeSet<(i64, i64)> {
    let between = |sample, metric| at(sample, "steady@128", metric) - at(sample, "steady@64", metric);
    ok(record).map(|sample| (between(sample, "heap.allocs"), between(sample, "heap.bytes"))).collect()
}

fn ten_processes_of(cell: &[&str]) -> BTreeSet<(i64, i64)> {
    let project = Project::new(TEN);
    let mut args = vec!["run", "--suite", "s", "--samples", "10", "--out", "out"];
    cell.iter().for_each(|word| args.extend(["-E", word]));
    assert_code(&project.plimsoll(&args), 0);
    let record = project.record("out");
    assert_eq!(ok(&record).count(), 10);
    differences(&record)
}

#[test]
fn original_chat_over_h1() {
    let found = ten_processes_of(&["original/chat", "protocol=h1"]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn original_chat_over_h2() {
    let found = ten_processes_of(&["original/chat", "protocol=h2"]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn original_stream_over_h1() {
    let found = ten_processes_of(&["original/stream", "protocol=h1"]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn original_stream_over_h2() {
    let found = ten_processes_of(&["original/stream", "protocol=h2"]);
    assert_eq!(found.len(), 1, "{found:?}");
}
