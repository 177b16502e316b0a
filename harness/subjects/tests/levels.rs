//! Every program of every level, driven as the harness drives it.

mod common;

use std::fs;

use common::count::Counters;
use common::server::{Server, text};
use common::{KEY, Subject, command, crc, levels, pairs, program};

const REQUESTS: [(&str, u64); 5] =
    [("chat 1 1", 1), ("chat 19 1", 19), ("stream 3 1", 3), ("chat 40 20", 40), ("stream 40 20", 40)];

#[test]
fn every_level_gives_the_right_answers_on_every_allocator_and_runtime() {
    for level in levels() {
        for (allocator, runtime) in [
            ("system", "current_thread"),
            ("system", "multi_thread"),
            ("jemalloc", "multi_thread"),
            ("dhat", "current_thread"),
        ] {
            let cell = format!("{level}-{allocator} on {runtime}");
            let server = Server::start();
            let mut start = command(program(&format!("{level}-{allocator}")), &format!("{}/s/chat", server.origin));
            start.env("PLIMSOLL_RUNTIME", runtime);
            let mut subject = Subject::start(start);
            let greeting = pairs(&subject.greeting);
            assert_eq!(
                [&greeting["subject"], &greeting["allocator"], &greeting["profile"]],
                [level, allocator, "release"]
            );
            subject.ready();
            for (ask, requests) in REQUESTS {
                let answer = subject.ok(ask);
                assert_eq!(answer["answered"], requests.to_string(), "{cell}: {ask}");
                assert_eq!(answer["crc"], crc(requests, &text()), "{cell}: {ask}");
            }
            subject.ok("idle");
            subject.ok("drop");
            let (status, said) = subject.exit();
            assert!(status.success(), "{cell}: {status}");
            assert!(!said.contains(KEY), "{cell}: {said}");
            let asked = REQUESTS.iter().map(|(_, requests)| requests).sum();
            assert_eq!(server.seen(), (asked, asked), "{cell}: requests, and those with the key in its place");
        }
    }
}

#[test]
fn a_rung_that_asks_nothing_is_made_and_dropped_and_says_that_it_cannot_ask() {
    if levels().len() == 1 {
        return; // the package of `libcurl` has no rungs
    }
    for rung in ["main", "tokio", "tokio-multi", "dns"] {
        let mut subject = Subject::start(command(program(&format!("rung-{rung}")), "http://127.0.0.1:9/s/chat"));
        assert_eq!(pairs(&subject.greeting)["subject"], rung);
        assert_eq!(subject.ask("client"), "error other the command `runtime` must come first");
        subject.ready();
        assert!(subject.ask("chat 1 1").starts_with("unsupported this program asks nothing"), "{rung}");
        subject.ok("idle");
        subject.ok("drop");
        assert!(subject.exit().0.success(), "{rung}");
    }
}

#[test]
fn every_level_says_what_went_wrong_and_not_the_key() {
    for level in levels() {
        let server = Server::start();
        for (prefix, ask, kinds) in [
            ("/refuse", "chat 2 1", &["error status "][..]),
            ("/refuse", "stream 2 2", &["error status "]),
            // How a cut is seen is the level's own business, but it must be seen.
            ("/cut", "stream 2 1", &["error transport ", "error answer "]),
        ] {
            let mut subject =
                Subject::start(command(program(&format!("{level}-system")), &format!("{}{prefix}", server.origin)));
            subject.ready();
            let answer = subject.ask(ask);
            assert!(kinds.iter().any(|kind| answer.starts_with(kind)), "{level}, {prefix}, {ask}: {answer}");
            let (status, said) = subject.exit();
            assert!(status.success() && !said.contains(KEY), "{level}, {prefix}, {ask}: {said}");
        }
        // Port 9 is the discard service, which nobody runs.
        let mut subject = Subject::start(command(program(&format!("{level}-system")), "http://127.0.0.1:9"));
        subject.ready();
        let answer = subject.ask("chat 20 20");
        assert!(answer.starts_with("error transport "), "{level}: {answer}");
    }
}

#[test]
fn a_levels_steady_requests_repeat_to_the_byte() {
    // Plain HTTP and one fixed answer: what varies with TLS and pacing is the harness's to hold still.
    let steady = |level: &str| {
        let server = Server::start();
        let mut start = command(program(&format!("{level}-system")), &server.origin);
        let counters = Counters::of(&mut start, level);
        let mut subject = Subject::start(start);
        subject.ready();
        subject.ok("chat 64 1");
        let before = counters.read();
        subject.ok("chat 64 1");
        let after = counters.read();
        (after.allocs - before.allocs, after.bytes - before.bytes)
    };
    for level in levels() {
        let first = steady(level);
        assert!(first.0 > 0, "{level}: {first:?}");
        for _ in 0..3 {
            assert_eq!(steady(level), first, "{level}");
        }
    }
}

#[test]
fn a_technique_that_a_level_does_not_know_is_refused() {
    for level in levels() {
        let mut start = command(program(&format!("{level}-system")), "http://127.0.0.1:9");
        start.env("PLIMSOLL_SWITCHES", "perpetual-motion");
        let mut subject = Subject::start(start);
        subject.ok("runtime");
        let answer = subject.ask("client");
        assert!(answer.starts_with("error other ") && answer.contains("perpetual-motion"), "{level}: {answer}");
    }
}

#[test]
fn jemalloc_is_read_back_and_read_afresh() {
    let server = Server::start();
    for level in levels() {
        let mut start = command(program(&format!("{level}-jemalloc")), &server.origin);
        start.env("_RJEM_MALLOC_CONF", "narenas:2,dirty_decay_ms:5000,muzzy_decay_ms:0,tcache:false");
        let mut subject = Subject::start(start);
        let greeting = pairs(&subject.greeting);
        let options =
            ["opt.narenas", "opt.dirty_decay_ms", "opt.muzzy_decay_ms", "opt.tcache"].map(|key| &greeting[key]);
        assert_eq!(options, ["2", "5000", "0", "false"], "{level}");
        let figure = |pairs: &std::collections::BTreeMap<String, String>, key: &str| pairs[key].parse::<u64>().unwrap();
        subject.ready();
        let before = subject.ok("chat 1 1");
        for key in ["allocated", "active", "metadata", "resident", "mapped"] {
            assert!(figure(&before, &format!("jemalloc.{key}")) > 0, "{level}: {key}");
        }
        // glibc's heap is still glibc's: jemalloc is prefixed.
        assert!(figure(&before, "cheap.live") > 0, "{level}");
        let after = subject.ok("drop");
        let [before, after] = [&before, &after].map(|pairs| figure(pairs, "jemalloc.allocated"));
        assert!(
            after < before,
            "{level}: the client's memory is given back, and the figures see it: {before} → {after}"
        );
    }
}

#[test]
fn dhat_writes_a_profile_that_names_the_level() {
    let server = Server::start();
    for level in levels() {
        let file =
            std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{level}-{}.dhat.json", std::process::id()));
        let mut start = command(program(&format!("{level}-dhat")), &server.origin);
        start.env("PLIMSOLL_DHAT_FILE", &file);
        let mut subject = Subject::start(start);
        subject.ready();
        let total = |pairs: &std::collections::BTreeMap<String, String>| pairs["dhat.total"].parse::<u64>().unwrap();
        let first = total(&subject.ok("chat 1 1"));
        assert!(total(&subject.ok("chat 9 1")) > first, "{level}");
        subject.ok("drop");
        assert!(subject.exit().0.success());
        let profile = fs::read_to_string(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert!(profile.contains("\"dhatFileVersion\""), "{level}");
        assert!(profile.contains(&format!("{}::client", module(level))), "{level}: whole stacks name its functions");
        assert!(!profile.contains(KEY), "{level}");
    }
}

/// Where a level's subject is, as stacks name it.
fn module(level: &str) -> String {
    if level == "libcurl" { "plimsoll_subjects_libcurl".to_owned() } else { format!("plimsoll_subjects::{level}") }
}

/// The processes that a subject has started.
fn helpers(subject: u32) -> Vec<u32> {
    let list = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    let threads = fs::read_dir(format!("/proc/{subject}/task")).unwrap().flatten().map(list);
    threads.flat_map(|list| list.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>()).collect()
}

#[test]
fn helpers_know_no_key_but_by_the_pipe_and_end_with_a_subject_that_is_killed() {
    // These tests are another package's, too.
    if !levels().contains(&"isolated") {
        return;
    }
    let server = Server::start();
    let mut subject = Subject::start(command(program("isolated-system"), &server.origin));
    subject.ready();
    assert_eq!(subject.ok("chat 3 1")["answered"], "3");
    let helpers = helpers(subject.id());
    assert_eq!(helpers.len(), 1);
    for file in ["cmdline", "environ"] {
        let told = fs::read(format!("/proc/{}/{file}", helpers[0])).unwrap();
        assert!(!String::from_utf8_lossy(&told).contains(KEY), "{file}");
    }
    // Dropped is killed, with nothing said to anybody.
    drop(subject);
    while fs::read_to_string(format!("/proc/{}/stat", helpers[0])).is_ok_and(|stat| !stat.contains(") Z ")) {
        std::thread::yield_now();
    }
}
