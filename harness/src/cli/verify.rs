//! `plimsoll verify`: what every client understands of what it is served, and then every cell, its answers checked and nothing measured.

mod cells;
mod conformance;

use std::path::PathBuf;

use clap::ValueEnum;

use super::run::NarrowArgs;
use super::{Failure, Outcome, note_interrupts};
use crate::config::Project;
use crate::verify::forms;

#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub(super) struct Args {
    #[command(flatten)]
    narrow: NarrowArgs,
    /// Folder of recorded traffic, whose bodies are fixtures besides the repository's own
    #[arg(long, value_name = "DIR")]
    traffic: Option<PathBuf>,
    /// Only this check
    #[arg(long, value_name = "CHECK")]
    only: Option<Check>,
    /// How long a client may take to say what it understood, seconds: one that takes longer hangs
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    timeout: u64,
    /// Do not run the subjects' build commands first
    #[arg(long)]
    no_build: bool,
}

const HELP: &str = "\
First, conformance: every subject that can say what it understood (`verify` in plimsoll.toml) is asked for every fixture, over each HTTP \
version that it speaks, and what it says is compared value by value with a plain reading of the served bytes. A difference is named by \
level, fixture and JSON path. Nothing is taken for the same but:";

const HELP_OF_CELLS: &str = "\
Then the cells: every subject does every scenario once, with every runtime and protocol that it supports. What it read is compared with \
what the mock served, by a reading of the served bytes that shares no code with the levels; and the mock says whether every request \
carried the key.";

fn help() -> String {
    let same = forms::SAME.map(|(what, why)| format!("  - {what}: {why}\n"));
    format!("{HELP}\n{}\n{HELP_OF_CELLS}", same.concat())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Check {
    /// What every client understands of every fixture
    Conformance,
    /// Every subject's every cell
    Cells,
}

pub(super) fn run(project: &Project, args: Args) -> Outcome {
    if let Some(dir) = args.traffic.as_ref().filter(|dir| !dir.join("MANIFEST.tsv").is_file()) {
        return Err(Failure::usage(format!("--traffic {}: there is no MANIFEST.tsv in it", dir.display())));
    }
    let cells = cells::select(project, &args.narrow)?;
    if !args.no_build {
        super::run::build(project, cells.selection())?;
    }
    note_interrupts();
    let mut code = 0;
    if args.only != Some(Check::Cells) {
        code = conformance::run(project, &args)?;
    }
    if args.only != Some(Check::Conformance) {
        code = code.max(cells.run()?);
    }
    Ok(code)
}
