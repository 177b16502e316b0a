//! Benches that are run with a run: what they leave is in its record, and nothing that an earlier run left.

use crate::common::{Project, assert_code, said};
use plimsoll_reports::record::Measure;

const SUITE: &str = r#"
[[subject]]
id = "null"
command = ["{target}/probe-null"]
[suite.s]
subjects = ["null"]
scenarios = ["client"]
samples = { rss = 1 }
[[suite.s.matrix]]
probes = ["rss"]
"#;

/// What criterion would leave of a bench that takes 40 ns.
const LEAVES: &str = r#"
new="$CRITERION_HOME/sse/reader/new"
mkdir -p "$new"
echo '{"median":{"confidence_interval":{"confidence_level":0.95,"lower_bound":39.5,"upper_bound":41.0},"point_estimate":40.0,"standard_error":0.1}}' > "$new/estimates.json"
echo '{"sampling_mode":"Flat","iters":[1.0,1.0],"times":[40.0,41.0]}' > "$new/sample.json"
echo '{"group_id":"sse","function_id":"reader","value_str":null,"throughput":{"Bytes":80}}' > "$new/benchmark.json"
echo 'of no interest'
"#;

fn project(script: &str) -> Project {
    let project = Project::with_subjects("version = 1\n[benches]\ncommand = [\"sh\", \"benches.sh\"]", SUITE);
    std::fs::write(project.path().join("benches.sh"), script).expect("writable");
    project
}

#[test]
fn what_benches_leave_is_in_the_record_and_in_the_report_and_their_talk_is_not_on_standard_output() {
    let project = project(LEAVES);
    let run = project.plimsoll(&["run", "--suite", "s", "--benches", "--out", "out"]);
    assert_code(&run, 0);
    assert!(!String::from_utf8_lossy(&run.stdout).contains("of no interest"), "{}", said(&run));
    let record = project.record("out");
    let [bench] = record.benches.as_slice() else { panic!("{:?}", record.benches) };
    assert_eq!((bench.function.as_str(), bench.measure, bench.reads), ("reader", Measure::Time, Some(80)));
    assert_eq!((bench.low, bench.median, bench.high, bench.samples), (39.5, 40.0, 41.0, 2));
    let page = std::fs::read_to_string(project.path().join("out/index.html")).expect("a report");
    assert!(page.contains("40 ns") && page.contains("1.86 GiB/s"));
    // Another run is not given what this one left; without --benches there are none.
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "other"]), 0);
    assert!(project.record("other").benches.is_empty());
}

#[test]
fn benches_that_give_nothing_are_an_error_that_says_why_and_the_samples_are_kept() {
    for (script, why) in
        [("exit 7", "`sh benches.sh` ended with exit status: 7"), ("true", "wrote nothing into CRITERION_HOME")]
    {
        let project = project(script);
        let run = project.plimsoll(&["run", "--suite", "s", "--benches", "--out", "out"]);
        assert_code(&run, 3);
        assert!(said(&run).contains(why), "{}", said(&run));
        // What was measured is kept, and reported.
        assert_eq!(project.record("out").samples.len(), 1);
        assert!(project.path().join("out/index.html").is_file());
    }
    // Where there are none, nothing is measured first.
    let project = Project::with_subjects("version = 1", SUITE);
    let run = project.plimsoll(&["run", "--suite", "s", "--benches", "--out", "out"]);
    assert_code(&run, 2);
    assert!(said(&run).contains("[benches]") && !project.path().join("out").exists(), "{}", said(&run));
}
