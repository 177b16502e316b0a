//! A stranger's provider, in a repository of its own and another language, gated as this repository's are.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::common::{Project, assert_code, commit, git, has_python, repository, said};

const SUBJECT: &str = r#"
version = 1
[[subject]]
id = "mine"
command = ["python3", "client/subject.py"]
probes = ["count"]
env = { PYTHONHASHSEED = "0", PYTHONDONTWRITEBYTECODE = "1" }
"#;

/// Three processes of a side, for a test's patience; no noisy figures; and a waiver with a slip of the pen.
const GATE: &str = r#"
[suite.gate]
subjects = ["mine"]
scenarios = ["chat"]
samples = { count = 3 }
[[suite.gate.matrix]]
probes = ["count"]
[gate]
exact = 3
family = []
[[waiver]]
cell = "mine/chta"
reason = "it is misspelled"
owner = "this test"
expires = 2999-12-31
"#;

const CELL: &str = "mine/chat/count/allocator=system/protocol=h1";

/// A project of one file, with no history yet.
fn strangers() -> Project {
    let project = Project::foreign(SUBJECT, GATE);
    fs::create_dir(project.path().join("client")).expect("writable");
    fs::copy(repository().join("harness/subjects/python/subject.py"), client(project.path())).expect("copied");
    fs::write(project.path().join(".gitignore"), "target/\nout/\n").expect("writable");
    project
}

fn client(project: &Path) -> std::path::PathBuf {
    project.join("client/subject.py")
}

/// From now on each request makes a list of 512 words more than it did.
fn grow(project: &Path) {
    let client = client(project);
    let text = fs::read_to_string(&client).expect("readable");
    let asks = "    here.connection.request(";
    let grown = text.replacen(asks, &format!("    scratch = [None] * 512\n{asks}"), 1);
    assert_ne!(grown, text);
    fs::write(client, grown).expect("writable");
}

fn verdict(project: &Path) -> Value {
    serde_json::from_slice(&fs::read(project.join("out/verdict.json")).expect("a verdict")).expect("JSON")
}

/// The rows that fail, as `cell figure difference`.
fn failing(verdict: &Value) -> Vec<String> {
    let rows = verdict["rows"].as_array().expect("rows").iter().filter(|row| row["state"] == "fails");
    rows.map(|row| format!("{} {} {}", row["cell"], row["figure"], row["difference"]).replace('"', "")).collect()
}

fn gate(project: &Project, base: &str) -> Output {
    let out = project.path().join("out");
    if out.exists() {
        fs::remove_dir_all(&out).expect("deletable");
    }
    project.plimsoll(&["gate", "--base", base, "--out", "out"])
}

#[test]
fn a_list_more_in_each_request_of_a_stranger_s_client_fails_and_the_same_code_passes() {
    if !has_python() {
        return;
    }
    let project = strangers();
    let path = project.path();
    git(path, &["init", "--quiet", "--initial-branch=main"]);
    commit(path, "a client");
    fs::write(path.join("README"), "what it is\n").expect("writable");
    commit(path, "words");
    let same = gate(&project, "HEAD~1");
    assert_code(&same, 0);
    // Beside other tests on a busy machine an interpreter's live heap may differ from process to process, which is told and fails nothing.
    let same = verdict(path);
    assert!(matches!(same["outcome"].as_str(), Some("PASS" | "UNDECIDED")), "{same:#}");
    assert_eq!(failing(&same), [""; 0]);
    let idle = "the waiver of \"mine/chta\" matches no cell that is gated; nearest: mine/chat";
    assert!(same["notices"].as_array().is_some_and(|all| all.iter().any(|n| n["text"] == idle)), "{same:#}");

    grow(path);
    commit(path, "a list");
    let grown = gate(&project, "HEAD~1");
    assert_code(&grown, 1);
    // A list of one word, and then the 512 of it; the lists' own objects are blocks that the interpreter keeps.
    let wanted = [format!("{CELL} heap.allocs per request 2.0"), format!("{CELL} heap.bytes per request 4104.0")];
    // The longer code is live itself, where its live heap repeats.
    let failing = failing(&verdict(path));
    assert!(wanted.iter().all(|row| failing.contains(row)), "{}", said(&grown));
    assert!(failing.iter().all(|row| row.starts_with(CELL)), "{failing:#?}");
    let comment = fs::read_to_string(path.join("out/VERDICT.md")).expect("a comment");
    assert!(comment.contains("mine · chat") && comment.contains(&format!("--only {CELL}")), "{comment}");
    let report = project.plimsoll(&["report", "out/verdict.json", "--format", "comment"]);
    assert_code(&report, 0);
    let checkout = format!("git checkout {}", git(path, &["rev-parse", "--short=12", "HEAD"]));
    assert!(said(&report).contains(&checkout), "{}", said(&report));
}

#[test]
fn without_history_it_is_gated_against_a_baseline_by_its_name() {
    if !has_python() {
        return;
    }
    let project = strangers();
    assert_code(&project.plimsoll(&["run", "--suite", "gate"]), 0);
    assert_code(&project.plimsoll(&["baseline", "save", "--name", "before"]), 0);
    assert_code(&gate(&project, "before"), 0);
    grow(project.path());
    let grown = gate(&project, "before");
    assert_code(&grown, 1);
    let failing = failing(&verdict(project.path()));
    assert!(failing.iter().any(|row| row.starts_with(CELL)), "{failing:#?}");
    // In a folder for git it is the same record.
    let record = project.path().join("target/plimsoll/baselines/before");
    assert_code(&project.plimsoll(&["baseline", "save", &record.to_string_lossy(), "--out", "reports/baseline"]), 0);
    assert_code(&gate(&project, "reports/baseline"), 1);
    let unknown = gate(&project, "after");
    assert_code(&unknown, 2);
    assert!(said(&unknown).contains("plimsoll baseline list"), "{}", said(&unknown));
}
