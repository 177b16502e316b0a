//! What the tests of the counting library share: building it and C programs, and talking to the latter.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

#[path = "../../../tests/common/cargo.rs"]
mod cargo;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

#[path = "../../src/layout.rs"]
pub mod layout;

use layout::Slot;

/// libplimsoll_count.so as it now is in the source. Cargo does not build a cdylib for the tests of its own package.
pub fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        // <target>/<profile>/deps/<this test>
        let profile_dir = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
        let status = cargo::by_hand()
            .args(["build", "--quiet", "--locked", "--release", "--package", "plimsoll-count"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success());
        let library = profile_dir.join("libplimsoll_count.so");
        assert!(library.exists(), "{} is missing", library.display());
        library
    })
}

/// Compiles `tests/c/<name>.c`.
pub fn compile(name: &str, into: &Path) -> PathBuf {
    let program = into.join(name);
    let status = Command::new("cc")
        .args(["-O1", "-Wall", "-Werror", "-pthread", "-fno-builtin", "-o"])
        .arg(&program)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/c/{name}.c")))
        .status()
        .expect("these tests need a C compiler, as building the project does: install cc");
    assert!(status.success());
    program
}

/// A folder of this test's own, removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(test: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A fresh count file.
    pub fn count_file(&self, name: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, layout::blank()).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running `steps` program.
pub struct Steps {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    file: PathBuf,
    /// What it said first: the usable size of the block that it made before any constructor ran.
    pub early: u64,
}

impl Steps {
    pub fn start(program: &Path, file: &Path) -> Self {
        let mut child = Command::new(program)
            .env_clear()
            .env("LD_PRELOAD", library())
            .env("PLIMSOLL_COUNT_FILE", file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut steps = Self { child, input, output, file: file.to_owned(), early: 0 };
        steps.early = steps.answer();
        steps
    }

    /// Sends a step without waiting for its end.
    pub fn send(&mut self, step: &str) {
        writeln!(self.input, "{step}").unwrap();
    }

    /// Waits for the answer to a step.
    pub fn answer(&mut self) -> u64 {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().parse().unwrap_or_else(|_| panic!("the program answered {line:?}: {:?}", self.child.try_wait()))
    }

    /// Does a step: what it answered, and what it changed in slot 0.
    pub fn step(&mut self, step: &str) -> (u64, Change) {
        let before = self.slots()[0];
        self.send(step);
        let answer = self.answer();
        (answer, Change::between(before, self.slots()[0]))
    }

    pub fn slots(&self) -> Vec<Slot> {
        layout::read(&fs::read(&self.file).unwrap()).unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What happened between two readings of a slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    pub allocs: u64,
    pub bytes: u64,
    pub reallocs: u64,
    pub frees: u64,
    pub live: i64,
}

impl Change {
    pub fn between(before: Slot, after: Slot) -> Self {
        Self {
            allocs: after.allocs - before.allocs,
            bytes: after.bytes - before.bytes,
            reallocs: after.reallocs - before.reallocs,
            frees: after.frees - before.frees,
            live: after.live - before.live,
        }
    }
}
