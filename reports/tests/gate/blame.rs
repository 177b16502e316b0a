//! Blame: the function that asks for more, its line, and how much of the counted difference the call sites explain.

use std::collections::BTreeSet;

use plimsoll_reports::Record;
use plimsoll_reports::derive::Figure;
use plimsoll_reports::gate::blame::{Blame, blame, crates};
use plimsoll_reports::gate::{Settings, State};
use proptest::prelude::*;

use crate::common::{PLAIN, Shape};
use crate::made::*;

fn own() -> BTreeSet<String> {
    BTreeSet::from(["wrapper".to_owned()])
}

fn allocs(base: &Record, head: &Record, counted: f64) -> Blame {
    blame(base, head, &count("ultra"), &Figure::per_request("heap.allocs"), counted, &own()).unwrap()
}

#[test]
fn one_allocation_more_is_blamed_on_its_function_and_line() {
    let (base, head) = one_more_profiled();
    let settings = Settings { own: own(), ..settings() };
    let verdict = both(&base, &head, &settings, (&base, &head));
    let failing: Vec<_> = verdict.in_state(|state| state == State::Fails).collect();
    assert_eq!(failing.len(), 2, "allocations and bytes");
    for row in failing {
        let blame = row.blame.as_ref().unwrap();
        let culprit = blame.culprit().unwrap();
        assert_eq!((culprit.name.as_str(), culprit.line, culprit.own), ("wrapper::Wrapper::send", Some(15), true));
        assert_eq!((blame.coverage, blame.parts.len()), (1.0, 1));
        assert_eq!(blame.counted, blame.explained);
    }
}

#[test]
fn of_lines_that_ask_for_as_many_blocks_the_bytes_tell_which_is_new() {
    let (mut base, mut head) = (side(MADE), side(MADE));
    let at = |line| [frame("wrapper", "wrapper::Wrapper::send", "src/wrapper.rs", line)];
    profiled(&mut base, &[asks(&at(10), 1, 32), asks(&at(11), 1, 48)]);
    // A line was added in front, one that asks between, and each asks once.
    profiled(&mut head, &[asks(&at(11), 1, 32), asks(&at(12), 1, 8), asks(&at(13), 1, 48)]);
    let blame = allocs(&base, &head, 1.0);
    assert_eq!(blame.culprit().and_then(|part| part.line), Some(12));
}

#[test]
fn without_crates_named_those_of_the_project_are_its_own() {
    let (base, head) = one_more_profiled();
    let figure = Figure::per_request("heap.allocs");
    let blame = blame(&base, &head, &count("ultra"), &figure, 1.0, &BTreeSet::new()).unwrap();
    assert_eq!(blame.culprit().map(|part| part.name.as_str()), Some("wrapper::Wrapper::send"));
}

#[test]
fn coverage_says_how_much_was_not_seen_by_the_profiler() {
    let (base, head) = one_more_profiled();
    assert_eq!(allocs(&base, &head, 4.0).coverage, 0.25, "C asked for the rest");
    assert_eq!(allocs(&base, &head, 0.5).coverage, 0.0, "twice what was counted explains nothing");
}

#[test]
fn without_a_function_of_ones_own_a_stack_goes_to_a_named_root() {
    let (mut base, mut head) = (side(MADE), side(MADE));
    let sites = |more: u64| {
        let f = |krate: &str| frame(krate, "f", "f.rs", 1);
        vec![
            asks(&[f("std"), f("bytes"), f("hyper"), f("tokio"), f("wrapper_of_another")], 1 + more, 1),
            asks(&[f("std"), f("h2"), f("tokio")], 2 + 2 * more, 1),
            asks(&[f("std"), f("tokio"), f("std")], 3 + 3 * more, 1),
            asks(&[f("libc.so.6"), f("")], 4 + 4 * more, 1),
            asks(&[f("std"), f("regex")], 5 + 5 * more, 1),
        ]
    };
    profiled(&mut base, &sites(0));
    profiled(&mut head, &sites(1));
    let blame = allocs(&base, &head, 15.0);
    let parts: Vec<_> =
        blame.parts.iter().map(|part| (part.name.as_str(), part.difference.value(), part.own)).collect();
    assert_eq!(
        parts,
        [
            ("crate regex", 5.0, false),
            ("C", 4.0, false),
            ("tokio runtime", 3.0, false),
            ("h2 connection task", 2.0, false),
            ("hyper connection task", 1.0, false)
        ]
    );
    assert_eq!(blame.coverage, 1.0);
}

/// Sites in which `Wrapper::keeps` holds so many blocks of 64 B more after each request from the 20th on; read until request 128, as they are.
fn holding(record: &mut Record, blocks: u64, in_whole_blocks: bool) {
    profiled(record, &[asks(&[frame("wrapper", "wrapper::Wrapper::keeps", "src/wrapper.rs", 7)], 1, 64)]);
    let sample = record.samples.last_mut().unwrap();
    for point in &mut sample.checkpoints {
        if point.requests > 128 {
            point.sites.clear();
        }
        for total in &mut point.sites {
            let held = point.requests.saturating_sub(20) * blocks;
            (total.live, total.peak) = (Some(64 * held), Some(64 * held));
            let whole = in_whole_blocks.then_some(72 * held);
            (total.live_usable, total.peak_usable) = (whole, whole);
        }
    }
}

#[test]
fn what_is_held_is_explained_in_whole_blocks_and_as_of_the_last_profile() {
    let leaking = Made { shape: Shape { leak: 72, ..PLAIN }, ..MADE };
    let of = |figure: &Figure, counted: f64, whole: bool| {
        let (mut base, mut head) = (side(MADE), side(leaking));
        holding(&mut base, 0, whole);
        holding(&mut head, 1, whole);
        blame(&base, &head, &count("ultra"), figure, counted, &own()).unwrap()
    };
    let (slope, live) = (Figure::slope("heap.live"), Figure::at("steady@256", "heap.live"));
    let told = |blame: &Blame| (blame.counted.value(), blame.explained.value(), blame.coverage, blame.as_of.clone());
    // The counter has 72 B a block, and so has the profile where it says so.
    assert_eq!(told(&of(&slope, 72.0, true)), (72.0, 72.0, 1.0, None));
    let asked = of(&slope, 72.0, false);
    assert_eq!((asked.explained.value(), asked.by), (64.0, "by call site (dhat)"));
    assert!((asked.coverage - 64.0 / 72.0).abs() < 1e-9);
    // After request 256 there is twice as much as was profiled: it is held against what was counted at request 128.
    for figure in [&live, &Figure::at("steady@256", "heap.peak")] {
        let as_of = Some("steady@128".to_owned());
        assert_eq!(told(&of(figure, 236.0 * 72.0, true)), (7776.0, 7776.0, 1.0, as_of), "{figure}");
    }
    // What came only after that is not explained by what was there before.
    assert_eq!(told(&of(&live, -64.0, true)), (-64.0, 7776.0, 0.0, None));
}

#[test]
fn a_function_that_asks_for_less_is_told_and_is_no_culprit() {
    let (base, head) = one_more_profiled();
    let blame = allocs(&head, &base, -1.0);
    assert_eq!((blame.culprit(), blame.parts[0].difference.value(), blame.coverage), (None, -1.0, 1.0));
}

#[test]
fn without_profiles_of_both_sides_nobody_is_blamed() {
    let (base, head) = one_more_profiled();
    let more = side(Made { shape: Shape { allocs: 120, ..PLAIN }, ..MADE });
    let figure = Figure::per_request("heap.allocs");
    assert_eq!(blame(&base, &more, &count("ultra"), &figure, 1.0, &own()), None);
    assert_eq!(blame(&more, &head, &count("ultra"), &figure, 1.0, &own()), None);
    assert_eq!(blame(&base, &head, &count("ultra"), &Figure::at("steady@256", "heap.peak"), 1.0, &own()), None);
}

#[test]
fn bytes_move_by_the_crate_that_asks() {
    let (base, head) = one_more_profiled();
    let (rows, profiled) = crates(&base, &head);
    assert_eq!((rows.len(), profiled), (1, 1));
    assert_eq!((rows[0].krate.as_str(), rows[0].base.value(), rows[0].head.value()), ("wrapper", 364.0, 396.0));
}

proptest! {
    /// Whatever the sites are: their differences add up, none is lost and none is counted twice.
    #[test]
    fn the_parts_add_up(sites in prop::collection::vec((0usize..5, 0u64..50, 0u64..50), 1..12)) {
        const CRATES: [&str; 5] = ["wrapper", "hyper", "tokio", "regex", ""];
        let (mut base, mut head) = (side(Made { processes: 1, ..MADE }), side(Made { processes: 1, ..MADE }));
        let of = |pick: fn(&(usize, u64, u64)) -> u64| -> Vec<Asks> {
            sites.iter().map(|site| asks(&[frame(CRATES[site.0], "f", "f.rs", 1)], pick(site), 0)).collect()
        };
        profiled(&mut base, &of(|site| site.1));
        profiled(&mut head, &of(|site| site.2));
        let counted: i64 = sites.iter().map(|site| i64::try_from(site.2).unwrap() - i64::try_from(site.1).unwrap()).sum();
        let counted = f64::from(i32::try_from(counted).unwrap());
        let blame = allocs(&base, &head, counted);
        let sum: f64 = blame.parts.iter().map(|part| part.difference.value()).sum();
        prop_assert_eq!(sum, counted);
        prop_assert_eq!(blame.explained.value(), counted);
        prop_assert_eq!(blame.coverage, 1.0);
        prop_assert!(blame.parts.windows(2).all(|two| two[0].difference >= two[1].difference));
    }
}
