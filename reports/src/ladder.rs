//! The component ladder: programs that each have one component more than the one below, and what each component takes.
//!
//! A rung that asks is read when 20 requests are answered, as the claims that it answers are; one that asks nothing, when what it makes is made.
//! What a component takes is the difference between two programs, and so counts what it adds to the program file's pages, too.

use crate::contrast::{Contrast, Side};
use crate::derive::{CellFigures, Figure, GROWTH_AT, Measured};
use crate::record::SubjectInfo;
use crate::view::View;

/// The scenario of rungs that ask nothing, and the checkpoint at which they are read.
const IDLE: (&str, &str) = ("client", "client");

/// What is told of a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Height {
    /// Resident memory.
    Rss,
    /// Of it, anonymous.
    Anon,
    /// Resident memory before the first statement: of what a component takes, the part that is in no growth.
    Start,
    /// Live heap.
    Live,
    /// The highest live heap so far.
    Peak,
    /// Calls of malloc and realloc up to the first answer, or up to where a rung that asks nothing is read.
    Allocs,
    /// The same for each further request.
    PerRequest,
}

impl Height {
    /// All, in the order of columns.
    pub const ALL: [Self; 7] =
        [Self::Rss, Self::Anon, Self::Start, Self::Live, Self::Peak, Self::Allocs, Self::PerRequest];

    /// Its column's heading.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Anon => "anonymous",
            Self::Start => "RSS at start",
            Self::Live => "live heap",
            Self::Peak => "peak heap",
            Self::Allocs => "allocations",
            Self::PerRequest => "allocs/request",
        }
    }

    /// What it means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Rss => "resident memory of the whole process",
            Self::Anon => "of it, anonymous: heap, stacks, written data",
            Self::Start => "resident memory before the first statement: the part that is in no growth",
            Self::Live => "blocks in use, Rust and C, at the size handed out",
            Self::Peak => "the highest live heap so far",
            Self::Allocs => {
                "calls of malloc and realloc up to the first answer, or until the rung is made if it asks nothing"
            }
            Self::PerRequest => "the same for each request between the 64th and the 128th",
        }
    }

    /// The probe that reads it.
    #[must_use]
    pub fn probe(self) -> &'static str {
        match self {
            Self::Rss | Self::Anon | Self::Start => "rss",
            _ => "count",
        }
    }

    fn figure(self, asks: bool) -> Figure {
        let at = if asks { GROWTH_AT } else { IDLE.1 };
        match self {
            Self::Rss => Figure::at(at, "proc.rss"),
            Self::Anon => Figure::at(at, "proc.anon"),
            Self::Start => Figure::at("start", "proc.rss"),
            Self::Live => Figure::at(at, "heap.live"),
            Self::Peak => Figure::at(at, "heap.peak"),
            Self::Allocs => Figure::at(if asks { "first" } else { IDLE.1 }, "heap.allocs"),
            Self::PerRequest => Figure::per_request("heap.allocs"),
        }
    }
}

/// A ladder: the rungs as they were measured on one runtime.
#[derive(Debug)]
pub struct Ladder<'a> {
    /// The runtime of those rungs that have a choice; empty where none has.
    pub runtime: &'a str,
    /// The rungs in the plan's order, one for each scenario that a rung was put through.
    pub rungs: Vec<Rung<'a>>,
}

/// A rung in a scenario.
#[derive(Debug)]
pub struct Rung<'a> {
    /// The subject.
    pub info: &'a SubjectInfo,
    /// The scenario.
    pub scenario: &'a str,
    /// Whether it asks: else it is read when it is made.
    pub asks: bool,
    /// What was measured, and what it has beyond the rung below: one for each of [`Height::ALL`].
    pub steps: Vec<Step>,
}

/// A height of a rung.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The height itself.
    pub height: Option<Measured>,
    /// What it has beyond the rung below.
    pub beyond: Option<Contrast>,
}

impl Rung<'_> {
    /// One of its heights.
    #[must_use]
    pub fn step(&self, height: Height) -> &Step {
        let at = Height::ALL.iter().position(|other| *other == height).unwrap_or(0);
        &self.steps[at]
    }
}

/// The ladders of a record, one for each runtime; none where no rung was measured.
#[must_use]
pub fn ladders(view: &View) -> Vec<Ladder<'_>> {
    let all = runtimes(view);
    let ladder = |runtime| Ladder { runtime, rungs: rungs(view, runtime) };
    all.into_iter().map(ladder).filter(|ladder| !ladder.rungs.is_empty()).collect()
}

/// The runtimes that rungs were measured on: more than one thread first, because that is what a service runs on.
#[must_use]
pub fn runtimes(view: &View) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for cell in &view.cells {
        if let Some(runtime) = cell.cell.factors.get("runtime").filter(|_| is_rung(view, &cell.cell.subject))
            && !all.contains(&runtime.as_str())
        {
            all.push(runtime);
        }
    }
    all.sort_by_key(|runtime| *runtime != "multi_thread");
    if all.is_empty() { vec![""] } else { all }
}

/// What `rung` has beyond `below`, which need not be the next one below it, in a scenario of the upper one and on a runtime.
#[must_use]
pub fn beyond(view: &View, rung: &str, below: &str, scenario: &str, runtime: &str, height: Height) -> Option<Contrast> {
    let upper = find(view, rung, scenario, runtime, height)?;
    let same = find(view, below, scenario, runtime, height);
    let lower = same.or_else(|| find(view, below, IDLE.0, runtime, height))?;
    let asked = |cell: &CellFigures| height.figure(cell.cell.scenario != IDLE.0);
    let (head, base) = (asked(upper), asked(lower));
    Contrast::of(&view.record, Side { cell: &upper.cell, figure: &head }, Side { cell: &lower.cell, figure: &base })
}

fn rungs<'a>(view: &'a View, runtime: &str) -> Vec<Rung<'a>> {
    let mut rungs = Vec::new();
    for scenario in &view.scenarios {
        let (scenario, asks) = (scenario.info.id.as_str(), scenario.info.id != IDLE.0);
        for info in view.record.plan.subjects.iter().filter(|info| info.kind == "rung") {
            let step = |height: &Height| Step {
                height: find(view, &info.id, scenario, runtime, *height)
                    .and_then(|cell| cell.figure(&height.figure(asks)).copied()),
                beyond: info
                    .below
                    .as_deref()
                    .and_then(|below| beyond(view, &info.id, below, scenario, runtime, *height)),
            };
            let steps: Vec<Step> = Height::ALL.iter().map(step).collect();
            // A rung that asks was made for it: what it takes before it has asked is no rung of its own.
            if steps.iter().any(|step| step.height.is_some()) {
                rungs.push(Rung { info, scenario, asks, steps });
            }
        }
    }
    rungs
}

/// The cell of a rung that counts; a rung without a choice of runtime is on every ladder.
fn find<'a>(view: &'a View, rung: &str, scenario: &str, runtime: &str, height: Height) -> Option<&'a CellFigures> {
    let on = |cell: &CellFigures| cell.cell.factors.get("runtime").is_none_or(|own| own == runtime);
    let of = |cell: &&CellFigures| {
        cell.cell.subject == rung && cell.cell.scenario == scenario && cell.cell.probe == height.probe() && on(cell)
    };
    view.cells.iter().find(of).filter(|cell| cell.ok > 0)
}

/// Whether a subject is of a ladder.
#[must_use]
pub fn is_rung(view: &View, subject: &str) -> bool {
    view.record.plan.subjects.iter().any(|info| info.id == subject && info.kind == "rung")
}
