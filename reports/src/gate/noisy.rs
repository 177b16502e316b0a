//! NOISY: figures that vary from process to process, judged by statistics over pairs, all of them together as one family.

use crate::stats::family::holm;
use crate::stats::paired::Paired;

/// How sure the interval is that stands beside an estimate.
pub const CONFIDENCE: f64 = 0.95;

/// What one look at a family says of a member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Estimate, interval and p-values, without regard to the others.
    pub paired: Paired,
    /// The p-value of an increase, by Holm over the family.
    pub adjusted: f64,
    /// What is found.
    pub found: Found,
}

/// What one look finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// An increase, surer than chance and larger than the floor.
    Increase,
    /// A decrease, by the same measure.
    Decrease,
    /// Neither.
    Nothing,
}

/// One look at a family: each member's differences `head − base`, pair by pair, and its floor; `None` for one that cannot be looked at but
/// counts. In at most `alpha` of all looks at sides without a difference is any increase found.
#[must_use]
pub fn look(family: &[Option<(Vec<f64>, f64)>], alpha: f64) -> Vec<Option<Look>> {
    let paired: Vec<Option<(Paired, f64)>> = family
        .iter()
        .map(|member| {
            member.as_ref().and_then(|(differences, floor)| Some((Paired::of(differences, CONFIDENCE)?, *floor)))
        })
        .collect();
    let adjusted = |p: fn(&Paired) -> f64| {
        holm(&paired.iter().map(|member| member.as_ref().map_or(1.0, |(paired, _)| p(paired))).collect::<Vec<_>>())
    };
    let (up, down) = (adjusted(|paired| paired.increase), adjusted(|paired| paired.decrease));
    let one = |(at, member): (usize, Option<(Paired, f64)>)| {
        let (paired, floor) = member?;
        let found = if up[at] <= alpha && paired.estimate > floor {
            Found::Increase
        } else if down[at] <= alpha && -paired.estimate > floor {
            Found::Decrease
        } else {
            Found::Nothing
        };
        Some(Look { paired, adjusted: up[at], found })
    };
    paired.into_iter().enumerate().map(one).collect()
}

/// Whether nothing can be said: an increase over the floor cannot be excluded, and that is for want of precision and not because the
/// estimate is near the floor.
#[must_use]
pub fn is_inconclusive(paired: &Paired, floor: f64) -> bool {
    let (low, high) = paired.interval;
    high > floor && (high - low) / 2.0 > floor
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Twenty differences around `middle`, `spread` apart, no two of one size.
    fn around(middle: f64, spread: f64) -> Vec<f64> {
        (0..20).map(|at| middle + spread * (f64::from(at) - 9.5) + 0.001 * f64::from(at * at % 7)).collect()
    }

    fn found(family: &[Option<(Vec<f64>, f64)>]) -> Vec<Option<Found>> {
        look(family, 0.05).into_iter().map(|look| look.map(|look| look.found)).collect()
    }

    #[test]
    fn an_increase_must_be_sure_and_over_the_floor() {
        let shift = |middle: f64, spread: f64, floor: f64| found(&[Some((around(middle, spread), floor))])[0];
        assert_eq!(shift(100.0, 1.0, 50.0), Some(Found::Increase));
        assert_eq!(shift(100.0, 1.0, 100.5), Some(Found::Nothing), "under the floor");
        assert_eq!(shift(3.0, 4.0, 0.0), Some(Found::Nothing), "not sure");
        assert_eq!(shift(-100.0, 1.0, 50.0), Some(Found::Decrease));
        assert_eq!(found(&[None]), [None]);
    }

    #[test]
    fn those_that_cannot_be_looked_at_count_too() {
        // Five pairs that all grew are as rare as 1 in 32, which is enough for one question and not for two.
        let five = Some((vec![5.0, 6.0, 7.0, 8.0, 9.0], 0.0));
        assert_eq!(found(std::slice::from_ref(&five)), [Some(Found::Increase)]);
        assert_eq!(found(&[five, None]), [Some(Found::Nothing), None]);
    }

    #[test]
    fn wide_is_inconclusive_and_near_the_floor_is_not() {
        let of = |middle: f64, spread: f64| Paired::of(&around(middle, spread), CONFIDENCE).unwrap();
        assert!(is_inconclusive(&of(0.0, 10.0), 5.0));
        assert!(!is_inconclusive(&of(0.0, 10.0), 50.0));
        assert!(!is_inconclusive(&of(4.9, 0.5), 5.0), "precise, and near the floor");
        assert!(!is_inconclusive(&of(-500.0, 10.0), 5.0), "wide, and far below");
    }

    proptest! {
        #[test]
        fn one_that_was_not_found_alone_is_not_found_among_others(
            own in prop::collection::vec(-50i64..60, 8..20), others in prop::collection::vec(prop::collection::vec(-50i64..60, 8..20), 0..6), floor in 0i64..20,
        ) {
            let member = |values: &Vec<i64>| Some((values.iter().map(|v| crate::units::whole(*v)).collect(), crate::units::whole(floor)));
            let alone = found(&[member(&own)])[0];
            let family: Vec<_> = std::iter::once(&own).chain(&others).map(member).collect();
            let among = found(&family)[0];
            prop_assert!(among == alone || among == Some(Found::Nothing));
        }

        #[test]
        fn a_swap_of_the_sides_swaps_what_is_found(family in prop::collection::vec(prop::collection::vec(-50i64..60, 8..20), 1..6)) {
            let member = |values: &Vec<i64>, sign: i64| Some((values.iter().map(|v| crate::units::whole(sign * v)).collect(), 3.0));
            let there = found(&family.iter().map(|values| member(values, 1)).collect::<Vec<_>>());
            let back = found(&family.iter().map(|values| member(values, -1)).collect::<Vec<_>>());
            for (there, back) in there.into_iter().zip(back) {
                prop_assert_eq!(there == Some(Found::Increase), back == Some(Found::Decrease));
            }
        }
    }
}
