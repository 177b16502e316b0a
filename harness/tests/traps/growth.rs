//! What growth says, and what it hides.

use std::process::Command;

use plimsoll_reports::derive::Figure;
use plimsoll_reports::record::{Sample, Status};

use super::{PAGE, SLACK, Stepping, as_measured, bare, told};
use crate::common::{Project, assert_code, at, ok, repository};

#[test]
fn a_cache_looks_like_a_leak_to_a_straight_line_and_not_to_the_smaller_of_two_segments() {
    const KEEPS: &str = "version = 1\n[[subject]]\nid = \"keeps\"\ncommand = [\"{target}/probe-keeps\"]\n";
    const SUITE: &str = r#"
[suite.s]
subjects = ["keeps"]
scenarios = ["chat"]
[[suite.s.matrix]]
probes = ["count"]
switches = ["default", "cache", "pool", "leak"]
"#;
    let project = Project::with_subjects(KEEPS, SUITE);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--samples", "1", "--out", "out"]), 0);
    let record = project.record("out");
    let cells = plimsoll_reports::derive::cells(&record);
    let of = |habit: &str| {
        let is = |switches: Option<&String>| switches.map_or("default", String::as_str) == habit;
        let sample = ok(&record).find(|sample| is(sample.cell.factors.get("switches"))).expect("measured");
        let cell = cells.iter().find(|cell| is(cell.cell.factors.get("switches"))).expect("figures");
        let live = |checkpoint: &str| at(sample, checkpoint, "heap.live");
        let slope = cell.figure(&Figure::slope("heap.live")).expect("a slope").stats.median;
        // From the start to the end, over all requests: as a leak is looked for who looks at two numbers.
        let line = (live("steady@256") - live("start")) as f64 / 256.0;
        (line, slope, live("dropped"))
    };
    let (idle, cache, pool, leak) = (of("default"), of("cache"), of("pool"), of("leak"));
    told(
        "caches",
        format_args!(
            "bytes a request by a straight line and by our slope: cache {:.0} and {}, pool {:.0} and {}, leak {:.0} and {}",
            cache.0, cache.1, pool.0, pool.1, leak.0, leak.1
        ),
    );
    // The trap: what is filled once seems to leak ten times as much as what leaks.
    assert!(cache.0 - idle.0 >= 700.0 && pool.0 - idle.0 >= 200.0 && leak.0 - idle.0 >= 70.0);
    // The remedy: warm, two segments, the smaller; and `dropped`, where only what leaked is left.
    assert_eq!((idle.1, cache.1, pool.1, leak.1), (0.0, 0.0, 0.0, 72.0));
    assert_eq!([cache.2 - idle.2, pool.2 - idle.2, leak.2 - idle.2], [0, 0, 256 * 72]);
}

#[test]
fn a_debug_build_takes_twice_the_memory_and_is_refused() {
    const SUBJECTS: &str = "version = 1\n[[subject]]\nid = \"debug\"\ncommand = [\"./debug\"]\n[[subject]]\nid = \"release\"\ncommand = [\"./release\"]\n";
    const SUITE: &str = "[suite.s]\nsubjects = [\"debug\", \"release\"]\nscenarios = [\"client\"]\n[[suite.s.matrix]]\nprobes = [\"rss\"]\n";
    let project = Project::with_subjects(SUBJECTS, SUITE);
    let source = repository().join("harness/tests/traps/rust/hands_on.rs");
    // The compiler that this test was built by.
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    for (name, options) in [("debug", &["-C", "debug-assertions=on"][..]), ("release", &["-O"])] {
        let built = Command::new(&rustc).args(options).arg("-o").arg(project.path().join(name)).arg(&source).status();
        assert!(built.expect("rustc comes with cargo").success(), "{name}");
    }
    // The trap: one source, two figures.
    let grown = |name: &str| {
        let mut subject = Stepping::start(as_measured(&bare(project.path().join(name))));
        subject.hear();
        let before = subject.read()["proc.anon"];
        assert_eq!(subject.ask("client"), "ok");
        subject.read()["proc.anon"] - before
    };
    let (debug, release) = (grown("debug"), grown("release"));
    told("debug builds", format_args!("{debug} B where the same source takes {release} B in a release"));
    assert!(debug >= 2 * release - SLACK && release > 16 * SLACK, "{debug} {release}");
    // The remedy: it is not measured.
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--samples", "1", "--out", "out"]), 3);
    let record = project.record("out");
    let of = |id: &str| record.samples.iter().find(|sample| sample.cell.subject == id).expect("a row");
    assert_eq!((of("release").status, of("debug").status), (Status::Ok, Status::Failed));
    assert!(of("debug").error.as_deref().is_some_and(|error| error.contains("debug build")), "{:?}", of("debug").error);
}

#[test]
fn one_thread_flatters_and_both_runtimes_stand_side_by_side() {
    const SUITE: &str = r#"
[suite.s]
subjects = ["original"]
scenarios = ["chat"]
[[suite.s.matrix]]
probes = ["rss"]
runtimes = ["current_thread", "multi_thread"]
"#;
    let project = Project::new(SUITE);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--samples", "1", "--out", "out"]), 0);
    let record = project.record("out");
    let growth = |runtime: &str| {
        let is = |sample: &&Sample| sample.cell.factors["runtime"] == runtime;
        let sample = ok(&record).find(is).expect("measured");
        at(sample, "steady@20", "proc.anon") - at(sample, "start", "proc.anon")
    };
    let (one, two) = (growth("current_thread"), growth("multi_thread"));
    told("runtimes", format_args!("{one} B of anonymous growth on one thread, {two} B with two workers"));
    // The trap: a figure that no service with worker threads has.
    assert!(two >= one + 8 * PAGE, "{one} {two}");
    // The remedy: whoever reads one reads the other.
    let page = String::from_utf8(plimsoll_reports::render(&record, plimsoll_reports::Format::Markdown)).expect("text");
    for runtime in ["current\\_thread", "multi\\_thread"] {
        assert!(page.lines().any(|line| line.starts_with("| original · ") && line.contains(runtime)), "{page}");
    }
}
