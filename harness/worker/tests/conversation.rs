//! A subject speaks the protocol as `PROTOCOL.md` says.

mod common;

use common::{KEY, PROMPT, Subject};

#[test]
fn the_subject_of_the_documentation_answers_as_it_must() {
    for runtime in ["current_thread", "multi_thread"] {
        let mut subject = Subject::start("echo", runtime);
        let greeting = subject.greeting.clone();
        assert!(
            greeting.starts_with("plimsoll 1 subject=plimsoll-worker allocator=system profile=release build=0.1.0+")
        );
        assert_eq!(subject.ask("runtime"), "ok");
        assert_eq!(subject.ask("client"), "ok");
        let crc = u64::from(crc32fast::hash(PROMPT.as_bytes()));
        for (command, requests) in
            [("chat 1 1", 1), ("chat 19 1", 19), ("stream 5 1", 5), ("chat 40 20", 40), ("stream 3 64", 3)]
        {
            let pairs = subject.ok(command);
            assert_eq!((pairs["answered"], pairs["crc"]), (requests, crc * requests), "{command}, {runtime}");
            let times = ["p50_us", "p90_us", "p99_us", "max_us"].map(|key| pairs[key]);
            assert!(times.is_sorted(), "{times:?}");
        }
        assert_eq!(subject.ask("idle"), "ok");
        assert_eq!(subject.ask("drop"), "ok");
        subject.tell("exit");
        let (rest, status) = subject.end();
        assert_eq!((rest.as_str(), status.code()), ("", Some(0)));
    }
}

#[test]
fn the_end_of_the_input_is_the_end_of_the_subject() {
    let mut subject = Subject::start("echo", "multi_thread");
    subject.ok("runtime");
    let (rest, status) = subject.end();
    assert_eq!((rest.as_str(), status.code()), ("", Some(0)));
}

#[test]
fn a_client_whose_thread_never_ends_cannot_keep_the_process() {
    for last in [None, Some("exit")] {
        let mut subject = Subject::start("failing", "multi_thread");
        subject.ok("runtime");
        subject.ok("client");
        if let Some(command) = last {
            subject.tell(command);
        }
        // Would wait for ever if the runtime were dropped.
        let (rest, status) = subject.end();
        assert_eq!((rest.as_str(), status.code()), ("", Some(0)));
    }
}

#[test]
fn what_is_out_of_order_or_unknown_is_said_and_not_done() {
    let mut subject = Subject::start("echo", "current_thread");
    assert_eq!(subject.ask("client"), "error other the command `runtime` must come first");
    assert_eq!(subject.ask("chat 1 1"), "error other the command `client` must come first");
    for unknown in ["", "chat", "chat 1", "chat x 1", "chat -1 1", "sing 1 1"] {
        let answer = subject.ask(unknown);
        assert!(answer.starts_with(&format!("unsupported command `{unknown}`")), "{answer}");
    }
    subject.ok("runtime");
    assert_eq!(subject.ask("idle"), "ok");
    let mut subject = Subject::start("echo", "smol");
    assert!(subject.ask("runtime").starts_with("unsupported PLIMSOLL_RUNTIME `smol`"));
}

#[test]
fn a_failure_is_one_line_of_its_kind_without_the_key() {
    let mut subject = Subject::start("failing", "multi_thread");
    subject.ok("runtime");
    subject.ok("client");
    for in_flight in [1, 8] {
        let answer = subject.ask(&format!("chat 16 {in_flight}"));
        assert_eq!(answer, "error other no route to http://127.0.0.1:9/s/chat?key=[key]");
        let answer = subject.ask(&format!("stream 16 {in_flight}"));
        assert_eq!(answer, "error timeout gave up with [key]");
        assert!(!answer.contains(KEY));
    }
}
