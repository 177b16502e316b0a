//! The line: the highest number of requests in flight that a given memory holds, predicted from the model and proved by running it.
//!
//! What must fit is what a container's limit counts, at its highest until the requests are answered: anonymous memory, kernel memory, and
//! every file page that the subject has in memory, as if it were the first to read it.

use std::fmt;

use serde_json::{Value, json};

use crate::model::{Line, Residual};
use crate::record::{Cell, Checkpoint, Process, Record, Sample, Status};
use crate::units::{Quantity, Unit, percent, whole};
use crate::view::Labels;

/// The scenario whose cells prove a line.
pub const SCENARIO: &str = "line";
/// The scenario whose cells it is predicted from.
pub const MODEL: &str = "inflight-event";
/// The factor that says how many requests a cell of [`SCENARIO`] holds.
pub const IN_FLIGHT: &str = "in-flight";
/// The factor that says the memory that is to hold them, bytes.
pub const MEMORY: &str = "memory";
/// The factor that says the limit that was set for its control group, bytes; absent where none could be.
pub const LIMIT: &str = "limit";

/// The least margin, a share of the memory: a control group charges in lots of up to 64 pages for each processor, which on two of them is 0.5 MiB, 1.6 % of
/// 32 MiB.
const LEAST_MARGIN: f64 = 0.02;
/// The margin for each doubling beyond the largest number that was measured, a share of the memory: what grows by doubling (a table, a queue) makes steps there that no
/// reading has shown.
const MARGIN_PER_DOUBLING: f64 = 0.01;

/// What a sample needed while a batch of requests was in flight and until all were answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Need {
    /// In all, bytes.
    pub bytes: f64,
    /// Of these, file pages that the subject's control group was not charged with; all of them where there was no such group.
    pub file: f64,
    /// Whether the kernel's memory is in it.
    pub kernel: bool,
}

/// Why there is no line for a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum NoLine {
    /// It was never measured with enough requests held: the reason of the sample that failed, if one did.
    NotMeasured(String),
    /// It takes more with nothing in flight.
    NeverFits {
        /// What it takes then, bytes.
        fixed: f64,
    },
}

impl fmt::Display for NoLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMeasured(why) => write!(f, "no model: {why}"),
            Self::NeverFits { fixed } => write!(f, "never fits: it takes {} with nothing in flight", bytes(*fixed)),
        }
    }
}

/// What the model says of a cell and a memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// What is needed by the number in flight.
    pub model: Line,
    /// How far the readings lie from it.
    pub residual: Residual,
    /// What of the memory is left free, because the model is not exact: its largest residual as a share, at least a fiftieth, and a hundredth for each doubling
    /// beyond the largest number that was measured.
    pub margin: f64,
    /// The memory, bytes.
    pub memory: f64,
    /// The highest number of requests in flight that fits, the margin left free.
    pub in_flight: u64,
    /// File pages that no control group of the subject is charged with, bytes.
    pub file: f64,
    /// Whether kernel memory is in it.
    pub kernel: bool,
}

impl Prediction {
    /// From readings: for each batch of requests what was needed, over all samples.
    ///
    /// # Errors
    /// When they are too few, or nothing fits.
    pub fn new(needs: &[(u64, Need)], memory: f64) -> Result<Self, NoLine> {
        let points: Vec<(f64, f64)> = needs.iter().map(|(count, need)| (number(*count), need.bytes)).collect();
        let few = || NoLine::NotMeasured("it was not measured with two numbers of requests in flight".to_owned());
        let model = Line::through(&points).ok_or_else(few)?;
        let pairs: Vec<_> = points.iter().map(|(count, need)| (*need, model.at(*count))).collect();
        let residual = Residual::of(&pairs).ok_or_else(few)?;
        let most = needs.iter().max_by_key(|(count, _)| *count);
        let room = |margin: f64| memory.mul_add(1.0 - margin, -model.fixed);
        let least = residual.share.max(LEAST_MARGIN);
        if room(least) < model.each.max(0.0) {
            return Err(NoLine::NeverFits { fixed: model.fixed });
        }
        let (margin, in_flight) = if model.each > 0.0 {
            let beyond = room(least) / model.each / most.map_or(1.0, |(count, _)| number(*count));
            let margin = MARGIN_PER_DOUBLING.mul_add(beyond.log2().max(0.0), least);
            (margin, floor((room(margin) / model.each).max(1.0)))
        } else {
            // A subject that takes nothing for a request in flight holds any number.
            (least, u64::MAX)
        };
        let (file, kernel) = most.map_or((0.0, false), |(_, need)| (need.file, need.kernel));
        Ok(Self { model, residual, margin, memory, in_flight, file, kernel })
    }

    /// What is needed with so many in flight, bytes.
    #[must_use]
    pub fn need(&self, in_flight: u64) -> f64 {
        self.model.at(number(in_flight))
    }
}

/// One step above a number of requests: a tenth more, and at least one.
#[must_use]
pub fn above(in_flight: u64) -> u64 {
    in_flight.saturating_add(in_flight.div_ceil(10).max(1))
}

/// What the samples of a cell with requests held needed, for each batch.
#[must_use]
pub fn needs(record: &Record, cell: &Cell) -> Vec<(u64, Need)> {
    let valid = record.samples.iter().filter(|sample| sample.status == Status::Ok && sample.cell == *cell);
    valid.flat_map(needs_of).collect()
}

/// The prediction for a cell of [`MODEL`].
///
/// # Errors
/// When it was not measured, or nothing fits.
pub fn predict(record: &Record, cell: &Cell, memory: f64) -> Result<Prediction, NoLine> {
    let needs = needs(record, cell);
    if needs.is_empty() {
        let failed = record.samples.iter().find(|sample| sample.cell == *cell).and_then(|sample| sample.error.clone());
        return Err(NoLine::NotMeasured(failed.unwrap_or_else(|| format!("{MODEL} was not measured"))));
    }
    Prediction::new(&needs, memory)
}

fn needs_of(sample: &Sample) -> Vec<(u64, Need)> {
    let named = |name: String| sample.checkpoints.iter().find(move |checkpoint| checkpoint.name == name);
    let counts = sample.checkpoints.iter().filter_map(|c| c.name.strip_prefix("held@")?.parse::<u64>().ok());
    counts
        .filter_map(|count| {
            let (held, after) = (named(format!("held@{count}"))?, named(format!("after@{count}"))?);
            Some((count, need(held, after)?))
        })
        .collect()
}

/// The peak up to the last answer. Peaks only rise, so one that is read when all are answered is of this batch or of a smaller one before.
fn need(held: &Checkpoint, after: &Checkpoint) -> Option<Need> {
    let of = |checkpoint: &Checkpoint, metric: &str| checkpoint.metrics.get(metric).copied().map(whole);
    let beside = |metric: &str| -> f64 {
        held.processes.iter().filter_map(|process: &Process| process.metrics.get(metric)).map(|v| whole(*v)).sum()
    };
    let file = of(held, "proc.file")? + beside("proc.file");
    Some(match of(after, "cgroup.peak") {
        Some(peak) => {
            let file = (file - of(held, "cgroup.file").unwrap_or(0.0)).max(0.0);
            Need { bytes: peak + file, file, kernel: true }
        }
        None => Need { bytes: of(after, "proc.hwm")? + beside("proc.hwm"), file, kernel: false },
    })
}

/// What became of a number of requests in flight.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// Requests in flight.
    pub in_flight: u64,
    /// What was needed, the most of its samples, bytes; `None` where no sample came through.
    pub need: Option<f64>,
    /// The limit that was set, bytes, besides the file pages that it does not count.
    pub limit: Option<f64>,
    /// Whether every sample came through, within the memory.
    pub fits: bool,
    /// Why a sample did not come through.
    pub error: Option<String>,
}

/// A subject's line.
#[derive(Debug, Clone, PartialEq)]
pub struct Lined {
    /// The cell that it was predicted from.
    pub cell: Cell,
    /// The memory, bytes.
    pub memory: f64,
    /// What the model says.
    pub prediction: Result<Prediction, NoLine>,
    /// The number of the line, run.
    pub at: Option<Proof>,
    /// A tenth more, run.
    pub above: Option<Proof>,
}

impl Lined {
    /// What was needed beyond what was predicted, as a share of that.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        let (at, prediction) = (self.at.as_ref()?, self.prediction.as_ref().ok()?);
        Some(at.need? / prediction.need(at.in_flight) - 1.0)
    }

    /// Whether the line was shown to hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.at.as_ref().is_some_and(|at| at.fits)
    }
}

/// The lines of a record of `plimsoll line`, in the order of its cells; empty for any other record.
#[must_use]
pub fn lines(record: &Record, memory: f64) -> Vec<Lined> {
    let planned = |scenario: &'static str| {
        record.plan.cells.iter().map(|planned| &planned.cell).filter(move |c| c.scenario == scenario)
    };
    let lined = |cell: &Cell| {
        let mut proofs: Vec<Proof> = planned(SCENARIO)
            .filter(|proof| is_of(proof, cell))
            .filter_map(|proof| prove(record, proof, memory))
            .collect();
        proofs.sort_by_key(|proof| proof.in_flight);
        let mut proofs = proofs.into_iter();
        Lined {
            cell: cell.clone(),
            memory,
            prediction: predict(record, cell, memory),
            at: proofs.next(),
            above: proofs.next(),
        }
    };
    planned(MODEL).map(lined).collect()
}

/// The memory that a record's lines are for, if it has any.
#[must_use]
pub fn memory(record: &Record) -> Option<f64> {
    let mut proofs = record.plan.cells.iter().filter(|planned| planned.cell.scenario == SCENARIO);
    proofs.find_map(|planned| planned.cell.factors.get(MEMORY)?.parse().ok())
}

fn is_of(proof: &Cell, cell: &Cell) -> bool {
    proof.subject == cell.subject && cell.factors.iter().all(|(key, value)| proof.factors.get(key) == Some(value))
}

fn prove(record: &Record, cell: &Cell, memory: f64) -> Option<Proof> {
    let samples: Vec<&Sample> = record.samples.iter().filter(|sample| sample.cell == *cell).collect();
    let came_through = samples.iter().filter(|sample| sample.status == Status::Ok);
    let need = came_through.flat_map(|sample| needs_of(sample)).map(|(_, need)| need.bytes).reduce(f64::max);
    let error = samples.iter().find(|sample| sample.status != Status::Ok).and_then(|sample| sample.error.clone());
    Some(Proof {
        in_flight: cell.factors.get(IN_FLIGHT)?.parse().ok()?,
        need,
        limit: cell.factors.get(LIMIT).and_then(|limit| limit.parse().ok()),
        fits: !samples.is_empty() && error.is_none() && need.is_some_and(|need| need <= memory),
        error,
    })
}

/// The lines as JSON, schema `plimsoll.line/1`.
#[must_use]
pub fn json(record: &Record, memory: f64) -> String {
    let proof = |proof: &Proof| json!({ "in_flight": proof.in_flight, "need": proof.need, "limit": proof.limit, "fits": proof.fits, "error": proof.error });
    let one = |line: &Lined| {
        let predicted = line.prediction.as_ref().map_or_else(
            |none| json!({ "none": none.to_string() }),
            |p| {
                json!({
                    "in_flight": (p.in_flight < u64::MAX).then_some(p.in_flight),
                    "need": line.at.as_ref().map(|at| p.need(at.in_flight)),
                    "fixed": p.model.fixed, "per_request": p.model.each, "margin": p.margin, "residual": p.residual.max,
                    "kernel": p.kernel, "file": p.file,
                })
            },
        );
        json!({
            "subject": line.cell.subject, "factors": line.cell.factors, "holds": line.holds(), "predicted": predicted,
            "proved": line.at.as_ref().map(proof), "above": line.above.as_ref().map(proof), "difference": line.difference(),
        })
    };
    let all: Vec<Value> = lines(record, memory).iter().map(one).collect();
    format!("{:#}\n", json!({ "schema": "plimsoll.line/1", "record": record.id, "memory": memory, "lines": all }))
}

/// Names for the subjects of lines, and what a table of them says above it.
#[must_use]
pub fn headed(lines: &[Lined], memory: f64) -> (String, Vec<String>) {
    let Labels { names, common } =
        Labels::of(&lines.iter().map(|line| (line.cell.subject.as_str(), &line.cell.factors)).collect::<Vec<_>>());
    (format!("What {} hold: streams in flight, all open at once ({common})", bytes(memory)), names)
}

/// What the columns mean.
pub const ABOUT: &str = "fixed, per request: the model, memory needed with nothing in flight and for each request. most in flight: the highest \
number that leaves the model's own largest error free, at least 2 %, and 1 % more for each doubling beyond what the model was measured with. predicted: what the model says of it, ± its largest residual. proved: what \
was needed when so many were in flight, and the difference. a tenth more: what became of it.";

/// Whether limits were set, and how.
#[must_use]
pub fn how(lines: &[Lined]) -> &'static str {
    let mut run = lines.iter().filter_map(|line| line.at.as_ref());
    match run.next() {
        None => "Nothing was run.",
        Some(at) if at.limit.is_some() => LIMITED,
        Some(_) => UNLIMITED,
    }
}

/// Where no control group could be made.
const UNLIMITED: &str = "No control group could be made: no limit was set, and counted are the pages of the process at their highest until the \
last answer. Kernel memory is in neither figure.";

/// How limits were set.
const LIMITED: &str = "Counted is what a container's limit counts: anonymous and kernel memory, at their highest until the last answer, and \
all file pages of the process. These are in memory already and charged to who read them first, so the limit was set to what they leave.";

/// The columns of a table of lines.
pub const HEAD: [&str; 7] =
    ["subject", "fixed", "per request", "most in flight", "predicted", "proved", "a tenth more"];

/// The rows of a table of lines, under [`HEAD`], without the subject.
#[must_use]
pub fn row(line: &Lined) -> [String; 6] {
    let none = || "—".to_owned();
    let Ok(prediction) = &line.prediction else {
        let why = line.prediction.as_ref().err().map(ToString::to_string).unwrap_or_default();
        return [why, none(), none(), none(), none(), none()];
    };
    let proved = line.at.as_ref().map_or_else(none, |at| match (at.need, &at.error) {
        (Some(need), None) => {
            let difference = line.difference().map_or_else(String::new, |share| format!(" ({})", signed(share)));
            let over = if at.fits { "" } else { ", over" };
            format!("{}{difference}{over}", bytes(need))
        }
        (_, error) => error.clone().unwrap_or_else(none),
    });
    let above = line.above.as_ref().map_or_else(none, |above| match (above.need, &above.error) {
        (Some(need), None) if above.fits => format!("{}: {}, fits too", above.in_flight, bytes(need)),
        (Some(need), None) => format!("{}: {}, over", above.in_flight, bytes(need)),
        (_, error) if killed(error.as_deref()) => format!("{}: killed, out of memory", above.in_flight),
        (_, error) => format!("{}: {}", above.in_flight, error.as_deref().unwrap_or("no sample")),
    });
    let most = line.at.as_ref().map_or(prediction.in_flight, |at| at.in_flight);
    let bounded = if most < prediction.in_flight { "≥ " } else { "" };
    [
        bytes(prediction.model.fixed),
        bytes(prediction.model.each),
        format!("{bounded}{}", crate::units::Count(i64::try_from(most).unwrap_or(i64::MAX))),
        format!("{} ± {}", bytes(prediction.need(most)), percent(prediction.residual.share)),
        proved,
        above,
    ]
}

/// What a sample says that was ended because its limit left the kernel no other way.
pub const OUT_OF_MEMORY: &str = "out of memory";

fn killed(error: Option<&str>) -> bool {
    error.is_some_and(|error| error.contains(OUT_OF_MEMORY))
}

fn bytes(value: f64) -> String {
    Quantity::new(value, Unit::Bytes).map_or_else(|| "—".to_owned(), |quantity| quantity.to_string())
}

fn signed(share: f64) -> String {
    let sign = if share < 0.0 { "−" } else { "+" };
    format!("{sign}{:.1} %", share.abs() * 100.0)
}

fn number(count: u64) -> f64 {
    whole(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A number above zero without its fraction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float stops at the ends of the range"
)]
fn floor(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: f64 = 1_048_576.0;

    fn made(fixed: f64, each: f64) -> Vec<(u64, Need)> {
        let need = |count: u64| Need { bytes: each.mul_add(number(count), fixed), file: 0.0, kernel: true };
        [1, 10, 100, 1_000].map(|count| (count, need(count))).to_vec()
    }

    #[test]
    fn a_subject_that_takes_more_than_there_is_with_nothing_in_flight_never_fits() {
        let none = Prediction::new(&made(40.0 * MIB, 1_000.0), 32.0 * MIB).unwrap_err();
        assert_eq!(none.to_string(), "never fits: it takes 40.00 MiB with nothing in flight");
        assert!(matches!(Prediction::new(&made(1.0, 1.0)[..1], MIB), Err(NoLine::NotMeasured(_))));
    }

    #[test]
    fn a_subject_that_takes_nothing_for_a_request_holds_any_number() {
        assert_eq!(Prediction::new(&made(MIB, 0.0), 32.0 * MIB).map(|p| p.in_flight), Ok(u64::MAX));
    }

    #[test]
    fn a_step_above_is_a_tenth_more_and_at_least_one() {
        assert_eq!((above(1), above(9), above(100), above(571)), (2, 10, 110, 629));
    }

    proptest! {
        #[test]
        fn the_line_fits_and_a_tenth_more_does_not(fixed in 1.0f64..20.0, each in 1_000.0f64..60_000.0) {
            let prediction = Prediction::new(&made(fixed * MIB, each), 32.0 * MIB).unwrap();
            let free = 32.0 * MIB * (1.0 - prediction.margin);
            prop_assert!(prediction.need(prediction.in_flight) <= free + 1.0);
            prop_assert!(prediction.need(prediction.in_flight + 1) > free - 1.0);
            // Farther out more is left free, and a tenth more may go into that.
            if prediction.in_flight <= 1_000 {
                prop_assert!(prediction.need(above(prediction.in_flight)) > 32.0 * MIB);
            }
        }

        #[test]
        fn each_doubling_beyond_what_was_measured_leaves_another_hundredth_free(doublings in 0.0f64..6.0) {
            let each = 20.0 * MIB / 1_000.0 / doublings.exp2();
            let memory = 21.0 * MIB / (1.0 - LEAST_MARGIN);
            let prediction = Prediction::new(&made(MIB, each), memory).unwrap();
            prop_assert!((prediction.margin - MARGIN_PER_DOUBLING.mul_add(doublings, LEAST_MARGIN)).abs() < 1e-6, "{}", prediction.margin);
        }

        #[test]
        fn more_memory_holds_no_less(fixed in 1.0f64..20.0, each in 1_000.0f64..60_000.0, memory in 32.0f64..64.0, more in 0.0f64..64.0) {
            let most = |memory: f64| Prediction::new(&made(fixed * MIB, each), memory * MIB).map_or(0, |p| p.in_flight);
            prop_assert!(most(memory + more) >= most(memory));
        }
    }
}
