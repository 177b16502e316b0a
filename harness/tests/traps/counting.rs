//! Which calls are counted, and whether they repeat.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll::mock::certs::trust_bundle_pem;
use plimsoll::probe::Metrics;
use plimsoll_reports::record::Status;

use super::{Stepping, Workshop, as_measured, counted, counts, difference, told};
use crate::common::{Project, assert_code, build, target};
use crate::mock_support::{KEY, Mock};

/// Requests over which a steady one is told.
const REQUESTS: i64 = 64;

/// A level's program as a run starts it, but that its server is reached without TLS.
pub(super) fn level(name: &str, base_url: &str) -> Command {
    let mut command = super::bare(target().join("release").join(name));
    for (name, value) in [
        ("PLIMSOLL_PROTOCOL", "1"),
        ("PLIMSOLL_BASE_URL", base_url),
        ("PLIMSOLL_MODEL", "gemini-2.5-flash"),
        ("PLIMSOLL_PROMPT", "Why do ships carry a load line?"),
        ("PLIMSOLL_HTTP", "h1"),
        ("PLIMSOLL_CRYPTO", "aws-lc"),
        ("PLIMSOLL_RUNTIME", "current_thread"),
        ("PLIMSOLL_SWITCHES", "default"),
        ("MALLOC_ARENA_MAX", "1"),
        ("GEMINI_API_KEY", KEY),
    ] {
        command.env(name, value);
    }
    command
}

/// The same over TLS, trusting `bundle`.
fn secured(name: &str, mock: &Mock, bundle: &Path) -> Command {
    let mut command = level(name, &format!("https://localhost:{}/s/chat", mock.port));
    command.env("PLIMSOLL_CA", bundle).env("PLIMSOLL_RESOLVE", format!("localhost:{}:127.0.0.1", mock.port));
    command
}

/// `original` under the counting library, its client made.
fn made(mut command: Command, folder: &Path) -> (Stepping, plimsoll::probe::count::Counters) {
    let counters = counted(&mut command, folder);
    let mut subject = Stepping::start(as_measured(&command));
    assert!(subject.hear().starts_with("plimsoll 1 "));
    for command in ["runtime", "client"] {
        assert!(subject.ask(command).starts_with("ok"));
    }
    (subject, counters)
}

/// What 64 steady requests of `original` to a script allocate, and how each was answered.
fn steady(mock: &Mock, script: &str, work: &str, answer: &str) -> Metrics {
    let workshop = Workshop::new();
    let url = format!("http://127.0.0.1:{}/s/{script}", mock.port);
    let (mut subject, counters) = made(level("original-system", &url), workshop.path());
    let mut ask = || {
        for _ in 0..REQUESTS {
            let said = subject.ask(&format!("{work} 1 1"));
            assert!(said.starts_with(answer), "{script}: {said}");
        }
        counts(&counters, subject.id())
    };
    let before = ask();
    difference(&before, &ask())
}

#[test]
fn a_request_that_failed_is_cheap_and_its_sample_counts_for_nothing() {
    build();
    let mock = Mock::start();
    let answered = steady(&mock, "chat", "chat", "ok answered=1");
    // The trap: who passes over errors has these as his figures.
    let failed = steady(&mock, "chat+status=500", "chat", "error status ");
    let share = |metric: &str| failed[metric] * 100 / answered[metric];
    told(
        "failed requests",
        format_args!(
            "{} B and {} allocations a request, {} and {} of one that is answered: {} % and {} %",
            failed["heap.bytes"] / REQUESTS,
            failed["heap.allocs"] / REQUESTS,
            answered["heap.bytes"] / REQUESTS,
            answered["heap.allocs"] / REQUESTS,
            share("heap.bytes"),
            share("heap.allocs"),
        ),
    );
    assert!(share("heap.bytes") <= 90, "{failed:?} {answered:?}");
    // The remedy: no figure at all.
    let project = Project::new(
        "[suite.s]\nsubjects = [\"original\"]\nscenarios = [\"chat\"]\n[[suite.s.matrix]]\nprobes = [\"count\"]\n",
    );
    let run = ["run", "--suite", "s", "--samples", "1", "--fault", "status=500", "--out", "out"];
    assert_code(&project.plimsoll(&run), 3);
    let record = project.record("out");
    assert_eq!(record.samples[0].status, Status::Failed);
    assert!(plimsoll_reports::derive::cells(&record).iter().all(|cell| cell.metrics().is_empty()));
}

#[test]
fn counts_follow_how_an_answer_is_cut_and_in_lock_step_each_cut_repeats() {
    build();
    let mock = Mock::start();
    let allocs = |script: &str| steady(&mock, script, "stream", "ok answered=1")["heap.allocs"];
    // The trap: the same answer in other pieces.
    let (events, pieces) = (allocs("stream"), allocs("stream+split=64"));
    // And in pieces that nobody decided on: as fast as they can be sent, so that a read finds what has come.
    let unpaced: BTreeSet<i64> = (0..3).map(|_| allocs("stream+lockstep=off")).collect();
    told(
        "split points",
        format_args!(
            "{events} allocations for 64 streams with an event to a record, {pieces} in pieces of 64 B, {unpaced:?} unpaced"
        ),
    );
    assert!((pieces - events).abs() * 100 >= events, "{events} {pieces}");
    assert!(unpaced.iter().any(|allocs| *allocs != events), "{events} {unpaced:?}");
    // The remedy: the same pieces, the same count.
    assert_eq!((allocs("stream"), allocs("stream+split=64")), (events, pieces));
}

#[test]
fn a_counter_of_rust_s_allocator_misses_what_c_takes() {
    build();
    let (mock, workshop) = (Mock::start(), Workshop::new());
    let bundle = pinned(&workshop);
    // The trap: as Rust's allocator sees the first answer, handshake and all.
    let mut rust = Stepping::start(as_measured(&secured("original-dhat", &mock, &bundle)));
    rust.hear();
    let of = |line: &str, key: &str| -> i64 {
        let pair = line.split(' ').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        pair.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{key}: {line}"))
    };
    rust.ask("runtime");
    let before = rust.ask("client");
    let after = rust.ask("chat 1 1");
    let [blocks, bytes] = ["dhat.blocks", "dhat.total"].map(|key| of(&after, key) - of(&before, key));
    // The remedy: as the C library's `malloc` sees it.
    let (mut subject, counters) = made(secured("original-system", &mock, &bundle), workshop.path());
    let before = counts(&counters, subject.id());
    assert!(subject.ask("chat 1 1").starts_with("ok answered=1"));
    let all = difference(&before, &counts(&counters, subject.id()));
    let missed = all["heap.allocs"] - blocks;
    told(
        "C",
        format_args!(
            "{blocks} allocations of {bytes} B by Rust's allocator for the first answer of `original` over AWS-LC, {} of {} B by `malloc`: {} % and {} % missed",
            all["heap.allocs"],
            all["heap.bytes"],
            missed * 100 / all["heap.allocs"],
            (all["heap.bytes"] - bytes) * 100 / all["heap.bytes"]
        ),
    );
    assert!(missed * 10 >= all["heap.allocs"], "{missed} of {all:?}");
}

#[test]
fn each_root_that_a_machine_trusts_costs_allocations_and_all_cells_trust_the_same() {
    build();
    let (mock, workshop) = (Mock::start(), Workshop::new());
    let whole = pinned(&workshop);
    let (pem, roots) = trust_bundle_pem();
    let one = workshop.path().join("one.pem");
    let end = pem.find("-----END CERTIFICATE-----").expect("a certificate") + "-----END CERTIFICATE-----\n".len();
    std::fs::write(&one, &pem[..end]).expect("writable");
    let client = |bundle: &Path| {
        let (subject, counters) = made(secured("original-system", &mock, bundle), workshop.path());
        counts(&counters, subject.id())["heap.allocs"]
    };
    // The trap: the same program, on a machine that trusts fewer.
    let (few, many) = (client(&one), client(&whole));
    told(
        "roots",
        format_args!("{few} allocations until the client of `original` is made with one root, {many} with {roots}"),
    );
    assert!(many - few >= 2 * (i64::from(roots) - 1), "{few} {many} {roots}");
    // The remedy: one bundle, the same in every run, named by its digest.
    assert_eq!(client(&whole), many);
    assert_eq!(plimsoll::run::trust_bundle().1, plimsoll::run::trust_bundle().1);
    assert_eq!(plimsoll::run::trust_bundle().1.roots, roots);
}

/// The trust bundle as a file.
fn pinned(workshop: &Workshop) -> PathBuf {
    let path = workshop.path().join("ca.pem");
    std::fs::write(&path, trust_bundle_pem().0).expect("writable");
    path
}
