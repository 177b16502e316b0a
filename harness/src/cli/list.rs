//! `plimsoll list`

use std::fmt::Write;

use clap::ValueEnum;
use comfy_table::{Table, presets};

use super::explain::rows_of;
use super::run::NarrowArgs;
use super::{Failure, Outcome, print};
use crate::config::{Allocator, Probe, Project};
use crate::explain;
use crate::plan::{self, scenario};
use crate::run::launch::{self, Missing};

#[derive(Debug, clap::Args)]
#[command(after_help = "`plimsoll explain NAME` says more of whatever has a name here.")]
pub(super) struct Args {
    /// What to show [default: subjects, scenarios and suites]
    what: Option<What>,
    /// Suite whose cells are shown
    #[arg(long, value_name = "NAME", default_value = "quick")]
    suite: String,
    #[command(flatten)]
    narrow: NarrowArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Subjects, and which probe each supports
    Subjects,
    /// Scenarios
    Scenarios,
    /// Suites
    Suites,
    /// The cells of a suite, and what it leaves out
    Cells,
    /// All names that `plimsoll explain` knows, by what they are names of
    Words,
}

pub(super) fn run(project: &Project, args: Args) -> Outcome {
    let wanted = args.what.map_or_else(|| vec![What::Subjects, What::Scenarios, What::Suites], |what| vec![what]);
    let mut text = String::new();
    for (n, what) in wanted.iter().enumerate() {
        let table = match what {
            What::Subjects => subjects(project),
            What::Scenarios => scenarios(),
            What::Suites => suites(project),
            What::Cells => cells(project, &args)?,
            What::Words => words(project),
        };
        let _ = writeln!(text, "{}{table}", if n > 0 { "\n" } else { "" });
    }
    print(&text)
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().copied());
    table
}

/// The table as it is printed: no line begins or ends with a cell's padding.
fn lines(table: &Table) -> String {
    table.to_string().lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

fn subjects(project: &Project) -> String {
    let mut header = vec!["subject"];
    header.extend(Probe::ALL.iter().map(|p| p.as_str()));
    header.push("description");
    let mut table = table(&header);
    for subject in &project.config.subject {
        let mut row = vec![subject.id.clone()];
        row.extend(Probe::ALL.iter().map(|&probe| {
            if !subject.probes.contains(&probe) {
                return match probe.allocator() {
                    Some(Allocator::Jemalloc | Allocator::JemallocTuned | Allocator::Dhat) => "no¹".to_owned(),
                    _ => "no²".to_owned(),
                };
            }
            match launch::locate(project, subject, &subject.command, probe.allocator().unwrap_or(Allocator::System)) {
                Ok(_) => "yes".to_owned(),
                Err(Missing::NotBuilt(_)) => "once built".to_owned(),
                Err(Missing::Absent(how)) => format!("after {how}"),
                Err(Missing::NotInstalled(name)) => format!("no {name}"),
            }
        }));
        row.push(subject.description.clone());
        table.add_row(row);
    }
    let mut text = lines(&table);
    for (mark, why) in [
        ("no¹", "not among its `probes`: it wants a program built on plimsoll-worker with that allocator"),
        ("no²", "not among its `probes` in plimsoll.toml"),
    ] {
        if text.contains(mark) {
            let _ = write!(text, "\n{} {why}", mark.trim_start_matches("no"));
        }
    }
    text
}

fn scenarios() -> String {
    let mut table = table(&["scenario", "requests", "in flight", "deterministic", "description"]);
    for scenario in scenario::ALL {
        table.add_row([
            scenario.id.to_owned(),
            scenario.requests().to_string(),
            scenario.in_flight.to_string(),
            if scenario.deterministic { "yes" } else { "no" }.to_owned(),
            scenario.description.to_owned(),
        ]);
    }
    lines(&table)
}

fn suites(project: &Project) -> String {
    let mut table = table(&["suite", "cells", "samples", "description"]);
    for (name, suite) in &project.config.suite {
        let selection = plan::select(project, name, &plan::Narrow::default()).unwrap_or_default();
        let samples: u32 = selection.cells.iter().map(|c| c.samples).sum();
        table.add_row([
            name.clone(),
            selection.cells.len().to_string(),
            samples.to_string(),
            suite.description.clone(),
        ]);
    }
    lines(&table)
}

fn cells(project: &Project, args: &Args) -> Result<String, Failure> {
    let selection = plan::select(project, &args.suite, &args.narrow.narrow())?;
    let mut text = String::new();
    for planned in &selection.cells {
        let _ = writeln!(text, "{}", plan::cell_name(&planned.cell));
    }
    for skipped in &selection.skipped {
        let _ = writeln!(text, "– left out: {skipped}");
    }
    Ok(text.trim_end().to_owned())
}

/// The names of each sort, in the order in which they are told.
fn words(project: &Project) -> String {
    let mut sorts: Vec<(&str, Vec<String>)> = Vec::new();
    for meaning in explain::all(Some(project)) {
        match sorts.iter_mut().find(|(sort, _)| *sort == meaning.sort) {
            Some((_, names)) => names.extend(meaning.names),
            None => sorts.push((meaning.sort, meaning.names)),
        }
    }
    let told = |(sort, names): &(&str, Vec<String>)| format!("{sort}\n{}", rows_of(&[("", names.join(" · "))]));
    sorts.iter().map(told).collect::<String>().trim_end().to_owned()
}
