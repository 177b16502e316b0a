//! One run loop for all sides: of each cell the sides take turns, one process right after the other, in an order that is drawn anew each time
//! from the recorded seed, so that a machine that changes troubles all alike.

use std::path::{Path, PathBuf};
use std::time::Instant;

use plimsoll_reports::record::{PlannedCell, Record, Status};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use super::cells::{self, Planned};
use super::side::Side;
use crate::config::Project;
use crate::event::{Event, Reporter};
use crate::plan::Selection;
use crate::plan::order::Turn;
use crate::plan::predict::Predictor;
use crate::run::session::{self, Session};
use crate::run::{self, Order, RunError, Runner};

/// What measures.
pub struct Measuring<'a> {
    /// Key, seed, patience: the same for all sides.
    pub order: &'a Order,
    /// Where everything goes: a folder for each side, and of later rounds in a folder of the round's.
    pub dir: &'a Path,
    /// Whether somebody wants it to end.
    pub interrupted: &'a dyn Fn() -> bool,
    /// Whoever wants to know how it goes.
    pub reporter: &'a mut dyn Reporter,
}

/// A sample to take: of which side, and where in its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draw {
    side: usize,
    turn: Turn,
}

impl Measuring<'_> {
    /// Takes every sample of a round; gives the record of each side. `round` is the folder's name, empty for the first.
    ///
    /// # Errors
    /// When the mock or the disk fails, or when interrupted: what was measured is kept.
    pub fn round(&mut self, round: &str, sides: &[Side], planned: &[Planned]) -> Result<Vec<Record>, RunError> {
        let begun = Instant::now();
        let projects: Vec<Project> = sides.iter().map(|side| of(side, &self.order.suite, planned)).collect();
        let mut runners = Vec::new();
        for (at, (side, project)) in sides.iter().zip(&projects).enumerate() {
            let record = blank(side, project, self.order, planned, at);
            runners.push(Runner::create(project, self.order, record, &self.folder(round, side), self.interrupted)?);
        }
        let draws = draws(planned, sides.len(), self.order.seed);
        let session = Session::open(self.order, draws.iter().any(|draw| session::wants_unlimited(&draw.turn)))?;
        let mut predictor = Predictor::default();
        let mut left = predictor.each(draws.iter().map(|draw| &draw.turn.cell));
        let id = runners.first().map(|runner| runner.record().id.clone()).unwrap_or_default();
        let predicted_s = left.as_secs_f64();
        self.reporter.hear(&Event::RunStarted { id, samples: draws.len(), done: 0, predicted_s });
        let (mut ok, mut not_ok) = (0, 0);
        for (at, Draw { side, turn }) in draws.iter().enumerate() {
            let Turn { cell, index, order } = turn.clone();
            let predicted = predictor.sample(&cell);
            self.reporter.hear(&Event::SampleStarted { cell, index, order, left_s: left.as_secs_f64() });
            let begun = Instant::now();
            let sample = runners[*side].keep(&session, turn)?;
            predictor.learn(sample);
            *(if sample.status == Status::Ok { &mut ok } else { &mut not_ok }) += 1;
            let rest = draws[at + 1..].iter().map(|draw| &draw.turn.cell);
            // What was learned changes what was said of all the others.
            left = if at.is_multiple_of(16) { predictor.each(rest) } else { left.saturating_sub(predicted) };
            self.reporter.hear(&Event::finished(sample, begun.elapsed()));
        }
        let mut records = Vec::new();
        for mut runner in runners {
            records.push(runner.finish()?.clone());
        }
        self.reporter.hear(&Event::RunFinished { ok, not_ok, took_s: begun.elapsed().as_secs_f64() });
        Ok(records)
    }

    /// Where a side's record of a round lies.
    pub fn folder(&self, round: &str, side: &Side) -> PathBuf {
        self.dir.join(round).join(side.name)
    }
}

/// A side's project with a suite of what is measured.
fn of(side: &Side, suite: &str, planned: &[Planned]) -> Project {
    let mut project = side.project.clone();
    project.config.suite.insert(suite.to_owned(), cells::as_suite(planned));
    project
}

fn blank(side: &Side, project: &Project, order: &Order, planned: &[Planned], at: usize) -> Record {
    let of = |planned: &Planned| planned.samples[at].map(|samples| PlannedCell { cell: planned.cell.clone(), samples });
    let selection = Selection { cells: planned.iter().filter_map(of).collect(), ..Selection::default() };
    let (_, trust) = run::trust_bundle();
    let mut record = run::blank_record(project, &selection, order, trust);
    record.tool = side.tool.clone();
    record
}

/// All samples of all sides: round by round, the cells of each shuffled, and the sides of each cell.
fn draws(planned: &[Planned], sides: usize, seed: u64) -> Vec<Draw> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let rounds = planned.iter().flat_map(|planned| &planned.samples).flatten().max().copied().unwrap_or_default();
    let mut all = Vec::new();
    for index in 0..rounds {
        let mut cells: Vec<&Planned> = planned.iter().collect();
        cells.shuffle(&mut random);
        for planned in cells {
            let mut among: Vec<usize> = (0..sides).collect();
            among.shuffle(&mut random);
            for side in among.into_iter().filter(|side| planned.samples[*side].is_some_and(|samples| samples > index)) {
                let order = u32::try_from(all.len()).unwrap_or(u32::MAX);
                all.push(Draw { side, turn: Turn { cell: planned.cell.clone(), index, order } });
            }
        }
    }
    all
}

impl std::fmt::Debug for Measuring<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Measuring").field("dir", &self.dir).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_reports::record::Cell;
    use std::collections::BTreeMap;

    fn cell(name: &str) -> Cell {
        Cell { subject: name.into(), scenario: "chat".into(), probe: "rss".into(), factors: BTreeMap::new() }
    }

    #[test]
    fn the_sides_of_a_cell_follow_each_other_and_either_may_be_first() {
        let planned = [
            Planned { cell: cell("both"), samples: vec![Some(20), Some(20)] },
            Planned { cell: cell("other"), samples: vec![Some(20), Some(20)] },
            Planned { cell: cell("gone"), samples: vec![Some(0), None] },
            Planned { cell: cell("new"), samples: vec![None, Some(3)] },
        ];
        let all = draws(&planned, 2, 7);
        assert_eq!(all.len(), 83);
        assert_eq!(all, draws(&planned, 2, 7));
        let both: Vec<&Draw> = all.iter().filter(|draw| draw.turn.cell.subject == "both").collect();
        for pair in both.chunks(2) {
            assert_eq!(pair[0].turn.index, pair[1].turn.index);
            assert_eq!(pair[0].turn.order + 1, pair[1].turn.order);
            assert_ne!(pair[0].side, pair[1].side);
        }
        let first: usize = both.chunks(2).map(|pair| pair[0].side).sum();
        assert!((1..20).contains(&first), "{first} of 20 begin with the head");
        assert!(all.iter().all(|draw| draw.turn.cell.subject != "gone"));
        assert_eq!(all.iter().filter(|draw| draw.turn.cell.subject == "new" && draw.side == 1).count(), 3);
    }
}
