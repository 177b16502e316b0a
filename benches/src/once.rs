//! The benches of a program as one test of a test runner's: nextest starts a process for each test, and each would start a mock.

use criterion::measurement::Measurement;
use criterion::{BenchmarkFilter, Criterion};

const NAME: &str = "every_bench_runs_once";

/// Answers a test runner that asks for the tests there are; whether it did, and nothing is left to do.
#[must_use]
#[expect(clippy::print_stdout, reason = "a test runner reads it there")]
pub fn listed() -> bool {
    let asked = |word: &str| std::env::args().any(|argument| argument == word);
    let is_runner = asked("--list") && !asked("--bench");
    if is_runner && !asked("--ignored") {
        println!("{NAME}: test");
    }
    is_runner
}

/// Criterion as the command line says. Without `--bench` it runs everything once and measures nothing.
#[must_use]
pub fn configured<M: Measurement>(criterion: Criterion<M>) -> Criterion<M> {
    let criterion = criterion.configure_from_args();
    match std::env::args().any(|argument| argument == NAME) {
        true => criterion.with_benchmark_filter(BenchmarkFilter::AcceptAll),
        false => criterion,
    }
}
