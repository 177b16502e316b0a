//! A run that is killed loses at most the sample in hand, leaves no process behind, and can be finished.

mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Project, assert_code, said};
use plimsoll_reports::record::Record;

/// How long a busy machine may take for what is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

const MANY: &str = r#"
[suite.s]
subjects = ["original", "ultra"]
scenarios = ["chat"]
[[suite.s.matrix]]
probes = ["rss"]
"#;

#[test]
fn killed_at_five_moments_it_is_readable_each_time_and_is_finished_by_resume() {
    let project = Project::new(MANY);
    let run = ["run", "--suite", "s", "--samples", "12", "--out", "out", "--seed", "1"];
    // Moments by progress, not by the clock: after so many lines, and a little on into the next sample.
    for (n, lines) in [0_usize, 1, 4, 9, 15].into_iter().enumerate() {
        let args = if n == 0 { run.to_vec() } else { [&run[..], &["--resume"]].concat() };
        let mut child = project.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        let samples = project.path().join("out/samples.jsonl");
        let written = || std::fs::read(&samples).map(|b| b.iter().filter(|&&c| c == b'\n').count()).unwrap_or(0);
        let until = Instant::now() + PATIENCE;
        while written() < lines || !samples.exists() || descendants(child.id()).is_empty() {
            assert!(Instant::now() < until, "no progress");
            std::thread::yield_now();
        }
        let left = descendants(child.id());
        child.kill().expect("killable");
        child.wait().expect("reaped");
        let until = Instant::now() + PATIENCE;
        while left.iter().any(|pid| alive(*pid)) {
            assert!(Instant::now() < until, "left behind: {left:?}");
            std::thread::yield_now();
        }
        assert_code(&project.plimsoll(&["report", "out", "--format", "json"]), 0);
    }
    let resumed = project.plimsoll(&[&run[..], &["--resume"]].concat());
    assert_code(&resumed, 0);
    assert!(said(&resumed).contains("measured already"), "{}", said(&resumed));
    let record = project.record("out");
    let mut orders: Vec<u32> = record.samples.iter().map(|s| s.order).collect();
    orders.sort_unstable();
    assert_eq!(orders, (0..24).collect::<Vec<_>>(), "every sample once");
    assert!(record.finished.is_some());
}

#[test]
fn a_torn_last_line_costs_one_sample_only() {
    let project = Project::new(MANY);
    let run = ["run", "--suite", "s", "--samples", "2", "--out", "out", "--seed", "1"];
    assert_code(&project.plimsoll(&run), 0);
    // As a kill in the middle of a write would have left it: unfinished, the last line torn.
    let path = project.path().join("out/samples.jsonl");
    let bytes = std::fs::read(&path).expect("samples");
    std::fs::write(&path, &bytes[..bytes.len() - 40]).expect("writable");
    let mut record = project.record("out");
    (record.finished, record.samples) = (None, Vec::new());
    let resumed = |record: &Record| {
        let bytes = serde_json::to_vec(record).expect("JSON");
        std::fs::write(project.path().join("out/record.json"), bytes).expect("writable");
        project.plimsoll(&[&run[..], &["--resume"]].concat())
    };
    // What has changed in between is named.
    let mut elsewhere = record.clone();
    elsewhere.environment.kernel = "Linux 0.1".to_owned();
    let refused = resumed(&elsewhere);
    assert_code(&refused, 2);
    assert!(said(&refused).contains("another one (kernel)"), "{}", said(&refused));
    let file = project.path().join("plimsoll.toml");
    let text = std::fs::read_to_string(&file).expect("readable");
    let others = text.replace("\"original\"", "\"first\"").replace("\"ultra\"", "\"second\"");
    std::fs::write(&file, others).expect("writable");
    let refused = resumed(&record);
    assert_code(&refused, 2);
    assert!(said(&refused).contains("plimsoll.toml no longer names"), "{}", said(&refused));
    std::fs::write(&file, text).expect("writable");
    let resumed = resumed(&record);
    assert_code(&resumed, 0);
    assert!(said(&resumed).contains("3 of them measured already"), "{}", said(&resumed));
    assert_eq!(project.record("out").samples.len(), 4);
}

/// Every process below one.
fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut parents = vec![pid];
    let all: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    while let Some(parent) = parents.pop() {
        for &(pid, _) in all.iter().filter(|(_, p)| *p == parent) {
            found.push(pid);
            parents.push(pid);
        }
    }
    found
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie is dead: it only waits for its new parent to notice.
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}
