//! What a head is compared with.

use plimsoll::config::Project;
use plimsoll::gate::base::{Base, BaseError, find};

use crate::repository::{ONE_CELL, Repository};

fn project(repository: &Repository) -> Project {
    Project::load(None, repository.path()).expect("a project")
}

fn usual(repository: &Repository) -> Result<(String, String), BaseError> {
    match find(&project(repository), None)? {
        Base::Commit { sha, how } => Ok((sha, how.unwrap_or_default())),
        Base::Record(path) => panic!("a record: {}", path.display()),
    }
}

#[test]
fn without_a_name_it_is_where_the_branch_began_and_on_main_the_parent() {
    let repository = Repository::new(ONE_CELL);
    assert!(matches!(usual(&repository), Err(BaseError::Nothing)));
    let first = repository.git(&["rev-parse", "HEAD"]);
    let second = repository.commit("second");
    assert_eq!(usual(&repository).expect("a base").0, first, "on main, the parent");
    repository.write("new", "uncommitted");
    assert_eq!(usual(&repository).expect("a base").0, second, "with changes of its own, HEAD");
    repository.git(&["checkout", "--quiet", "-b", "branch"]);
    repository.commit("third");
    repository.commit("fourth");
    let (sha, how) = usual(&repository).expect("a base");
    assert_eq!((sha.as_str(), how.contains("parted from main")), (second.as_str(), true), "{how}");
    // What others have counts more than a main of one's own.
    repository.git(&["update-ref", "refs/remotes/origin/main", &first]);
    let (sha, how) = usual(&repository).expect("a base");
    assert_eq!((sha, how.contains("origin/main")), (first, true), "{how}");
}

#[test]
fn of_the_merge_of_a_pull_request_it_is_what_it_was_merged_into() {
    let repository = Repository::new(ONE_CELL);
    repository.git(&["checkout", "--quiet", "-b", "branch"]);
    repository.commit("of the branch");
    repository.git(&["checkout", "--quiet", "main"]);
    let into = repository.commit("of main");
    repository.git(&["checkout", "--quiet", "--detach"]);
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "branch"]);
    assert_eq!(usual(&repository).expect("a base").0, into);
    // As a job has it: no branch, HEAD alone.
    repository.git(&["branch", "--quiet", "-D", "main", "branch"]);
    assert_eq!(usual(&repository).expect("a base").0, into);
}

#[test]
fn a_baseline_is_known_by_its_name_unless_a_commit_is_too() {
    let repository = Repository::new(ONE_CELL);
    repository.write("target/plimsoll/baselines/released/record.json.gz", "{}");
    let project = project(&repository);
    let found = find(&project, Some("released")).expect("a baseline");
    assert_eq!(found, Base::Record(project.root.join("target/plimsoll/baselines/released/record.json.gz")));
    repository.git(&["branch", "released"]);
    let error = find(&project, Some("released")).expect_err("twofold").to_string();
    assert!(error.contains("target/plimsoll/baselines/released/record.json.gz"), "{error}");
    for odd in ["../x", "-x", "", "--help"] {
        assert!(matches!(find(&project, Some(odd)), Err(BaseError::Unknown(_))), "{odd}");
    }
}
