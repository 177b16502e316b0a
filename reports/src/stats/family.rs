//! Many questions at once: what chance alone would answer with yes somewhere.

/// Holm's adjusted p-values, in the order of `values`: rejecting those at most α rejects no true hypothesis in at least 1 − α of all
/// cases, whatever the dependence between the questions.
///
/// Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
#[must_use]
pub fn holm(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut adjusted = vec![0.0; values.len()];
    let mut floor = 0.0_f64;
    for (place, at) in order.into_iter().enumerate() {
        let left = crate::units::whole(i64::try_from(values.len() - place).unwrap_or(i64::MAX));
        floor = floor.max((left * values[at]).min(1.0));
        adjusted[at] = floor;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_r_and_statsmodels_adjust_them() {
        // statsmodels 0.14 multipletests(method="holm") and R 4.3 p.adjust(method="holm") give the same for these.
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (is, should) in adjusted.into_iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((is - should).abs() < 1e-12, "{is} {should}");
        }
        assert_eq!(holm(&[]), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn never_smaller_than_it_was_never_over_one_and_in_the_same_order(values in prop::collection::vec(0.0f64..=1.0, 0..30)) {
            let adjusted = holm(&values);
            for (at, value) in values.iter().enumerate() {
                prop_assert!(adjusted[at] >= *value && adjusted[at] <= 1.0);
                for (other, second) in values.iter().enumerate() {
                    prop_assert!(value > second || adjusted[at] <= adjusted[other]);
                }
            }
        }

        #[test]
        fn the_smallest_is_bonferronis(values in prop::collection::vec(0.0f64..=1.0, 1..30)) {
            let smallest = values.iter().copied().fold(1.0, f64::min);
            let adjusted = holm(&values).into_iter().fold(1.0, f64::min);
            let count = crate::units::whole(values.len() as i64);
            prop_assert!((adjusted - (count * smallest).min(1.0)).abs() < 1e-12);
        }
    }
}
