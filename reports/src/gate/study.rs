//! How often the gate is wrong: the decision played through on processes that were recorded without any change.
//!
//! [`alike`] splits them at random into two sides and two rounds, as often as asked: whatever fails is a false alarm. [`power`] draws both sides
//! from them with replacement, adds a known change to one figure of one side, and counts how often that is caught. Both call
//! [`judge`], the same function that decides a real comparison. A seed gives the same study.

use std::fmt::Write as _;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use thiserror::Error;

use super::judge::{Decision, judge};
use super::question::{Question, questions};
use super::settings::{Rules, Settings};
use crate::cell::name;
use crate::derive::Figure;
use crate::record::{Cell, Record};
use crate::stats::binomial;
use crate::stats::{Exactness, Stats};
use crate::units::{Quantity, whole};

/// Why a record is not enough for a study.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StudyError {
    /// It has nothing that the gate would judge.
    #[error("the record has no figure that the gate judges; measure the suite that is gated")]
    Nothing,
    /// A cell has too few processes to be split into two sides and two rounds.
    #[error("{cell}, {figure}: {has} processes, and two sides in two rounds need {needs}; measure more")]
    TooFew {
        /// The cell's name.
        cell: String,
        /// The figure.
        figure: String,
        /// Valid processes that have the figure.
        has: usize,
        /// Processes needed.
        needs: usize,
    },
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Those counted.
    pub hits: u64,
    /// Of so many.
    pub of: u64,
}

impl Share {
    fn count(&mut self, hit: bool) {
        self.hits += u64::from(hit);
        self.of += 1;
    }

    /// The share itself; 0 of nothing.
    #[must_use]
    pub fn value(self) -> f64 {
        if self.of == 0 { 0.0 } else { float(self.hits) / float(self.of) }
    }

    /// Its exact 95 % interval (Clopper and Pearson).
    #[must_use]
    pub fn interval(self) -> Option<(f64, f64)> {
        binomial::interval(self.hits, self.of, 0.95)
    }
}

/// What splits of processes without any change came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Alike {
    /// Splits in which anything failed, of all.
    pub failed: Share,
    /// Cells that were inconclusive, of all cells of all splits.
    pub inconclusive: Share,
    /// Cells in which a figure was exact on one side only, of the same.
    pub one_sided: Share,
    /// Splits in which something had to be measured again, of all.
    pub again: Share,
    /// Members of the noisy family.
    pub family: usize,
    /// Each figure.
    pub rows: Vec<AlikeRow>,
}

/// What splits came to for one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct AlikeRow {
    /// The cell.
    pub cell: Cell,
    /// The figure.
    pub figure: Figure,
    /// Whether all processes recorded are identical in it.
    pub identical: bool,
    /// Splits in which it failed.
    pub failed: Share,
    /// In which it was inconclusive.
    pub inconclusive: Share,
}

/// How often a change of one figure was caught.
#[derive(Debug, Clone, PartialEq)]
pub struct Caught {
    /// The cell.
    pub cell: Cell,
    /// The figure.
    pub figure: Figure,
    /// What was added to the head.
    pub change: Quantity,
    /// Trials in which it failed, both rounds included.
    pub caught: Share,
}

/// Splits the processes of a record `splits` times into two sides and two rounds, and judges them.
///
/// # Errors
/// When a cell has too few processes for that: four times the pairs of the family, or four times the processes of exact figures.
pub fn alike(record: &Record, settings: &Settings, splits: u32, seed: u64) -> Result<Alike, StudyError> {
    let pools = Pools::of(record, settings)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let row = |question: &Question| AlikeRow {
        cell: question.cell.clone(),
        figure: question.figure.clone(),
        identical: Stats::of(&question.base).is_some_and(|stats| stats.exactness == Exactness::Identical),
        failed: Share::default(),
        inconclusive: Share::default(),
    };
    let mut study = Alike {
        failed: Share::default(),
        inconclusive: Share::default(),
        one_sided: Share::default(),
        again: Share::default(),
        family: pools.questions.iter().filter(|question| question.family).count(),
        rows: pools.questions.iter().map(row).collect(),
    };
    let (mut first, mut again) = (pools.questions.clone(), pools.questions.clone());
    for _ in 0..splits {
        pools.deal(&mut first, &mut again, |processes, count| shuffled(&mut random, processes, count));
        let judged = judge(&first, Some(&again), &settings.rules);
        let inconclusive = |decision: Decision| matches!(decision, Decision::Inconclusive | Decision::TooFew);
        study.failed.count(judged.iter().any(|judged| judged.decision == Decision::Fails));
        study.again.count(judged.iter().any(|judged| judged.again));
        for range in &pools.cells {
            let cell = &judged[range.clone()];
            study.inconclusive.count(cell.iter().any(|judged| inconclusive(judged.decision)));
            study.one_sided.count(cell.iter().any(|judged| judged.decision == Decision::ExactOnOneSide));
        }
        for (row, judged) in study.rows.iter_mut().zip(&judged) {
            row.failed.count(judged.decision == Decision::Fails);
            row.inconclusive.count(inconclusive(judged.decision));
        }
    }
    Ok(study)
}

/// Adds a change to one figure after another, `trials` times each: `floors` times its floor, or one byte or count where it has none and
/// is exact. Figures that vary and have no floor are left out. Sides are drawn with replacement.
///
/// # Errors
/// As [`alike`].
pub fn power(
    record: &Record,
    settings: &Settings,
    trials: u32,
    floors: f64,
    seed: u64,
) -> Result<Vec<Caught>, StudyError> {
    let pools = Pools::of(record, settings)?;
    let rules = &settings.rules;
    let changes: Vec<(usize, f64)> =
        (0..pools.questions.len()).filter_map(|at| Some((at, change(&pools.questions[at], rules, floors)?))).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut caught = vec![Share::default(); changes.len()];
    let (mut first, mut again) = (pools.questions.clone(), pools.questions.clone());
    for _ in 0..trials {
        pools.deal(&mut first, &mut again, |processes, count| drawn(&mut random, processes, count));
        for ((at, change), caught) in changes.iter().zip(&mut caught) {
            let unchanged = [first[*at].head.clone(), again[*at].head.clone()];
            for question in [&mut first[*at], &mut again[*at]] {
                question.head.iter_mut().for_each(|value| *value += change);
            }
            caught.count(judge(&first, Some(&again), rules)[*at].decision == Decision::Fails);
            [first[*at].head, again[*at].head] = unchanged;
        }
    }
    let row = |((at, change), caught): (&(usize, f64), Share)| {
        let question = &pools.questions[*at];
        let change = Quantity::new(*change, question.figure.unit())?;
        Some(Caught { cell: question.cell.clone(), figure: question.figure.clone(), change, caught })
    };
    Ok(changes.iter().zip(caught).filter_map(row).collect())
}

fn change(question: &Question, rules: &Rules, floors: f64) -> Option<f64> {
    let floor = rules.floor(&question.figure);
    let identical = Stats::of(&question.base)?.exactness == Exactness::Identical;
    match (floor > 0.0, question.exact && identical) {
        (true, _) => Some(floors * floor),
        (false, true) => Some(1.0),
        (false, false) => None,
    }
}

/// The processes of each cell, to be dealt to sides and rounds.
struct Pools {
    /// Each figure with all recorded processes as its base.
    questions: Vec<Question>,
    /// The figures of each cell, which lie together.
    cells: Vec<std::ops::Range<usize>>,
    /// Processes of a side in a round, for each cell.
    sizes: Vec<usize>,
}

impl Pools {
    fn of(record: &Record, settings: &Settings) -> Result<Self, StudyError> {
        let record = crate::clean::record(record);
        let questions = questions(&record, &record, settings);
        if questions.is_empty() {
            return Err(StudyError::Nothing);
        }
        let mut cells: Vec<std::ops::Range<usize>> = Vec::new();
        for at in 0..questions.len() {
            match cells.last_mut() {
                Some(last) if questions[last.start].cell == questions[at].cell => last.end = at + 1,
                _ => cells.push(at..at + 1),
            }
        }
        let rules = &settings.rules;
        let family = |range: &std::ops::Range<usize>| questions[range.clone()].iter().any(|question| question.family);
        let sizes: Vec<usize> =
            cells.iter().map(|range| if family(range) { rules.pairs } else { rules.exact }).collect();
        for (range, size) in cells.iter().zip(&sizes) {
            for question in &questions[range.clone()] {
                if question.base.len() < 4 * size || question.base.len() != questions[range.start].base.len() {
                    return Err(StudyError::TooFew {
                        cell: name(&question.cell),
                        figure: question.figure.to_string(),
                        has: question.base.len(),
                        needs: 4 * size,
                    });
                }
            }
        }
        Ok(Self { questions, cells, sizes })
    }

    /// Fills both rounds. `pick` chooses so many of a cell's processes; all figures of a cell are read of the same ones.
    fn deal(&self, first: &mut [Question], again: &mut [Question], mut pick: impl FnMut(usize, usize) -> Vec<usize>) {
        for (range, size) in self.cells.iter().zip(&self.sizes) {
            let picked = pick(self.questions[range.start].base.len(), 4 * size);
            let hands: Vec<&[usize]> = picked.chunks(*size).collect();
            for at in range.clone() {
                let pool = &self.questions[at].base;
                let fill = |side: &mut Vec<f64>, hand: &[usize]| {
                    side.clear();
                    side.extend(hand.iter().map(|process| pool[*process]));
                };
                fill(&mut first[at].base, hands[0]);
                fill(&mut first[at].head, hands[1]);
                fill(&mut again[at].base, hands[2]);
                fill(&mut again[at].head, hands[3]);
            }
        }
    }
}

/// `count` of `processes`, none twice, in an order by chance.
fn shuffled(random: &mut ChaCha8Rng, processes: usize, count: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..processes).collect();
    for at in 0..count {
        all.swap(at, random.random_range(at..processes));
    }
    all.truncate(count);
    all
}

/// `count` of `processes`, each time any of them.
fn drawn(random: &mut ChaCha8Rng, processes: usize, count: usize) -> Vec<usize> {
    (0..count).map(|_| random.random_range(0..processes)).collect()
}

/// Both studies as Markdown, for METHODOLOGY.
#[must_use]
pub fn markdown(alike: &Alike, caught: &[Caught]) -> String {
    let mut out = String::from("| of processes without any change | share | 95 % interval |\n|---|---:|---|\n");
    for (what, share) in [
        ("splits in which anything failed", alike.failed),
        ("splits in which something was measured again", alike.again),
        ("cells that were inconclusive", alike.inconclusive),
        ("cells with a figure that was exact on one side only", alike.one_sided),
    ] {
        let _ = writeln!(out, "| {what} | {} | {} |", shown(share), interval(share));
    }
    let _ = write!(
        out,
        "\nA family of {}.\n\n| cell | figure | identical | failed | inconclusive | change added | caught | 95 % interval |\n\
         |---|---|---|---:|---:|---:|---:|---|\n",
        alike.family
    );
    for row in &alike.rows {
        let caught = caught.iter().find(|caught| caught.cell == row.cell && caught.figure == row.figure);
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | {} | {} | {} |",
            name(&row.cell),
            row.figure,
            if row.identical { "yes" } else { "no" },
            shown(row.failed),
            shown(row.inconclusive),
            caught.map_or_else(|| "—".to_owned(), |caught| caught.change.signed()),
            caught.map_or_else(|| "—".to_owned(), |caught| shown(caught.caught)),
            caught.map_or_else(|| "—".to_owned(), |caught| interval(caught.caught)),
        );
    }
    out
}

fn shown(share: Share) -> String {
    format!("{:.2} % ({} of {})", share.value() * 100.0, share.hits, share.of)
}

fn interval(share: Share) -> String {
    let percent = |share: f64| share * 100.0;
    share
        .interval()
        .map_or_else(|| "—".to_owned(), |(low, high)| format!("{:.3} % – {:.3} %", percent(low), percent(high)))
}

fn float(number: u64) -> f64 {
    whole(i64::try_from(number).unwrap_or(i64::MAX))
}
