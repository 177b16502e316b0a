//! What is measured on which side, and how often.

use plimsoll_reports::gate::Rules;
use plimsoll_reports::record::{Cell, PlannedCell, Record};

use crate::config::{Allocator, Config, ConfigError, Matrix, Probe, Project, Samples, Subject, Suite};
use crate::plan::{self, Narrow};

/// A cell, and the processes of each side: the base's first. A side that does not have the cell has none of it in its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The cell.
    pub cell: Cell,
    /// Processes of each side; `Some(0)` is planned, and not measured because nothing is there to compare it with.
    pub samples: Vec<Option<u32>>,
}

/// The suite that is gated.
pub fn suite(config: &Config) -> String {
    config.gate.clone().unwrap_or_default().suite
}

/// The cells of a commit and of the head, for two sides.
///
/// # Errors
/// When the head has no such suite.
pub fn of_commit(
    head: &Project,
    base: Option<&Config>,
    rules: &Rules,
    only: Option<&str>,
) -> Result<Vec<Planned>, ConfigError> {
    let narrow = Narrow { filter: only.map(str::to_owned).into_iter().collect(), ..Narrow::default() };
    let heads = plan::select(head, &suite(&head.config), &narrow)?.cells;
    // A base without the suite cannot lack a cell of it.
    let at_base = base.filter(|config| config.suite.contains_key(&suite(config)));
    let bases = match at_base {
        Some(config) => {
            let project = Project { config: config.clone(), ..head.clone() };
            plan::select(&project, &suite(config), &narrow)?.cells
        }
        None => heads.clone(),
    };
    let mut all: Vec<Planned> = Vec::new();
    for planned in &bases {
        let other = heads.iter().find(|other| other.cell == planned.cell);
        let samples = match other {
            Some(other) => vec![Some(enough(rules, planned, other.samples)); 2],
            None => vec![Some(0), None],
        };
        all.push(Planned { cell: planned.cell.clone(), samples });
    }
    for planned in heads {
        if !bases.iter().any(|known| known.cell == planned.cell) {
            let samples = vec![None, Some(enough(rules, &planned, 0))];
            all.push(Planned { cell: planned.cell, samples });
        }
    }
    Ok(all)
}

/// The cells of a record that can be compared with it, and those that a budget is for; for the head alone.
///
/// # Errors
/// When the head has no such suite.
pub fn of_record(
    head: &Project,
    base: &Record,
    rules: &Rules,
    only: Option<&str>,
) -> Result<Vec<Planned>, ConfigError> {
    let narrow = Narrow { filter: only.map(str::to_owned).into_iter().collect(), ..Narrow::default() };
    let named =
        if head.config.suite.contains_key(&base.plan.suite) { base.plan.suite.clone() } else { suite(&head.config) };
    let counts = |cell: &Cell| cell.probe == Probe::Count.as_str();
    let budgeted = |cell: &Cell| rules.budgets.iter().any(|b| plimsoll_reports::cell::is_meant(&b.cell, cell));
    let cells = plan::select(head, &named, &narrow)?.cells;
    let wanted = cells.into_iter().filter(|planned| counts(&planned.cell) || budgeted(&planned.cell));
    Ok(wanted.map(|planned| Planned { samples: vec![Some(enough(rules, &planned, 0))], cell: planned.cell }).collect())
}

/// What of a record can be compared with what is measured now: counts, and cells that the head has.
pub fn comparable(base: &mut Record, planned: &[Planned]) {
    let keep = |cell: &Cell| cell.probe == Probe::Count.as_str() || planned.iter().any(|planned| planned.cell == *cell);
    let profile = |cell: &Cell| cell.probe == Probe::Dhat.as_str();
    base.plan.cells.retain(|planned| keep(&planned.cell));
    base.samples.retain(|sample| keep(&sample.cell) || profile(&sample.cell));
}

/// The same work under the profiler, for the cells that its subject can be profiled in.
pub fn profiled(project: &Project, cells: &[Cell]) -> Vec<Cell> {
    let mut all: Vec<Cell> = Vec::new();
    for cell in cells {
        let subject = project.config.subject.iter().find(|subject| subject.id == cell.subject);
        if !subject.is_some_and(|subject: &Subject| subject.probes.contains(&Probe::Dhat)) {
            continue;
        }
        let mut profiled = Cell { probe: Probe::Dhat.as_str().to_owned(), ..cell.clone() };
        profiled.factors.insert("allocator".to_owned(), Allocator::Dhat.as_str().to_owned());
        if !all.contains(&profiled) {
            all.push(profiled);
        }
    }
    all
}

/// A suite of just these cells' subjects and scenarios, so that a side whose own file has none can be measured.
pub fn as_suite(cells: &[Planned]) -> Suite {
    let mut suite = Suite {
        include: Vec::new(),
        description: String::new(),
        subjects: Vec::new(),
        scenarios: Vec::new(),
        samples: Samples::default(),
        matrix: Vec::<Matrix>::new(),
    };
    for Planned { cell, .. } in cells {
        for (list, name) in [(&mut suite.subjects, &cell.subject), (&mut suite.scenarios, &cell.scenario)] {
            if !list.contains(name) {
                list.push(name.clone());
            }
        }
    }
    suite
}

/// Processes of a side: as many as either side's file says, and no fewer than a rule needs that judges the cell.
fn enough(rules: &Rules, planned: &PlannedCell, other: u32) -> u32 {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let probe = planned.cell.probe.as_str();
    let by_statistics = rules.family.iter().any(|wanted| reads(probe, wanted.metric()));
    let exact = if probe == Probe::Count.as_str() { number(rules.exact) } else { 1 };
    let pairs = if by_statistics { number(rules.pairs) } else { 1 };
    planned.samples.max(other).max(exact).max(pairs)
}

/// Whether a probe reads a metric, by the source that the metric's name begins with.
pub(crate) fn reads(probe: &str, metric: &str) -> bool {
    match metric.split_once('.').map_or(metric, |(source, _)| source) {
        "proc" | "cgroup" | "beside" | "whole" => matches!(probe, "rss" | "ledger"),
        "heap" => matches!(probe, "count" | "ledger"),
        "rust" => probe == "ledger",
        "jemalloc" | "cheap" => probe == "jemalloc",
        "dhat" => probe == "dhat",
        _ => true,
    }
}
