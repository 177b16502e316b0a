//! Every subject's every cell, once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use plimsoll_reports::record::{Cell, Status};

use super::super::run::NarrowArgs;
use super::super::{Failure, Outcome, interrupted, print};
use crate::config::{
    Allocator, Config, Crypto, Kind, Matrix, Probe, Project, Protocol, Runtime, Samples, Streams, Suite,
};
use crate::event::{Event, Reporter};
use crate::plan::scenario::{self, Scenario};
use crate::plan::{self, Selection};
use crate::run::launch::Key;
use crate::run::{self, Order, Runner, Target, scratch::Scratch};

/// The name of the suite that is made up for this.
const SUITE: &str = "verify";

/// What is to be verified.
pub(super) struct Cells {
    project: Project,
    selection: Selection,
}

pub(super) fn select(project: &Project, narrow: &NarrowArgs) -> Result<Cells, Failure> {
    let mut narrow = narrow.narrow();
    let project = with_everything(project, &narrow.scenarios);
    narrow.samples = Some(1);
    let selection = plan::select(&project, SUITE, &narrow)?;
    if selection.cells.is_empty() {
        return Err(Failure::usage("nothing is left to verify; `plimsoll list subjects` shows what there is"));
    }
    Ok(Cells { project, selection })
}

impl Cells {
    pub(super) fn selection(&self) -> &Selection {
        &self.selection
    }

    pub(super) fn run(&self) -> Outcome {
        let order = Order {
            suite: SUITE.to_owned(),
            seed: 0,
            target: Target::Mock,
            key: Key::new("verify-key-of-the-length-of-a-real-one-".to_owned()),
            fault: None,
            traffic: None,
            access: crate::run::live::Access::default(),
            timeout: Duration::from_secs(60),
        };
        let scratch =
            Scratch::create().map_err(|e| Failure::invalid(format!("cannot make a temporary folder: {e}")))?;
        let (_, trust) = run::trust_bundle();
        let record = run::blank_record(&self.project, &self.selection, &order, trust);
        let mut runner = Runner::create(&self.project, &order, record, &scratch.path().join("run"), &interrupted)
            .map_err(Failure::invalid)?;
        runner.report_to(Box::new(Lines));
        let record = runner.run().map_err(Failure::invalid)?;
        let of = |wanted: &dyn Fn(Status) -> bool| record.samples.iter().filter(|s| wanted(s.status)).count();
        let (ok, absent) = (of(&|s| s == Status::Ok), of(&|s| s == Status::Unavailable));
        let wrong = record.samples.len() - ok - absent;
        let answers: u64 = record.samples.iter().filter(|s| s.status == Status::Ok).map(|s| s.answers.answered).sum();
        let distinct =
            |key: &dyn Fn(&Cell) -> String| record.samples.iter().map(|s| key(&s.cell)).collect::<BTreeSet<_>>().len();
        print(&format!(
            "{} subjects × {} scenarios: {ok} cells agree ({answers} answers), {wrong} do not, {absent} unavailable\n",
            distinct(&|c| c.subject.clone()),
            distinct(&|c| c.scenario.clone()),
        ))?;
        Ok(run::exit_code(&record))
    }
}

/// The project with a suite of every subject, scenario, runtime and protocol. What puts a hundred requests on the machine, or makes ten
/// thousand, is done with one runtime and crypto provider: `crowd` always, the others, which check no other answers, when they are `named`.
fn with_everything(project: &Project, named: &[String]) -> Project {
    let ids = |wanted: &dyn Fn(&Scenario) -> bool| -> Vec<String> {
        scenario::ALL.iter().filter(|s| wanted(s)).map(|s| s.id.to_owned()).collect()
    };
    let everything = Matrix {
        probes: vec![Probe::Rss],
        subjects: None,
        scenarios: Some(ids(&|s| !s.is_crowded())),
        runtimes: Runtime::ALL.to_vec(),
        protocols: vec![Protocol::H1, Protocol::H2],
        streams: vec![Streams::Limited],
        crypto: Crypto::ALL.to_vec(),
        allocators: vec![Allocator::System],
        switches: vec!["default".to_owned()],
        samples: None,
    };
    let once = Matrix {
        scenarios: Some(ids(&|s| s.id == "crowd" || s.is_crowded() && named.iter().any(|id| id == s.id))),
        runtimes: vec![Runtime::MultiThread],
        crypto: vec![Crypto::AwsLc],
        ..everything.clone()
    };
    let suite = Suite {
        description: String::new(),
        include: Vec::new(),
        // What a rung answers is checked whenever it is measured; half of them ask nothing.
        subjects: project.config.subject.iter().filter(|s| s.kind != Kind::Rung).map(|s| s.id.clone()).collect(),
        scenarios: scenario::ALL.iter().map(|s| s.id.to_owned()).collect(),
        samples: Samples::default(),
        matrix: vec![everything, once],
    };
    let config = Config { suite: BTreeMap::from([(SUITE.to_owned(), suite)]), ..project.config.clone() };
    Project { config, ..project.clone() }
}

/// A line per cell.
struct Lines;

impl Reporter for Lines {
    fn hear(&mut self, event: &Event) {
        if let Event::SampleFinished { cell, status, error, .. } = event {
            let mark = match status {
                Status::Ok => "ok ",
                Status::Unavailable => "–  ",
                _ => "NOT",
            };
            let why = error.as_deref().map(|e| format!(": {e}")).unwrap_or_default();
            let _ = print(&format!("{mark} {}{why}\n", plan::cell_name(cell)));
        }
    }
}
