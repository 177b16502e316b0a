//! Programs whose allocations are known, measured by `plimsoll run` as anybody's would be: the figures are exact.

mod common;
mod ledger;
mod line;

use std::process::Command;

use common::{Project, assert_code, at, ok, repository};
use plimsoll_reports::derive::Figure;

#[test]
fn a_c_program_that_takes_a_mebibyte_between_two_checkpoints_shows_exactly_1_048_576_bytes_more() {
    let subjects = r#"
version = 1
[[subject]]
id = "c"
command = ["./malloc1m"]
"#;
    let suite = r#"
[suite.s]
subjects = ["c"]
scenarios = ["client"]
samples = { count = 3 }
[[suite.s.matrix]]
probes = ["count"]
"#;
    let project = Project::with_subjects(subjects, suite);
    let source = repository().join("harness/subjects/c/malloc1m.c");
    let compiled = Command::new("cc").args(["-O1", "-o"]).arg(project.path().join("malloc1m")).arg(source).status();
    assert!(compiled.expect("cc is needed to build this project").success());
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 0);
    let record = project.record("out");
    assert_eq!(ok(&record).count(), 3);
    for sample in ok(&record) {
        assert_eq!(at(sample, "client", "heap.bytes") - at(sample, "runtime", "heap.bytes"), 1_048_576);
        assert_eq!(at(sample, "client", "heap.allocs") - at(sample, "runtime", "heap.allocs"), 1);
    }
}

#[test]
fn one_more_vec_of_4096_bytes_per_request_of_original_is_exactly_one_more_and_4096_more() {
    let subjects = r#"
version = 1
[[subject]]
id = "original"
command = ["{target}/original-system"]
[[subject]]
id = "with-vec"
command = ["{target}/probe-original-vec"]
"#;
    let suite = r#"
[suite.s]
subjects = ["original", "with-vec"]
scenarios = ["chat", "stream"]
samples = { count = 2 }
[[suite.s.matrix]]
probes = ["count"]
"#;
    let project = Project::with_subjects(subjects, suite);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 0);
    let record = project.record("out");
    for scenario in ["chat", "stream"] {
        let per_request = |subject: &str, metric: &str| {
            let mut found: Vec<i64> = ok(&record)
                .filter(|s| s.cell.subject == subject && s.cell.scenario == scenario)
                .map(|s| at(s, "steady@128", metric) - at(s, "steady@64", metric))
                .collect();
            assert_eq!(found.len(), 2);
            found.dedup();
            assert_eq!(found.len(), 1, "not exact: {subject} {scenario} {found:?}");
            assert_eq!(found[0] % 64, 0);
            found[0] / 64
        };
        assert_eq!(per_request("with-vec", "heap.allocs") - per_request("original", "heap.allocs"), 1);
        assert_eq!(per_request("with-vec", "heap.bytes") - per_request("original", "heap.bytes"), 4_096);
    }
}

#[test]
fn a_block_of_4096_bytes_that_each_request_holds_while_it_is_in_flight_is_what_it_costs_more() {
    let subjects = r#"
version = 1
[[subject]]
id = "original"
command = ["{target}/original-system"]
[[subject]]
id = "with-vec"
command = ["{target}/probe-original-vec"]
"#;
    let suite = r#"
[suite.s]
subjects = ["original", "with-vec"]
scenarios = ["inflight-head"]
[[suite.s.matrix]]
probes = ["count"]
"#;
    let project = Project::with_subjects(subjects, suite);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--samples", "1", "--out", "out"]), 0);
    let cells = plimsoll_reports::derive::cells(&project.record("out"));
    let cost = |subject: &str| {
        let cell = cells.iter().find(|c| c.cell.subject == subject).expect("a cell");
        cell.figure(&Figure::in_flight("heap.live")).expect("a cost in flight").stats.median
    };
    // The block itself at its usable size, 4,104 B, and the task that keeps it, larger by a `Vec`; beyond that only what tasks of another size
    // do to the buffers of 1,000 connections.
    let live = cost("with-vec") - cost("original");
    assert!((4_104.0..4_104.0 + 128.0).contains(&live), "{live} B of live heap more per request in flight");
}

#[test]
fn helpers_and_a_proxy_are_read_beside_the_subject_and_are_never_its_own() {
    let subjects = r#"
version = 1
[[subject]]
id = "original"
command = ["{target}/original-system"]
[[subject]]
id = "isolated"
command = ["{target}/isolated-system"]
[[subject]]
id = "proxied"
command = ["{target}/proxied-system"]
proxy = ["{target}/tls-proxy"]
[[subject]]
id = "lost"
command = ["{target}/proxied-system"]
proxy = ["{target}/probe-null"]
"#;
    let suite = r#"
[suite.s]
subjects = ["original", "isolated", "proxied", "lost"]
scenarios = ["chat"]
samples = { rss = 1, count = 1 }
[[suite.s.matrix]]
probes = ["rss", "count"]
"#;
    let project = Project::with_subjects(subjects, suite);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 3);
    let record = project.record("out");
    let sample = |subject: &str, probe: &str| {
        let found = record.samples.iter().find(|s| s.cell.subject == subject && s.cell.probe == probe);
        found.unwrap_or_else(|| panic!("no {subject} {probe}"))
    };
    let rows = |subject: &str, probe: &str, checkpoint: &str| {
        let sample = sample(subject, probe);
        let found = sample.checkpoints.iter().find(|c| c.name == checkpoint);
        found.unwrap_or_else(|| panic!("{subject} {probe}: {:?}", sample.error)).processes.clone()
    };
    let roles = |subject: &str, probe: &str, checkpoint: &str| -> Vec<String> {
        rows(subject, probe, checkpoint).into_iter().map(|row| row.role).collect()
    };
    for probe in ["rss", "count"] {
        assert!(roles("original", probe, "steady@20").is_empty());
        assert!(roles("isolated", probe, "start").is_empty());
        assert_eq!(roles("isolated", probe, "client"), ["helper"]);
        assert_eq!(roles("isolated", probe, "steady@256"), ["helper"]);
        assert_eq!(roles("proxied", probe, "start"), ["proxy"]);
        assert_eq!(roles("proxied", probe, "steady@256"), ["proxy"]);
        assert_eq!(sample("isolated", probe).processes.len(), 1);
    }
    assert!(roles("isolated", "rss", "dropped").is_empty(), "helpers end with their provider");
    assert_eq!(roles("isolated", "count", "dropped"), ["ended"]);
    let anon = |subject: &str| at(sample(subject, "rss"), "steady@20", "proc.anon");
    let beside = |subject: &str| rows(subject, "rss", "steady@20")[0].metrics["proc.anon"];
    // What a process with a runtime and TLS takes at the least; and who has none of it takes less than who has all.
    for subject in ["isolated", "proxied"] {
        assert!(beside(subject) > 100_000, "{subject}: {}", beside(subject));
        assert!(anon(subject) < anon("original"), "{subject}: {} {}", anon(subject), anon("original"));
    }
    let counted = |subject: &str, checkpoint: &str| rows(subject, "count", checkpoint)[0].metrics["heap.allocs"];
    for subject in ["isolated", "proxied"] {
        assert!(counted(subject, "steady@128") > counted(subject, "steady@64"), "{subject}");
    }
    let error = sample("lost", "rss").error.clone().unwrap_or_default();
    assert!(error.contains("the subject's proxy said") && error.contains("plimsoll-proxy 1 address="), "{error}");
}
