//! `plimsoll baseline`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use comfy_table::{Cell, CellAlignment, Table, presets};
use plimsoll_reports::record::Record;
use plimsoll_reports::units::{Bytes, Count};

use super::{Failure, Outcome, print, say};
use crate::baseline::{self, Baseline, BaselineError, COMMITTED, DEFAULT, FOLDER};
use crate::config::Project;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A baseline is a record that is kept, packed, under a name: what `plimsoll gate --base NAME` compares with. Of a record that was measured some \
other time only exact figures are compared, and only where target, architecture, compiler, profile, C library, lockfile, replies and roots are \
the same. Named ones lie in target/plimsoll/baselines/ and are of this checkout; with --out one lies in a folder of your choice, to be \
committed, and --base takes the folder.

Examples:
  plimsoll baseline save                          the latest run, as `default`
  plimsoll baseline save --name before target/plimsoll/20260101-120000-0000
  plimsoll gate --base before
  plimsoll baseline save --out reports/baseline   for everybody: commit it
  plimsoll baseline rm before")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Keep a record; one of the same name is replaced
    Save(Save),
    /// Show what is kept
    List,
    /// Delete baselines
    Rm {
        /// Their names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Save {
    /// Run folder or record.json [default: target/plimsoll/latest]
    record: Option<PathBuf>,
    /// The name
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    name: String,
    /// Folder to keep it in instead, e.g. reports/baseline
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    out: Option<PathBuf>,
}

pub(super) fn run(project: &Project, args: Args) -> Outcome {
    match args.verb {
        Verb::Save(args) => save(project, &args),
        Verb::List => list(project),
        Verb::Rm { names } => remove(project, &names),
    }
}

fn save(project: &Project, args: &Save) -> Outcome {
    let latest = project.root.join("target/plimsoll/latest");
    if args.record.is_none() && !latest.exists() {
        return Err(Failure::usage(format!(
            "there is no {} to save; measure first (plimsoll run), or name a record",
            latest.display()
        )));
    }
    let record = args.record.clone().unwrap_or(latest);
    let before = args.out.is_none().then(|| baseline::find(project, &args.name)).flatten();
    let replaced = before.and_then(|file| crate::run::store::read(&file).ok());
    let saved = match &args.out {
        Some(folder) => baseline::save_to(&record, folder),
        None => baseline::save(project, &record, &args.name),
    }
    .map_err(failure)?;
    if let Some(replaced) = replaced.filter(|replaced| replaced.id != saved.record.id) {
        say(&format!("The one of that name before, of {}, is replaced.", commit(&replaced)));
    }
    print(&told(&saved))
}

fn told(saved: &Baseline) -> String {
    let record = &saved.record;
    let environment = &record.environment;
    let dirty = if record.tool.dirty { " with uncommitted changes" } else { "" };
    format!(
        "Kept as {name}: {commit}{dirty}, suite {suite}, {cells} cells, {samples} samples\n\
         Measured {day} on {kernel}, {cpu}, {libc}, {rustc}\n\
         {file}, {size}\n\
         To compare with it: plimsoll gate --base {name}\n",
        name = saved.name,
        commit = commit(record),
        suite = record.plan.suite,
        cells = record.plan.cells.len(),
        samples = count(record.samples.len()),
        day = record.started.strftime("%Y-%m-%d %H:%M UTC"),
        kernel = environment.kernel,
        cpu = environment.cpu,
        libc = environment.libc,
        rustc = environment.rustc,
        file = shown(&saved.file),
        size = bytes(saved.size),
    )
}

fn list(project: &Project) -> Outcome {
    let all = baseline::all(project);
    if all.is_empty() {
        say(&format!("No baseline in {FOLDER} or {COMMITTED}; `plimsoll baseline save` keeps the latest run."));
        return Ok(0);
    }
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let heads = ["baseline", "commit", "measured", "suite"].map(Cell::new).into_iter();
    let counts = ["cells", "samples", "size"].map(|head| right(head.to_owned()));
    table.set_header(heads.chain(counts).chain([Cell::new("compiler, machine")]));
    let mut broken = Vec::new();
    for (name, read) in all {
        match read {
            Ok(baseline) => table.add_row(
                row(&baseline)
                    .into_iter()
                    .enumerate()
                    .map(|(at, text)| if (4..7).contains(&at) { right(text) } else { Cell::new(text) }),
            ),
            Err(error) => {
                broken.push(format!("{name} cannot be read: {error}"));
                table.add_row([Cell::new(name), Cell::new("unreadable")])
            }
        };
    }
    print(&format!("{table}\n"))?;
    broken.iter().for_each(|line| say(line));
    Ok(0)
}

fn row(baseline: &Baseline) -> [String; 8] {
    let record = &baseline.record;
    let environment = &record.environment;
    [
        baseline.name.clone(),
        format!("{}{}", commit(record), if record.tool.dirty { "+" } else { "" }),
        record.started.strftime("%Y-%m-%d %H:%M").to_string(),
        record.plan.suite.clone(),
        record.plan.cells.len().to_string(),
        count(record.samples.len()),
        bytes(baseline.size),
        // `rustc 1.95.0 (59807616e 2026-04-14)`: the version is what tells them apart.
        format!("{}, {}", environment.rustc.split(" (").next().unwrap_or_default(), environment.cpu),
    ]
}

fn remove(project: &Project, names: &[String]) -> Outcome {
    for name in names {
        let size = baseline::remove(project, name).map_err(failure)?;
        print(&format!("Deleted {name}, {}\n", bytes(size)))?;
    }
    Ok(0)
}

fn failure(error: BaselineError) -> Failure {
    match error {
        BaselineError::Failed { .. } | BaselineError::Nothing(_) | BaselineError::Unfinished { .. } => {
            Failure::invalid(error)
        }
        other => Failure::usage(other),
    }
}

fn commit(record: &Record) -> String {
    record.tool.git.as_deref().map_or_else(|| "no commit".to_owned(), |git| git.chars().take(12).collect())
}

fn count(number: usize) -> String {
    Count(i64::try_from(number).unwrap_or(i64::MAX)).to_string()
}

fn bytes(size: u64) -> String {
    Bytes(i64::try_from(size).unwrap_or(i64::MAX)).to_string()
}

/// A path as the user would type it here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok().and_then(|cwd| Some(path.strip_prefix(cwd).ok()?.to_owned()));
    here.as_deref().unwrap_or(path).display().to_string()
}
