use proptest::prelude::*;

use super::*;

/// Depression before and after a tranquilizer, from Hollander and Wolfe, as R's `?wilcox.test` prints it.
const DEPRESSION: [f64; 9] = [-0.952, 0.147, -1.022, -0.430, -0.620, -0.590, -0.490, 0.080, -0.010];
/// Darwin's maize, cross-fertilised less self-fertilised, in eighths of an inch.
const MAIZE: [f64; 15] = [6., 8., 14., 16., 23., 24., 28., 29., 41., -48., 49., 56., 60., -67., 75.];
/// Pages: with ties and with pairs that do not differ.
const PAGES: [f64; 10] = [0., 4096., 4096., -4096., 8192., 0., 4096., 12288., -8192., 4096.];

fn close(is: f64, should: f64) {
    assert!((is - should).abs() < 1e-9 * should.abs().max(1.0), "{is} is not {should}");
}

/// Expected values: scipy 1.17.1, `wilcoxon(d, alternative=…, method="exact")`; for `PAGES`
/// `zero_method="pratt", method=PermutationMethod(n_resamples=inf)`.
#[test]
fn the_tails_are_scipys() {
    for (differences, increase, decrease) in [
        (&DEPRESSION[..], 0.986_328_125, 0.019_531_25),
        (&MAIZE, 0.020_629_882_812_5, 0.982_330_322_265_625),
        (&PAGES, 0.113_281_25, 0.925_781_25),
    ] {
        let judged = Paired::of(differences, 0.95).unwrap();
        close(judged.increase, increase);
        close(judged.decrease, decrease);
    }
}

/// R's `wilcox.test(x, y, paired = TRUE, conf.int = TRUE)` prints -0.46 and (-0.786, -0.010) for the first.
#[test]
fn estimate_and_interval_are_rs() {
    let judged = Paired::of(&DEPRESSION, 0.95).unwrap();
    close(judged.estimate, -0.46);
    close(judged.interval.0, -0.786);
    close(judged.interval.1, -0.01);
    close(judged.confidence, 0.960_937_5);
    close(Paired::of(&MAIZE, 0.95).unwrap().estimate, 25.0);
    close(Paired::of(&PAGES, 0.95).unwrap().estimate, 2048.0);
}

#[test]
fn what_cannot_be_judged_is_not() {
    assert_eq!(Paired::of(&[], 0.95), None);
    assert_eq!(Paired::of(&[1.0, f64::NAN], 0.95), None);
    assert_eq!(Paired::of(&vec![1.0; MAX_PAIRS + 1], 0.95), None);
}

#[test]
fn pairs_that_do_not_differ_say_so_and_nothing_else() {
    let judged = Paired::of(&[0.0; 20], 0.95).unwrap();
    assert_eq!((judged.estimate, judged.interval), (0.0, (0.0, 0.0)));
    assert_eq!((judged.increase, judged.decrease), (1.0, 1.0));
}

#[test]
fn few_pairs_say_how_little_they_say() {
    let judged = Paired::of(&[1.0, 2.0, 3.0], 0.95).unwrap();
    assert_eq!((judged.confidence, judged.increase), (0.75, 0.125));
}

#[test]
fn the_most_pairs_are_still_judged() {
    let differences: Vec<f64> = (0..MAX_PAIRS).map(|at| (at % 7) as f64 - 3.0).collect();
    let judged = Paired::of(&differences, 0.95).unwrap();
    assert!(judged.increase > 0.3 && judged.decrease > 0.3 && judged.interval.0 <= 0.0 && judged.interval.1 >= 0.0);
}

/// The tails by trying every assignment of signs.
fn by_enumeration(differences: &[f64]) -> (f64, f64) {
    let signed: Vec<(usize, bool)> = doubled_ranks(differences)
        .into_iter()
        .zip(differences)
        .filter(|(_, difference)| **difference != 0.0)
        .map(|(rank, difference)| (rank, *difference > 0.0))
        .collect();
    let seen: usize = signed.iter().filter(|(_, up)| *up).map(|(rank, _)| rank).sum();
    let sums = (0_u32..1 << signed.len())
        .map(|signs| signed.iter().enumerate().filter(|(at, _)| signs >> at & 1 == 1).map(|(_, (rank, _))| rank).sum());
    let sums: Vec<usize> = sums.collect();
    let share = |of: &dyn Fn(usize) -> bool| sums.iter().filter(|sum| of(**sum)).count() as f64 / sums.len() as f64;
    (share(&|sum| sum >= seen), share(&|sum| sum <= seen))
}

proptest! {
    #[test]
    fn the_tails_are_those_of_every_assignment_of_signs(differences in prop::collection::vec((-4i32..=4).prop_map(f64::from), 1..11)) {
        let judged = Paired::of(&differences, 0.95).unwrap();
        let (increase, decrease) = by_enumeration(&differences);
        prop_assert!((judged.increase - increase).abs() < 1e-12 && (judged.decrease - decrease).abs() < 1e-12);
    }

    #[test]
    fn exchanging_the_sides_exchanges_the_answers(differences in prop::collection::vec((-1_000i32..1_000).prop_map(f64::from), 1..40)) {
        let here = Paired::of(&differences, 0.9).unwrap();
        let there = Paired::of(&differences.iter().map(|d| -d).collect::<Vec<_>>(), 0.9).unwrap();
        prop_assert_eq!((here.estimate, here.interval), (-there.estimate, (-there.interval.1, -there.interval.0)));
        prop_assert!((here.increase - there.decrease).abs() < 1e-12);
    }

    #[test]
    fn a_shift_moves_estimate_and_interval_by_itself(differences in prop::collection::vec((-1_000i32..1_000).prop_map(f64::from), 1..40), by in -1_000i32..1_000) {
        let by = f64::from(by);
        let here = Paired::of(&differences, 0.95).unwrap();
        let there = Paired::of(&differences.iter().map(|d| d + by).collect::<Vec<_>>(), 0.95).unwrap();
        prop_assert_eq!((here.estimate + by, here.interval.0 + by, here.interval.1 + by), (there.estimate, there.interval.0, there.interval.1));
    }

    #[test]
    fn more_growth_never_speaks_less_for_an_increase(differences in prop::collection::vec((-50i32..50).prop_map(f64::from), 2..25), by in 1i32..200) {
        let more: Vec<f64> = differences.iter().map(|d| d + f64::from(by)).collect();
        let (here, there) = (Paired::of(&differences, 0.95).unwrap(), Paired::of(&more, 0.95).unwrap());
        // Pairs that differ by nothing have no sign; a shift that makes or ends such pairs changes what is compared.
        prop_assume!(differences.iter().chain(&more).all(|d| *d != 0.0));
        prop_assert!(there.increase <= here.increase + 1e-12);
        prop_assert!(there.interval.0 <= there.estimate && there.estimate <= there.interval.1);
    }
}
