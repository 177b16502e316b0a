//! Records that are kept to be compared with, what can be made of them, and what is thrown away.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::common::{Project, assert_code, repository, said};

const SUBJECT: &str = r#"
version = 1
[[subject]]
id = "c"
command = ["./malloc1m"]
"#;

const SUITE: &str = r#"
[suite.quick]
subjects = ["c"]
scenarios = ["client"]
samples = { count = 2 }
[[suite.quick.matrix]]
probes = ["count"]
"#;

/// A project with one run, the latest.
pub(crate) fn measured() -> Project {
    let project = Project::foreign(SUBJECT, SUITE);
    let source = repository().join("harness/subjects/c/malloc1m.c");
    let compiled = Command::new("cc").args(["-O1", "-o"]).arg(project.path().join("malloc1m")).arg(source).status();
    assert!(compiled.expect("cc is needed to build this project").success());
    assert_code(&project.plimsoll(&["run"]), 0);
    project
}

/// The latest run's record with another value in a place, as a file; gives its path.
pub(crate) fn edited(project: &Project, name: &str, pointer: &str, value: Value) -> String {
    let bytes = std::fs::read(project.path().join("target/plimsoll/latest/record.json")).expect("a record");
    let mut record: Value = serde_json::from_slice(&bytes).expect("JSON");
    *record.pointer_mut(pointer).expect(pointer) = value;
    let path = project.path().join(name);
    std::fs::write(&path, record.to_string()).expect("writable");
    path.to_string_lossy().into_owned()
}

#[test]
fn a_record_is_kept_under_a_name_listed_reported_and_deleted() {
    let project = measured();
    let none = project.plimsoll(&["baseline", "list"]);
    assert_code(&none, 0);
    assert!(said(&none).contains("`plimsoll baseline save`"), "{}", said(&none));

    let saved = project.plimsoll(&["baseline", "save", "--name", "before"]);
    assert_code(&saved, 0);
    let text = said(&saved);
    for part in ["Kept as before: no commit, suite quick, 1 cells, 2 samples", "rustc ", "plimsoll gate --base before"]
    {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let file = project.path().join("target/plimsoll/baselines/before/record.json.gz");
    let (packed, whole) = (bytes(&file), bytes(&project.path().join("target/plimsoll/latest/record.json")));
    assert!(packed * 3 < whole, "{packed} B packed, {whole} B whole");

    let listed = said(&project.plimsoll(&["baseline", "list"]));
    assert!(listed.lines().nth(1).is_some_and(|line| line.trim().starts_with("before")), "{listed}");
    // What is made of it is what is made of the run itself.
    let report = |record: &str| project.plimsoll(&["report", record, "--format", "json"]).stdout;
    assert_eq!(report("target/plimsoll/baselines/before"), report("target/plimsoll/latest"));

    assert_code(&project.plimsoll(&["baseline", "rm", "before"]), 0);
    assert!(!file.exists() && !file.parent().expect("a folder").exists());
    let unknown = project.plimsoll(&["baseline", "rm", "before"]);
    assert_code(&unknown, 2);
    assert!(said(&unknown).contains("no baseline \"before\"; there are none yet"), "{}", said(&unknown));
}

#[test]
fn a_folder_for_git_holds_the_record_and_its_reports() {
    let project = measured();
    assert_code(&project.plimsoll(&["baseline", "save", "--out", "reports/baseline"]), 0);
    assert_code(&project.plimsoll(&["report", "reports/baseline"]), 0);
    let mut files: Vec<String> = std::fs::read_dir(project.path().join("reports/baseline"))
        .expect("a folder")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files, ["REPORT.md", "index.html", "record.json.gz"]);
    assert!(said(&project.plimsoll(&["baseline", "list"])).contains("reports/baseline"));
}

#[test]
fn what_nothing_can_be_compared_with_is_not_kept() {
    let project = measured();
    for (pointer, value, code, says) in [
        ("/samples/0/status", json!("failed"), 3, "1 of 2 samples are not valid, the first: c/client/count"),
        ("/finished", Value::Null, 3, "`plimsoll run --resume` measures the others"),
        ("/environment/target", json!("live"), 2, "measured against \"live\""),
        ("/schema", json!("plimsoll.record/2"), 2, "a newer plimsoll wrote it"),
    ] {
        let record = edited(&project, "edited.json", pointer, value);
        let refused = project.plimsoll(&["baseline", "save", &record]);
        assert_code(&refused, code);
        let text = said(&refused);
        assert!(text.contains(says) && text.lines().count() == 1, "{text}");
    }
    for (args, says) in [
        (&["save", "--name", "../x"][..], "cannot be a baseline's name"),
        (&["save", "nowhere"], "cannot read"),
        (&["rm"], "NAME"),
    ] {
        let refused = project.plimsoll(&[&["baseline"], args].concat());
        assert_code(&refused, 2);
        assert!(said(&refused).contains(says), "{}", said(&refused));
    }
    let cut = project.path().join("cut.json.gz");
    assert_code(&project.plimsoll(&["baseline", "save"]), 0);
    let packed = std::fs::read(project.path().join("target/plimsoll/baselines/default/record.json.gz")).expect("kept");
    std::fs::write(&cut, &packed[..packed.len() / 2]).expect("writable");
    let refused = project.plimsoll(&["report", "cut.json.gz"]);
    assert_code(&refused, 2);
    assert!(said(&refused).contains("cannot be unpacked"), "{}", said(&refused));
}

#[test]
fn clean_says_what_it_would_delete_and_deletes_just_that() {
    let project = measured();
    let first = project.path().join("target/plimsoll/latest").canonicalize().expect("a run");
    assert_code(&project.plimsoll(&["baseline", "save"]), 0);
    assert_code(&project.plimsoll(&["run", "--seed", "1"]), 0);
    assert_code(&project.plimsoll(&["run", "--out", "mine"]), 0);
    let id = first.file_name().expect("an id").to_string_lossy().into_owned();
    let dry = project.plimsoll(&["clean", "--runs", "0", "--dry-run"]);
    assert_code(&dry, 0);
    assert!(said(&dry).contains(&format!("would delete target/plimsoll/{id}")) && first.exists(), "{}", said(&dry));
    let done = project.plimsoll(&["clean", "--runs", "0"]);
    assert_code(&done, 0);
    let text = said(&done);
    assert!(
        text.contains(&format!("deleted target/plimsoll/{id}")) && text.contains("`latest` points at it"),
        "{text}"
    );
    assert!(!first.exists());
    for kept in
        ["target/plimsoll/latest/record.json", "target/plimsoll/baselines/default/record.json.gz", "mine/record.json"]
    {
        assert!(project.path().join(kept).is_file(), "{kept}");
    }
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).len()
}
