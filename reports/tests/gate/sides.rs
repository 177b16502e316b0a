//! Bad input: what cannot be compared, or was not measured, is never a pass.

use plimsoll_reports::Record;
use plimsoll_reports::derive::Figure;
use plimsoll_reports::gate::{Base, Budget, NoticeKind, Outcome, Rules, Settings, Stage, State, Verdict, decide};
use plimsoll_reports::record::Status;

use crate::common::{PLAIN, Shape};
use crate::made::*;

fn invalid(verdict: &Verdict, because: &str) {
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Invalid, 3));
    assert_eq!(verdict.invalid.len(), 1, "{:?}", verdict.invalid);
    assert!(verdict.invalid[0].contains(because), "{:?}", verdict.invalid);
}

#[test]
fn a_failed_sample_on_either_side_is_no_valid_measurement() {
    for status in [Status::Failed, Status::Timeout, Status::Killed, Status::WrongAnswer, Status::Unavailable] {
        let (good, mut bad) = (side(MADE), side(MADE));
        fail(&mut bad, count("ultra"), status, "the subject dropped text");
        invalid(&first(&good, &bad), "head: 1 sample of `ultra/chat/count/allocator=system/protocol=h1`");
        invalid(&first(&bad, &good), "the subject dropped text");
    }
}

#[test]
fn a_failed_sample_of_the_second_round_is_no_valid_measurement() {
    let more = Made { shape: Shape { allocs: 120, ..PLAIN }, ..MADE };
    let (base, head) = (side(MADE), side(more));
    let mut again = side(more);
    fail(&mut again, count("ultra"), Status::Timeout, "no answer");
    let verdict = both(&base, &head, &settings(), (&base, &again));
    invalid(&verdict, "head, second round: 1 sample");
}

#[test]
fn a_run_that_was_not_finished_is_no_valid_measurement() {
    let (base, mut head) = (side(MADE), side(MADE));
    head.samples.pop();
    invalid(&first(&base, &head), "1 sample of `ultra/chat/rss/allocator=system/protocol=h1` not measured");
}

#[test]
fn a_second_round_without_what_was_asked_for_is_not_finished() {
    let more = Made { shape: Shape { allocs: 120, ..PLAIN }, ..MADE };
    let mut nothing = side(MADE);
    (nothing.samples, nothing.plan.cells) = (vec![], vec![]);
    let verdict = both(&side(MADE), &side(more), &settings(), (&nothing, &nothing));
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Unfinished, 3));
}

#[test]
fn another_environment_is_no_valid_measurement() {
    type Change = fn(&mut Record);
    let changes: [(&str, Change); 7] = [
        ("compiler", |r| r.environment.rustc = "rustc 9.9".into()),
        ("kernel", |r| r.environment.kernel = "Linux 9".into()),
        ("target", |r| r.environment.target = "http://127.0.0.1:1".into()),
        ("trusted roots", |r| r.environment.trust.roots = 1),
        ("replies", |r| r.environment.corpus = "00".into()),
        ("profile", |r| r.environment.profile = "lto (lto fat)".into()),
        ("work of a scenario", |r| r.plan.scenarios[0].body_bytes = Some(1)),
    ];
    for (what, change) in changes {
        let (base, mut head) = (side(MADE), side(MADE));
        change(&mut head);
        invalid(&first(&base, &head), what);
        assert!(first(&base, &head).rows.is_empty(), "{what}: nothing is compared");
    }
}

#[test]
fn jemalloc_s_options_are_compared_where_both_sides_read_them_back() {
    let (base, mut head) = (side(MADE), side(MADE));
    head.environment.jemalloc.clear();
    assert_eq!(first(&base, &head).outcome, Outcome::Pass, "a round without jemalloc");
    head.environment.jemalloc.insert("opt.narenas".into(), "8".into());
    invalid(&first(&base, &head), "jemalloc’s options");
}

#[test]
fn a_recorded_base_is_given_again_for_the_second_round() {
    let recorded = Settings { base: Base::Recorded, ..settings() };
    let more = Made { shape: Shape { allocs: 120, ..PLAIN }, ..MADE };
    let verdict = both(&side(MADE), &side(more), &recorded, (&side(MADE), &side(more)));
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Fail, 1));
    assert_eq!(verdict.in_state(|state| state == State::Fails).count(), 1);
}

#[test]
fn nothing_in_common_is_no_valid_measurement() {
    let mut empty = side(MADE);
    (empty.samples, empty.plan.cells) = (vec![], vec![]);
    invalid(&first(&empty, &empty), "no figure to judge");
}

#[test]
fn another_lockfile_is_told_first_and_compared_all_the_same() {
    let (base, mut head) = (side(MADE), side(MADE));
    head.environment.lockfile = Some("00".repeat(32));
    let verdict = first(&base, &head);
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!(verdict.notices[0].kind, NoticeKind::Sides);
    assert!(verdict.notices[0].text.starts_with("Cargo.lock: ababab"), "{:?}", verdict.notices);
}

#[test]
fn a_recorded_base_is_compared_in_exact_figures_only_and_if_it_was_built_alike() {
    let recorded = Settings { base: Base::Recorded, ..settings() };
    let (base, mut head) = (side(MADE), side(MADE));
    (head.environment.kernel, head.environment.cores) = ("Linux 9".into(), 64);
    let verdict = decide(&base, &head, &recorded, Stage::First);
    assert_eq!((verdict.outcome, verdict.family.size), (Outcome::Pass, 0));
    assert!(verdict.rows.iter().all(|row| row.cell.probe == "count"));
    head.environment.lockfile = None;
    invalid(&decide(&base, &head, &recorded, Stage::First), "Cargo.lock");
}

#[test]
fn live_records_are_advisory() {
    let mut live = [side(MADE), side(Made { shape: Shape { allocs: 120, ..PLAIN }, ..MADE })];
    live.iter_mut().for_each(|record| record.environment.target = "live".into());
    let [base, head] = &live;
    let verdict = both(base, head, &settings(), (base, head));
    assert_eq!((verdict.outcome, verdict.exit_code()), (Outcome::Fail, 0));
    assert!(verdict.headline().starts_with("FAIL (advisory): "), "{}", verdict.headline());
}

#[test]
fn rules_that_the_head_loosens_are_told_first_and_do_not_hold() {
    let budget = |max| Budget { cell: "ultra".into(), figure: Figure::growth("proc.anon"), max };
    let rules = Rules { budgets: vec![budget(100.0)], ..Rules::default() };
    let mut loose = rules.clone();
    loose.budgets = vec![budget(1e9)];
    loose.floors.values_mut().for_each(|floor| *floor *= 2.0);
    loose.family.pop();
    let settings = Settings { proposed: Some(loose), ..Settings::new(rules) };
    let mut head = side(MADE);
    head.tool.dirty = true;
    let verdict = decide(&side(MADE), &head, &settings, Stage::First);
    assert_eq!(verdict.outcome, Outcome::Fail, "the base's budget holds");
    let kinds: Vec<NoticeKind> = verdict.notices.iter().map(|notice| notice.kind).collect();
    use NoticeKind::{Dirty, Weakened};
    assert_eq!(kinds, [Weakened, Weakened, Weakened, Weakened, Dirty]);
    assert!(
        verdict.notices.iter().any(|n| n.text.contains("floor of proc.anon weakened by the head: 32.0 KiB → 64.0 KiB"))
    );
}

#[test]
fn paths_that_the_head_would_take_from_the_base_s_side_are_told_as_what_weakens_it() {
    let rules =
        |paths: &[&str]| Rules { measured: paths.iter().map(|path| (*path).to_owned()).collect(), ..Rules::default() };
    let kinds = |base: &[&str], head: &[&str]| {
        let settings = Settings { proposed: Some(rules(head)), ..Settings::new(rules(base)) };
        let verdict = decide(&side(MADE), &side(MADE), &settings, Stage::First);
        verdict.notices.iter().map(|notice| (notice.kind, notice.text.clone())).collect::<Vec<_>>()
    };
    let told = kinds(&["providers", "Cargo.lock"], &["docs"]);
    let text = "what is measured weakened by the head: providers, Cargo.lock → docs (judged by the base's)";
    assert_eq!(told, [(NoticeKind::Weakened, text.to_owned())]);
    assert_eq!(kinds(&[], &["docs"])[0].0, NoticeKind::Weakened);
    assert_eq!(kinds(&["providers"], &["providers", "Cargo.lock"])[0].0, NoticeKind::Rules);
    assert_eq!(kinds(&["providers"], &[])[0].0, NoticeKind::Rules);
}

#[test]
fn a_budget_that_only_the_head_has_holds_too() {
    let budget = Budget { cell: "ultra".into(), figure: Figure::growth("proc.anon"), max: 1.0 };
    let proposed = Some(Rules { budgets: vec![budget], ..Rules::default() });
    let verdict = decide(&side(MADE), &side(MADE), &Settings { proposed, ..settings() }, Stage::First);
    assert_eq!(verdict.outcome, Outcome::Fail);
    assert_eq!(verdict.notices[0].kind, NoticeKind::Rules);
}

#[test]
fn what_is_no_number_is_no_record() {
    let text = String::from_utf8(side(MADE).write().unwrap()).unwrap();
    for bad in ["NaN", "null", "1e999", "\"119\"", "1.5"] {
        let broken = text.replacen("\"heap.allocs\": 900", &format!("\"heap.allocs\": {bad}"), 1);
        assert_ne!(broken, text);
        assert!(Record::read(broken.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn a_figure_that_overflows_is_left_out_and_said_to_be_missing() {
    let (base, mut head) = (side(MADE), side(MADE));
    for sample in samples(&mut head, count("ultra")) {
        let point = |name: &str, sample: &mut plimsoll_reports::record::Sample, value: i64| {
            let point = sample.checkpoints.iter_mut().find(|point| point.name == name).unwrap();
            point.metrics.insert("heap.allocs".into(), value);
        };
        point("steady@64", sample, i64::MIN);
        point("steady@128", sample, i64::MAX);
    }
    let verdict = first(&base, &head);
    assert_eq!(verdict.outcome, Outcome::Fail);
    assert_eq!(verdict.in_state(|state| state == State::Missing).count(), 1);
}
