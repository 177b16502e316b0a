//! Programs whose allocations are known, measured by `plimsoll run` as anybody's would be: the figures are exact.

mod baseline;
mod benches;
mod comment;
mod common;
mod compare;
mod explain;
mod init;
mod ledger;
mod line;
mod mock_support;
mod outsider;
mod traps;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Project, assert_code, at, ok, repository};
use plimsoll_reports::derive::Figure;
use plimsoll_reports::record::Cell;
use plimsoll_reports::roots::Root;
use plimsoll_reports::{Record, attribution};

#[test]
fn a_c_program_that_takes_a_mebibyte_between_two_checkpoints_shows_exactly_1_048_576_bytes_more() {
    let subjects = r#"
version = 1
[[subject]]
id = "c"
command = ["./malloc1m"]
"#;
    let suite = r#"
[suite.s]
subjects = ["c"]
scenarios = ["client"]
samples = { count = 3 }
[[suite.s.matrix]]
probes = ["count"]
"#;
    let project = Project::with_subjects(subjects, suite);
    let source = repository().join("harness/subjects/c/malloc1m.c");
    let compiled = Command::new("cc").args(["-O1", "-o"]).arg(project.path().join("malloc1m")).arg(source).status();
    assert!(compiled.expect("cc is needed to build this project").success());
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 0);
    let record = project.record("out");
    assert_eq!(ok(&record).count(), 3);
    for sample in ok(&record) {
        assert_eq!(at(sample, "client", "heap.bytes") - at(sample, "runtime", "heap.bytes"), 1_048_576);
        assert_eq!(at(sample, "client", "heap.allocs") - at(sample, "runtime", "heap.allocs"), 1);
    }
}

#[test]
fn one_more_vec_of_4096_bytes_per_request_of_original_is_exactly_one_more_and_4096_more() {
    let subjects = r#"
version = 1
[[subject]]
id = "original"
command = ["{target}/original-system"]
[[subject]]
id = "with-vec"
command = ["{target}/probe-original-vec"]
"#;
    let suite = r#"
[suite.s]
subjects = ["original", "with-vec"]
scenarios = ["chat", "stream"]
samples = { count = 2 }
[[suite.s.matrix]]
probes = ["count"]
"#;
    let project = Project::with_subjects(subjects, suite);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 0);
    let record = project.record("out");
    for scenario in ["chat", "stream"] {
        let per_request = |subject: &str, metric: &str| {
            let mut found: Vec<i64> = ok(&record)
                .filter(|s| s.cell.subject == subject && s.cell.scenario == scenario)
                .map(|s| at(s, "steady@128", metric) - at(s, "steady@64", metric))
                .collect();
            assert_eq!(found.len(), 2);
            found.dedup();
            assert_eq!(found.len(), 1, "not exact: {subject} {scenario} {found:?}");
            assert_eq!(found[0] % 64, 0);
            found[0] / 64
        };
        assert_eq!(per_request("with-vec", "heap.allocs") - per_request("original", "heap.allocs"), 1);
        assert_eq!(per_request("with-vec", "heap.bytes") - per_request("original", "heap.bytes"), 4_096);
    }
}

#[test]
fn a_block_of_4096_bytes_that_each_request_holds_while_it_is_in_flight_is_what_it_costs_more() {
    let subjects = r#"
version = 1
[[subject]]
id = "original"
command = ["{target}/original-system"]
[[subject]]
id = "with-vec"
command = ["{target}/probe-original-vec"]
"#;
    let suite = r#"
[suite.s]
subjects = ["original", "with-vec"]
scenarios = ["inflight-head"]
[[suite.s.matrix]]
probes = ["count"]
"#;
    let project = Project::with_subjects(subjects, suite);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--samples", "1", "--out", "out"]), 0);
    let cells = plimsoll_reports::derive::cells(&project.record("out"));
    let cost = |subject: &str| {
        let cell = cells.iter().find(|c| c.cell.subject == subject).expect("a cell");
        cell.figure(&Figure::in_flight("heap.live")).expect("a cost in flight").stats.median
    };
    // The block itself at its usable size, 4,104 B, and the task that keeps it, larger by a `Vec`; beyond that only what tasks of another size
    // do to the buffers of 1,000 connections.
    let live = cost("with-vec") - cost("original");
    assert!((4_104.0..4_104.0 + 128.0).contains(&live), "{live} B of live heap more per request in flight");
}

#[test]
fn helpers_and_a_proxy_are_read_beside_the_subject_and_are_never_its_own() {
    let subjects = r#"
version = 1
[[subject]]
id = "original"
command = ["{target}/original-system"]
[[subject]]
id = "isolated"
command = ["{target}/isolated-system"]
[[subject]]
id = "proxied"
command = ["{target}/proxied-system"]
proxy = ["{target}/tls-proxy"]
[[subject]]
id = "lost"
command = ["{target}/proxied-system"]
proxy = ["{target}/probe-null"]
"#;
    let suite = r#"
[suite.s]
subjects = ["original", "isolated", "proxied", "lost"]
scenarios = ["chat"]
samples = { rss = 1, count = 1 }
[[suite.s.matrix]]
probes = ["rss", "count"]
"#;
    let project = Project::with_subjects(subjects, suite);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 3);
    let record = project.record("out");
    let sample = |subject: &str, probe: &str| {
        let found = record.samples.iter().find(|s| s.cell.subject == subject && s.cell.probe == probe);
        found.unwrap_or_else(|| panic!("no {subject} {probe}"))
    };
    let rows = |subject: &str, probe: &str, checkpoint: &str| {
        let sample = sample(subject, probe);
        let found = sample.checkpoints.iter().find(|c| c.name == checkpoint);
        found.unwrap_or_else(|| panic!("{subject} {probe}: {:?}", sample.error)).processes.clone()
    };
    let roles = |subject: &str, probe: &str, checkpoint: &str| -> Vec<String> {
        rows(subject, probe, checkpoint).into_iter().map(|row| row.role).collect()
    };
    for probe in ["rss", "count"] {
        assert!(roles("original", probe, "steady@20").is_empty());
        assert!(roles("isolated", probe, "start").is_empty());
        assert_eq!(roles("isolated", probe, "client"), ["helper"]);
        assert_eq!(roles("isolated", probe, "steady@256"), ["helper"]);
        assert_eq!(roles("proxied", probe, "start"), ["proxy"]);
        assert_eq!(roles("proxied", probe, "steady@256"), ["proxy"]);
        assert_eq!(sample("isolated", probe).processes.len(), 1);
    }
    assert!(roles("isolated", "rss", "dropped").is_empty(), "helpers end with their provider");
    assert_eq!(roles("isolated", "count", "dropped"), ["ended"]);
    let anon = |subject: &str| at(sample(subject, "rss"), "steady@20", "proc.anon");
    let beside = |subject: &str| rows(subject, "rss", "steady@20")[0].metrics["proc.anon"];
    // What a process with a runtime and TLS takes at the least; and who has none of it takes less than who has all.
    for subject in ["isolated", "proxied"] {
        assert!(beside(subject) > 100_000, "{subject}: {}", beside(subject));
        assert!(anon(subject) < anon("original"), "{subject}: {} {}", anon(subject), anon("original"));
    }
    let counted = |subject: &str, checkpoint: &str| rows(subject, "count", checkpoint)[0].metrics["heap.allocs"];
    for subject in ["isolated", "proxied"] {
        assert!(counted(subject, "steady@128") > counted(subject, "steady@64"), "{subject}");
    }
    let error = sample("lost", "rss").error.clone().unwrap_or_default();
    assert!(error.contains("the subject's proxy said") && error.contains("plimsoll-proxy 1 address="), "{error}");
}

#[test]
fn a_vec_in_an_async_function_is_told_of_it_with_file_and_line_and_every_byte_of_original_has_a_root() {
    let subjects = r#"
version = 1
[[subject]]
id = "original"
command = ["{target}/original-{allocator}"]
probes = ["count", "dhat"]
[[subject]]
id = "with-vec"
command = ["{target}/probe-original-vec-{allocator}"]
probes = ["dhat"]
"#;
    let suite = r#"
[suite.s]
subjects = ["original", "with-vec"]
scenarios = ["chat"]
samples = { count = 1, dhat = 1 }
[[suite.s.matrix]]
probes = ["count", "dhat"]
"#;
    let project = Project::with_subjects(subjects, suite);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 0);
    let record = project.record("out");
    let all = attribution::of(&record);
    let of = |subject: &str, whole: bool| {
        let found = all.iter().find(|a| a.cell.subject == subject && a.whole == whole);
        found.unwrap_or_else(|| panic!("no call sites of {subject}: {:?}", unattributed(&record)))
    };

    // Every byte that dhat counted is at a site, at each checkpoint that has sites.
    for sample in ok(&record).filter(|sample| sample.cell.probe == "dhat") {
        let with_sites: Vec<_> = sample.checkpoints.iter().filter(|point| !point.sites.is_empty()).collect();
        let names: Vec<_> = with_sites.iter().map(|point| point.name.as_str()).collect();
        assert_eq!(names, ["steady@64", "steady@128", "dropped"]);
        for point in with_sites {
            let sum: u64 = point.sites.iter().map(|site| site.bytes).sum();
            assert_eq!(i64::try_from(sum).ok(), point.metrics.get("dhat.total").copied(), "{}", point.name);
        }
    }

    // The one more block, under the function that makes it, at the line that says so.
    let source =
        std::fs::read_to_string(repository().join("harness/subjects/src/probe.rs")).expect("the subject's source");
    let line = 1 + source.lines().position(|line| line.ends_with("// the one more block of chat")).expect("the mark");
    let blocks: Vec<_> = of("with-vec", false)
        .sites
        .iter()
        .filter(|site| matches!(site.root, Root::Own(frame) if frame.function.ends_with("probe::original_vec_chat")))
        .collect();
    let [block] = blocks.as_slice() else { panic!("not one site: {blocks:#?}") };
    let Root::Own(frame) = block.root else { unreachable!("it was chosen by that") };
    assert_eq!(frame.file.as_deref(), Some("harness/subjects/src/probe.rs"));
    assert_eq!(frame.line, u32::try_from(line).ok());
    assert_eq!((block.asked.blocks, block.asked.bytes), (64, 64 * 4_096));

    // Nearly all that was counted is under a root, C included; and the rest of the names are as people write them.
    for whole in [false, true] {
        let original = of("original", whole);
        let coverage = original.coverage().expect("bytes");
        assert!(original.counted.is_some() && coverage >= 0.95, "{coverage}");
    }
    for frame in &record.frames {
        assert!(!frame.function.ends_with("{{closure}}") && !frame.function.contains("::h0"), "{frame:?}");
        assert!(frame.file.as_deref().is_none_or(|file| !file.starts_with('/')), "{frame:?}");
    }
    let version =
        |krate: &str| record.frames.iter().find(|f| f.krate.as_deref() == Some(krate)).and_then(|f| f.version.clone());
    assert!(version("hyper").is_some_and(|version| version.starts_with("1.")), "{:?}", version("hyper"));

    // What other programs read lies beside the profile.
    let name = all[0].profile.and_then(|name| name.strip_suffix(".dhat.json")).expect("a profile").to_owned();
    let folded =
        std::fs::read_to_string(project.path().join("out").join(format!("{name}.folded"))).expect("folded stacks");
    let bytes: i64 = folded.lines().filter_map(|line| line.rsplit_once(' ')?.1.parse::<i64>().ok()).sum();
    assert_eq!(bytes, of("original", true).rust.bytes);
    assert!(project.path().join("out").join(format!("{name}.speedscope.json")).is_file());

    a_profile_that_cannot_be_used_costs_its_sample_its_sites_and_nothing_else(&project, &record);
}

/// Goes on with that run: reads it again with the profile spoilt in every way.
fn a_profile_that_cannot_be_used_costs_its_sample_its_sites_and_nothing_else(project: &Project, record: &Record) {
    let dir = project.path().join("out");
    let program = |cell: &Cell| -> Option<PathBuf> {
        Some(target_file(&format!("{}-dhat", cell.subject.replace("with-vec", "probe-original-vec"))))
    };
    let again = |program: &dyn Fn(&Cell) -> Option<PathBuf>| {
        let mut record = record.clone();
        (record.frames, record.sites) = (Vec::new(), Vec::new());
        record.samples.iter_mut().flat_map(|sample| &mut sample.checkpoints).for_each(|point| point.sites.clear());
        plimsoll::attribute::fill(&mut record, &dir, &repository(), program);
        record
    };
    assert_eq!(again(&program).sites.len(), record.sites.len());

    let said = unattributed(&again(&|_| Some(target_file("probe-null"))));
    assert!(said.len() == 2 && said.iter().all(|why| why.contains("built anew")), "{said:?}");
    let said = unattributed(&again(&|_| None));
    assert!(said.len() == 2 && said.iter().all(|why| why.contains("not there")), "{said:?}");

    let sample = record
        .samples
        .iter()
        .find(|sample| sample.cell.subject == "original" && sample.cell.probe == "dhat")
        .expect("a sample");
    let whole = dir.join(sample.profile.as_deref().expect("a profile"));
    let at_64 = dir.join(plimsoll::attribute::profile_at(sample.profile.as_deref().expect("a profile"), 64));
    let good = std::fs::read(&whole).expect("readable");
    for (bytes, part) in
        [(good[..good.len() / 2].to_vec(), "cut short"), (std::fs::read(&at_64).expect("readable"), "another process")]
    {
        std::fs::write(&whole, bytes).expect("writable");
        let again = again(&program);
        let said = unattributed(&again);
        assert!(matches!(said.as_slice(), [why] if why.contains(part) && !why.contains('\n')), "{said:?}");
        assert_eq!(ok(&again).count(), ok(record).count());
        assert!(attribution::of(&again).iter().all(|a| a.cell.subject == "with-vec"));
    }
}

fn unattributed(record: &Record) -> Vec<String> {
    record.samples.iter().filter_map(|sample| sample.unattributed.clone()).collect()
}

fn target_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_plimsoll")).with_file_name(name)
}
