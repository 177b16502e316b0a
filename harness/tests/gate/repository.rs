//! A git repository with a `plimsoll.toml`, made for a test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::common;

pub(crate) struct Repository {
    dir: TempDir,
}

/// A `plimsoll.toml` of one cell: a subject by its name, asked by `chat` under `count`; what else is said of the subject, and of the gate.
macro_rules! one_cell {
    ($id:literal, $subject:literal, $gate:literal) => {
        concat!(
            "version = 1\n[[subject]]\nid = \"",
            $id,
            "\"\n",
            $subject,
            "\n[suite.gate]\nsubjects = [\"",
            $id,
            "\"]\nscenarios = [\"chat\"]\n[[suite.gate.matrix]]\nprobes = [\"count\"]\n\n[gate]\nsuite = \"gate\"\n",
            $gate
        )
    };
}
pub(crate) use one_cell;

/// A subject whose program does with each request what its argument says, `nothing` to begin with.
pub(crate) const ONE_CELL: &str = one_cell!(
    "level",
    r#"command = ["PROGRAMS/release/selftest-bare-{allocator}", "nothing"]
probes = ["count", "dhat"]
runtimes = ["current_thread"]
"#,
    r#"exact = 3
own = ["plimsoll-selftest"]
"#
);

impl Repository {
    /// One commit on `main`, with this `plimsoll.toml`.
    pub(crate) fn new(config: &str) -> Self {
        let this = Self { dir: tempfile::tempdir().expect("a temporary folder") };
        this.git(&["init", "--quiet", "--initial-branch=main"]);
        this.write("plimsoll.toml", config);
        this.write(".gitignore", "/target\n/out*\n");
        this.commit("first");
        this
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file; `PROGRAMS` in it is where this repository's programs are built.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
        std::fs::write(file, text.replace("PROGRAMS", &common::target().to_string_lossy())).expect("writable");
    }

    /// Replaces something in `plimsoll.toml`.
    pub(crate) fn change(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path().join("plimsoll.toml")).expect("readable");
        assert!(text.contains(from), "{text}");
        self.write("plimsoll.toml", &text.replace(from, to));
    }

    /// Commits everything; gives the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        common::commit(self.path(), message)
    }

    /// What git says.
    pub(crate) fn git(&self, words: &[&str]) -> String {
        common::git(self.path(), words)
    }

    /// `plimsoll gate ARGS…`
    pub(crate) fn gate(&self, args: &[&str]) -> Output {
        gate_in(self.path(), args)
    }

    /// The same, to be started.
    pub(crate) fn gate_command(&self, args: &[&str]) -> Command {
        gate_command_in(self.path(), args)
    }

    /// A clone with so much history.
    pub(crate) fn shallow_clone(&self, depth: u32, branch: &str) -> (TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let from = format!("file://{}", self.path().display());
        let (depth, to) = (depth.to_string(), dir.path().join("clone"));
        let words = ["clone", "--quiet", "--depth", &depth, "--no-single-branch", "--branch", branch, &from, "clone"];
        common::git(dir.path(), &words);
        (dir, to)
    }
}

/// The verdict of a gate, of its schema.
pub(crate) fn verdict(repository: &Repository, out: &str) -> serde_json::Value {
    let bytes = std::fs::read(repository.path().join(out).join("verdict.json")).expect("a verdict");
    let verdict = serde_json::from_slice(&bytes).expect("JSON");
    let validator = jsonschema::validator_for(&plimsoll_reports::schema::verdict()).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&verdict).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    verdict
}

/// A file of a repository.
pub(crate) fn text(repository: &Repository, file: &str) -> String {
    std::fs::read_to_string(repository.path().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Gates; asserts the status.
pub(crate) fn gate(repository: &Repository, args: &[&str], code: i32) -> Output {
    let output = repository.gate(args);
    common::assert_code(&output, code);
    output
}

/// `plimsoll gate ARGS…` in a folder, away from what the environment of a CI job would have it do besides.
pub(crate) fn gate_in(folder: &Path, args: &[&str]) -> Output {
    gate_command_in(folder, args).output().expect("plimsoll starts")
}

fn gate_command_in(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.arg("gate").args(args).current_dir(folder).env_remove("CARGO_TARGET_DIR");
    for variable in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL"] {
        command.env_remove(variable);
    }
    command
}
