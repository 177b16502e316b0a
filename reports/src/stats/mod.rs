//! What a handful of samples says: middle, ends, spread, and whether they are all the same.
//!
//! - [`paired`]: whether two sides differ, by how much, how surely
//! - [`family`]: many such questions at once
//! - [`power`]: how small a difference would have been seen
//! - [`binomial`]: how sure a share is that was counted

pub mod binomial;
pub mod family;
pub mod paired;
pub mod power;

use serde::Serialize;

/// Whether repeating a measurement gave the same figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Exactness {
    /// One sample only: nothing can be said of repeating it.
    Single,
    /// All samples, two or more, are identical.
    Identical,
    /// They differ.
    Varies,
}

/// A summary of samples; there is at least one.
///
/// The median and the median absolute deviation are used, not mean and standard deviation: memory figures jump by pages and arenas, and
/// one process that was unlucky must not move the figure of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stats {
    /// Samples.
    pub samples: usize,
    /// Smallest.
    pub min: f64,
    /// Median; of an even number, halfway between the middle two.
    pub median: f64,
    /// Largest.
    pub max: f64,
    /// Median absolute deviation from the median: half of the samples lie within it.
    pub mad: f64,
    /// Whether they are all the same.
    pub exactness: Exactness,
}

/// An end of sorted samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The lowest.
    Smallest,
    /// The highest.
    Largest,
}

impl Stats {
    /// Summarises `values`; `None` when there are none or one is not a finite number.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() || values.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let sorted = sorted(values.iter().copied());
        let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
        let median = middle(&sorted);
        let mad = middle(&self::sorted(values.iter().map(|v| (v - median).abs())));
        let exactness = match (values.len(), max > min) {
            (1, _) => Exactness::Single,
            (_, false) => Exactness::Identical,
            (_, true) => Exactness::Varies,
        };
        Some(Self { samples: values.len(), min, median, max, mad, exactness })
    }

    /// The end that lies far out: farther from the median than four median deviations and than a twentieth of it, which is above zero. A median deviation
    /// says nothing of a second mode that less than half of the processes are in. Of both, the farther one.
    #[must_use]
    pub fn far(&self) -> Option<End> {
        let (below, above) = (self.median - self.min, self.max - self.median);
        let (end, distance) = if below > above { (End::Smallest, below) } else { (End::Largest, above) };
        (self.median > 0.0 && distance > 4.0 * self.mad && distance > self.median / 20.0).then_some(end)
    }

    /// Whether the ranges from smallest to largest meet: then a difference of medians is within what the samples themselves vary by.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.min <= other.max && other.min <= self.max
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    all
}

/// The middle of sorted values, which are not empty.
fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        return sorted[half];
    }
    let (low, high) = (sorted[half - 1], sorted[half]);
    low + (high - low) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(Stats::of(&[]), None);
        assert_eq!(Stats::of(&[1.0, f64::NAN]), None);
        assert_eq!(Stats::of(&[f64::INFINITY]), None);
    }

    #[test]
    fn a_second_mode_that_the_deviation_does_not_show_is_an_end_far_out() {
        let far = |values: &[f64]| Stats::of(values).and_then(|stats| stats.far());
        assert_eq!(far(&[444.0, 444.0, 448.0, 448.0, 532.0, 532.0]), Some(End::Largest));
        assert_eq!(far(&[444.0, 532.0, 532.0, 536.0, 532.0, 536.0]), Some(End::Smallest));
        assert_eq!(far(&[444.0, 444.0, 448.0, 448.0, 452.0, 460.0]), None, "a few pages of many");
        assert_eq!(far(&[400.0, 440.0, 480.0, 520.0, 560.0, 600.0]), None, "a wide spread, which the deviation tells");
        assert_eq!((far(&[5.0]), far(&[5.0, 5.0]), far(&[0.0, 0.0, 9.0])), (None, None, None));
    }

    #[test]
    fn one_sample_is_never_called_exact() {
        assert_eq!(Stats::of(&[119.0]).map(|s| s.exactness), Some(Exactness::Single));
        assert_eq!(Stats::of(&[119.0, 119.0]).map(|s| s.exactness), Some(Exactness::Identical));
        assert_eq!(Stats::of(&[119.0, 120.0]).map(|s| s.exactness), Some(Exactness::Varies));
    }

    #[test]
    fn an_outlier_moves_neither_median_nor_deviation() {
        let stats = Stats::of(&[10.0, 11.0, 12.0, 13.0, 9_000.0]).unwrap();
        assert_eq!((stats.median, stats.mad, stats.max), (12.0, 1.0, 9_000.0));
    }

    #[test]
    fn ranges_that_touch_overlap() {
        let stats = |values: &[f64]| Stats::of(values).unwrap();
        assert!(stats(&[1.0, 2.0]).overlaps(&stats(&[2.0, 3.0])));
        assert!(!stats(&[1.0, 2.0]).overlaps(&stats(&[2.5, 3.0])));
    }

    proptest! {
        #[test]
        fn order_within_and_independence_of_order(mut values in prop::collection::vec(-1e12f64..1e12, 1..40), turn in 0usize..40) {
            let stats = Stats::of(&values).unwrap();
            prop_assert!(stats.min <= stats.median && stats.median <= stats.max);
            prop_assert!(stats.mad >= 0.0 && stats.mad <= stats.max - stats.min);
            let turn = turn % values.len();
            values.rotate_left(turn);
            prop_assert_eq!(Stats::of(&values), Some(stats));
        }

        #[test]
        fn half_of_the_samples_lie_on_either_side(values in prop::collection::vec(-1_000i64..1_000, 1..40)) {
            let values: Vec<f64> = values.into_iter().map(crate::units::whole).collect();
            let stats = Stats::of(&values).unwrap();
            let below = values.iter().filter(|v| **v <= stats.median).count();
            let above = values.iter().filter(|v| **v >= stats.median).count();
            prop_assert!(2 * below >= values.len() && 2 * above >= values.len());
            let within = values.iter().filter(|v| (**v - stats.median).abs() <= stats.mad).count();
            prop_assert!(2 * within >= values.len());
        }

        #[test]
        fn shifting_moves_the_middle_and_not_the_spread(values in prop::collection::vec(-1_000i64..1_000, 1..40), by in -1_000i64..1_000) {
            let there: Vec<f64> = values.iter().map(|v| crate::units::whole(v + by)).collect();
            let here: Vec<f64> = values.into_iter().map(crate::units::whole).collect();
            let (here, there) = (Stats::of(&here).unwrap(), Stats::of(&there).unwrap());
            prop_assert_eq!(here.median + crate::units::whole(by), there.median);
            prop_assert_eq!((here.mad, here.exactness), (there.mad, there.exactness));
        }

        #[test]
        fn identical_samples_are_exact(value in -1e12f64..1e12, times in 2usize..30) {
            let stats = Stats::of(&vec![value; times]).unwrap();
            prop_assert_eq!((stats.min, stats.median, stats.max, stats.mad, stats.exactness), (value, value, value, 0.0, Exactness::Identical));
        }
    }
}
