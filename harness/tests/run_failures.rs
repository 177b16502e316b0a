//! What goes wrong is a row with a reason, never a figure.

mod common;

use common::{Project, assert_code, files_with, said};
use plimsoll_reports::record::Status;

const CHAT_AND_STREAM: &str = r#"
[suite.s]
subjects = ["original", "ultra", "python"]
scenarios = ["chat", "stream"]
[[suite.s.matrix]]
probes = ["rss", "count"]
"#;

const CANARY: &str = "canary-that-must-not-show-0123456789abc";

/// Runs with `args`, asserts that no sample counts, and gives their statuses and what was said.
fn all_fail(project: &Project, args: &[&str]) -> (Vec<Status>, String) {
    let args = [&["run", "--suite", "s", "--samples", "1", "--out", "out"], args].concat();
    let run = project.command(&args).env("PLIMSOLL_MOCK_KEY", CANARY).env("GEMINI_API_KEY", CANARY).output();
    let run = run.expect("plimsoll starts");
    assert_code(&run, 3);
    assert!(!said(&run).contains(CANARY), "{}", said(&run));
    assert_eq!(files_with(project.path(), CANARY), Vec::<std::path::PathBuf>::new());
    let record = project.record("out");
    for sample in &record.samples {
        assert!(sample.error.as_deref().is_some_and(|e| !e.is_empty() && !e.contains('\n')), "{sample:?}");
    }
    // Nothing of them enters a statistic: the aggregated record has no figure at all.
    let json = plimsoll_reports::render(&record, plimsoll_reports::Format::Json);
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let cells = json["cells"].as_array().expect("cells");
    let nothing = |cell: &serde_json::Value| cell["ok"] == 0 && cell["figures"].as_array().is_some_and(Vec::is_empty);
    assert!(!cells.is_empty() && cells.iter().all(nothing), "{json:#}");
    (record.samples.iter().map(|s| s.status).collect(), said(&run))
}

#[test]
fn nobody_listens() {
    let project = Project::new(CHAT_AND_STREAM);
    let (statuses, said) = all_fail(&project, &["--target", "http://127.0.0.1:9"]);
    assert!(statuses.iter().all(|s| matches!(s, Status::Failed | Status::Unavailable)), "{statuses:?}");
    assert!(said.contains("refused") || said.contains("connect"), "{said}");
}

#[test]
fn the_mock_answers_500() {
    let project = Project::new(CHAT_AND_STREAM);
    let (statuses, said) = all_fail(&project, &["--fault", "status=500"]);
    assert!(statuses.iter().all(|s| matches!(s, Status::Failed | Status::Unavailable)), "{statuses:?}");
    assert!(said.contains("500"), "{said}");
}

#[test]
fn the_mock_cuts_the_answer() {
    let project = Project::new(CHAT_AND_STREAM);
    let (statuses, _) = all_fail(&project, &["--fault", "cut=50%"]);
    assert!(statuses.iter().all(|s| matches!(s, Status::Failed | Status::Unavailable)), "{statuses:?}");
}

#[test]
fn the_mock_sends_a_wrong_text_of_the_right_length() {
    let project = Project::new(CHAT_AND_STREAM);
    let (statuses, said) = all_fail(&project, &["--fault", "wrong-text"]);
    assert!(statuses.iter().all(|s| matches!(s, Status::WrongAnswer | Status::Unavailable)), "{statuses:?}");
    assert!(said.contains("not what was served"), "{said}");
}

#[test]
fn subjects_that_break_the_protocol_are_told_apart() {
    let subjects = r#"
version = 1
[[subject]]
id = "mute"
command = ["sleep", "60"]
[[subject]]
id = "rude"
command = ["echo", "hello"]
[[subject]]
id = "dead"
command = ["sh", "-c", "echo it is over >&2; kill -9 $$"]
[[subject]]
id = "absent"
command = ["no-such-program-anywhere"]
[[subject]]
id = "unbuilt"
command = ["target/not-built"]
"#;
    let suite = r#"
[suite.s]
subjects = ["mute", "rude", "dead", "absent", "unbuilt"]
scenarios = ["chat"]
[[suite.s.matrix]]
probes = ["rss"]
"#;
    let project = Project::with_subjects(subjects, suite);
    let run = project.plimsoll(&["run", "--suite", "s", "--samples", "1", "--timeout", "1", "--out", "out"]);
    assert_code(&run, 3);
    let record = project.record("out");
    let of = |id: &str| {
        let sample = record.samples.iter().find(|s| s.cell.subject == id).expect("a row");
        (sample.status, sample.error.clone().unwrap_or_default())
    };
    assert_eq!(of("mute").0, Status::Timeout);
    assert_eq!(of("rude").0, Status::Failed);
    assert!(of("rude").1.contains("PROTOCOL.md"), "{:?}", of("rude"));
    assert_eq!(of("dead").0, Status::Killed);
    assert!(of("dead").1.contains("it is over"), "{:?}", of("dead"));
    assert_eq!(of("absent").0, Status::Unavailable);
    assert_eq!(of("unbuilt").0, Status::Failed);
    assert!(of("unbuilt").1.contains("build it"), "{:?}", of("unbuilt"));
}

#[test]
fn bad_usage_is_status_2_and_one_line_that_says_what_to_do() {
    let project = Project::new(CHAT_AND_STREAM);
    for (args, wanted) in [
        (&["run", "--suite", "z"][..], "it has: s"),
        (&["run", "--suite", "s", "--subject", "orignal"], "did you mean \"original\"?"),
        (&["run", "--suite", "s", "--target", "ftp://x"], "neither `mock` nor"),
        (&["run", "--suite", "s", "--fault", "stauts=500"], "stauts"),
        (&["run", "--suite", "s", "--fault", "status=500", "--target", "http://127.0.0.1:9"], "--target mock only"),
        (&["run", "--suite", "s", "--traffic", "nowhere"], "MANIFEST.tsv"),
        (&["run", "--suite", "s", "--resume", "--out", "nowhere"], "holds no run"),
        (&["run", "--suite", "s", "-E", "nonsense"], "list cells"),
        (&["report", "nowhere"], "cannot read"),
        (&["--config", "none.toml", "list"], "none.toml"),
    ] {
        let output = project.plimsoll(args);
        assert_code(&output, 2);
        assert!(said(&output).contains(wanted), "{args:?}: {}", said(&output));
    }
}
