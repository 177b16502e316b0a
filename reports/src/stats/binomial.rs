//! How sure a share is that was counted: so many of so many.

use crate::units::whole;

/// The exact interval of Clopper and Pearson for a share of which `hits` of `trials` were seen: it holds the true share in at least
/// `confidence` of all cases. `None` without a trial, or with more hits than trials.
///
/// Source: C. Clopper and E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26 (1934).
#[must_use]
pub fn interval(hits: u64, trials: u64, confidence: f64) -> Option<(f64, f64)> {
    if trials == 0 || hits > trials {
        return None;
    }
    let tail = (1.0 - confidence) / 2.0;
    // The share under which so many hits or more are as rare as the tail; and that under which so few or fewer are.
    let low = if hits == 0 { 0.0 } else { root(|share| 1.0 - at_most(hits - 1, trials, share) - tail) };
    let high = if hits == trials { 1.0 } else { root(|share| tail - at_most(hits, trials, share)) };
    Some((low, high))
}

/// Where a function that rises from below 0 to above it on 0 to 1 crosses.
fn root(rising: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if rising(middle) < 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// How probable at most `hits` are.
fn at_most(hits: u64, trials: u64, share: f64) -> f64 {
    if share <= 0.0 {
        return 1.0;
    }
    if share >= 1.0 {
        return f64::from(hits >= trials);
    }
    let float = |number: u64| whole(i64::try_from(number).unwrap_or(i64::MAX));
    // Logarithms, because the first terms of ten thousand trials are smaller than any number.
    let odds = (share / (1.0 - share)).ln();
    let mut term = float(trials) * (1.0 - share).ln();
    let mut sum = term.exp();
    for hit in 1..=hits {
        term += ((float(trials - hit) + 1.0) / float(hit)).ln() + odds;
        sum += term.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_scipy_has_them() {
        // scipy 1.17.1: stats.binomtest(k, n).proportion_ci(0.95, method="exact").
        for (hits, trials, low, high) in [
            (0, 10_000, 0.0, 0.000_368_820),
            (10, 100, 0.049_004_69, 0.176_222_6),
            (1, 20, 0.001_265_089, 0.248_732_8),
            (20, 20, 0.831_566_5, 1.0),
        ] {
            let (l, h) = interval(hits, trials, 0.95).unwrap();
            assert!((l - low).abs() < 1e-6 && (h - high).abs() < 1e-6, "{hits}/{trials}: {l} {h}");
        }
        assert_eq!(interval(0, 0, 0.95), None);
        assert_eq!(interval(2, 1, 0.95), None);
    }

    proptest! {
        #[test]
        fn it_holds_the_share_seen_and_its_mirror_image(trials in 1u64..2_000, hits in 0u64..2_000) {
            let hits = hits % (trials + 1);
            let (low, high) = interval(hits, trials, 0.95).unwrap();
            let float = |number: u64| whole(i64::try_from(number).unwrap());
            let seen = float(hits) / float(trials);
            prop_assert!((0.0..=seen + 1e-9).contains(&low) && (seen - 1e-9..=1.0).contains(&high));
            let (mirrored_low, mirrored_high) = interval(trials - hits, trials, 0.95).unwrap();
            prop_assert!((low - (1.0 - mirrored_high)).abs() < 1e-6 && (high - (1.0 - mirrored_low)).abs() < 1e-6);
        }
    }
}
