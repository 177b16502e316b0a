//! Anybody on the machine may read the arguments of a process: no process of a run has the key among them.

use crate::common::{Project, assert_code};

const CANARY: &str = "canary-that-no-argument-may-hold-0123";

/// A subject that writes down the arguments of every process on the machine, while the harness and the mock run beside it.
const LOOKER: &str = r#"
version = 1
[[subject]]
id = "looker"
command = ["sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' > 'PROJECT/seen'; exit 1"]
[suite.s]
subjects = ["looker"]
scenarios = ["chat"]
[[suite.s.matrix]]
probes = ["rss"]
"#;

#[test]
fn no_argument_of_harness_mock_or_subject_is_the_key() {
    let project = Project::new("");
    let here = project.path().to_string_lossy().into_owned();
    std::fs::write(project.path().join("plimsoll.toml"), LOOKER.replace("PROJECT", &here)).expect("writable");
    for (target, named) in [("mock", "PLIMSOLL_MOCK_KEY"), ("http://127.0.0.1:9", "GEMINI_API_KEY")] {
        let args = ["run", "--suite", "s", "--samples", "1", "--target", target, "--out", named];
        let run = project.command(&args).env(named, CANARY).output().expect("plimsoll starts");
        assert_code(&run, 3);
        let seen = std::fs::read_to_string(project.path().join("seen")).expect("it looked");
        let has = |word: &str| seen.lines().any(|line| line == word);
        assert!(has("run") && has("subject") && (has("mock") || target != "mock"), "{seen}");
        assert!(!seen.contains(CANARY));
    }
}
