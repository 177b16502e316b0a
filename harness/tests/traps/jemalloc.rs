//! What jemalloc's figures mean, and allocators beside each other.

use std::collections::BTreeMap;
use std::process::Command;

use plimsoll_reports::allocators::WARNING;
use plimsoll_reports::record::Status;
use plimsoll_reports::{Format, render};

use super::{PAGE, Stepping, Workshop, as_measured, bare, field, told};
use crate::common::{Project, assert_code, build, ok, repository, said, target};

/// What `jemalloc-tuned` sets: nothing is kept back, so that what is allocated is what was asked for.
const TUNED: &str = "narenas:1,tcache:false,dirty_decay_ms:0,muzzy_decay_ms:0,background_thread:false,thp:never";

/// A program that takes `count` blocks of `bytes` from jemalloc at `client`.
fn takes(bytes: u64, count: u64, options: &str) -> Command {
    let mut command = bare(target().join("release/probe-jemalloc"));
    command.args([bytes.to_string(), count.to_string()]).env("_RJEM_MALLOC_CONF", options);
    command
}

/// A program at its greeting, and what it said there.
fn greeted(command: &Command) -> (Stepping, BTreeMap<String, String>) {
    let mut subject = Stepping::start(as_measured(command));
    let greeting = subject.hear();
    assert!(greeting.starts_with("plimsoll 1 "), "{greeting}");
    (subject, pairs(&greeting))
}

fn pairs(line: &str) -> BTreeMap<String, String> {
    line.split(' ')
        .filter_map(|word| word.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// A figure of an answer, bytes.
fn of(answer: &BTreeMap<String, String>, key: &str) -> i64 {
    answer.get(key).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{key}: {answer:?}"))
}

#[test]
fn jemalloc_s_figures_are_those_of_the_last_epoch_and_ours_are_of_the_moment() {
    build();
    const TAKEN: i64 = 1 << 20;
    let (mut subject, _) = greeted(&takes(TAKEN as u64, 1, TUNED));
    let before = pairs(&subject.ask("runtime"));
    let after = pairs(&subject.ask("client"));
    let (naive, ours) = (of(&after, "naive.allocated"), of(&after, "jemalloc.allocated"));
    let allocated = of(&before, "jemalloc.allocated");
    told(
        "epoch",
        format_args!(
            "{} B more by the plain reading when {TAKEN} B were taken, {} B by ours",
            naive - allocated,
            ours - allocated
        ),
    );
    // The trap: as if nothing had happened. The remedy: the block, and one of 32 B that it is kept in.
    assert_eq!((naive - allocated, ours - allocated), (0, TAKEN + 32));
}

#[test]
fn jemalloc_counts_what_its_caches_took_in_advance_as_allocated() {
    build();
    const TAKEN: i64 = 640;
    let allocated = |options: &str| {
        let (mut subject, _) = greeted(&takes(TAKEN as u64, 1, options));
        let before = pairs(&subject.ask("runtime"));
        let after = pairs(&subject.ask("client"));
        let [allocated, cached] =
            ["jemalloc.allocated", "jemalloc.cached"].map(|key| of(&after, key) - of(&before, key));
        (allocated, cached)
    };
    let ((naive, cached), (truth, _)) = (allocated(""), allocated(TUNED));
    told(
        "tcache",
        format_args!(
            "{naive} B allocated for {truth} B of blocks: {:.1} times as much; {cached} B of it in the thread's cache",
            naive as f64 / truth as f64
        ),
    );
    // The trap: a cache that takes blocks by the dozen. The remedy: without it to the byte; and with it, apart from what it holds, too.
    assert!(naive >= 4 * truth, "{naive} {truth}");
    assert_eq!((truth, naive - cached), (TAKEN + 32, TAKEN + 32));
}

#[test]
fn jemalloc_makes_arenas_by_the_cpus_and_gives_pages_back_by_the_clock_unless_it_is_told() {
    build();
    const TAKEN: i64 = 4096 * 4096;
    let arenas = |options: &str| of(&greeted(&takes(1, 1, options)).1, "opt.narenas");
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as i64;
    let kept = |options: &str| {
        let (mut subject, _) = greeted(&takes(4096, 4096, options));
        subject.ask("runtime");
        let before = subject.read()["proc.anon"];
        subject.ask("client");
        let after = pairs(&subject.ask("drop"));
        (subject.read()["proc.anon"] - before, of(&after, "jemalloc.dirty"))
    };
    let ((left, dirty), (tuned, _)) = (kept(""), kept(TUNED));
    told("arenas", format_args!("{} arenas on {cpus} CPUs, {} as told", arenas(""), arenas(TUNED)));
    told(
        "decay",
        format_args!(
            "{left} B of {TAKEN} B are resident when all were given back, of which jemalloc.dirty tells {dirty} B; {tuned} B where it is told to keep none"
        ),
    );
    // The traps: four for each CPU; and pages that stay for seconds, of which half may have gone already on a slow machine.
    assert_eq!(arenas(""), if cpus == 1 { 1 } else { 4 * cpus });
    assert!(left >= TAKEN / 2, "{left}");
    // The remedies: as many as it is told; no page kept, but for what it remembers of them; and where pages are kept, a figure that says so.
    assert_eq!(arenas(TUNED), 1);
    assert!(tuned <= TAKEN / 16, "{tuned}");
    assert!((left - dirty).abs() <= TAKEN / 16, "{left} {dirty}");
}

#[test]
fn jemalloc_s_resident_is_a_bound_and_no_rss() {
    build();
    let (mut subject, _) = greeted(&takes(1, 1, TUNED));
    subject.ask("runtime");
    let resident = of(&pairs(&subject.ask("client")), "jemalloc.resident");
    let anon = subject.read()["proc.anon"];
    told(
        "resident",
        format_args!("{resident} B resident by jemalloc, {anon} B of anonymous memory in the whole process"),
    );
    // The trap: more than the process has at all, because it counts tables of which a few pages are touched. The remedy: the kernel's own figure.
    assert!(resident >= 2 * anon, "{resident} {anon}");
}

#[test]
fn a_program_whose_allocator_is_not_jemalloc_has_figures_of_it_all_the_same_and_is_refused() {
    build();
    // The trap: linked and asked, it answers, and had Rust's blocks at none of it. Where it is used, there is what programs hold.
    let (used, greeting) = greeted(&takes(1, 1, TUNED));
    drop(used);
    let mut unused = Stepping::start(as_measured(&bare(target().join("release/probe-jemalloc-unused"))));
    let said = unused.hear();
    told(
        "unused jemalloc",
        format_args!("{} B allocated where it is used; where it is not: {said}", greeting["jemalloc.allocated"]),
    );
    assert!(of(&greeting, "jemalloc.allocated") > 0);
    // The remedy: it greets nobody.
    assert!(said.starts_with("error other jemalloc has allocated nothing"), "{said}");
    // And what would make jemalloc answer for all of `malloc`, dhat's own and C's, is banned. That no program has it: one_level.rs.
    let bans = std::fs::read_to_string(repository().join("deny.toml")).expect("readable");
    assert!(bans.contains("deny = [\"unprefixed_malloc_on_supported_platforms\"]"));
}

#[test]
fn glibc_makes_an_arena_for_each_thread_unless_it_is_told() {
    const ARENA: i64 = 64 << 20;
    let workshop = Workshop::new();
    let program = workshop.compile("steps");
    let contended = |most: Option<&str>| {
        let mut command = bare(&program);
        command.envs(most.map(|most| ("MALLOC_ARENA_MAX", most)));
        let mut subject = Stepping::start(as_measured(&command));
        subject.step("watch");
        let size = |subject: &Stepping| field(subject.id(), "status", "VmSize");
        let before = (size(&subject), subject.read()["proc.anon"]);
        subject.step("contend");
        (size(&subject) - before.0, subject.read()["proc.anon"] - before.1)
    };
    let (naive, ours) = (contended(None), contended(Some("1")));
    let arenas = (naive.0 - ours.0) / ARENA;
    told(
        "glibc's arenas",
        format_args!("{arenas} more for 8 threads, {} B of anonymous memory in place of {} B", naive.1, ours.1),
    );
    // The trap: address space for each, and pages of it. The remedy: what a run sets for every subject.
    assert!(arenas >= 4 && naive.1 >= ours.1 + 2 * PAGE, "{naive:?} {ours:?}");
    assert!(plimsoll::run::environment::SUBJECT_ENV.contains(&("MALLOC_ARENA_MAX", "1")));
}

#[test]
fn the_same_client_grows_otherwise_on_each_allocator_which_is_said_and_options_that_are_not_taken_are_refused() {
    const OVERRIDDEN: &str = r#"
[[subject]]
id = "overridden"
command = ["{target}/original-{allocator}"]
env = { _RJEM_MALLOC_CONF = "narenas:4" }
"#;
    const SUITE: &str = r#"
[suite.s]
subjects = ["original", "overridden"]
scenarios = ["chat"]
[[suite.s.matrix]]
probes = ["rss"]
subjects = ["original"]
allocators = ["system", "jemalloc", "jemalloc-tuned"]
[[suite.s.matrix]]
probes = ["rss"]
subjects = ["overridden"]
allocators = ["jemalloc-tuned"]
"#;
    let project = Project::new(&format!("{OVERRIDDEN}{SUITE}"));
    let run = project.plimsoll(&["run", "--suite", "s", "--samples", "1", "--out", "out"]);
    assert_code(&run, 3);
    let record = project.record("out");
    let growth: BTreeMap<&str, i64> = ok(&record)
        .map(|sample| {
            let anon = |checkpoint: &str| crate::common::at(sample, checkpoint, "proc.anon");
            (sample.cell.factors["allocator"].as_str(), anon("steady@20") - anon("start"))
        })
        .collect();
    told("allocators", format_args!("anonymous growth of `original` in bytes: {growth:?}"));
    // The trap: one program's figures beside another's say nothing of the client, which asks for the same on each.
    let (low, high) = growth.values().fold((i64::MAX, 0), |(low, high), growth| (low.min(*growth), high.max(*growth)));
    assert!(growth.len() == 3 && high - low >= 16 * PAGE, "{growth:?}\n{}", said(&run));
    // The remedy: both reports say what differs, and by which options.
    for format in [Format::Markdown, Format::Html] {
        let page = String::from_utf8(render(&record, format)).expect("text");
        assert!(page.contains(WARNING) && page.contains("tcache=false"), "{format:?}");
    }
    let options = &record.environment.jemalloc;
    assert_eq!([&options["opt.tcache"], &options["opt.tcache (jemalloc-tuned)"]], ["true", "false"]);
    // And a program that runs with other options than its cell says is no sample of it.
    let other = record.samples.iter().find(|sample| sample.cell.subject == "overridden").expect("a row");
    let error = other.error.as_deref().unwrap_or_default();
    assert_eq!(other.status, Status::Failed);
    assert!(error.contains("opt.narenas is 4, not 1") && error.contains("opt.tcache is true, not false"), "{error}");
}
