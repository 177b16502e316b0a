//! `plimsoll gate --self-test`

use std::io::IsTerminal;

use comfy_table::{CellAlignment, Table, presets};
use plimsoll_reports::gate::{Rules, Settings};

use super::{Args, failure};
use crate::cli::{Failure, Outcome, interrupted, note_interrupts, print};
use crate::config::Project;
use crate::event::Progress;
use crate::gate::contest::{self, Against};
use crate::gate::measure::Measuring;
use crate::gate::selftest::{self, COVERAGE, Found};
use crate::run::{Order, environment};

pub(super) fn run(project: &Project, args: &Args, order: &Order) -> Outcome {
    build(project)?;
    let order = Order { suite: selftest::SUITE.to_owned(), ..order.clone() };
    let mut settings = Settings::new(Rules { family: Vec::new(), ..Rules::default() });
    settings.own = [selftest::OWN.to_owned()].into();
    let planned = selftest::planned(project, &settings.rules, args.only.as_deref())?;
    if planned.is_empty() {
        return Err(Failure::usage(format!(
            "--only {} means no cell of the self-test, whose subjects are {}",
            args.only.as_deref().unwrap_or_default(),
            selftest::LEVELS.join(", ")
        )));
    }
    let (base, heads) = selftest::sides(project, &environment::tool(&project.root))?;
    let dir = super::dir(project, args, &order);
    note_interrupts();
    let mut progress = Progress::new(std::io::stderr().is_terminal());
    let mut measuring = Measuring { order: &order, dir: &dir, interrupted: &interrupted, reporter: &mut progress };
    let judged =
        contest::judge(&mut measuring, Against::Side(Box::new(base)), heads, &planned, &settings).map_err(failure)?;
    if let Some(why) = judged.iter().flat_map(|judged| &judged.verdict.invalid).next() {
        return Err(Failure::invalid(format!("the self-test could not be measured: {why}")));
    }
    let found = selftest::found(&judged);
    print(&table(&found))?;
    let missed = found.iter().filter(|found| !found.good).count();
    print(&match missed {
        0 => format!("\nall {} as they must be; records: {}\n", found.len(), dir.display()),
        missed => format!("\n{missed} of {} not as they must be; records: {}\n", found.len(), dir.display()),
    })?;
    Ok(u8::from(missed > 0))
}

fn build(project: &Project) -> Result<(), Failure> {
    let [program, words @ ..] = selftest::BUILD;
    let status = std::process::Command::new(program).args(words).current_dir(&project.root).status();
    let said = selftest::BUILD.join(" ");
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(Failure::usage(format!("`{said}` ended with {status}; the self-test is of Plimsoll's own repository")))
        }
        Err(error) => Err(Failure::usage(format!("cannot run `{said}`: {error}"))),
    }
}

fn table(found: &[Found]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "",
        "level",
        "injected",
        "figures",
        "blamed",
        "explained",
        "of what is held",
    ]);
    let percent = |share: Option<f64>| share.map_or_else(|| "—".to_owned(), |share| format!("{:.1} %", share * 100.0));
    for found in found {
        table.add_row([
            if found.good { "ok" } else { "MISSED" }.to_owned(),
            found.level.clone(),
            found.injected.what.to_owned(),
            format!("{} of {}", found.failed.0, found.failed.1),
            found.culprit.clone().unwrap_or_else(|| "—".to_owned()),
            percent(found.coverage),
            percent(found.held),
        ]);
    }
    for column in [3, 5, 6] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let rows: Vec<String> = table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    format!(
        "{}\n\nfigures: those that failed of those judged, over both rounds. blamed, explained: of allocations and bytes per request, the one explained \
         worst; at least {:.0} % must be, and of a leak the slope of the live heap must fail, too. of what is held: slope, live heap and its peak as of request 128, the one explained worst; a peak is \
         told of the moment of the profiler's own, which does not see what C holds.\n",
        rows.join("\n"),
        COVERAGE * 100.0
    )
}
