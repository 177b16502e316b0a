//! The byte ledger of programs whose memory is known, and of a level on both allocators.

use std::process::Command;

use plimsoll_reports::ledger::{self, Ledger, Line};
use plimsoll_reports::record::{AreaKind, Blocks, Checkpoint, Sample};

use crate::common::{Project, assert_code, at, ok, repository};

const PAGE: i64 = 4_096;

/// A name that no report may take for markup.
const DATA: &str = "<b>data|`x`.bin";

#[test]
fn a_known_mebibyte_a_thousand_blocks_and_seven_pages_of_a_file_are_each_in_their_line() {
    let subject = format!("version = 1\n[[subject]]\nid = \"known\"\ncommand = [\"./known\", \"./{DATA}\"]\n");
    let suite = r#"
[suite.s]
subjects = ["known"]
scenarios = ["client"]
[[suite.s.matrix]]
probes = ["ledger"]
"#;
    let project = Project::with_subjects(&subject, suite);
    let source = repository().join("harness/subjects/c/known.c");
    let program = project.path().join("known");
    let compiled = Command::new("cc").args(["-O1", "-Wall", "-Werror", "-o"]).arg(program).arg(source).status();
    assert!(compiled.expect("cc is needed to build this project").success());
    std::fs::write(project.path().join(DATA), vec![1; 7 * PAGE as usize]).expect("writable");
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 0);
    let record = project.record("out");
    let sample = ok(&record).next().expect("a sample");

    let (before, after) = (account(sample, "runtime"), account(sample, "client"));
    let more = |line: Line| after.bytes(line).unwrap_or_default() - before.bytes(line).unwrap_or_default();
    // A mebibyte is mapped by itself, in whole pages, less its header; 1,000 blocks of 112, less theirs.
    assert_eq!(more(Line::Live), (1 << 20) + PAGE - 16 + 1_000 * 104);
    // Of 30 blocks given back, seven are kept for this thread.
    assert_eq!(more(Line::Caches), 7 * 208);
    assert_eq!(more(Line::Metadata), 1_000 * 8 + 16);
    // Seven pages of the file, two of them written to.
    assert_eq!(more(Line::OtherFiles), 5 * PAGE);
    let data = checkpoint(sample, "client").memory.as_ref().unwrap().areas.iter().find(|area| area.name == DATA);
    let data = data.expect("the file is mapped");
    assert_eq!((data.kind, data.rss, data.anon), (AreaKind::File, 7 * 4_096, 2 * 4_096));
    for name in ["start", "runtime", "client", "dropped"] {
        explained(sample, name, PAGE);
    }

    let page = std::fs::read_to_string(project.path().join("out/index.html")).expect("a report");
    assert!(page.contains("&lt;b&gt;data|`x`.bin") && !page.contains("<b>data"));
}

#[test]
fn a_level_is_explained_on_both_allocators_and_its_heap_is_what_the_library_says_itself() {
    let suite = r#"
[suite.s]
subjects = ["original", "python"]
scenarios = ["chat"]
[[suite.s.matrix]]
probes = ["ledger"]
runtimes = ["multi_thread"]
allocators = ["system", "jemalloc"]
"#;
    let project = Project::new(suite);
    let narrow: &[&str] = if crate::common::has_python() { &[] } else { &["--subject", "original"] };
    assert_code(&project.plimsoll(&[&["run", "--suite", "s", "--out", "out"], narrow].concat()), 0);
    let record = project.record("out");
    let accounts = ledger::accounts(&record, "chat");
    assert_eq!(accounts.len(), if narrow.is_empty() { 3 } else { 2 });
    for account in &accounts {
        let share = account.ledger.unexplained_share().abs();
        assert!(share <= 0.01, "{:?}: {share} in {:#?}", account.cell, account.ledger);
    }
    for sample in ok(&record) {
        explained(sample, "steady@256", 64 * 1_024);
        let jemalloc = sample.cell.factors["allocator"] == "jemalloc";
        if jemalloc {
            // glibc's own account, by mallinfo2 within the process as it answers, against ours from outside: where nothing moves in between.
            for checkpoint in ["start", "idle", "dropped"].map(|name| checkpoint(sample, name)) {
                let heap = checkpoint.memory.as_ref().and_then(|memory| memory.heap).expect("a heap");
                let in_use = [heap.used, heap.cached, heap.tables, heap.mapped];
                let in_use: u64 = in_use.iter().map(|Blocks { bytes, .. }| bytes).sum();
                assert_eq!(in_use as i64, checkpoint.metrics["cheap.live"], "at {}", checkpoint.name);
            }
        }
        if sample.cell.subject == "original" {
            let (asked, usable) = (at(sample, "idle", "rust.live"), at(sample, "idle", "rust.usable"));
            assert!(asked > 10_000 && usable >= asked, "{asked} {usable}");
            let all = at(sample, "idle", "heap.live");
            // C has something too: what Rust has is less than all, where all is in one heap.
            assert!(jemalloc || all > usable, "{all} {usable}");
        }
    }
}

#[test]
fn a_rung_without_a_client_has_its_runtime_in_rust_s_line_and_not_in_c_s() {
    let subjects = r#"
version = 1
[[subject]]
id = "tokio"
command = ["{target}/rung-tokio"]
probes = ["ledger"]
"#;
    let suite = r#"
[suite.s]
subjects = ["tokio"]
scenarios = ["client"]
[[suite.s.matrix]]
probes = ["ledger"]
"#;
    let project = Project::with_subjects(subjects, suite);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 0);
    let record = project.record("out");
    let sample = ok(&record).next().expect("a sample");
    let ledger = account(sample, "client");
    let (rust, c) = (ledger.bytes(Line::LiveRust).unwrap_or_default(), ledger.bytes(Line::LiveC).unwrap_or_default());
    assert!(rust > 15_000 && (0..2_048).contains(&c), "{rust} {c}");
    explained(sample, "client", PAGE);
}

fn checkpoint<'a>(sample: &'a Sample, name: &str) -> &'a Checkpoint {
    let found = sample.checkpoints.iter().find(|checkpoint| checkpoint.name == name);
    found.unwrap_or_else(|| panic!("no checkpoint {name}"))
}

fn account(sample: &Sample, name: &str) -> Ledger {
    ledger::of(checkpoint(sample, name)).unwrap_or_else(|| panic!("no ledger at {name}"))
}

/// Asserts that at most so many bytes are unexplained, and that all lines add up.
fn explained(sample: &Sample, name: &str, bytes: i64) {
    let ledger = account(sample, name);
    assert_eq!(ledger.lines.iter().map(|(_, bytes)| bytes).sum::<i64>(), ledger.rss);
    assert!(ledger.unexplained().abs() <= bytes, "{name} of {:?}: {ledger:#?}", sample.cell);
}
