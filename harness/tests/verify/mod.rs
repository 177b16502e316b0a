//! `plimsoll verify`: what clients say they understood is held against what was served, and what is wrong is named.

use std::path::PathBuf;

use super::common::{Project, assert_code, repository, said};

const CONFORMANCE: [&str; 4] = ["verify", "--only", "conformance", "--no-build"];

/// The recorded traffic beside the project, where it is there.
fn traffic() -> Option<PathBuf> {
    let folder = repository().join("../shared/traffic");
    folder.join("MANIFEST.tsv").is_file().then_some(folder)
}

/// A project with one client that says what it understood.
fn client(id: &str, command: &[&str]) -> Project {
    Project::with_subjects(
        &format!("version = 1\n[[subject]]\nid = {id:?}\ncommand = [\"/none\"]\nverify = {command:?}"),
        "",
    )
}

#[test]
fn every_level_understands_every_fixture_as_a_plain_reading_does() {
    let project = Project::new("");
    let mut command = project.command(&CONFORMANCE);
    command.current_dir(repository());
    if let Some(folder) = traffic() {
        command.arg("--traffic").arg(folder);
    }
    let verified = command.output().expect("plimsoll starts");
    assert_code(&verified, 0);
    let said = said(&verified);
    // What a level may lack is the visitor form; each does all that is owned, and none is silently left out.
    for lacks in said.lines().filter_map(|line| line.split_once("; it has no ")) {
        assert!(lacks.1.split(", ").all(|what| what.ends_with(":visited")), "{}: {}", lacks.0, lacks.1);
    }
    for level in ["original h1", "original h2", "optimized h2", "ultra h1", "ultra h2", "bare h1"] {
        assert!(said.lines().any(|line| line.starts_with(&format!("ok  {level}: "))), "{level}: {said}");
    }
    let summary = said.lines().last().unwrap_or_default();
    assert!(summary.contains(" levels × ") && summary.contains(" checks agree, 0 do not"), "{summary}");
}

#[test]
fn a_level_that_loses_one_field_is_found_out_by_level_fixture_and_json_path() {
    let project = client("forgetful", &["{target}/conform", "probe-forgetful"]);
    let verified = project.plimsoll(&CONFORMANCE);
    assert_code(&verified, 3);
    let said = said(&verified);
    let wrong: Vec<&str> = said.lines().filter(|line| line.starts_with("NOT forgetful h1: ")).collect();
    for (place, served) in [
        ("own/chat: generateContent: $.usageMetadata.totalTokenCount", "served "),
        ("own/stream: streamGenerateContent?alt=sse: $[0].usageMetadata.totalTokenCount", "served "),
        ("own/everything: streamGenerateContent: $[0].usageMetadata.totalTokenCount", "served 59, said nothing"),
        ("own/cached-content: cachedContents.get: $.usageMetadata.totalTokenCount", "served 4096, said nothing"),
    ] {
        assert!(wrong.iter().any(|line| line.contains(&format!("{place}: {served}"))), "{place}: {said}");
    }
    // Nothing else is said to be wrong.
    let elsewhere =
        wrong.iter().filter(|line| !line.contains("totalTokenCount: served") && !line.contains("more places"));
    assert_eq!(elsewhere.count(), 1, "only the sum of the lane: {said}");
}

#[test]
fn a_client_that_hangs_dies_or_talks_nonsense_is_named_with_the_fixture() {
    let greeting = "echo plimsoll 1 subject=x allocator=system profile=release build=1";
    // Only who hangs is not waited for: on a busy machine the others may take longer.
    for (talk, patience, why) in [
        ("read question; read nothing_more", "2", "no answer within 2 s"),
        ("read question; echo it broke >&2; exit 7", "60", "it exited with status 7; it said: it broke"),
        ("while read question; do echo maybe; done", "60", "it answered \"maybe\", not `ok`"),
        ("while read question; do echo \"ok {\\\"say\\\":$GEMINI_API_KEY}\"; done", "60", "unknown field `say`"),
    ] {
        let project = client("odd", &["sh", "-c", &format!("{greeting}; {talk}")]);
        let verified = project.command(&CONFORMANCE).args(["--timeout", patience]).output().expect("plimsoll starts");
        assert_code(&verified, 3);
        let said = said(&verified);
        let first = said.lines().next().unwrap_or_default();
        assert!(first.starts_with("NOT odd h1: own/") && first.contains(why), "{why}: {said}");
        assert!(said.contains("not asked: it was lost 3 times"), "{why}: {said}");
        assert!(!said.contains("verify-key"), "{said}");
    }
}

#[test]
fn who_says_the_key_or_cannot_be_asked_is_told_of() {
    let talk = "echo plimsoll 1 subject=x allocator=system profile=release build=1; while read say question base; do \
                case $question in countTokens) echo \"ok {\\\"says\\\":{\\\"totalTokens\\\":\\\"$GEMINI_API_KEY\\\"}}\";; \
                *) echo unsupported $question;; esac; done";
    let project = client("leaky", &["sh", "-c", talk]);
    let verified = project.plimsoll(&CONFORMANCE);
    assert_code(&verified, 3);
    let said = said(&verified);
    assert!(
        said.contains("NOT leaky h1: own/tokens: countTokens: the whole line: served nothing, said \"the key\""),
        "{said}"
    );
    assert!(said.contains("; it has no generateContent, "), "{said}");
    assert!(!said.contains("verify-key"), "{said}");
}
