//! Subjects whose allocations are known, under the counting library: the figures are exact.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use common::count::{Counters, Slot};
use common::{Subject, command, program};
use plimsoll_subjects::probe;

/// What one request allocates: calls, bytes, and usable bytes that stay live.
fn per_request(subject: &str) -> (u64, u64, i64) {
    let mut start = command(program(subject), "http://127.0.0.1:9");
    let counters = Counters::of(&mut start, subject);
    let mut subject = Subject::start(start);
    subject.ready();
    subject.ok("chat 64 1");
    let before = counters.read();
    subject.ok("chat 64 1");
    let after = counters.read();
    let exact = |before: u64, after: u64| {
        assert_eq!((after - before) % 64, 0, "{before} → {after}");
        (after - before) / 64
    };
    (exact(before.allocs, after.allocs), exact(before.bytes, after.bytes), (after.live - before.live) / 64)
}

#[test]
fn one_more_vec_and_one_more_leak_per_request_are_seen_exactly() {
    // The worker itself: nothing at all.
    assert_eq!(per_request("probe-null"), (0, 0, 0));
    assert_eq!(per_request("probe-vec"), (1, probe::VEC as u64, 0));
    // glibc hands out 72 bytes for 64.
    assert_eq!(per_request("probe-leak"), (1, probe::LEAK as u64, 72));
}

#[test]
fn what_rust_code_holds_is_said_for_the_ledger_and_for_nothing_else() {
    let mut silent = Subject::start(command(program("probe-leak"), "http://127.0.0.1:9"));
    assert!(!silent.ok("runtime").contains_key("rust.live"));
    let mut start = command(program("probe-leak"), "http://127.0.0.1:9");
    start.env("PLIMSOLL_LEDGER", "1");
    let mut subject = Subject::start(start);
    subject.ready();
    subject.ok("chat 64 1");
    let held = |pairs: &BTreeMap<String, String>| -> [i64; 2] {
        ["rust.live", "rust.usable"].map(|metric| pairs[metric].parse().unwrap())
    };
    let (before, after) = (held(&subject.ok("chat 64 1")), held(&subject.ok("chat 100 1")));
    assert_eq!(after[0] - before[0], 100 * probe::LEAK as i64);
    assert_eq!(after[1] - before[1], 100 * 72);
}

#[test]
fn a_mebibyte_of_c_is_seen_exactly() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let program = folder.join(format!("malloc1m-{}", std::process::id()));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/c/malloc1m.c");
    let compiled = Command::new("cc").args(["-O1", "-Wall", "-Werror", source, "-o"]).arg(&program).status();
    assert!(compiled.expect("this test needs a C compiler, as building the project does: install cc").success());
    let mut start = command(&program, "http://127.0.0.1:9");
    let counters = Counters::of(&mut start, "malloc1m");
    let mut subject = Subject::start(start);
    subject.ok("runtime");
    let before = counters.read();
    subject.ok("client");
    let client = counters.read();
    assert_eq!((client.bytes - before.bytes, client.allocs - before.allocs), (1_048_576, 1));
    assert_eq!(subject.ok("chat 20 1")["answered"], "20");
    subject.ok("drop");
    let after = counters.read();
    assert_eq!(after, Slot { frees: client.frees + 1, live: before.live, ..client });
    assert!(subject.exit().0.success());
    std::fs::remove_file(program).unwrap();
}
