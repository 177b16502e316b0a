//! EXACT: figures that are the same in every process of a side. Any difference of theirs is a difference of the code.

use crate::stats::{Exactness, Stats};

/// What the processes of two sides say of a figure that could be exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exact {
    /// A side has fewer processes than it takes to call a figure exact.
    TooFew,
    /// Identical on both sides, and no difference between them that counts.
    Same,
    /// Identical on both sides, the head's lower.
    Lower,
    /// Identical on both sides, the head's higher than the floor allows.
    Higher,
    /// Identical on one side only.
    OneSide {
        /// Whether it is the base's that is identical.
        base: bool,
        /// Whether every process of the head is further above every one of the base than the floor allows.
        apart: bool,
    },
    /// It varies on both sides.
    Neither {
        /// The same of it: by chance ten processes are dealt so above ten others once in 184,756 times.
        apart: bool,
    },
}

/// Compares the processes of two sides: `processes` of each must be identical, and an increase of `floor` is let pass.
#[must_use]
pub fn compare(base: &[f64], head: &[f64], processes: usize, floor: f64) -> Exact {
    let (Some(b), Some(h)) = (Stats::of(base), Stats::of(head)) else { return Exact::TooFew };
    if base.len().min(head.len()) < processes.max(2) {
        return Exact::TooFew;
    }
    let identical = |stats: &Stats| stats.exactness == Exactness::Identical;
    match (identical(&b), identical(&h)) {
        (true, true) if h.min - b.max > floor => Exact::Higher,
        (true, true) if h.max < b.min => Exact::Lower,
        (true, true) => Exact::Same,
        (false, false) => Exact::Neither { apart: h.min - b.max > floor },
        (base, _) => Exact::OneSide { base, apart: h.min - b.max > floor },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIXED: [f64; 10] = [119.0, 119.0, 120.0, 119.0, 119.0, 119.0, 119.0, 119.0, 119.0, 119.0];

    #[test]
    fn one_allocation_more_is_higher_unless_a_floor_allows_it() {
        assert_eq!(compare(&[119.0; 10], &[120.0; 10], 10, 0.0), Exact::Higher);
        assert_eq!(compare(&[119.0; 10], &[120.0; 10], 10, 1.0), Exact::Same);
        assert_eq!(compare(&[0.0; 10], &[1.0; 10], 10, 0.0), Exact::Higher);
        assert_eq!(compare(&[119.0; 10], &[118.0; 10], 10, 0.0), Exact::Lower);
    }

    #[test]
    fn nine_processes_prove_nothing() {
        assert_eq!(compare(&[119.0; 9], &[120.0; 10], 10, 0.0), Exact::TooFew);
        assert_eq!(compare(&[119.0; 10], &[120.0; 9], 10, 0.0), Exact::TooFew);
        assert_eq!(compare(&[], &[], 0, 0.0), Exact::TooFew);
        assert_eq!(compare(&[1.0], &[2.0], 0, 0.0), Exact::TooFew);
    }

    #[test]
    fn exact_on_one_side_is_neither_the_same_nor_higher() {
        assert_eq!(compare(&[119.0; 10], &MIXED, 10, 0.0), Exact::OneSide { base: true, apart: false });
        assert_eq!(compare(&MIXED, &[119.0; 10], 10, 0.0), Exact::OneSide { base: false, apart: false });
        assert_eq!(compare(&[118.0; 10], &MIXED, 10, 0.0), Exact::OneSide { base: true, apart: true });
        assert_eq!(compare(&[118.0; 10], &MIXED, 10, 1.0), Exact::OneSide { base: true, apart: false });
    }

    #[test]
    fn what_varies_on_both_sides_is_told_where_all_of_the_head_is_above() {
        let more = |by: f64| MIXED.map(|value| value + by);
        assert_eq!(compare(&MIXED, &MIXED, 10, 0.0), Exact::Neither { apart: false });
        assert_eq!(compare(&MIXED, &more(1.0), 10, 0.0), Exact::Neither { apart: false }, "120 on both sides");
        assert_eq!(compare(&MIXED, &more(2.0), 10, 0.0), Exact::Neither { apart: true });
        assert_eq!(compare(&MIXED, &more(2.0), 10, 1.0), Exact::Neither { apart: false }, "a floor allows it");
        assert_eq!(compare(&more(2.0), &MIXED, 10, 0.0), Exact::Neither { apart: false }, "less is no increase");
    }

    proptest! {
        #[test]
        fn a_side_against_itself_is_never_higher(values in prop::collection::vec(-1_000i64..1_000, 2..30), floor in 0i64..10) {
            let values: Vec<f64> = values.into_iter().map(crate::units::whole).collect();
            let found = compare(&values, &values, 2, crate::units::whole(floor));
            prop_assert!(matches!(found, Exact::Same | Exact::Neither { apart: false }), "{found:?}");
        }

        #[test]
        fn higher_one_way_is_lower_the_other(base in -1_000i64..1_000, head in -1_000i64..1_000) {
            let (b, h) = ([crate::units::whole(base); 10], [crate::units::whole(head); 10]);
            let (there, back) = (compare(&b, &h, 10, 0.0), compare(&h, &b, 10, 0.0));
            prop_assert_eq!(there == Exact::Higher, back == Exact::Lower);
            prop_assert_eq!(there == Exact::Higher, head > base);
            prop_assert_eq!(there == Exact::Same, head == base);
        }

        #[test]
        fn a_higher_floor_never_finds_more(base in 0i64..50, head in 0i64..50, floor in 0i64..50, more in 0i64..50) {
            let of = |value: i64| [crate::units::whole(value); 10];
            let low = compare(&of(base), &of(head), 10, crate::units::whole(floor));
            let high = compare(&of(base), &of(head), 10, crate::units::whole(floor + more));
            prop_assert!(high != Exact::Higher || low == Exact::Higher);
        }
    }
}
