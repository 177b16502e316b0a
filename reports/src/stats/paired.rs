//! Two sides measured in pairs: whether they differ, by how much, and how surely.
//!
//! The test is Wilcoxon's signed-rank test, the estimate is that of Hodges and Lehmann, and the interval is the one that belongs to both:
//! all three are made of the same statistic, so that they cannot contradict each other in what they assume. They assume that the
//! differences of the pairs are symmetric about their middle, and nothing about the shape of the noise.
//!
//! Sources: F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945); J. W. Pratt, "Remarks on zeros and
//! ties in the Wilcoxon signed rank procedures", JASA 54 (1959); M. Hollander, D. Wolfe and E. Chicken, "Nonparametric Statistical
//! Methods", 3rd ed. (2014), sections 3.1 to 3.3.

use super::{middle, sorted};

/// The most pairs for which the exact distribution is worked out.
pub const MAX_PAIRS: usize = 500;

/// What pairs say of the difference between their sides, in the unit of what was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Pairs.
    pub pairs: usize,
    /// The Hodges–Lehmann estimate of the difference: the median of the averages of every two differences.
    pub estimate: f64,
    /// The interval that holds the true difference in at least `confidence` of all cases.
    pub interval: (f64, f64),
    /// How often an interval made in this way holds the true difference, at least. For very few pairs no interval of this form reaches
    /// what was wanted; this then says what was reached.
    pub confidence: f64,
    /// How probable sums of ranks at least as high as this one are if there is no difference: small speaks for an increase.
    pub increase: f64,
    /// The same for sums at least as low: small speaks for a decrease.
    pub decrease: f64,
}

impl Paired {
    /// Judges the differences `head − base` of pairs. `None` without a pair, with more than [`MAX_PAIRS`], or where one is not a finite
    /// number.
    ///
    /// `confidence` is that of the two-sided interval, e.g. 0.95.
    #[must_use]
    pub fn of(differences: &[f64], confidence: f64) -> Option<Self> {
        let pairs = differences.len();
        if !(1..=MAX_PAIRS).contains(&pairs) || differences.iter().any(|d| !d.is_finite()) {
            return None;
        }
        let averages = walsh(differences);
        let (outside, reached) = cut(pairs, confidence);
        let (increase, decrease) = tails(differences);
        Some(Self {
            pairs,
            estimate: middle(&averages),
            interval: (averages[outside], averages[averages.len() - 1 - outside]),
            confidence: reached,
            increase,
            decrease,
        })
    }
}

/// The averages of every two differences and of each with itself, sorted.
fn walsh(differences: &[f64]) -> Vec<f64> {
    let with_rest = |(at, first): (usize, &f64)| {
        let first = *first;
        differences[at..].iter().map(move |second| first + (second - first) / 2.0)
    };
    sorted(differences.iter().enumerate().flat_map(with_rest))
}

/// How many averages at each end lie outside the interval, and how often the interval then holds the difference.
fn cut(pairs: usize, confidence: f64) -> (usize, f64) {
    // Without ties a rank is as good as its place: the distribution is that of the sum of a random subset of 1..=n.
    let doubled: Vec<usize> = (1..=pairs).map(|rank| 2 * rank).collect();
    let distribution = distribution(&doubled);
    let (mut outside, mut below) = (0, distribution[0]);
    let mut kept = below;
    // Sums are even here, because ranks were doubled.
    for probability in distribution.iter().skip(2).step_by(2) {
        below += probability;
        if 2.0 * below > 1.0 - confidence {
            break;
        }
        (outside, kept) = (outside + 1, below);
    }
    (outside, 1.0 - 2.0 * kept)
}

/// The probabilities of a sum of positive ranks at least as high, and at least as low, as the one seen, given the sizes of the
/// differences: each sign is as likely as the other.
///
/// Equal sizes share the mean of their ranks; a difference of nothing has a rank too, but no sign (Pratt).
fn tails(differences: &[f64]) -> (f64, f64) {
    let ranks = doubled_ranks(differences);
    let signed: Vec<(f64, usize)> =
        differences.iter().copied().zip(ranks).filter(|(difference, _)| *difference != 0.0).collect();
    let ranks: Vec<usize> = signed.iter().map(|(_, rank)| *rank).collect();
    let seen: usize = signed.iter().filter(|(difference, _)| *difference > 0.0).map(|(_, rank)| rank).sum();
    let distribution = distribution(&ranks);
    let sum = |part: &[f64]| part.iter().sum::<f64>().min(1.0);
    (sum(&distribution[seen..]), sum(&distribution[..=seen]))
}

/// Twice the rank of each difference by its size, so that the mean of two ranks is a whole number.
fn doubled_ranks(differences: &[f64]) -> Vec<usize> {
    let below = |size: f64| differences.iter().filter(|d| d.abs() < size).count();
    let alike = |size: f64| differences.iter().filter(|d| d.abs() == size).count();
    // The ranks from b + 1 to b + a, of which twice the mean is 2b + a + 1.
    differences.iter().map(|d| 2 * below(d.abs()) + alike(d.abs()) + 1).collect()
}

/// The probability of each sum of a subset of `ranks`, every subset being as likely as any other. Index: the sum.
fn distribution(ranks: &[usize]) -> Vec<f64> {
    let mut probabilities = vec![0.0; ranks.iter().sum::<usize>() + 1];
    probabilities[0] = 1.0;
    let mut highest = 0;
    for rank in ranks {
        highest += rank;
        for sum in (0..=highest).rev() {
            let with = if sum >= *rank { probabilities[sum - rank] } else { 0.0 };
            probabilities[sum] = (probabilities[sum] + with) / 2.0;
        }
    }
    probabilities
}

#[cfg(test)]
mod tests;
