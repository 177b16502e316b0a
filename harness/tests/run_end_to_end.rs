//! `plimsoll run` from the plan to the report: real processes, real TLS, checked answers.

mod common;
mod verify;

use common::{Project, assert_code, at, files_with, ok, said};
use plimsoll_reports::record::Status;

const SMALL: &str = r#"
[suite.small]
subjects = ["original", "ultra", "python"]
scenarios = ["chat", "stream"]
samples = { rss = 2, count = 1, jemalloc = 1, dhat = 1 }
[[suite.small.matrix]]
probes = ["rss", "count", "jemalloc", "dhat"]
runtimes = ["current_thread", "multi_thread"]
protocols = ["h1"]
"#;

#[test]
fn every_probe_gives_valid_samples_a_record_that_validates_and_a_report_without_the_key() {
    let project = Project::new(SMALL);
    let canary = "canary-that-must-not-show-0123456789abc";
    let run = project
        .command(&["run", "--suite", "small", "--out", "out", "--seed", "7"])
        .env("PLIMSOLL_MOCK_KEY", canary)
        .output();
    let run = run.expect("plimsoll starts");
    assert_code(&run, 0);
    assert!(!said(&run).contains(canary));
    assert_eq!(files_with(project.path(), canary), Vec::<std::path::PathBuf>::new());
    assert!(said(&run).contains("out/index.html"), "{}", said(&run));

    let record = project.record("out");
    let json = serde_json::to_value(&record).expect("serialises");
    let schema = plimsoll_reports::schema::record();
    let errors: Vec<_> =
        jsonschema::validator_for(&schema).expect("a schema").iter_errors(&json).map(|e| e.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());

    for sample in &record.samples {
        let cell = &sample.cell;
        let may_be_absent = cell.subject == "python" && !common::has_python();
        assert!(sample.status == Status::Ok || may_be_absent, "{cell:?}: {:?}", sample.error);
    }
    for sample in ok(&record) {
        // The mock counted the requests and saw the key with each, or the sample would not be ok.
        assert_eq!(sample.answers.seen, Some(256));
        assert_eq!(Some(&sample.answers.crc), sample.answers.expected.as_ref());
        let names: Vec<_> = sample.checkpoints.iter().map(|c| c.name.as_str()).collect();
        let expected = [
            "start",
            "runtime",
            "client",
            "first",
            "steady@20",
            "steady@64",
            "steady@128",
            "steady@256",
            "idle",
            "dropped",
        ];
        assert_eq!(names, expected);
    }
    let one = |probe: &str| ok(&record).find(|s| s.cell.probe == probe && s.cell.subject == "original");
    let rss = one("rss").expect("an rss sample");
    assert!(at(rss, "steady@20", "proc.anon") > at(rss, "start", "proc.anon"));
    assert!(at(rss, "steady@20", "proc.hwm") >= at(rss, "steady@20", "proc.anon"));
    assert!(!rss.mappings.is_empty());
    let jemalloc = one("jemalloc").expect("a jemalloc sample");
    assert!(at(jemalloc, "steady@20", "jemalloc.allocated") > 0);
    assert!(record.environment.jemalloc.contains_key("opt.narenas"), "{:?}", record.environment.jemalloc);
    let dhat = one("dhat").expect("a dhat sample");
    assert!(at(dhat, "steady@20", "dhat.total") > at(dhat, "start", "dhat.total"));
    let profile = dhat.profile.as_deref().expect("a profile");
    let profile = std::fs::read(project.path().join("out").join(profile)).expect("the profile's file");
    let profile: serde_json::Value = serde_json::from_slice(&profile).expect("JSON");
    assert!(profile["pps"].as_array().is_some_and(|pps| pps.len() > 10));

    // The same record gives the same bytes.
    let before = std::fs::read(project.path().join("out/index.html")).expect("a report");
    assert_code(&project.plimsoll(&["report", "out"]), 0);
    assert_eq!(before, std::fs::read(project.path().join("out/index.html")).expect("a report"));
}

#[test]
fn the_seed_decides_the_order_and_dry_run_measures_nothing() {
    let project = Project::new(SMALL);
    let dry = project.plimsoll(&["run", "--suite", "small", "--dry-run"]);
    assert_code(&dry, 0);
    assert!(said(&dry).contains("about"), "{}", said(&dry));
    assert!(!project.path().join("target").exists());
    let narrow =
        ["run", "--suite", "small", "--subject", "original", "--probe", "rss", "--samples", "1", "--seed", "3"];
    let cells = |out: &str| {
        assert_code(&project.plimsoll(&[&narrow[..], &["--out", out]].concat()), 0);
        project.record(out).samples.into_iter().map(|s| s.cell).collect::<Vec<_>>()
    };
    assert_eq!(cells("a"), cells("b"));
}

#[test]
fn events_are_json_lines_that_begin_and_end_a_run() {
    let project = Project::new(SMALL);
    let args = ["run", "--suite", "small", "-E", "ultra/chat/count", "--out", "out", "--events", "events.jsonl"];
    assert_code(&project.plimsoll(&args), 0);
    let text = std::fs::read_to_string(project.path().join("events.jsonl")).expect("events");
    let events: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let kind = |at: usize| events[at]["event"].as_str().unwrap_or_default().to_owned();
    assert_eq!(kind(0), "run-started");
    assert_eq!(kind(1), "sample-started");
    assert_eq!(kind(events.len() - 1), "run-finished");
}

const RUNGS: &str = r#"
version = 1
[[subject]]
id = "main"
kind = "rung"
command = ["{target}/rung-main"]
[[subject]]
id = "http"
kind = "rung"
below = "main"
command = ["{target}/rung-http"]
runtimes = ["current_thread", "multi_thread"]
[suite.ladder]
subjects = ["main", "http"]
scenarios = ["client", "chat"]
samples = { rss = 3, count = 3 }
[[suite.ladder.matrix]]
probes = ["rss", "count"]
subjects = ["main"]
scenarios = ["client"]
[[suite.ladder.matrix]]
probes = ["rss", "count"]
subjects = ["http"]
scenarios = ["chat"]
"#;

#[test]
fn two_rungs_make_a_ladder() {
    let project = Project::with_subjects(RUNGS, "");
    let run = project.plimsoll(&["run", "--suite", "ladder", "--out", "out"]);
    assert_code(&run, 0);
    let record = project.record("out");
    assert!(record.samples.iter().all(|s| s.status == Status::Ok), "{}", said(&run));
    let view = plimsoll_reports::view::View::new(&record);
    let ladders = plimsoll_reports::ladder::ladders(&view);
    let [ladder] = ladders.as_slice() else { panic!("{ladders:?}") };
    let [main, http] = ladder.rungs.as_slice() else { panic!("{ladder:?}") };
    assert!(!main.asks && http.asks && http.info.below.as_deref() == Some("main"));
    for height in plimsoll_reports::ladder::Height::ALL {
        let beyond = http.step(height).beyond.map(|beyond| beyond.difference().value());
        // `main` makes no requests that it could have a figure for each of.
        let expected = height != plimsoll_reports::ladder::Height::PerRequest;
        assert_eq!(beyond.is_some_and(|more| more > 0.0), expected, "{height:?}: {beyond:?}");
    }
    // By hand, over one connection and into one buffer: nothing is allocated for a request.
    let per_request = http.step(plimsoll_reports::ladder::Height::PerRequest).height.expect("counted");
    assert!(per_request.is_exact() && per_request.median().value() == 0.0, "{per_request:?}");
    let report = std::fs::read_to_string(project.path().join("out/REPORT.md")).expect("a report");
    assert!(report.contains("Why 8 MB was thought hard") && report.contains("| http · chat | main |"), "{report}");
}

#[test]
fn the_list_shows_the_repositorys_rungs() {
    let project = Project::new("");
    let ours = common::repository().join("plimsoll.toml");
    let list = project.plimsoll(&["list", "--config", &ours.to_string_lossy()]);
    assert_code(&list, 0);
    for rung in ["main", "tokio-multi", "dns", "tls-aws-lc", "json"] {
        let row = |line: &&str| line.trim_start().starts_with(&format!("{rung} "));
        assert!(String::from_utf8_lossy(&list.stdout).lines().any(|line| row(&line)), "{rung}: {}", said(&list));
    }
}

/// The cells of `--ablate` in short: a line for each subject, scenario, probe and number of samples.
const ABLATION: &str = "\
optimized/chat/count 10: none default object-pooling lazy-components small-pool -object-pooling -lazy-components -small-pool
optimized/chat/rss 20: none default object-pooling lazy-components small-pool -object-pooling -lazy-components -small-pool
optimized/inflight-event/rss 12: none default object-pooling lazy-components small-pool -object-pooling -lazy-components -small-pool
ultra/chat/count 10: none default stack-first-buffers zero-copy-body streaming-json http1-only no-idle-connections reusable-scratch once-lock-models \
small-vec-url minimal-client-state -stack-first-buffers -zero-copy-body -streaming-json -http1-only -no-idle-connections -reusable-scratch \
-once-lock-models -small-vec-url -minimal-client-state none+ring default+ring
ultra/chat/rss 20: none default stack-first-buffers zero-copy-body streaming-json http1-only no-idle-connections reusable-scratch once-lock-models \
small-vec-url minimal-client-state -stack-first-buffers -zero-copy-body -streaming-json -http1-only -no-idle-connections -reusable-scratch \
-once-lock-models -small-vec-url -minimal-client-state none+jemalloc default+jemalloc none+ring default+ring
ultra/inflight-event/rss 12: none default stack-first-buffers zero-copy-body streaming-json http1-only no-idle-connections reusable-scratch once-lock-models \
small-vec-url minimal-client-state -stack-first-buffers -zero-copy-body -streaming-json -http1-only -no-idle-connections -reusable-scratch \
-once-lock-models -small-vec-url -minimal-client-state none+jemalloc default+jemalloc none+ring default+ring
";

#[test]
fn ablation_plans_every_technique_alone_and_left_out() {
    let project = Project::new("");
    let ours = common::repository().join("plimsoll.toml");
    let dry = project.plimsoll(&["run", "--ablate", "--dry-run", "--config", &ours.to_string_lossy()]);
    assert_code(&dry, 0);
    let text = String::from_utf8_lossy(&dry.stdout);
    let mut lines: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for (samples, cell) in text.lines().filter_map(|line| line.split_once(" × ")) {
        let name = cell.split_whitespace().next().expect("a cell's name");
        let parts: Vec<&str> = name.split('/').collect();
        let has = |part: &str| parts.contains(&part);
        let set = parts.iter().find_map(|part| part.strip_prefix("switches=")).unwrap_or("default");
        let more = if has("allocator=jemalloc") {
            "+jemalloc"
        } else if has("crypto=ring") {
            "+ring"
        } else {
            ""
        };
        let line = lines.entry(format!("{} {}:", parts[..3].join("/"), samples.trim())).or_default();
        line.push_str(&format!(" {set}{more}"));
    }
    let told: String = lines.iter().map(|(key, sets)| format!("{key}{sets}\n")).collect();
    assert_eq!(told, ABLATION);
    let both =
        project.plimsoll(&["run", "--ablate", "--suite", "quick", "--dry-run", "--config", &ours.to_string_lossy()]);
    assert_code(&both, 2);
}

#[test]
fn the_doctor_looks_at_the_machine_and_measures_a_program_against_itself() {
    let project = Project::new("");
    let looked = project.plimsoll(&["doctor", "--no-trial"]);
    assert_code(&looked, 0);
    for what in ["system", "randomisation", "/proc", "open files", "subjects"] {
        assert!(said(&looked).contains(what), "{what}: {}", said(&looked));
    }
    let tried = project.plimsoll(&["doctor", "--subject", "ultra", "--samples", "2", "--markdown"]);
    assert_code(&tried, 0);
    let table = String::from_utf8_lossy(&tried.stdout);
    let rows = |figure: &str| table.lines().filter(|line| line.contains(figure)).count();
    // Two runtimes each.
    assert_eq!(
        (rows("growth proc.anon"), rows("heap.allocs per request"), rows("growth jemalloc.allocated")),
        (2, 2, 2)
    );
    let nobody = project.plimsoll(&["doctor", "--subject", "nobody"]);
    assert_code(&nobody, 2);
    assert!(said(&nobody).contains("list subjects"), "{}", said(&nobody));
}
