//! `plimsoll clean`

use std::path::Path;
use std::time::{Duration, SystemTime};

use plimsoll_reports::units::Bytes;

use super::{Failure, Outcome, print, say};
use crate::clean::{self, Keep};
use crate::config::Project;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Deletes old runs from target/plimsoll/, but for the last ones and the one that `latest` points at, and the checkouts and builds of the gate that \
nobody used for a week. Baselines, runs written elsewhere with --out, and whatever else lies there are not touched.

Examples:
  plimsoll clean --dry-run
  plimsoll clean --runs 3
  plimsoll clean --runs 0 --days 0   all but the latest run and the baselines")]
pub(super) struct Args {
    /// Runs to keep, the latest ones
    #[arg(long, value_name = "N", default_value_t = 10)]
    runs: usize,
    /// Days that a checkout of the gate is kept after it was used last
    #[arg(long, value_name = "N", default_value_t = 7)]
    days: u32,
    /// Only say what would be deleted
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(project: &Project, args: &Args) -> Outcome {
    let keep = Keep { runs: args.runs, sides: Duration::from_secs(u64::from(args.days) * 86_400) };
    let found = clean::find(project, keep, SystemTime::now());
    for line in &found.left {
        say(&format!("kept {line}"));
    }
    let (mut total, mut failed) = (0, Vec::new());
    for leftover in &found.leftovers {
        let line = format!("{}, {} ({})", shown(&leftover.folder, project), bytes(leftover.size), leftover.what);
        let deleted = if args.dry_run { Ok(()) } else { found.delete(leftover) };
        match deleted {
            Ok(()) => {
                total += leftover.size;
                print(&format!("{} {line}\n", if args.dry_run { "would delete" } else { "deleted" }))?;
            }
            Err(error) => failed.push(format!("{}: {error}", leftover.folder.display())),
        }
    }
    let verb = if args.dry_run { "would be freed" } else { "freed" };
    print(&format!("{} {verb}\n", bytes(total)))?;
    if failed.is_empty() {
        return Ok(0);
    }
    Err(Failure::usage(format!("cannot delete {}", failed.join("; "))))
}

fn shown(path: &Path, project: &Project) -> String {
    path.strip_prefix(&project.root).unwrap_or(path).display().to_string()
}

fn bytes(size: u64) -> String {
    Bytes(i64::try_from(size).unwrap_or(i64::MAX)).to_string()
}
