//! What a live run refuses, and what it makes of refusals: each before it is expensive, with what to do.

use crate::common::{Project, assert_code, said};
use crate::identity::{StandIn, authority, text};
use crate::rehearsal::{KEY, LIVE, live};

/// Should something be sent where nothing may be, it finds nobody.
const NOBODY: &str = "generativelanguage.googleapis.com:9:127.0.0.1";

/// What was said, with the exit status `code`; the key is not in it.
fn refused(run: &std::process::Output, code: i32, wanted: &[&str]) {
    assert_code(run, code);
    let told = said(run);
    for words in wanted {
        assert!(told.contains(words), "{words:?} is missing: {told}");
    }
    assert!(!told.contains(KEY), "{told}");
    assert_eq!(told.lines().filter(|line| line.contains("error:")).count(), 1, "{told}");
}

#[test]
fn without_a_key_or_with_an_empty_one_nothing_is_begun() {
    let project = Project::new(LIVE);
    let run = |key: Option<&str>| {
        let mut command = project.command(&["run", "--target", "live", "--out", "out"]);
        command.args(["--resolve", NOBODY, "--max-requests", "200"]);
        match key {
            Some(key) => command.env("GEMINI_API_KEY", key),
            None => command.env_remove("GEMINI_API_KEY"),
        };
        command.output().expect("plimsoll starts")
    };
    refused(&run(None), 2, &["GEMINI_API_KEY is not set", "https://aistudio.google.com/apikey", "nothing was sent"]);
    for key in ["", " ", "a key\n"] {
        refused(&run(Some(key)), 2, &["GEMINI_API_KEY", "set it to a key from https://aistudio.google.com/apikey"]);
    }
    assert!(!project.path().join("out").exists());
}

#[test]
fn a_key_that_the_api_refuses_ends_the_run_after_one_request() {
    for (script, words) in [("error-400-key", "API_KEY_INVALID"), ("error-403", "403")] {
        let project = Project::new(LIVE);
        let mut stand_in = StandIn::serving(script);
        let run = live(&project, &stand_in, &["--rate", "60000", "--max-requests", "200"]);
        refused(&run, 3, &["the API refuses the key: check GEMINI_API_KEY", words]);
        assert_eq!(stand_in.mock.stats().requests, 1);
    }
}

#[test]
fn a_quota_that_is_used_up_and_a_model_that_is_not_there_end_it_too() {
    for (script, wanted) in [
        ("error-429", &["quota", "--resume", "--rate"][..]),
        ("error-404", &["--model"]),
        ("error-503", &["refuses the first request"]),
        ("chat+cut=50%", &["was not answered"]),
    ] {
        let project = Project::new(LIVE);
        let mut stand_in = StandIn::serving(script);
        refused(&live(&project, &stand_in, &["--rate", "60000", "--max-requests", "200"]), 3, wanted);
        assert_eq!(stand_in.mock.stats().requests, 1, "{script}");
    }
}

#[test]
fn an_answer_without_a_text_does_not_count() {
    let project = Project::new(LIVE);
    let stand_in = StandIn::serving("empty");
    let run = live(&project, &stand_in, &["-E", "original/live-chat", "-E", "protocol=h1", "--rate", "60000"]);
    refused(&run, 3, &["the answer to request 1 has no text"]);
}

#[test]
fn more_requests_than_the_cap_are_refused_before_the_first() {
    let project = Project::new(LIVE);
    let mut stand_in = StandIn::serving("chat");
    let run = live(&project, &stand_in, &[]);
    refused(&run, 2, &["would make 200 requests", "the cap is 150", "--max-requests 200", "nothing was sent"]);
    // What it would cost can be asked for.
    let dry = live(&project, &stand_in, &["--dry-run", "--max-requests", "200"]);
    assert_code(&dry, 0);
    assert!(said(&dry).contains("at most 8 a minute: about 25 min"), "{}", said(&dry));
    assert_eq!(stand_in.mock.stats().connections_total, 0);
    assert!(!project.path().join("out").exists());
}

#[test]
fn whoever_cannot_show_the_services_certificate_gets_no_key() {
    let project = Project::new(LIVE);
    let other = project.path().join("other.pem");
    std::fs::write(&other, authority().pem()).expect("writable");
    let mut elsewhere = StandIn::named("elsewhere.plimsoll.test", "chat");
    let mut unknown = StandIn::serving("chat");
    unknown.ca = other;
    for stand_in in [&mut elsewhere, &mut unknown] {
        for subject in ["original", "ultra", "bare"] {
            let run = live(&project, stand_in, &["--subject", subject, "--max-requests", "200", "--rate", "60000"]);
            refused(&run, 3, &["certificate", "was not answered"]);
            std::fs::remove_dir_all(project.path().join("out")).expect("a folder");
        }
        let stats = stand_in.mock.stats_after_refusals(3);
        assert_eq!((stats.requests, stats.keys.len()), (0, 0));
    }
}

#[test]
fn what_does_not_go_together_is_said() {
    let project = Project::new(LIVE);
    let stand_in = StandIn::serving("chat");
    let ca = text(&stand_in.ca);
    for (args, wanted) in [
        (&["--target", "mock", "--ca", &ca][..], "are for other targets"),
        (&["--target", "live", "--resolve", "localhost:1:127.0.0.1"], "the host is generativelanguage.googleapis.com"),
        (&["--target", "live", "--resolve", "nonsense"], "HOST:PORT:ADDR"),
        (&["--target", "live", "--resolve", NOBODY, "--ca", "plimsoll.toml"], "no certificate in it"),
        (&["--target", "live", "--resolve", NOBODY, "--rate", "0"], "--rate"),
    ] {
        let args = [&["run", "--suite", "live", "--max-requests", "200", "--out", "out"], args].concat();
        let run = project.command(&args).env("GEMINI_API_KEY", KEY).output().expect("plimsoll starts");
        refused(&run, 2, &[wanted]);
    }
}
