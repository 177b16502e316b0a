//! Both sides of a commit and a checkout: what is in them, what is built, and what is not built again.

use std::path::Path;

use plimsoll::config::Project;
use plimsoll::gate::git::Git;
use plimsoll::gate::sides::{self, Sides};

use crate::repository::{Repository, one_cell};

/// A subject whose program is put together of a part that is measured and one that is the instrument. Each build leaves a line.
const PUT_TOGETHER: &str = one_cell!(
    "level",
    r#"build = ["sh", "build.sh"]
command = ["{target}/program"]
"#,
    r#"measured = ["level", "lock"]
"#
);

const BUILD: &str = "mkdir -p $CARGO_TARGET_DIR/release
pwd >> BUILDS
if grep -q broken level/part || { grep -q new instrument && grep -q old lock; }; then exit 1; fi
cat level/part lock instrument > $CARGO_TARGET_DIR/release/program
";

fn made() -> (Repository, std::path::PathBuf) {
    let repository = Repository::new(PUT_TOGETHER);
    let builds = repository.path().join("out-builds");
    repository.write("build.sh", &BUILD.replace("BUILDS", &builds.to_string_lossy()));
    for (file, text) in [("level/part", "level of the base\n"), ("lock", "lock\n"), ("instrument", "instrument\n")] {
        repository.write(file, text);
    }
    repository.commit("the base");
    (repository, builds)
}

fn sides(repository: &Repository, base: &str) -> Sides {
    let project = Project::load(None, repository.path()).expect("a project");
    let git = Git::of(repository.path()).expect("a repository");
    let base = git.commit(base).expect("a commit");
    let config = project.config.clone();
    sides::make(&project, &git, &base, Some(&config), &["level".to_owned()], &|_| {}).expect("two sides")
}

fn program(side: &plimsoll::gate::side::Side) -> String {
    std::fs::read_to_string(side.project.target_dir().join("program")).expect("built")
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

#[test]
fn the_base_has_the_head_s_instrument_and_what_is_there_is_not_built_again() {
    let (repository, builds) = made();
    repository.write("level/part", "level of the head\n");
    repository.write("instrument", "instrument of the head\n");
    let first = sides(&repository, "HEAD");
    assert_eq!(program(&first.base), "level of the base\nlock\ninstrument of the head\n");
    assert_eq!(program(&first.head), "level of the head\nlock\ninstrument of the head\n");
    assert_eq!((first.base.tool.dirty, first.head.tool.dirty), (false, true));
    assert_eq!(first.advisory, None);
    assert!(first.notes.iter().any(|note| note.contains("the instrument differs")), "{:?}", first.notes);
    let length = |side: &plimsoll::gate::side::Side| side.project.root.as_os_str().len();
    assert_eq!(length(&first.base), length(&first.head), "a path's length is in the program");
    assert_eq!(lines(&builds), 2);
    drop(sides(&repository, "HEAD"));
    assert_eq!(lines(&builds), 2, "nothing has changed");
    repository.write("level/part", "level of another head\n");
    let third = sides(&repository, "HEAD");
    assert_eq!(program(&third.head), "level of another head\nlock\ninstrument of the head\n");
    assert_eq!(lines(&builds), 3, "the base is there still");
}

#[test]
fn what_is_measured_is_said_by_the_base_and_not_by_the_head() {
    let (repository, _) = made();
    let at_base = Project::load(None, repository.path()).expect("a project").config;
    repository.change(r#"measured = ["level", "lock"]"#, r#"measured = ["docs"]"#);
    repository.write("level/part", "level of the head\n");
    let project = Project::load(None, repository.path()).expect("a project");
    let git = Git::of(repository.path()).expect("a repository");
    let base = git.commit("HEAD").expect("a commit");
    let sides = sides::make(&project, &git, &base, Some(&at_base), &["level".to_owned()], &|_| {}).expect("two sides");
    assert_eq!(program(&sides.base), "level of the base\nlock\ninstrument\n");
    assert_eq!(program(&sides.head), "level of the head\nlock\ninstrument\n");
}

#[test]
fn one_commit_on_both_sides_is_built_twice_and_alike() {
    let (repository, builds) = made();
    let same = sides(&repository, "HEAD");
    assert_eq!(program(&same.base), program(&same.head));
    assert_ne!(same.base.project.root, same.head.project.root);
    assert_eq!(lines(&builds), 2);
    assert_eq!((same.notes.as_slice(), same.advisory), (&[][..], None));
}

#[test]
fn what_does_not_build_with_the_head_is_taken_from_it_and_said() {
    let (repository, builds) = made();
    repository.write("lock", "old lock\n");
    repository.commit("a lock that the next instrument cannot be built with");
    repository.write("lock", "newer lock\n");
    repository.write("instrument", "new instrument\n");
    let made = sides(&repository, "HEAD");
    assert_eq!(program(&made.base), "level of the base\nnewer lock\nnew instrument\n");
    assert!(made.notes.iter().any(|note| note.starts_with("lock of the base does not build")), "{:?}", made.notes);
    assert_eq!(made.advisory, None);
    let built = lines(&builds);
    drop(sides(&repository, "HEAD"));
    assert_eq!(lines(&builds), built, "what did not build is not tried again");
}

#[test]
fn a_base_with_its_own_instrument_is_another_measurement_and_advisory() {
    let (repository, _) = made();
    repository.write(
        "build.sh",
        &format!("grep -q head level/part && [ -e level/new ] || exit 1\n{BUILD}").replace("BUILDS", "/dev/null"),
    );
    repository.write("level/part", "level of the head\n");
    repository.write("level/new", "");
    let made = sides(&repository, "HEAD");
    assert_eq!(program(&made.base), "level of the base\nlock\ninstrument\n");
    assert!(made.advisory.is_some_and(|why| why.contains("two instruments")));
}
