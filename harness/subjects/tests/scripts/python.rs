//! The Python subject: it works, and it is the one that the protocol's page shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::server::{Server, text};
use crate::common::{KEY, Subject, command, crc, pairs};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python/subject.py")
}

/// The subject's command, or `None` where there is no Python.
fn python(base_url: &str) -> Option<Command> {
    let mut start = interpreter(base_url)?;
    start.arg(source());
    Some(start)
}

/// Python without a program, or `None` where there is none; that is an error in CI, where there must be one.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(crate) fn interpreter(base_url: &str) -> Option<Command> {
    let there =
        Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if !there {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI must have a python3");
        eprintln!("skipped: there is no python3 on this machine");
        return None;
    }
    let mut start = command("python3", base_url);
    // `python3` may be a version manager's script, which needs these.
    for name in ["PATH", "HOME"] {
        start.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    Some(start)
}

#[test]
fn the_protocols_page_shows_the_very_file() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../PROTOCOL.md")).unwrap();
    let (_, example) = page.split_once("```python\n").expect("PROTOCOL.md has an example in Python");
    let (example, _) = example.split_once("```\n").unwrap();
    assert_eq!(example, fs::read_to_string(source()).unwrap());
}

#[test]
fn it_gives_the_right_answers() {
    let server = Server::start();
    let Some(start) = python(&format!("{}/s/chat", server.origin)) else { return };
    let mut subject = Subject::start(start);
    let greeting = pairs(&subject.greeting);
    assert_eq!([&greeting["subject"], &greeting["allocator"], &greeting["profile"]], ["python", "system", "release"]);
    subject.ready();
    for (ask, requests) in [("chat 20 1", 20), ("chat 40 20", 40), ("stream 3 1", 3), ("stream 40 20", 40)] {
        let answer = subject.ok(ask);
        assert_eq!((&answer["answered"], &answer["crc"]), (&requests.to_string(), &crc(requests, &text())), "{ask}");
    }
    subject.ok("idle");
    assert!(subject.ask("sing").starts_with("unsupported"));
    subject.ok("drop");
    let (status, said) = subject.exit();
    assert!(status.success() && !said.contains(KEY), "{said}");
    assert_eq!(server.seen(), (103, 103), "requests, and those with the key in its place");
}

#[test]
fn it_says_what_went_wrong_and_not_the_key() {
    let server = Server::start();
    for (prefix, ask, kind) in [("/refuse", "chat 2 1", "error status "), ("/refuse", "stream 2 2", "error status ")] {
        let Some(start) = python(&format!("{}{prefix}", server.origin)) else { return };
        let mut subject = Subject::start(start);
        subject.ready();
        let answer = subject.ask(ask);
        assert!(answer.starts_with(kind), "{prefix}, {ask}: {answer}");
        assert!(!subject.exit().1.contains(KEY));
    }
    let Some(start) = python("http://127.0.0.1:9") else { return };
    let mut subject = Subject::start(start);
    subject.ready();
    assert!(subject.ask("chat 1 1").starts_with("error transport "));

    let Some(mut start) = python("http://127.0.0.1:9") else { return };
    start.env("PLIMSOLL_HTTP", "h2");
    assert!(Subject::start(start).ask("runtime").starts_with("unsupported"));
}
