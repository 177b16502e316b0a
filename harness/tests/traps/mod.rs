//! The traps of METHODOLOGY.md, "Traps and remedies": each test first falls into one, and asserts by how much the plain figure is wrong, and then takes the
//! figure as Plimsoll does and asserts that it is right. All figures are of the very processes that the test starts: bytes and counts, no times.
//!
//! - `processes`: whose memory it is, and what is around it
//! - `kernel`: what the kernel's figures mean
//! - `counting`: which calls are counted, and whether they repeat
//! - `jemalloc`: what jemalloc's figures mean, and allocators beside each other
//! - `growth`: what growth says, and what it hides
//!
//! What a test has found stands in METHODOLOGY.md; `cargo nextest run --success-output immediate` prints it for the machine at hand.

mod counting;
mod growth;
mod jemalloc;
mod kernel;
mod processes;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use plimsoll::probe::Metrics;
use plimsoll::probe::count::Counters;
use plimsoll::probe::proc::Watched;
use tempfile::TempDir;

/// A page, bytes.
const PAGE: i64 = 4096;
/// What a process may have more or less of for nothing that was asked of it: a page of stack, one of the heap's top.
const SLACK: i64 = 4 * PAGE;

/// A folder with C programs of this folder's `c/`, compiled.
struct Workshop(TempDir);

impl Workshop {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program made of `c/NAME.c`.
    fn compile(&self, name: &str) -> PathBuf {
        let program = self.path().join(name);
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/traps/c/{name}.c"));
        let compiled =
            Command::new("cc").args(["-O1", "-Wall", "-Werror", "-pthread", "-o"]).arg(&program).arg(source).status();
        assert!(compiled.expect("cc is needed to build this project").success());
        program
    }
}

/// A program that does a step for each line, and stands still in between.
struct Stepping {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// `command` as a run starts it: without address randomisation where that is permitted, without huge pages, with a fixed name, in `/`.
fn as_measured(command: &Command) -> Command {
    let mut through = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    through.args(["__exec", &std::process::id().to_string(), "--"]).arg(command.get_program()).args(command.get_args());
    through.env_clear();
    for (name, value) in command.get_envs() {
        through.env(name, value.unwrap_or_default());
    }
    through
}

/// A program with an environment of its own: nothing.
fn bare(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.env_clear();
    command
}

impl Stepping {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program is there");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input, output }
    }

    /// A line of its own accord, or the answer to what it was told.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("text");
        assert!(line.ends_with('\n'), "it ended: {:?}", self.child.wait());
        line.trim_end().to_owned()
    }

    fn tell(&mut self, step: &str) {
        writeln!(self.input, "{step}").expect("it lives");
    }

    /// Does a step; its answer.
    fn ask(&mut self, step: &str) -> String {
        self.tell(step);
        self.hear()
    }

    /// Does a step whose answer is a number above zero.
    fn step(&mut self, step: &str) -> i64 {
        let answer = self.ask(step);
        answer.parse().ok().filter(|number| *number > 0).unwrap_or_else(|| panic!("{step}: {answer}"))
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its memory as the probe `rss` reads it, when it is at rest.
    fn read(&self) -> Metrics {
        read(self.id())
    }

    /// What a step adds to each of its metrics.
    fn added(&mut self, step: &str) -> Metrics {
        let before = self.read();
        self.step(step);
        difference(&before, &self.read())
    }
}

impl Drop for Stepping {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process's memory as the probe `rss` reads it.
fn read(pid: u32) -> Metrics {
    let watched = Watched::new(pid).expect("it lives");
    watched.rest(std::time::Duration::from_secs(10));
    watched.metrics().expect("readable")
}

fn difference(before: &Metrics, after: &Metrics) -> Metrics {
    after.iter().map(|(name, value)| (name.clone(), value - before[name])).collect()
}

/// A line of a file of a process in `/proc`, bytes: one that the probe does not read, because it misleads.
fn field(pid: u32, file: &str, name: &str) -> i64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("readable");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib: i64 =
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_else(|| panic!("{name}: {text}"));
    kib * 1024
}

/// Counters of a program that is started under `libplimsoll_count.so`, in `folder`.
fn counted(command: &mut Command, folder: &Path) -> Counters {
    let file = folder.join("count");
    let counters = Counters::create(&file).expect("writable");
    let library = Path::new(env!("CARGO_BIN_EXE_plimsoll")).with_file_name("libplimsoll_count.so");
    command.env("LD_PRELOAD", library).env("PLIMSOLL_COUNT_FILE", file);
    counters
}

/// What one of the processes that count into a file has counted.
fn counts(counters: &Counters, pid: u32) -> Metrics {
    let all = counters.helpers(0).expect("readable");
    all.into_iter().find(|(counted, _)| *counted == pid).map(|(_, metrics)| metrics).expect("it counts")
}

/// Says what was found: the page of METHODOLOGY.md is written from it.
#[allow(clippy::print_stderr, reason = "what a test has measured is for whoever asks for it")]
fn told(trap: &str, found: std::fmt::Arguments<'_>) {
    eprintln!("{trap}: {found}");
}
