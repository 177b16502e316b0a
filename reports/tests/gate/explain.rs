//! One cell: which of its figures are told, whether each repeats and why not, and how the gate would judge it.

use plimsoll_reports::cell::name;
use plimsoll_reports::derive::Figure;
use plimsoll_reports::explain::{Cells, Explained, Gated, Which};
use plimsoll_reports::gate::{Rule, Rules, Smallest};
use plimsoll_reports::record::{Cell, Record};

use crate::made::*;

fn told(record: &Record, cell: &Cell, gated: Option<Gated<'_>>) -> Vec<Explained> {
    let cells = Cells::of(record);
    let [of] = cells.meant(&name(cell))[..] else { panic!("one cell") };
    cells.figures(of, gated, Which::Compared)
}

fn find<'a>(told: &'a [Explained], figure: &Figure) -> &'a Explained {
    told.iter().find(|row| row.figure == *figure).unwrap_or_else(|| panic!("no {figure}: {told:#?}"))
}

#[test]
fn counts_that_repeat_are_exact_and_any_increase_over_their_floor_is_seen() {
    let rules = Rules::default();
    let told = told(&side(MADE), &count("ultra"), Some(Gated { rules: &rules, family: 2 }));
    let row = find(&told, &Figure::per_request("heap.allocs"));
    assert!(row.measured.is_exact() && row.why.is_empty(), "{row:#?}");
    let judged = row.judged.expect("the gate asks it");
    assert_eq!((judged.by, judged.floor.value()), (Rule::Exact, 0.0));
    assert!(matches!(judged.smallest, Some(Smallest::Over(floor)) if floor.value() == 0.0));
    // What the gate judges is told though code is not compared by it otherwise.
    assert!(find(&told, &Figure::at("steady@256", "heap.live")).judged.is_some());
}

#[test]
fn pages_vary_for_a_reason_and_the_smallest_change_is_that_of_the_verdict() {
    let rules = Rules::default();
    let record = side(MADE);
    let told = told(&record, &rss("ultra"), Some(Gated { rules: &rules, family: 2 }));
    let anon = Figure::at("steady@256", "proc.anon");
    let row = find(&told, &anon);
    assert_eq!(row.why, "pages: which of them were touched");
    let judged = row.judged.expect("it is in the family");
    assert_eq!((judged.by, judged.floor.value()), (Rule::Noisy, 32_768.0));
    let verdict = first(&record, &record);
    let row = verdict.rows.iter().find(|row| row.figure.as_ref() == Some(&anon)).expect("judged");
    assert_eq!(judged.smallest, row.smallest);
}

#[test]
fn without_a_gate_nothing_is_judged_and_one_sample_says_nothing_of_repeating() {
    let told = told(&side(Made { processes: 1, ..MADE }), &rss("ultra"), None);
    assert!(!told.is_empty());
    for row in told {
        assert!(row.judged.is_none() && row.why.is_empty() && !row.measured.is_exact(), "{row:#?}");
    }
}

#[test]
fn a_cell_s_own_name_means_it_alone_and_a_part_of_it_all_that_have_it() {
    let record = side(MADE);
    let cells = Cells::of(&record);
    assert_eq!(cells.meant("ultra").len(), 2);
    assert_eq!(cells.meant(&name(&rss("ultra"))).len(), 1);
    let mut all = cells.meant("ultra/count")[0].clone();
    all.figures.retain(|figure, _| matches!(figure, Figure::At { checkpoint, .. } if checkpoint == "start"));
    all.checkpoints.truncate(1);
    // Nothing that code is compared by: what there is.
    let told = cells.figures(&all, None, Which::Compared);
    assert!(!told.is_empty() && told.iter().all(|row| row.figure.checkpoint() == Some("start")), "{told:#?}");
}
