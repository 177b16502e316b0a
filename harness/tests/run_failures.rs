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
    // As short as `mute` is worth, and long enough for the others to start on a busy machine.
    let run = project.plimsoll(&["run", "--suite", "s", "--samples", "1", "--timeout", "10", "--out", "out"]);
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
fn a_client_that_need_not_be_there_is_unavailable_says_how_to_get_it_and_fails_no_run() {
    let subjects = r#"
version = 1
[[subject]]
id = "original"
command = ["{target}/original-system"]
[[subject]]
id = "somebody-s"
kind = "peer"
command = ["{target}/../peers/rust/release/no-such-program"]
install = "make peers"
"#;
    let suite = r#"
[suite.s]
subjects = ["original", "somebody-s"]
scenarios = ["client"]
samples = { rss = 1 }
[[suite.s.matrix]]
probes = ["rss"]
"#;
    let project = Project::with_subjects(subjects, suite);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 0);
    let record = project.record("out");
    let of = |id: &str| {
        let sample = record.samples.iter().find(|s| s.cell.subject == id).expect("a row");
        (sample.status, sample.error.clone().unwrap_or_default())
    };
    assert_eq!(of("original").0, Status::Ok);
    assert_eq!(of("somebody-s"), (Status::Unavailable, "somebody-s is not there; to get it: make peers".to_owned()));
    assert!(said(&project.plimsoll(&["list", "subjects"])).contains("after make peers"));
}

const HELD: &str = r#"
[suite.s]
subjects = ["original", "hasty"]
scenarios = ["inflight-event"]
[[suite.s.matrix]]
probes = ["rss", "jemalloc"]
protocols = ["h1", "h2"]
"#;

/// `hasty` says that it has streamed without having asked anybody.
fn held() -> Project {
    let hasty = "[[subject]]\nid = \"hasty\"\ncommand = [\"{target}/probe-null\"]\n";
    Project::with_subjects(&format!("{}{hasty}", common::SUBJECTS), HELD)
}

#[test]
fn a_subject_that_cannot_hold_a_thousand_says_how_many_it_could() {
    let project = held();
    let run = project.plimsoll(&["run", "--suite", "s", "-E", "protocol=h2", "--samples", "1", "--out", "out"]);
    assert_code(&run, 3);
    let record = project.record("out");
    let [sample] = record.samples.as_slice() else { panic!("{record:?}") };
    let error = sample.error.as_deref().unwrap_or_default();
    assert_eq!(sample.status, Status::Failed);
    assert!(error.contains("100 of 1000 requests were held over 1 connection and no more came"), "{error}");
    // What it held was read all the same, in a row that enters no figure.
    assert!(sample.checkpoints.iter().any(|c| c.name == "held@100" && c.requests == 11));
}

#[test]
fn an_answer_that_comes_while_its_requests_are_held_is_no_answer() {
    let project = held();
    let run = project.plimsoll(&["run", "--suite", "s", "--subject", "hasty", "--samples", "1", "--out", "out"]);
    assert_code(&run, 3);
    let error = project.record("out").samples[0].error.clone().unwrap_or_default();
    assert!(
        error.contains("while the mock holds its requests; 0 of 1 requests were held over 0 connections"),
        "{error}"
    );
}

#[test]
fn a_thousand_connections_that_do_not_fit_the_limit_of_open_files_are_not_tried() {
    let project = held();
    let plimsoll = env!("CARGO_BIN_EXE_plimsoll");
    let run = project.command(&[]);
    let environment = run.get_envs().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
    let limited = std::process::Command::new("sh")
        .args([
            "-c",
            "ulimit -n 500 && exec \"$0\" run --suite s -E original/protocol=h1 --samples 1 --out out",
            plimsoll,
        ])
        .current_dir(project.path())
        .envs(environment)
        .output()
        .expect("sh starts");
    assert_code(&limited, 3);
    let record = project.record("out");
    let [sample] = record.samples.as_slice() else { panic!("{record:?}") };
    assert_eq!((sample.status, sample.checkpoints.len()), (Status::Unavailable, 0));
    assert!(sample.error.as_deref().is_some_and(|e| e.contains("may have 500 here")), "{:?}", sample.error);
    assert_eq!(record.environment.open_files, Some(500));
}

#[test]
fn a_probe_that_the_subject_reads_itself_is_left_out_where_requests_are_held() {
    let listed = held().plimsoll(&["list", "cells", "--suite", "s", "-E", "original"]);
    assert_code(&listed, 0);
    let listed = said(&listed);
    assert!(
        listed.contains("left out: original: no probe jemalloc in inflight-event")
            && listed.contains("original/inflight-event/rss"),
        "{listed}"
    );
}

#[test]
fn bad_usage_is_status_2_and_one_line_that_says_what_to_do() {
    let project = Project::new(CHAT_AND_STREAM);
    for (args, wanted) in [
        (&["run", "--suite", "z"][..], "it has: s"),
        (&["run", "--suite", "s", "--subject", "orignal"], "did you mean \"original\"?"),
        (&["run", "--suite", "s", "--target", "ftp://x"], "nor the origin of a server"),
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
