//! How small a change can be seen through the noise: by playing the decision through on samples that were measured without one.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::paired::Paired;

/// How pairs of samples are turned into a decision that a figure has grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Pairs in each of the two rounds.
    pub pairs: usize,
    /// Questions asked at once: cells × metrics. The first round is judged as if all the others had no change (Holm's first step).
    pub family: usize,
    /// How often, at most, a run without any change may call one figure grown in its first round.
    pub alpha: f64,
    /// An increase that is not larger than this is let pass, in the unit of the samples.
    pub floor: f64,
}

impl Rule {
    /// Whether differences `head − base` make a candidate (`family` questions at once), or confirm one (`family` = candidates).
    #[must_use]
    pub fn finds(&self, differences: &[f64], family: usize) -> bool {
        Paired::of(differences, 0.95).is_some_and(|judged| {
            let many = crate::units::whole(i64::try_from(family.max(1)).unwrap_or(i64::MAX));
            judged.estimate > self.floor && judged.increase * many <= self.alpha
        })
    }

    /// Whether both rounds find a change of `change`, in `trials` simulated runs: the share that do.
    ///
    /// A side's samples are drawn from `samples`, which were measured without a change, with replacement.
    fn power(&self, samples: &[f64], change: f64, trials: u32) -> f64 {
        // One seed for every change, so that power rises with the change and not by luck.
        let mut random = ChaCha8Rng::seed_from_u64(0x0070_1135);
        let mut draw = || samples[random.random_range(0..samples.len())];
        let mut caught = 0;
        for _ in 0..trials {
            let mut round = || (0..self.pairs).map(|_| draw() + change - draw()).collect::<Vec<f64>>();
            // Both are drawn always, so that the next trial begins at the same place whatever this one found.
            let (first, second) = (round(), round());
            caught += u32::from(self.finds(&first, self.family) && self.finds(&second, 1));
        }
        f64::from(caught) / f64::from(trials)
    }

    /// The smallest increase that is caught in at least `power` of all runs, confirmation included, to about 2 %; in the unit of the
    /// samples. For samples that are all the same it is what is over the floor: any increase at all where that is 0.
    ///
    /// `None` with fewer than two samples, one that is not finite, or no pairs.
    #[must_use]
    pub fn smallest_change(&self, samples: &[f64], power: f64) -> Option<f64> {
        const TRIALS: u32 = 300;
        if samples.len() < 2 || self.pairs == 0 || samples.iter().any(|s| !s.is_finite()) {
            return None;
        }
        let spread =
            samples.iter().copied().fold(f64::MIN, f64::max) - samples.iter().copied().fold(f64::MAX, f64::min);
        if spread == 0.0 {
            return Some(self.floor);
        }
        let caught = |change| self.power(samples, change, TRIALS) >= power;
        let (mut low, mut high) = (self.floor, self.floor + spread);
        // With too few pairs not even a change beyond all noise is significant.
        let beyond = self.floor + 4.0 * spread;
        if !caught(beyond) {
            return None;
        }
        while !caught(high) {
            (low, high) = (high, (high + spread).min(beyond));
        }
        while high - low > 0.02 * high.max(spread / 10.0) {
            let between = low + (high - low) / 2.0;
            if caught(between) { high = between } else { low = between }
        }
        Some(high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { pairs: 20, family: 1, alpha: 0.05, floor: 0.0 };

    /// Samples in the form of a bell, by its quantiles.
    fn bell() -> Vec<f64> {
        // Sums of two dice: a triangle is bell enough, of variance 35/6.
        (1..=6).flat_map(|a| (1..=6).map(move |b| f64::from(a + b))).collect()
    }

    #[test]
    fn without_a_change_few_runs_find_one_and_with_a_large_one_all_do() {
        assert!(RULE.power(&bell(), 0.0, 2_000) < 0.01, "two rounds at 5 % are 0.25 %");
        assert_eq!(RULE.power(&bell(), 20.0, 200), 1.0);
    }

    #[test]
    fn the_smallest_change_is_near_what_normal_theory_says() {
        // Two rounds of 90 % together are 95 % each: (1.645 + 1.633) × σ√2/√20 / √(3/π), the last for the test's efficiency, with
        // σ = 2.415; drawn from 36 values.
        let theory = (1.645 + 1.633) * 2.415 * 2_f64.sqrt() / 20_f64.sqrt() / (3.0 / std::f64::consts::PI).sqrt();
        let found = RULE.smallest_change(&bell(), 0.9).unwrap();
        assert!((found / theory - 1.0).abs() < 0.12, "{found} {theory}");
    }

    #[test]
    fn a_floor_and_a_family_ask_for_more_and_exact_samples_for_nothing() {
        let plain = RULE.smallest_change(&bell(), 0.9).unwrap();
        let floored = Rule { floor: 5.0, ..RULE }.smallest_change(&bell(), 0.9).unwrap();
        let many = Rule { family: 40, ..RULE }.smallest_change(&bell(), 0.9).unwrap();
        assert!(floored > 5.0 && floored < 5.0 + plain + 1.0, "{floored} {plain}");
        assert!(many > plain, "{many} {plain}");
        assert_eq!(RULE.smallest_change(&[119.0; 5], 0.9), Some(0.0));
        assert_eq!(Rule { floor: 64.0, ..RULE }.smallest_change(&[119.0; 5], 0.9), Some(64.0));
    }

    #[test]
    fn what_no_change_could_show_is_not_promised() {
        let few = Rule { pairs: 4, ..RULE };
        // Four pairs that all grew have p = 1/16.
        assert_eq!(few.smallest_change(&bell(), 0.9), None);
        assert_eq!(RULE.smallest_change(&[1.0], 0.9), None);
        assert_eq!(RULE.smallest_change(&[1.0, f64::NAN], 0.9), None);
    }
}
