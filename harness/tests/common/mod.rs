//! What the end-to-end tests share: the built programs, a folder of their own, and a way to run `plimsoll` in it.

#![allow(dead_code, unreachable_pub)] // each test file uses its own part

mod cargo;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

use plimsoll_reports::record::{Record, Sample, Status};
use tempfile::TempDir;

/// A folder with a `plimsoll.toml` of its own, whose subjects are this repository's.
pub struct Project {
    dir: TempDir,
}

/// The programs that the tests measure.
pub const SUBJECTS: &str = r#"
version = 1
[[subject]]
id = "original"
command = ["{target}/original-{allocator}"]
kind = "level"
probes = ["rss", "count", "jemalloc", "dhat", "ledger"]
runtimes = ["current_thread", "multi_thread"]
protocols = ["h1", "h2"]
[[subject]]
id = "ultra"
command = ["{target}/ultra-{allocator}"]
kind = "level"
probes = ["rss", "count", "jemalloc", "dhat"]
runtimes = ["current_thread", "multi_thread"]
protocols = ["h1", "h2"]
[[subject]]
id = "python"
command = ["python3", "REPOSITORY/harness/subjects/python/subject.py"]
kind = "baseline"
probes = ["rss", "count", "ledger"]
"#;

impl Project {
    /// Subjects as above, and `suites` after them.
    pub fn new(suites: &str) -> Self {
        Self::with_subjects(SUBJECTS, suites)
    }

    /// `subjects`, and `suites` after them.
    pub fn with_subjects(subjects: &str, suites: &str) -> Self {
        build();
        Self::foreign(subjects, suites)
    }

    /// The same for subjects that are not this repository's: its own are not built.
    pub fn foreign(subjects: &str, suites: &str) -> Self {
        build_counter();
        let dir = tempfile::tempdir().expect("a temporary folder");
        let text = format!("{subjects}\n{suites}").replace("REPOSITORY", &repository().to_string_lossy());
        std::fs::write(dir.path().join("plimsoll.toml"), text).expect("writable");
        Self { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// `plimsoll ARGS…` in this folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(args).current_dir(self.path()).env("CARGO_TARGET_DIR", target());
        command
    }

    /// Runs `plimsoll ARGS…` to its end.
    pub fn plimsoll(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("plimsoll starts")
    }

    /// The record of the run in `out`.
    pub fn record(&self, out: &str) -> Record {
        let bytes = std::fs::read(self.path().join(out).join("record.json")).expect("a record");
        Record::read(&bytes).expect("a valid record")
    }
}

/// Both outputs of a program, as text.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Asserts an exit status, showing what was said if it is another.
pub fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
}

/// The samples that count.
pub fn ok(record: &Record) -> impl Iterator<Item = &Sample> {
    record.samples.iter().filter(|s| s.status == Status::Ok)
}

/// A metric at a checkpoint.
pub fn at(sample: &Sample, checkpoint: &str, metric: &str) -> i64 {
    let found = sample.checkpoints.iter().find(|c| c.name == checkpoint);
    let found = found.unwrap_or_else(|| panic!("no checkpoint {checkpoint} in {:?}", sample.error));
    *found.metrics.get(metric).unwrap_or_else(|| panic!("no {metric} at {checkpoint}"))
}

/// Every file below a folder that contains `needle`.
pub fn files_with(folder: &Path, needle: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable").map(|e| e.expect("readable")) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).is_ok_and(|b| b.windows(needle.len()).any(|w| w == needle.as_bytes())) {
                found.push(path);
            }
        }
    }
    found
}

/// What git says in a folder.
pub fn git(folder: &Path, words: &[&str]) -> String {
    let who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(who).args(words).current_dir(folder).output().expect("git is there");
    assert!(output.status.success(), "git {words:?}: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Commits everything in a folder; gives the commit.
pub fn commit(folder: &Path, message: &str) -> String {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--allow-empty", "-m", message]);
    git(folder, &["rev-parse", "HEAD"])
}

/// Whether python3 is here; in CI it must be.
pub fn has_python() -> bool {
    let there = Command::new("python3").arg("--version").output().is_ok_and(|o| o.status.success());
    assert!(there || std::env::var_os("CI").is_none(), "CI must have python3: scripts/test-deps installs it");
    there
}

/// The repository's folder.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the repository").to_owned()
}

/// Cargo's target folder that these tests were built in.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_plimsoll")).ancestors().nth(2).expect("target/release/plimsoll").to_owned()
}

/// The measured programs as a run builds them: by a cargo of their own, so that no feature of the harness is in them.
pub fn build() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| ["plimsoll-subjects", "plimsoll-count"].into_iter().for_each(build_package));
}

/// What counts their allocations.
fn build_counter() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| build_package("plimsoll-count"));
}

/// Builds a package of this repository, as it is built by hand.
pub fn build_package(package: &str) {
    let status = building(package).status();
    assert!(status.is_ok_and(|s| s.success()), "cannot build {package}");
}

/// The same; gives what cargo says of everything that is in it, an object of JSON a line.
pub fn built(package: &str) -> String {
    let output = building(package).arg("--message-format=json").stderr(std::process::Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot build {package}: {error}"));
    assert!(output.status.success(), "cannot build {package}");
    String::from_utf8(output.stdout).expect("JSON")
}

fn building(package: &str) -> Command {
    let mut cargo = cargo::by_hand();
    cargo.args(["build", "--quiet", "--locked", "--release", "-p", package]);
    cargo.current_dir(repository()).env("CARGO_TARGET_DIR", target());
    cargo
}
