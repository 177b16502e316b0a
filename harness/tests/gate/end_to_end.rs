//! Measured, judged, written, and the exit status that follows.

use plimsoll_reports::Record;

use crate::common::{assert_code, build_package, said};
use crate::repository::{ONE_CELL, Repository, gate, text, verdict};

#[test]
fn a_commit_a_record_and_a_head_that_took_more_and_loosened_the_rules() {
    build_package("plimsoll-selftest");
    build_package("plimsoll-count");
    let repository = Repository::new(ONE_CELL);

    // The same on both sides.
    gate(&repository, &["--base", "HEAD", "--out", "out-same"], 0);
    let same = verdict(&repository, "out-same");
    assert_eq!((same["outcome"].as_str(), same["exit_code"].as_u64()), (Some("PASS"), Some(0)), "{same:#}");
    for side in ["base", "head"] {
        let record = Record::read(text(&repository, &format!("out-same/{side}/record.json")).as_bytes()).expect(side);
        assert_eq!(record.samples.len(), 3);
    }
    assert!(text(&repository, "out-same/junit.xml").contains("failures=\"0\""));
    assert!(text(&repository, "out-same/head/index.html").contains("<html"));

    // A record of some other time: exact figures only.
    let output = gate(&repository, &["--base", "out-same/head/record.json", "--out", "out-record"], 0);
    assert!(said(&output).contains("only exact figures are compared"), "{}", said(&output));

    // A reading of it that is no number.
    let record = text(&repository, "out-same/head/record.json");
    let at = record.find("\"heap.allocs\": ").expect("a count") + "\"heap.allocs\": ".len();
    let end = at + record[at..].find([',', '\n']).expect("an end");
    repository.write("out-nan.json", &format!("{}NaN{}", &record[..at], &record[end..]));
    let output = gate(&repository, &["--base", "out-nan.json", "--out", "out-never"], 2);
    let line = format!("line {}", record[..at].lines().count());
    for words in ["out-nan.json", "not JSON", &line] {
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }

    // One allocation more, and a floor that would let a hundred pass.
    repository.change("\"nothing\"", "\"allocation\"");
    repository.change(
        "suite = \"gate\"\n",
        "suite = \"gate\"\nfloor = { \"proc.anon\" = \"32 KiB\", \"proc.hwm\" = \"128 KiB\", \"heap.allocs\" = 100 }\n",
    );
    gate(&repository, &["--base", "HEAD", "--out", "out-more"], 1);
    let more = verdict(&repository, "out-more");
    let notices = more["notices"].as_array().expect("notices");
    assert!(notices.iter().any(|notice| notice["kind"] == "weakened"), "{notices:#?}");
    let comment = text(&repository, "out-more/VERDICT.md");
    for words in [
        "floor of heap.allocs weakened by the head",
        "14 → 15",
        "allocates_once_more",
        "plimsoll gate --base",
        "[[waiver]]",
    ] {
        assert!(comment.contains(words), "{words}: {comment}");
    }
    assert!(
        text(&repository, "out-more/again/head/record.json").contains("\"samples\""),
        "it was measured again first"
    );

    // The other way round it is an improvement, and held against a record it fails too.
    repository.commit("one allocation more");
    repository.change("\"allocation\"", "\"nothing\"");
    gate(&repository, &["--base", "HEAD", "--out", "out-less"], 0);
    assert!(text(&repository, "out-less/VERDICT.md").contains("improved"));
    repository.git(&["checkout", "--quiet", "."]);
    gate(&repository, &["--base", "out-less/head/record.json", "--out", "out-worse"], 1);
}

#[test]
fn a_cell_that_the_head_has_no_more_fails_and_one_sample_that_does_not_count_is_no_verdict() {
    build_package("plimsoll-selftest");
    build_package("plimsoll-count");
    let repository = Repository::new(&ONE_CELL.replace("scenarios = [\"chat\"]", "scenarios = [\"chat\", \"stream\"]"));
    repository.change("scenarios = [\"chat\", \"stream\"]", "scenarios = [\"chat\"]");
    // Nothing is left to measure: what is missing fails all the same.
    let output = gate(&repository, &["--base", "HEAD", "--only", "stream", "--out", "out-gone"], 1);
    assert!(said(&output).contains("missing"), "{}", said(&output));

    repository.change("\"nothing\"", "\"no-such-regression\"");
    let output = gate(&repository, &["--base", "HEAD", "--only", "chat", "--out", "out-failed"], 3);
    assert!(said(&output).contains("no valid measurement"), "{}", said(&output));
    let invalid = verdict(&repository, "out-failed");
    assert!(
        invalid["invalid"][0].as_str().is_some_and(|why| why.starts_with("head: 3 samples of `level/chat")),
        "{invalid:#}"
    );
}

#[test]
fn a_record_of_another_environment_or_of_the_live_service_is_refused_before_anything_is_measured() {
    build_package("plimsoll-selftest");
    build_package("plimsoll-count");
    let repository = Repository::new(ONE_CELL);
    repository.change("\"nothing\"", "\"no-such-regression\"");
    gate(&repository, &["--base", "HEAD", "--out", "out"], 3);
    let record = text(&repository, "out/base/record.json");
    for (from, to, says) in [
        ("\"target\": \"mock\"", "\"target\": \"live\"", "target: live on the base"),
        ("\"arch\": \"", "\"arch\": \"other-", "architecture: other-"),
        ("\"corpus\": \"", "\"corpus\": \"0", "replies: 0"),
    ] {
        assert!(record.contains(from), "{from}");
        repository.write("out-other/record.json", &record.replacen(from, to, 1));
        let output = gate(&repository, &["--base", "out-other", "--out", "out-never"], 3);
        assert!(said(&output).contains(says), "{}", said(&output));
        assert!(!repository.path().join("out-never").exists());
    }
}

#[test]
fn a_job_on_github_has_a_mark_for_the_culprit_and_a_summary_and_a_pass_has_no_mark() {
    build_package("plimsoll-selftest");
    build_package("plimsoll-count");
    let repository = Repository::new(ONE_CELL);
    let job = |args: &[&str], code: i32| {
        let mut command = repository.gate_command(args);
        command.envs([("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", "out-summary.md")]);
        command.envs([("GITHUB_SERVER_URL", "https://git.example"), ("GITHUB_REPOSITORY", "o/r")]);
        let output = command.output().expect("plimsoll starts");
        assert_code(&output, code);
        let marks = String::from_utf8(output.stdout).expect("UTF-8");
        marks.lines().filter(|line| line.starts_with("::")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(job(&["--base", "HEAD", "--out", "out-same"], 0), [""; 0]);
    let passed = text(&repository, "out-summary.md");
    assert!(passed.starts_with("### Memory: PASS") && !passed.contains("<!--"), "{passed}");

    repository.change("\"nothing\"", "\"allocation\"");
    repository.commit("one allocation more, 100 % of it: here");
    let marks = job(&["--base", "HEAD~1", "--out", "out-more"], 1);
    assert_eq!(marks.len(), 1, "one function, one mark: {marks:#?}");
    let (properties, message) =
        marks[0].strip_prefix("::error ").and_then(|mark| mark.split_once("::")).expect("an error");
    assert!(properties.starts_with("file=") && properties.ends_with(",title=Plimsoll%3A memory"), "{properties}");
    assert!(message.starts_with("plimsoll_selftest::allocates_once_more: +1 heap.allocs per request"), "{message}");
    assert!(message.contains("%0A") && message.contains("100 %25 of it by call site"), "{message}");
    // The file is the job's: what is said is added to it, and the commits are linked to where it runs.
    let both = text(&repository, "out-summary.md");
    let failed = both.strip_prefix(&passed).expect("added");
    assert!(failed.starts_with("### Memory: FAIL: 2 of 5 figures over the limit"), "{failed}");
    let head = repository.git(&["rev-parse", "HEAD"]);
    assert!(failed.contains(&format!("](https://git.example/o/r/commit/{head})")), "{failed}");
}
