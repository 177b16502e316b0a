//! `plimsoll explain`

mod cell;

use std::path::PathBuf;

use comfy_table::{ContentArrangement, Table, presets};

use super::run::width;
use super::{Failure, Outcome, print};
use crate::config::{ConfigError, Project};
use crate::explain::{self, Meaning};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A name is that of a metric, a figure, a checkpoint, a probe, a factor or its value, a scenario, a subject, a suite, a technique, or a word of a \
verdict or a report; `plimsoll list words` has them all. A cell is named as `-E` of `run` takes it, with a `/` or a `=` in it, and told from the \
latest run: its figures, what they mean, whether each is exact and why not, how the gate judges it, and the command that measures it again.

Examples:
  plimsoll explain proc.anon
  plimsoll explain growth proc.anon
  plimsoll explain inconclusive
  plimsoll explain original/chat/count
  plimsoll explain --record reports/baseline bare/chat/rss/runtime=multi_thread")]
pub(super) struct Args {
    /// A name, or a cell
    #[arg(required = true, value_name = "CELL|NAME")]
    what: Vec<String>,
    /// Record that a cell is told from: a run's folder or id, a record's file, a baseline's name [default: the latest run]
    #[arg(long, value_name = "RECORD")]
    record: Option<String>,
    /// Of a cell, every figure, not only those that code is compared by
    #[arg(long)]
    all: bool,
}

pub(super) fn run(config: Option<PathBuf>, args: &Args) -> Outcome {
    let what = args.what.join(" ");
    // Whatever is no matter of a project is told anywhere.
    let project = match load(config.as_ref()) {
        Ok(project) => Some(project),
        Err(ConfigError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let found = explain::find(project.as_ref(), &what);
    // One word has a `/` in its name: A/A.
    if found.is_err() && what.contains(['/', '=']) {
        return cell::run(project.as_ref(), config, &what, args);
    }
    if args.record.is_some() || args.all {
        let why = "--record and --all are for cells, which have a `/` or a `=` in their names";
        return Err(Failure::usage(format!("{what:?} is no cell: {why}")));
    }
    match found {
        Ok(found) => print(&found.iter().map(told).collect::<Vec<_>>().join("\n")),
        Err(unknown) => {
            let nearest = unknown.nearest.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default();
            let where_else = "`plimsoll list words` has all names, `plimsoll list cells` those of cells";
            Err(Failure::usage(format!("nothing is called {what:?}{nearest}; {where_else}")))
        }
    }
}

fn load(config: Option<&PathBuf>) -> Result<Project, ConfigError> {
    let cwd = std::env::current_dir().unwrap_or_default();
    Project::load(config.map(PathBuf::as_path), &cwd)
}

/// A name in bold and its sort, then what it is, then what else is known of it.
fn told(meaning: &Meaning) -> String {
    let mut rows = vec![("", meaning.meaning.clone())];
    rows.extend(meaning.facts.iter().cloned());
    format!("\u{1b}[1m{}\u{1b}[0m  {}\n{}", meaning.names.join(", "), meaning.sort, rows_of(&rows))
}

/// Labels and texts, the texts broken where the terminal ends.
pub(super) fn rows_of(rows: &[(&str, String)]) -> String {
    let mut out = String::new();
    // What has no label is as wide as the page.
    for part in rows.chunk_by(|one, other| one.0.is_empty() == other.0.is_empty()) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if let Some(width) = width() {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        for (label, text) in part {
            if label.is_empty() {
                table.add_row([text.as_str()])
            } else {
                table.add_row([*label, text.as_str()])
            };
        }
        table.to_string().lines().for_each(|line| {
            out.push(' ');
            out.push_str(line.trim_end());
            out.push('\n');
        });
    }
    out
}
