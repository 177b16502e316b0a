//! The same program, counted by a tool that is not ours.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Folder, compile, layout, library};

#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn valgrind_counts_the_same() {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no valgrind on this machine");
        return;
    }
    let folder = Folder::new("valgrind");
    let program = compile("work", folder.path());
    // What the loader does differs under valgrind; what the program does must not.
    let ours = difference(ours(&folder, &program, "0"), ours(&folder, &program, "20000"));
    let theirs = difference(memcheck(&program, "0"), memcheck(&program, "20000"));
    assert!(ours.0 > 19_000, "{ours:?}");
    assert_eq!(ours, theirs);
}

/// Allocations, frees, bytes.
type Totals = (u64, u64, u64);

fn difference(before: Totals, after: Totals) -> Totals {
    (after.0 - before.0, after.1 - before.1, after.2 - before.2)
}

fn ours(folder: &Folder, program: &Path, rounds: &str) -> Totals {
    let file = folder.count_file(rounds);
    let status = Command::new(program)
        .arg(rounds)
        .env_clear()
        .env("LD_PRELOAD", library())
        .env("PLIMSOLL_COUNT_FILE", &file)
        .status()
        .unwrap();
    assert!(status.success());
    let slot = layout::read(&fs::read(file).unwrap()).unwrap()[0];
    (slot.allocs, slot.frees, slot.bytes)
}

fn memcheck(program: &Path, rounds: &str) -> Totals {
    let output = Command::new("valgrind").args(["--run-libc-freeres=no"]).arg(program).arg(rounds).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    // ==1== total heap usage: 1,234 allocs, 1,234 frees, 56,789 bytes allocated
    let line = text.lines().find(|line| line.contains("total heap usage")).unwrap_or_else(|| panic!("{text}"));
    let figures: Vec<u64> = line
        .split_once("usage:")
        .unwrap()
        .1
        .split_whitespace()
        .filter_map(|word| word.replace(',', "").parse().ok())
        .collect();
    (figures[0], figures[1], figures[2])
}
