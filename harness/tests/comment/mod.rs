//! `scripts/comment`, with a GitHub that is a folder of answers: which pull request, which comment, and what is not believed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{assert_code, repository, said};

const HEAD: &str = "4567def4567def4567def4567def4567def45678";

/// `gh` answers a request by the file that its path is a name of, and notes what it was asked to write.
const GH: &str = r#"#!/usr/bin/env bash
set -euo pipefail
method=GET path= input=
shift
while [ $# -gt 0 ]; do
    case $1 in
    --method) method=$2; shift 2 ;;
    --input) input=$2; shift 2 ;;
    -f | -F) shift 2 ;;
    --*) shift ;;
    *) path=${1%%\?*}; shift ;;
    esac
done
if [ "$method" = GET ]; then
    exec cat "$GITHUB/$(tr / + <<<"$path")"
fi
echo "$method $path" >>"$GITHUB/written"
cp "$input" "$GITHUB/body"
"#;

struct GitHub {
    dir: TempDir,
}

impl GitHub {
    /// A repository with a pull request of a fork, whose job has left this verdict, and with these comments on it.
    fn new(verdict: &Value, comments: Value) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let gh = dir.path().join("gh");
        fs::write(&gh, GH).expect("writable");
        fs::set_permissions(&gh, fs::Permissions::from_mode(0o755)).expect("executable");
        let github = Self { dir };
        github.answer(
            "repos/o/r/pulls",
            &json!([pull(6, "somebody", HEAD), pull(7, "fork", HEAD), pull(8, "fork", "0")]),
        );
        github.answer("repos/o/r/issues/7/comments", &comments);
        github.leaves(&verdict.to_string());
        github
    }

    fn answer(&self, path: &str, answer: &Value) {
        fs::write(self.path().join(path.replace('/', "+")), answer.to_string()).expect("writable");
    }

    /// The job has left an artifact with this for its verdict.
    fn leaves(&self, verdict: &str) {
        fs::write(self.path().join("verdict.json"), verdict).expect("writable");
        let zip = self.path().join("repos+o+r+actions+artifacts+9+zip");
        let mut pack = Command::new("python3");
        pack.args(["-m", "zipfile", "-c"]).arg(&zip).arg("verdict.json");
        assert!(pack.current_dir(self.path()).status().is_ok_and(|status| status.success()));
        let size = fs::metadata(zip).expect("packed").len();
        self.is_listed(size);
    }

    /// An artifact of this size, and others that are not to be taken: the older verdict is from before the run was started again.
    fn is_listed(&self, size: u64) {
        let artifact =
            |id: u64, name: &str, size: u64| json!({ "id": id, "name": name, "size_in_bytes": size, "expired": false });
        let verdict = |id| artifact(id, "plimsoll-verdict", size);
        let listed = json!({ "artifacts": [artifact(10, "other", 1), verdict(3), verdict(9)] });
        self.answer("repos/o/r/actions/runs/5/artifacts", &listed);
    }

    fn lists_nothing(&self) {
        self.answer("repos/o/r/actions/runs/5/artifacts", &json!({ "artifacts": [] }));
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn comment(&self) -> Output {
        self.comment_on("success")
    }

    /// The script, for a run that ended so.
    fn comment_on(&self, conclusion: &str) -> Output {
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new(repository().join("scripts/comment"))
            .arg(env!("CARGO_BIN_EXE_plimsoll"))
            .env("PATH", format!("{}:{path}", self.path().display()))
            .env("GITHUB", self.path())
            .envs([
                ("REPOSITORY", "o/r"),
                ("RUN_ID", "5"),
                ("HEAD_SHA", HEAD),
                ("HEAD_BRANCH", "a branch; $(rm -rf x)"),
            ])
            .envs([("HEAD_OWNER", "fork"), ("HEAD_REPOSITORY", "fork/r"), ("CONCLUSION", conclusion)])
            .output()
            .expect("bash")
    }

    /// What was written: where to, and the text.
    fn written(&self) -> Option<(String, String)> {
        let to = fs::read_to_string(self.path().join("written")).ok()?;
        let body: Value = serde_json::from_slice(&fs::read(self.path().join("body")).expect("a body")).expect("JSON");
        Some((to.trim().to_owned(), body["body"].as_str().expect("a text").to_owned()))
    }
}

fn pull(number: u64, owner: &str, sha: &str) -> Value {
    json!({ "number": number, "head": { "sha": sha, "repo": { "full_name": format!("{owner}/r") } } })
}

fn comment(id: u64, author: &str, body: &str) -> Value {
    json!({ "id": id, "user": { "login": author }, "body": body })
}

/// A comment of the job's own, which says that an earlier push passed.
fn passed() -> Value {
    json!([comment(3, "github-actions[bot]", "<!-- plimsoll-gate -->\n**Memory: PASS**")])
}

/// That the earlier comment says no more that anything passed, and why.
fn assert_withdrawn(github: &GitHub, why: &str) {
    let (to, body) = github.written().expect("written");
    assert_eq!(to, "PATCH repos/o/r/issues/comments/3");
    let [tag, line] = body.lines().collect::<Vec<_>>()[..] else { panic!("{body}") };
    assert_eq!(tag, "<!-- plimsoll-gate -->");
    assert_eq!(
        line,
        format!(
            "**Memory: no valid measurement** of [`4567def4567d`](https://github.com/fork/r/commit/{HEAD}): {why}; \
             see [the run](https://github.com/o/r/actions/runs/5)"
        )
    );
}

/// A verdict over one figure.
fn verdict(state: &str, outcome: &str, code: u8) -> Value {
    let side = |git: &str| json!({ "run": "20260101-000000-0001", "started": "2026-01-01T00:00:00Z", "git": git, "dirty": false });
    let head = if state == "fails" { 120.0 } else { 119.0 };
    json!({
        "schema": "plimsoll.verdict/1", "outcome": outcome, "exit_code": code, "headline": "", "advisory": null, "strict": false,
        "base": side("0123abc"), "head": side(HEAD), "notices": [], "invalid": [], "misconfigured": [], "next": [],
        "family": { "size": 0, "pairs": 20, "alpha": 0.05 },
        "rows": [{
            "cell": "ultra/chat/count", "subject": "ultra", "scenario": "chat", "probe": "count", "factors": {},
            "figure": "heap.allocs per request", "unit": "count", "rule": "exact", "state": state, "base": 119.0, "head": head,
            "difference": head - 119.0, "limit": 0.0, "smallest": { "kind": "over", "value": 0.0 }, "processes": 10, "again": true,
        }],
        "lockfile": [], "crates": [], "profiled": 0,
    })
}

fn tools() -> bool {
    let there = ["jq", "unzip", "python3"].iter().all(|tool| {
        Command::new("sh")
            .arg("-c")
            .arg(format!("command -v {tool}"))
            .output()
            .is_ok_and(|found| found.status.success())
    });
    assert!(
        there || std::env::var_os("CI").is_none(),
        "CI must have jq, unzip and python3: scripts/test-deps installs them"
    );
    there
}

#[test]
fn the_first_comment_is_written_and_later_ones_change_it_in_its_place() {
    if !tools() {
        return;
    }
    let tag = "<!-- plimsoll-gate -->\n";
    // Anybody can write the tag; only the job's own comment is changed.
    let others = json!([comment(1, "fork", tag), comment(2, "github-actions[bot]", "hello")]);
    let github = GitHub::new(&verdict("fails", "FAIL", 1), others);
    assert_code(&github.comment(), 0);
    let (to, body) = github.written().expect("written");
    assert_eq!(to, "POST repos/o/r/issues/7/comments");
    assert!(body.starts_with("<!-- plimsoll-gate -->\n### Memory: FAIL: 1 of 1 figure over the limit"), "{body}");
    assert!(body.contains("plimsoll gate --base 0123abc --only ultra/chat/count"), "{body}");

    let own = json!([comment(1, "fork", tag), comment(3, "github-actions[bot]", tag)]);
    let github = GitHub::new(&verdict("pass", "PASS", 0), own);
    assert_code(&github.comment(), 0);
    let (to, body) = github.written().expect("written");
    assert_eq!(to, "PATCH repos/o/r/issues/comments/3");
    assert_eq!(body.lines().count(), 2, "{body}");
}

#[test]
fn an_earlier_comment_does_not_stand_for_a_commit_without_a_verdict() {
    if !tools() {
        return;
    }
    // A build that fails, or a configuration that is none.
    let github = GitHub::new(&verdict("pass", "PASS", 0), passed());
    github.lists_nothing();
    assert_code(&github.comment_on("failure"), 0);
    assert_withdrawn(&github, "its job has left no verdict");

    // What a run has left that was ended is not looked at.
    let github = GitHub::new(&verdict("pass", "PASS", 0), passed());
    assert_code(&github.comment_on("cancelled"), 0);
    assert_withdrawn(&github, "its run was not brought to an end");

    // Nobody keeps a good verdict by leaving rubbish after it.
    let github = GitHub::new(&verdict("pass", "PASS", 0), passed());
    github.leaves("{");
    assert_code(&github.comment(), 1);
    assert_withdrawn(&github, "what its job has left could not be read as its verdict");
}

#[test]
fn what_a_pull_request_s_job_leaves_is_not_believed() {
    if !tools() {
        return;
    }
    let good = verdict("fails", "FAIL", 1);
    let edited = |pointer: &str, value: Value| {
        let mut verdict = good.clone();
        *verdict.pointer_mut(pointer).expect(pointer) = value;
        verdict.to_string()
    };
    for (left, says) in [
        ("{".to_owned(), "is no verdict"),
        ("[]".to_owned(), "is no verdict"),
        (edited("/schema", json!("plimsoll.verdict/9")), "plimsoll.verdict/9"),
        (edited("/exit_code", json!(0)), "its outcome FAIL ends with 1"),
        // Another commit's verdict, however good it looks.
        (edited("/head/git", json!("0123abc")), "is of commit 0123abc"),
        // A bomb: it is read no further than its limit.
        (format!("{{\"schema\":\"plimsoll.verdict/1\",\"x\":\"{}\"}}", " ".repeat(20_000_000)), "not one"),
    ] {
        let github = GitHub::new(&good, json!([]));
        github.leaves(&left);
        let refused = github.comment();
        assert_code(&refused, 1);
        assert!(said(&refused).contains(says), "{says}: {}", said(&refused));
        assert!(github.written().is_none());
    }
    let github = GitHub::new(&good, json!([]));
    github.is_listed(5_000_000);
    assert_code(&github.comment(), 1);
    assert!(said(&github.comment()).contains("a verdict has at most"));
}

#[test]
fn without_a_pull_request_or_a_verdict_nothing_is_written_and_nothing_is_wrong() {
    if !tools() {
        return;
    }
    for (path, answer, says) in [
        ("repos/o/r/pulls", json!([pull(7, "fork", "0000")]), "no open pull request"),
        ("repos/o/r/pulls", json!([pull(7, "fork", HEAD), pull(9, "fork", HEAD)]), "several pull requests"),
        ("repos/o/r/actions/runs/5/artifacts", json!({ "artifacts": [] }), "has left no verdict"),
    ] {
        let github = GitHub::new(&verdict("fails", "FAIL", 1), json!([]));
        github.answer(path, &answer);
        let quiet = github.comment();
        assert_code(&quiet, 0);
        assert!(said(&quiet).contains(says), "{}", said(&quiet));
        assert!(github.written().is_none());
    }
}
