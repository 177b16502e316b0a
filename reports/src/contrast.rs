//! What one cell has beyond another: the difference of a figure, taken in pairs.
//!
//! Samples of two cells are paired by their number: those of one number were taken in one round of a run, near each other in time, so that what
//! drifts on the machine is in both.

use std::collections::BTreeMap;

use crate::derive::{self, Figure};
use crate::record::{Cell, Record, Status};
use crate::stats::Stats;
use crate::stats::paired::Paired;
use crate::units::{Quantity, Unit};

/// How often an interval holds the true difference.
pub const CONFIDENCE: f64 = 0.95;

/// A figure of a cell.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The cell.
    pub cell: &'a Cell,
    /// The figure.
    pub figure: &'a Figure,
}

/// How much higher one side is than the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// Pairs of samples.
    pub pairs: usize,
    /// The difference, and the interval that holds it in at least [`CONFIDENCE`] of all cases, or in as many as so few pairs allow.
    estimate: f64,
    interval: (f64, f64),
    /// How often an interval made in this way holds the true difference, at least.
    pub confidence: f64,
    /// How probable a difference as clear as this one is if there is none, either way. `None` where all samples of each side are identical: then
    /// the difference is what it is, and nothing was left to chance.
    pub chance: Option<f64>,
    unit: Unit,
}

impl Contrast {
    /// What `head` has beyond `base`, by the pairs of their samples that count. `None` without a pair, or where the two are in different units.
    #[must_use]
    pub fn of(record: &Record, head: Side<'_>, base: Side<'_>) -> Option<Self> {
        let unit = head.figure.unit();
        if unit != base.figure.unit() {
            return None;
        }
        let (heads, bases) = (by_number(record, head), by_number(record, base));
        let pairs: Vec<(f64, f64)> =
            heads.iter().filter_map(|(number, head)| Some((*head, *bases.get(number)?))).collect();
        Self::of_pairs(&pairs, unit)
    }

    /// What the first of each pair has beyond the second.
    #[must_use]
    pub fn of_pairs(pairs: &[(f64, f64)], unit: Unit) -> Option<Self> {
        let differences: Vec<f64> = pairs.iter().map(|(head, base)| head - base).collect();
        let paired = Paired::of(&differences, CONFIDENCE)?;
        let (heads, bases): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let same = |values: &[f64]| Stats::of(values).is_some_and(|stats| stats.min == stats.max);
        let exact = pairs.len() > 1 && same(&heads) && same(&bases);
        Some(Self {
            pairs: paired.pairs,
            estimate: paired.estimate,
            interval: paired.interval,
            confidence: if exact { 1.0 } else { paired.confidence },
            chance: (!exact).then(|| (2.0 * paired.increase.min(paired.decrease)).min(1.0)),
            unit,
        })
    }

    /// The difference.
    #[must_use]
    pub fn difference(&self) -> Quantity {
        self.quantity(self.estimate)
    }

    /// The ends of its interval.
    #[must_use]
    pub fn interval(&self) -> (Quantity, Quantity) {
        (self.quantity(self.interval.0), self.quantity(self.interval.1))
    }

    /// Whether all samples of each side were identical.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.chance.is_none()
    }

    /// The interval in words: `exact`, `+4.0 KiB to +12.0 KiB`; how sure it is, where that is less than was wanted.
    #[must_use]
    pub fn range(&self) -> String {
        if self.is_exact() {
            return "exact".to_owned();
        }
        let (low, high) = self.interval();
        // So few pairs give an interval of this form that is less sure.
        let unsure = if self.confidence < CONFIDENCE {
            format!(", sure to {}", crate::units::percent(self.confidence))
        } else {
            String::new()
        };
        format!("{} to {}{unsure}", low.signed(), high.signed())
    }

    fn quantity(&self, value: f64) -> Quantity {
        // `Paired` holds finite numbers only.
        Quantity::new(value, self.unit).unwrap_or(crate::units::Bytes(0).into())
    }
}

/// The figure of each sample that counts, by its number.
fn by_number(record: &Record, side: Side<'_>) -> BTreeMap<u32, f64> {
    let samples = record.samples.iter().filter(|sample| sample.status == Status::Ok && sample.cell == *side.cell);
    let figure = |sample| derive::of_sample(sample).into_iter().find(|(figure, _)| figure == side.figure);
    samples.filter_map(|sample| Some((sample.index, figure(sample)?.1))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(pairs: &[(f64, f64)]) -> Contrast {
        Contrast::of_pairs(pairs, Unit::Bytes).expect("there are pairs")
    }

    #[test]
    fn sides_that_never_vary_differ_exactly() {
        let exact = of(&[(126.0, 119.0); 3]);
        assert_eq!((exact.difference().value(), exact.is_exact(), exact.range().as_str()), (7.0, true, "exact"));
        // One pair repeats nothing.
        assert!(!of(&[(126.0, 119.0)]).is_exact());
        assert_eq!(of(&[(126.0, 119.0)]).range(), "+7 B to +7 B, sure to 0 %");
        assert_eq!(Contrast::of_pairs(&[], Unit::Bytes), None);
    }

    #[test]
    fn sides_that_vary_alike_are_not_called_exact() {
        // Each pair differs by the same, but what is repeated is not the figure.
        let pairs: Vec<(f64, f64)> = (0..8).map(|n| (f64::from(n) + 5.0, f64::from(n))).collect();
        let contrast = of(&pairs);
        assert!(!contrast.is_exact());
        assert_eq!(contrast.interval().0.value(), 5.0);
        assert_eq!(contrast.chance, Some(2.0 / 256.0));
    }

    fn sides() -> impl Strategy<Value = Vec<(f64, f64)>> {
        let value = || (-1_000i32..1_000).prop_map(f64::from);
        prop::collection::vec((value(), value()), 1..24)
    }

    proptest! {
        #[test]
        fn the_difference_lies_in_its_interval_and_turns_its_sign_with_the_sides(pairs in sides()) {
            let (there, back) = (of(&pairs), of(&pairs.iter().map(|(head, base)| (*base, *head)).collect::<Vec<_>>()));
            let (low, high) = there.interval();
            prop_assert!(low.value() <= there.difference().value() && there.difference().value() <= high.value());
            prop_assert!((there.difference().value() + back.difference().value()).abs() < 1e-9);
            prop_assert!((low.value() + back.interval().1.value()).abs() < 1e-9);
            prop_assert_eq!(there.chance, back.chance);
        }

        #[test]
        fn what_is_added_to_one_side_is_added_to_the_difference(pairs in sides(), more in -500i32..500) {
            let more = f64::from(more);
            let moved = of(&pairs.iter().map(|(head, base)| (head + more, *base)).collect::<Vec<_>>());
            prop_assert!((moved.difference().value() - of(&pairs).difference().value() - more).abs() < 1e-9);
        }

        #[test]
        fn a_side_against_itself_differs_by_nothing(values in prop::collection::vec(-1_000i32..1_000, 1..24)) {
            let same = of(&values.iter().map(|v| (f64::from(*v), f64::from(*v))).collect::<Vec<_>>());
            prop_assert_eq!(same.difference().value(), 0.0);
            prop_assert!(same.chance.is_none_or(|chance| chance == 1.0));
        }
    }
}
