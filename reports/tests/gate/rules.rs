//! EXACT, NOISY, missing and new, budgets, waivers: what a difference of a known size is judged to be.

use plimsoll_reports::derive::Figure;
use plimsoll_reports::gate::{
    Budget, Outcome, Row, Rule, Rules, Settings, Smallest, Stage, State, Verdict, Waiver, Wanted, Why, decide,
};
use plimsoll_reports::record::Record;
use proptest::prelude::*;

use crate::common::{PLAIN, Shape};
use crate::made::*;

fn row<'a>(verdict: &'a Verdict, probe: &str, figure: &Figure) -> &'a Row {
    let of = |row: &&Row| row.cell.probe == probe && row.figure.as_ref() == Some(figure) && row.rule != Rule::Budget;
    verdict.rows.iter().find(of).unwrap_or_else(|| panic!("no {figure} in {:#?}", verdict.rows))
}

fn allocs() -> Figure {
    Figure::per_request("heap.allocs")
}

fn anon() -> Figure {
    Figure::at("steady@256", "proc.anon")
}

fn one_more() -> Made {
    Made { shape: Shape { allocs: PLAIN.allocs + 1, ..PLAIN }, ..MADE }
}

fn grown(bytes: i64, seed: u64) -> Record {
    side(Made { shape: Shape { growth: PLAIN.growth + bytes, ..PLAIN }, seed, ..MADE })
}

#[test]
fn the_same_code_twice_passes_and_says_what_it_could_have_seen() {
    let verdict = first(&side(MADE), &side(Made { seed: 2, ..MADE }));
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Pass, 0), "{:#?}", verdict.rows);
    assert_eq!(verdict.family.size, 2);
    assert_eq!(
        row(&verdict, "count", &allocs()).smallest,
        Some(Smallest::Over(plimsoll_reports::units::Count(0).into(),))
    );
    let Some(Smallest::About(smallest)) = row(&verdict, "rss", &anon()).smallest else { panic!("no smallest change") };
    assert!((32_768.0..65_536.0).contains(&smallest.value()), "{smallest}");
}

#[test]
fn one_allocation_more_is_run_again_and_fails_if_it_stays() {
    let (base, head) = (side(MADE), side(one_more()));
    let verdict = first(&base, &head);
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Unfinished, 3));
    let asked = asked(&verdict);
    assert_eq!((asked.len(), &asked[0].cell, asked[0].processes, asked[0].why), (1, &count("ultra"), 10, Why::Rerun));
    let verdict = both(&base, &head, &settings(), (&base, &head));
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Fail, 1));
    let row = row(&verdict, "count", &allocs());
    assert_eq!((row.state, row.rule, row.again), (State::Fails, Rule::Exact, true));
    assert_eq!(row.difference.map(|d| d.to_string()).as_deref(), Some("1"));
}

#[test]
fn one_allocation_more_that_does_not_come_again_passes() {
    let (base, head) = (side(MADE), side(one_more()));
    let verdict = both(&base, &head, &settings(), (&base, &base));
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!(row(&verdict, "count", &allocs()).state, State::NotRepeated);
}

#[test]
fn from_none_to_one_allocation_fails() {
    let none = |allocs| side(Made { shape: Shape { allocs, ..PLAIN }, ..MADE });
    let verdict = both(&none(0), &none(1), &settings(), (&none(0), &none(1)));
    assert_eq!(row(&verdict, "count", &allocs()).state, State::Fails);
}

#[test]
fn an_improvement_is_told_and_never_fails() {
    let verdict = first(&side(one_more()), &side(MADE));
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!(row(&verdict, "count", &allocs()).state, State::Improved);
    let verdict = first(&grown(65_536, 1), &grown(0, 2));
    assert_eq!((verdict.outcome, row(&verdict, "rss", &anon()).state), (Outcome::Pass, State::Improved));
}

#[test]
fn a_floor_lets_an_exact_increase_pass() {
    let mut settings = settings();
    settings.rules.floors.insert(Wanted::Metric("heap.allocs".into()), 1.0);
    let verdict = decide(&side(MADE), &side(one_more()), &settings, Stage::First);
    assert_eq!(verdict.outcome, Outcome::Pass);
}

#[test]
fn exact_on_one_side_only_is_a_finding_unless_all_of_the_head_is_above() {
    let (base, mut head) = (side(MADE), side(MADE));
    // Adds 64 × 1 between the two checkpoints in one process only.
    let one = samples(&mut head, count("ultra")).next().unwrap();
    for point in one.checkpoints.iter_mut().filter(|point| point.requests >= 128) {
        *point.metrics.get_mut("heap.allocs").unwrap() += 64;
    }
    let verdict = first(&base, &head);
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Undecided, 0));
    assert_eq!(row(&verdict, "count", &allocs()).state, State::ExactOnOneSide);
    let strict = decide(&base, &head, &Settings { strict: true, ..settings() }, Stage::First);
    assert_eq!(strict.exit_code(), 3);

    let mut head = side(one_more());
    let one = samples(&mut head, count("ultra")).next().unwrap();
    for point in one.checkpoints.iter_mut().filter(|point| point.requests >= 128) {
        *point.metrics.get_mut("heap.allocs").unwrap() += 64;
    }
    let verdict = both(&base, &head, &settings(), (&base, &head));
    assert_eq!(row(&verdict, "count", &allocs()).state, State::Fails, "119 before, 120 or 121 now");
}

#[test]
fn what_varies_on_both_sides_fails_where_all_of_the_head_is_above_in_both_rounds() {
    let varied = |record: Record| {
        let mut record = record;
        let one = samples(&mut record, count("ultra")).next().unwrap();
        for point in one.checkpoints.iter_mut().filter(|point| point.requests >= 128) {
            *point.metrics.get_mut("heap.allocs").unwrap() += 64;
        }
        record
    };
    let more = || side(Made { shape: Shape { allocs: MADE.shape.allocs + 2, ..MADE.shape }, ..MADE });
    let (base, head) = (varied(side(MADE)), varied(more()));
    let verdict = both(&base, &head, &settings(), (&base, &head));
    assert_eq!(row(&verdict, "count", &allocs()).state, State::Fails);
    let verdict = both(&base, &head, &settings(), (&base, &base));
    assert_eq!(row(&verdict, "count", &allocs()).state, State::NotRepeated, "and it is higher once only");
    let verdict = first(&base, &varied(side(one_more())));
    assert_eq!(row(&verdict, "count", &allocs()).state, State::Unjudged, "120 is on both sides");
    assert_eq!(row(&first(&head, &base), "count", &allocs()).state, State::Unjudged, "less");
}

#[test]
fn nine_processes_decide_nothing() {
    let few = Made { processes: 9, ..MADE };
    let verdict = first(&side(few), &side(Made { processes: 9, ..one_more() }));
    assert_eq!((verdict.outcome, row(&verdict, "count", &allocs()).state), (Outcome::Undecided, State::TooFew));
    assert_eq!(row(&verdict, "rss", &anon()).state, State::TooFew);
}

#[test]
fn anonymous_memory_over_the_floor_is_confirmed_by_fresh_pairs() {
    let (base, head) = (grown(0, 1), grown(65_536, 2));
    let verdict = first(&base, &head);
    // The live heap grows with it in these records, and is exact.
    let rss_again = asked(&verdict).iter().find(|again| again.cell == rss("ultra")).unwrap();
    assert_eq!((rss_again.processes, rss_again.why), (20, Why::Confirm));
    let verdict = both(&base, &head, &settings(), (&grown(0, 3), &grown(65_536, 4)));
    let row = row(&verdict, "rss", &anon());
    assert_eq!((row.state, row.rule, row.again), (State::Fails, Rule::Noisy, true));
    let (low, high) = row.interval.unwrap();
    assert!(low.value() <= 65_536.0 && 65_536.0 <= high.value(), "{low} {high}");
    assert_eq!(row.blame.as_ref().map(|blame| blame.by), Some("by mapping"));
    assert_eq!(row.blame.as_ref().and_then(|b| b.culprit()).map(|part| part.name.as_str()), Some("[heap]"));
}

#[test]
fn a_candidate_that_fresh_pairs_do_not_confirm_passes() {
    let verdict = both(&grown(0, 1), &grown(65_536, 2), &settings(), (&grown(0, 3), &grown(0, 4)));
    assert_eq!(row(&verdict, "rss", &anon()).state, State::NotRepeated);
    assert_eq!(verdict.outcome, Outcome::Pass);
}

#[test]
fn under_the_floor_nothing_is_found_and_noise_that_hides_the_floor_is_inconclusive() {
    let verdict = first(&grown(0, 1), &grown(16_384, 2));
    assert_eq!(row(&verdict, "rss", &anon()).state, State::Pass);
    let wild = |seed| side(Made { pages: 60, seed, ..MADE });
    let verdict = first(&wild(1), &wild(2));
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Undecided, 0));
    assert_eq!(row(&verdict, "rss", &anon()).state, State::Inconclusive);
    let strict = decide(&wild(1), &wild(2), &Settings { strict: true, ..settings() }, Stage::First);
    assert_eq!(strict.exit_code(), 3);
}

#[test]
fn a_cell_that_the_head_lacks_fails_and_one_that_it_adds_is_judged_by_budgets_only() {
    let (small, large) = (side(MADE), of(&[("ultra", MADE), ("new", MADE)]));
    let verdict = first(&large, &small);
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Fail, 1));
    assert_eq!(verdict.in_state(|state| state == State::Missing).count(), 2);
    let verdict = first(&small, &large);
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!(verdict.in_state(|state| state == State::New).count(), 2);
    let budget = Budget { cell: "new/chat".into(), figure: Figure::growth("proc.anon"), max: 4096.0 };
    let rules = Rules { budgets: vec![budget], ..Rules::default() };
    let verdict = decide(&small, &large, &Settings::new(rules), Stage::First);
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Fail, 1));
    let over: Vec<_> = verdict.in_state(|state| state == State::Fails).collect();
    assert_eq!((over.len(), over[0].rule, over[0].cell.subject.as_str()), (1, Rule::Budget, "new"));
}

#[test]
fn a_metric_that_the_head_does_not_read_any_more_is_missing() {
    let (base, mut head) = (side(MADE), side(MADE));
    for sample in samples(&mut head, rss("ultra")) {
        sample.checkpoints.iter_mut().for_each(|point| point.metrics.retain(|metric, _| metric != "proc.anon"));
    }
    let verdict = first(&base, &head);
    assert_eq!((verdict.outcome, row(&verdict, "rss", &anon()).state), (Outcome::Fail, State::Missing));
}

#[test]
fn a_budget_is_kept_or_broken_by_the_median_of_the_head() {
    let at = |max: f64| {
        let budget = Budget { cell: "ultra/chat".into(), figure: Figure::growth("proc.anon"), max };
        let rules = Rules { budgets: vec![budget], ..Rules::default() };
        decide(&side(MADE), &side(MADE), &Settings::new(rules), Stage::First).outcome
    };
    assert_eq!(at(8.0 * 1024.0 * 1024.0), Outcome::Pass);
    assert_eq!(at(100.0 * 1024.0), Outcome::Fail);
}

#[test]
fn a_budget_of_nothing_that_was_measured_is_told() {
    let budget = Budget { cell: "ulra/chat".into(), figure: Figure::growth("proc.anon"), max: 1.0 };
    let rules = Rules { budgets: vec![budget], ..Rules::default() };
    let verdict = decide(&side(MADE), &side(MADE), &Settings::new(rules), Stage::First);
    assert!(verdict.notices.iter().any(|notice| notice.text.contains("ulra/chat")), "{:?}", verdict.notices);
}

fn waiver(cell: &str, figure: Option<&str>, expires: &str) -> Rules {
    let waiver = Waiver {
        cell: cell.into(),
        figure: figure.map(|figure| figure.parse().unwrap()),
        reason: "a known cost".into(),
        owner: "the team".into(),
        expires: expires.parse().unwrap(),
    };
    Rules { waivers: vec![waiver], ..Rules::default() }
}

#[test]
fn a_waiver_holds_to_its_day_by_the_record_s_date() {
    // The records are of 2020-01-02.
    let (base, head) = (side(MADE), side(one_more()));
    let judge = |rules| both(&base, &head, &Settings::new(rules), (&base, &head));
    let verdict = judge(waiver("ultra/chat/count", Some("heap.allocs"), "2020-01-02"));
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Pass, 0));
    assert_eq!(row(&verdict, "count", &allocs()).waived.as_ref().map(|w| w.owner.as_str()), Some("the team"));

    let verdict = judge(waiver("ultra/chat/count", Some("heap.allocs"), "2020-01-01"));
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Fail, 1));
    assert!(verdict.misconfigured[0].contains("expired on 2020-01-01"), "{:?}", verdict.misconfigured);

    let verdict = judge(waiver("ultra/chat/count", Some("heap.bytes"), "2020-01-02"));
    assert_eq!(verdict.outcome, Outcome::Fail, "of another figure");
}

#[test]
fn an_expired_waiver_is_an_error_until_the_head_takes_it_out() {
    let rules = waiver("ultra", None, "2020-01-01");
    let settings = Settings::new(rules.clone());
    let verdict = decide(&side(MADE), &side(MADE), &settings, Stage::First);
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Misconfigured, 2));
    let settings = Settings { proposed: Some(Rules { waivers: vec![], ..rules }), ..settings };
    let verdict = decide(&side(MADE), &side(MADE), &settings, Stage::First);
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Pass, 0));
}

#[test]
fn a_waiver_without_a_figure_removes_a_cell() {
    let rules = waiver("gone", None, "2020-06-01");
    let base = of(&[("ultra", MADE), ("gone", MADE)]);
    let verdict = decide(&base, &side(MADE), &Settings::new(rules), Stage::First);
    assert_eq!((verdict.outcome, verdict.in_state(|s| s == State::Waived).count()), (Outcome::Pass, 2));
}

#[test]
fn a_cell_of_which_nothing_is_judged_is_told() {
    let rules = Rules { family: vec![Wanted::Metric("proc.hwm".into())], ..Rules::default() };
    let with_hwm = decide(&side(MADE), &side(MADE), &Settings::new(rules), Stage::First);
    assert_eq!(with_hwm.notices, []);
    let rules = Rules { family: vec![], ..Rules::default() };
    let verdict = decide(&side(MADE), &side(MADE), &Settings::new(rules), Stage::First);
    assert_eq!(verdict.notices.len(), 1);
    assert!(verdict.notices[0].text.starts_with("no figure of 1 cell is judged, of `ultra/chat/rss/"));
}

#[test]
fn only_leaves_the_other_cells_out() {
    let base = of(&[("ultra", MADE), ("gone", MADE)]);
    let settings = Settings { only: Some("ultra/chat/count".into()), ..settings() };
    let verdict = decide(&base, &side(MADE), &settings, Stage::First);
    assert_eq!((verdict.outcome, verdict.cells(), verdict.family.size), (Outcome::Pass, 1, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// What grows and stays so fails, what shrinks never does.
    #[test]
    fn exact_figures_fail_just_when_they_grow(before in 0i64..200, after in 0i64..200) {
        let of = |allocs| side(Made { shape: Shape { allocs, ..PLAIN }, processes: 10, ..MADE });
        let counts = Settings { only: Some("count".into()), ..settings() };
        let verdict = both(&of(before), &of(after), &counts, (&of(before), &of(after)));
        let state = row(&verdict, "count", &allocs()).state;
        prop_assert_eq!(state == State::Fails, after > before);
        prop_assert_eq!(state == State::Improved, after < before);
    }

    /// The same records give the same verdict, and the order of their samples is none of its business.
    #[test]
    fn the_order_of_samples_does_not_matter(seed in 0u64..1000, turn in 0usize..40) {
        let (base, head) = (side(Made { seed, ..MADE }), side(Made { seed: seed + 1, ..MADE }));
        let mut turned = head.clone();
        turned.samples.rotate_left(turn);
        prop_assert_eq!(first(&base, &head), first(&base, &turned));
    }
}
