//! What cannot be judged ends with 2 or 3 and one line that says where and what to do; with 0 never.

use crate::common::{assert_code, said};
use crate::repository::{ONE_CELL, Repository, gate_in};

/// Asserts the status and one error that says this.
#[track_caller]
fn ends(output: &std::process::Output, code: i32, says: &[&str]) {
    assert_code(output, code);
    let said = said(output);
    for words in says {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    assert_eq!(said.matches("error:").count(), 1, "{said}");
}

#[test]
fn an_unknown_revision() {
    let repository = Repository::new(ONE_CELL);
    ends(&repository.gate(&["--base", "no-such-branch"]), 2, &["\"no-such-branch\" is no commit", "git fetch"]);
}

#[test]
fn a_clone_that_does_not_go_back_far_enough() {
    let repository = Repository::new(ONE_CELL);
    repository.git(&["checkout", "--quiet", "-b", "branch"]);
    repository.commit("a change");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.commit("another");
    let (_dir, clone) = repository.shallow_clone(1, "branch");
    ends(&gate_in(&clone, &[]), 2, &["shallow", "git fetch --unshallow", "fetch-depth: 0"]);
}

#[test]
fn the_merge_of_a_pull_request_as_the_base_of_its_own_commits() {
    let repository = Repository::new(ONE_CELL);
    repository.git(&["checkout", "--quiet", "-b", "branch"]);
    repository.commit("a change");
    repository.git(&["checkout", "--quiet", "--detach", "main"]);
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "branch"]);
    repository.git(&["update-ref", "refs/pull/7/merge", "HEAD"]);
    repository.git(&["checkout", "--quiet", "branch"]);
    ends(&repository.gate(&["--base", "refs/pull/7/merge"]), 2, &["contains HEAD", "git merge-base"]);
}

#[test]
fn no_repository_and_no_record() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("plimsoll.toml"), ONE_CELL).expect("writable");
    ends(&gate_in(dir.path(), &[]), 2, &["no git repository", "--base"]);
    ends(&gate_in(dir.path(), &["--base", "nowhere/record.json"]), 2, &["nowhere/record.json"]);
}

#[test]
fn records_that_are_none() {
    let repository = Repository::new(ONE_CELL);
    let record = r#"{ "schema": "plimsoll.record/1", "id": "x", "started": "2026-11-26T00:00:00Z" "#;
    for (name, text, says) in [
        ("corrupt", "{ \"schema\": nonsense }", "not JSON"),
        ("truncated", record, "truncated"),
        ("empty", "", "empty"),
        ("other", "{ \"schema\": \"plimsoll.record/9\" }", "plimsoll.record/9"),
        ("verdict", "{ \"outcome\": \"PASS\" }", "no `schema` key"),
    ] {
        let file = format!("out-{name}.json");
        repository.write(&file, text);
        ends(&repository.gate(&["--base", &file]), 2, &[&file, says]);
    }
}

#[test]
fn rules_that_cannot_be_applied() {
    let repository = Repository::new(ONE_CELL);
    let waiver = "[[waiver]]\ncell = \"level\"\nreason = \"r\"\nowner = \"the owner\"\nexpires = 2020-01-31\n";
    repository.write("plimsoll.toml", &format!("{ONE_CELL}{waiver}"));
    repository.commit("a waiver that is over");
    ends(
        &repository.gate(&["--base", "HEAD"]),
        2,
        &["plimsoll.toml: the waiver", "expired on 2020-01-31", "the owner"],
    );
    // What --config names is read, of the base as well, and is what an error names.
    repository.git(&["mv", "plimsoll.toml", "other.toml"]);
    repository.commit("another name");
    let args = ["--config", "other.toml", "--base", "HEAD"];
    ends(&repository.gate(&args), 2, &["other.toml: the waiver", "expired on 2020-01-31"]);
    repository.git(&["mv", "other.toml", "plimsoll.toml"]);

    let budget = "[[budget]]\nsubject = \"level\"\nmetric = \"growth proc.rss\"\nmax = 1\nmaximum = 2\n";
    repository.write("plimsoll.toml", &format!("{ONE_CELL}{budget}"));
    ends(&repository.gate(&["--base", "HEAD"]), 2, &["plimsoll.toml", "unknown field `maximum`"]);
    let bad = repository.commit("a budget with a key that is none");
    repository.write("plimsoll.toml", ONE_CELL);
    // The base's file is named by its commit, because the one in the checkout is good.
    ends(&repository.gate(&["--base", "HEAD"]), 2, &[&format!("{}:plimsoll.toml", &bad[..12]), "maximum"]);

    ends(&repository.gate(&["--budgets"]), 2, &["no [[budget]]"]);
    repository.change("suite = \"gate\"", "suite = \"gat\"");
    ends(&repository.gate(&["--base", "HEAD~1"]), 2, &["gate.suite", "did you mean \"gate\"?"]);
}

#[test]
fn a_cell_that_is_none_and_a_head_that_does_not_build() {
    let repository = Repository::new(ONE_CELL);
    ends(&repository.gate(&["--base", "HEAD", "--only", "levle"]), 2, &["--only levle", "plimsoll list cells"]);
    repository.change("own = ", "build = [\"false\"]\nown = ");
    ends(&repository.gate(&["--base", "HEAD"]), 3, &["the head does not build", "`false`"]);
}
