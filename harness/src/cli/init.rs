//! `plimsoll init`

use std::path::{Path, PathBuf};

use super::{Failure, Outcome, print};
use crate::config::FILE;
use crate::init;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes a plimsoll.toml with one subject, a suite to run, one to gate a change by, and a budget and a waiver in comments. Where there is a \
Cargo.toml the subject is a Rust program on plimsoll-worker, with the lines to write in a comment; anywhere else it is a program in any language \
that speaks the protocol. A file that is there is never written over.

Examples:
  plimsoll init
  plimsoll init --dir ../client
  plimsoll init --package my-client   of a Cargo workspace")]
pub(super) struct Args {
    /// Folder of the project [default: this one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Package of a Cargo workspace that has the client
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
}

pub(super) fn run(config: Option<PathBuf>, args: &Args) -> Outcome {
    let path = match (config, &args.dir) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage("both --dir and --config say where to write: leave one out"));
        }
        (Some(file), None) => file,
        (None, dir) => dir.as_deref().unwrap_or(Path::new("")).join(FILE),
    };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // What is there is looked at first: whether the rest could be told is no matter then.
    if path.exists() {
        return Err(Failure::usage(init::InitError::Exists(path)));
    }
    let found = init::look(dir, args.package.as_deref()).map_err(Failure::usage)?;
    init::write(&path, &found.text()).map_err(Failure::usage)?;
    print(&format!(
        "{}: subject \"{}\", {}\n\n\
         1. Write {}.\n\
         2. plimsoll list; plimsoll run --dry-run: what is measured, and how long it takes.\n\
         3. plimsoll run, and read target/plimsoll/latest/index.html.\n",
        path.display(),
        found.id(),
        found.told(),
        found.to_write(),
    ))
}
