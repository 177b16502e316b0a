//! A cell: what is measured in it, what was, how the gate judges it, and how it is measured again.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets};
use plimsoll_reports::cell::{is_meant, name};
use plimsoll_reports::derive::{CellFigures, Figure};
use plimsoll_reports::explain::{Cells, Explained, Gated, Judged, Which};
use plimsoll_reports::gate::{Rule, Rules, Smallest, budgets};
use plimsoll_reports::record::{Cell, Record};
use plimsoll_reports::stats::Exactness;
use plimsoll_reports::summary::status_name;
use plimsoll_reports::units::Quantity;

use super::{Args, rows_of};
use crate::cli::{Failure, Outcome, find, print};
use crate::config::Project;
use crate::explain::{self, Meaning};
use crate::gate::{base::short, cells};
use crate::plan::{self, Narrow};
use crate::run::store::LATEST;
use crate::spelling::nearest_cell;

/// Cells that are named where a pattern means several.
const NAMED: usize = 30;

pub(super) fn run(project: Option<&Project>, config: Option<PathBuf>, pattern: &str, args: &Args) -> Outcome {
    let measured = match (&args.record, project) {
        (Some(word), _) => Some(Cells::of(&find::record(word, config)?)),
        (None, Some(project)) if project.root.join(LATEST).exists() => {
            Some(Cells::of(&find::record(&project.root.join(LATEST).to_string_lossy(), config)?))
        }
        (None, Some(_)) => None,
        (None, None) => {
            let why = "there is no plimsoll.toml here whose latest run could have it: name a record with --record";
            return Err(Failure::usage(format!("{pattern:?} is a cell, and {why}")));
        }
    };
    let planned = project.map(planned).unwrap_or_default();
    let told = |cell: &Cell| Told { project, planned: &planned, cell }.text(measured.as_ref(), args.all);
    let meant = measured.as_ref().map(|cells| cells.meant(pattern)).unwrap_or_default();
    let known: Vec<&Cell> = match meant.as_slice() {
        [] => of_plan(pattern, &planned),
        some => some.iter().map(|figures| &figures.cell).collect(),
    };
    match known.as_slice() {
        [] => {
            let all: Vec<&Cell> =
                measured.iter().flat_map(Cells::all).chain(planned.iter().map(|(_, cell)| cell)).collect();
            let nearest =
                nearest_cell(pattern, &all).map(|nearest| format!("; nearest: {nearest}")).unwrap_or_default();
            Err(Failure::usage(format!(
                "no cell is called {pattern:?}{nearest}; `plimsoll list cells` shows those of a suite"
            )))
        }
        [cell] => print(&told(cell)),
        several => {
            let mut text = format!("{} cells are called {pattern:?}; name one:\n", several.len());
            for cell in several.iter().take(NAMED) {
                let _ = writeln!(text, "  {}", name(cell));
            }
            if several.len() > NAMED {
                let _ = writeln!(text, "  and {} more", several.len() - NAMED);
            }
            print(&text)
        }
    }
}

/// The cells of every suite, each with the suite's name.
fn planned(project: &Project) -> Vec<(String, Cell)> {
    let of = |suite: &String| {
        let selection = plan::select(project, suite, &Narrow::default()).unwrap_or_default();
        selection.cells.into_iter().map(|planned| (suite.clone(), planned.cell)).collect::<Vec<_>>()
    };
    project.config.suite.keys().flat_map(of).collect()
}

/// The cells of the plan that a pattern means, each once; a cell's own name means it alone.
fn of_plan<'a>(pattern: &str, planned: &'a [(String, Cell)]) -> Vec<&'a Cell> {
    if let Some((_, cell)) = planned.iter().find(|(_, cell)| name(cell) == pattern) {
        return vec![cell];
    }
    let meant: BTreeSet<&Cell> = planned.iter().map(|(_, cell)| cell).filter(|cell| is_meant(pattern, cell)).collect();
    meant.into_iter().collect()
}

/// One cell, with what its project says of it.
struct Told<'a> {
    project: Option<&'a Project>,
    planned: &'a [(String, Cell)],
    cell: &'a Cell,
}

impl Told<'_> {
    fn text(&self, measured: Option<&Cells>, all: bool) -> String {
        let mut out = format!("\u{1b}[1m{}\u{1b}[0m\n", name(self.cell));
        let figures = measured.and_then(|cells| Some((cells, cells.meant(&name(self.cell)).into_iter().next()?)));
        out.push_str(&match figures {
            Some((cells, figures)) => samples(&cells.record, figures),
            None if measured.is_some() => " not measured in the record; what follows is of plimsoll.toml\n".to_owned(),
            None => " not measured yet; what follows is of plimsoll.toml\n".to_owned(),
        });
        out.push('\n');
        out.push_str(&rows_of(&self.parts()));
        let rules = self.rules();
        if let Some((cells, figures)) = figures {
            let gated =
                rules.as_ref().filter(|_| self.is_gated()).map(|rules| Gated { rules, family: self.family(rules) });
            let told = cells.figures(figures, gated, if all { Which::All } else { Which::Compared });
            out.push_str(&table(&told, gated));
            out.push_str(&heading("what they mean"));
            out.push_str(&rows_of(&definitions(&told)));
        }
        let judged =
            rules.map(|rules| self.judged(&rules, figures.map(|(cells, _)| &cells.record))).unwrap_or_default();
        if !judged.is_empty() {
            out.push_str(&heading("the gate"));
            out.push_str(&rows_of(&judged));
        }
        out.push_str(&heading("measured again by"));
        for command in self.commands(figures.map(|(cells, figures)| (&cells.record, figures))) {
            let _ = writeln!(out, "  {command}");
        }
        out
    }

    /// What the parts of its name are.
    fn parts(&self) -> Vec<(&'static str, String)> {
        let all = explain::all(self.project);
        let told = |name: &str, sorts: &[&str]| {
            let is = |meaning: &&Meaning| sorts.contains(&meaning.sort) && meaning.names.iter().any(|n| n == name);
            all.iter().find(is).map_or_else(|| name.to_owned(), |meaning| format!("{name}: {}", meaning.meaning))
        };
        let cell = self.cell;
        let mut rows = vec![
            ("subject", told(&cell.subject, &["subject"])),
            ("scenario", told(&cell.scenario, &["scenario"])),
            ("probe", told(&cell.probe, &["probe"])),
        ];
        let values = ["value of a factor", "technique"];
        rows.extend(
            cell.factors.iter().map(|(factor, value)| ("factor", format!("{factor}={}", told(value, &values)))),
        );
        rows
    }

    fn rules(&self) -> Option<Rules> {
        self.project?.config.rules().ok()
    }

    fn gate_suite(&self) -> Option<String> {
        self.project.map(|project| cells::suite(&project.config))
    }

    /// The cells that are gated.
    fn gated(&self) -> impl Iterator<Item = &Cell> {
        let suite = self.gate_suite();
        self.planned.iter().filter(move |(name, _)| Some(name) == suite.as_ref()).map(|(_, cell)| cell)
    }

    fn is_gated(&self) -> bool {
        self.gated().any(|cell| cell == self.cell)
    }

    /// The noisy figures of all gated cells, which are judged together.
    fn family(&self, rules: &Rules) -> usize {
        let of = |cell: &Cell| rules.family.iter().filter(|wanted| cells::reads(&cell.probe, wanted.metric())).count();
        self.gated().map(of).sum()
    }

    /// Whether it is gated, and the budgets and waivers that are of it.
    fn judged(&self, rules: &Rules, record: Option<&Record>) -> Vec<(&'static str, String)> {
        let suite = self.gate_suite().unwrap_or_default();
        let family = match self.family(rules) {
            0 => String::new(),
            size => format!("; its noisy figures are judged together, {size} of them, over {} pairs", rules.pairs),
        };
        let mut rows = vec![if self.is_gated() {
            ("gated", format!("yes, it is of the suite {suite}{family}"))
        } else {
            ("gated", format!("no, it is not of the suite {suite}"))
        }];
        let has = |budget: &plimsoll_reports::gate::Budget| {
            let (spent, _) = budgets::spent(std::slice::from_ref(budget), record?, &[self.cell]);
            let spent = spent.first()?;
            let median = Quantity::new(spent.median, budget.figure.unit())?;
            Some(format!("{median} here, {}", if spent.is_over() { "which is over" } else { "which is within" }))
        };
        for budget in rules.budgets.iter().filter(|budget| is_meant(&budget.cell, self.cell)) {
            let max = Quantity::new(budget.max, budget.figure.unit()).map(|max| max.to_string()).unwrap_or_default();
            let has = has(budget).unwrap_or_else(|| "not measured here".to_owned());
            rows.push(("budget", format!("{}: at most {max}; {has}", budget.figure)));
        }
        for waiver in rules.waivers.iter().filter(|waiver| is_meant(&waiver.cell, self.cell)) {
            let of = waiver.figure.as_ref().map_or_else(|| "the whole cell".to_owned(), ToString::to_string);
            rows.push(("waiver", format!("{of}, until {}: {} ({})", waiver.expires, waiver.reason, waiver.owner)));
        }
        rows
    }

    /// What measures it again, and nothing else as far as a filter can say so.
    fn commands(&self, measured: Option<(&Record, &CellFigures)>) -> Vec<String> {
        let mut all = Vec::new();
        if let Some((record, _)) = measured
            && let Some(git) = record.tool.git.as_ref().filter(|_| !record.tool.dirty)
            && git.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            all.push(format!("git checkout {}", short(git)));
        }
        let name = name(self.cell);
        let suites: Vec<&String> =
            self.planned.iter().filter(|(_, cell)| cell == self.cell).map(|(suite, _)| suite).collect();
        let its_own = suites.iter().find(|suite| measured.is_some_and(|(record, _)| record.plan.suite == ***suite));
        let suite = its_own.or_else(|| suites.first()).copied();
        match suite {
            Some(suite) => {
                let target = measured.map(|(record, _)| target(record)).unwrap_or_default();
                let samples = measured
                    .map(|(_, cell)| cell.planned.max(1))
                    .map(|n| format!(" --samples {n}"))
                    .unwrap_or_default();
                all.push(format!("plimsoll run --suite {suite} -E {name}{samples}{target}"));
                let more = self
                    .planned
                    .iter()
                    .filter(|(of, cell)| of == suite && is_meant(&name, cell) && cell != self.cell)
                    .count();
                if more > 0 {
                    all.push(format!("# and with it {more} more, which have these factors and others besides"));
                }
            }
            None if self.cell.scenario == plan::scenario::LINE => {
                all.push("# by `plimsoll line`, which says itself what it holds".into())
            }
            None => all.push("# no suite of plimsoll.toml has it".into()),
        }
        if self.is_gated() {
            all.push(format!("plimsoll gate --only {name}"));
        }
        all
    }
}

fn heading(text: &str) -> String {
    format!("\n\u{1b}[1m{text}\u{1b}[0m\n")
}

/// Of which run, how many samples, and why some do not count.
fn samples(record: &Record, cell: &CellFigures) -> String {
    let dirty = if record.tool.dirty { " with uncommitted changes" } else { "" };
    let git = record.tool.git.as_deref().map(|git| format!(", commit {}{dirty}", short(git))).unwrap_or_default();
    let total = u32::try_from(cell.failures.len()).unwrap_or(u32::MAX).saturating_add(cell.ok).max(cell.planned);
    let mut text = format!(
        " {} of {total} samples count · run {} of the suite {}{git} · target {}\n",
        cell.ok, record.id, record.plan.suite, record.environment.target
    );
    let mut told = BTreeSet::new();
    for failure in &cell.failures {
        if told.insert((status_name(failure.status), &failure.error)) {
            let _ = writeln!(text, " {}: {}", status_name(failure.status), failure.error);
        }
    }
    text
}

/// Where it was measured, if not on the mock.
fn target(record: &Record) -> String {
    match record.environment.target.as_str() {
        "mock" => String::new(),
        live if live.starts_with("live") => " --target live".to_owned(),
        // What comes from a record is in a command only if a shell sees nothing but a word in it.
        url if url.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '.' | '-' | '_')) => {
            format!(" --target {url}")
        }
        _ => String::new(),
    }
}

fn table(told: &[Explained], gated: Option<Gated<'_>>) -> String {
    if told.is_empty() {
        return "\n no figure: no sample counts\n".to_owned();
    }
    let mut table = Table::new();
    let mut header = vec!["figure", "middle", "from – to", "samples", "from process to process"];
    header.extend(gated.map(|_| "by the gate"));
    table.load_style(presets::NOTHING).set_header(header);
    for row in told {
        let measured = &row.measured;
        let range = match measured.stats.exactness {
            Exactness::Varies => format!("{} – {}", measured.min(), measured.max()),
            Exactness::Identical | Exactness::Single => "—".to_owned(),
        };
        let repeats = match measured.stats.exactness {
            Exactness::Identical => "the same: exact".to_owned(),
            Exactness::Varies => format!("varies ({})", row.why),
            Exactness::Single => "one sample does not say".to_owned(),
        };
        let mut cells = vec![
            row.figure.to_string(),
            measured.median().to_string(),
            range,
            measured.stats.samples.to_string(),
            repeats,
        ];
        cells
            .extend(gated.map(|_| {
                row.judged.map_or_else(|| "not judged".to_owned(), |by| judged(by, measured.stats.exactness))
            }));
        table.add_row(cells);
    }
    for column in [1, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.to_string().lines().map(|line| format!(" {}", line.trim_end())).collect();
    format!("\n{}\n", lines.join("\n"))
}

/// `exact: any increase fails`, `noisy: +32.0 KiB is let pass, +44.0 KiB is caught`.
fn judged(judged: Judged, exactness: Exactness) -> String {
    let floor = judged.floor;
    match (judged.by, judged.smallest) {
        (Rule::Exact, _) if exactness == Exactness::Varies => {
            "not exact: an increase fails if every process is above all of before".to_owned()
        }
        (Rule::Exact, _) if floor.value() == 0.0 => "exact: any increase fails".to_owned(),
        (Rule::Exact, _) => format!("exact: an increase over {floor} fails"),
        (by, Some(Smallest::About(change))) => {
            format!("{}: up to +{floor} is let pass, +{change} is caught", by.name())
        }
        (by, Some(Smallest::Nothing)) => {
            format!("{}: up to +{floor} is let pass, too few pairs to catch any", by.name())
        }
        (by, _) => format!("{}: up to +{floor} is let pass", by.name()),
    }
}

/// Of each form of the figures and each of their metrics, what it is, once.
fn definitions(told: &[Explained]) -> Vec<(&'static str, String)> {
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    let mut tell = |sort: &'static str, name: &str, text: String| {
        if seen.insert((sort, name.to_owned())) {
            rows.push((sort, format!("{name}: {text}")));
        }
    };
    for figure in told.iter().map(|row| &row.figure) {
        let Ok(found) = explain::find(None, &figure.to_string()) else { continue };
        let Some(meaning) = found.into_iter().next() else { continue };
        let fact = |what: &str| meaning.facts.iter().find(|(word, _)| *word == what).map(|(_, text)| text.clone());
        let form = match figure {
            Figure::At { .. } => None,
            Figure::Latency(percentile) => Some(percentile.name()),
            other => Some(other.form()),
        };
        if let Some(form) = form {
            let formula = fact("formula").filter(|formula| *formula != meaning.meaning);
            let formula = formula.map(|formula| format!("; {formula}")).unwrap_or_default();
            tell("form", form, format!("{}{formula}", meaning.meaning));
        }
        if let Some((point, when)) = fact("checkpoint").as_deref().and_then(|text| text.split_once(": ")) {
            tell("checkpoint", point, when.to_owned());
        }
        if let Some((metric, definition)) = fact("metric").as_deref().and_then(|text| text.split_once(": ")) {
            tell("metric", metric, definition.to_owned());
        }
    }
    rows
}
