//! The worker leaves no trace of itself in the figures: counted by a subject that allocates nothing.

mod common;

use common::{Subject, pairs_of};

const ALLOCS: &str = "own.allocs";

#[test]
fn requests_one_after_the_other_cost_the_worker_no_allocation() {
    for runtime in ["current_thread", "multi_thread"] {
        let mut subject = Subject::start("counted", runtime);
        subject.ok("runtime");
        subject.ok("client");
        // Until the runtime's threads have started and come to rest.
        let before = subject.ok("idle")[ALLOCS];
        // Not only none per request: none per command either.
        for command in ["chat 1 1", "chat 1000 1", "chat 1000 1"] {
            assert_eq!(subject.ok(command)[ALLOCS], before, "{command}, {runtime}");
        }
        // What gives way is put on a list that tokio makes anew for each `block_on`.
        assert!(subject.ok("stream 1000 1")[ALLOCS] - before <= 2, "{runtime}");
    }
}

#[test]
fn the_greeting_is_all_that_happens_before_start() {
    let mut subject = Subject::start("counted", "current_thread");
    let start = pairs_of(&subject.greeting.split_once("own.").map(|(_, rest)| format!("own.{rest}")).unwrap())[ALLOCS];
    // What Rust's own start-up makes before `main`, and no more.
    assert!(start <= 8, "{start} allocations before start");
    let runtime = subject.ok("runtime")[ALLOCS];
    // The environment's ten texts on their way to the client, the request's two, the client's handle, the sum.
    let client = subject.ok("client")[ALLOCS] - runtime;
    assert!(client <= 32, "{client} allocations at client");
}

#[test]
fn requests_in_flight_are_bounded_and_really_at_the_same_time() {
    let mut subject = Subject::start("counted", "current_thread");
    subject.ok("runtime");
    subject.ok("client");
    assert_eq!(subject.ok("stream 10 1")["own.in_flight"], 1);
    let before = subject.ok("stream 200 7");
    assert_eq!(before["own.in_flight"], 7);
    // A task for each request in flight, and the list of them: nothing for a request.
    let after = subject.ok("stream 2000 7");
    let more = subject.ok("stream 200 7");
    assert_eq!(more[ALLOCS] - after[ALLOCS], after[ALLOCS] - before[ALLOCS]);
}
