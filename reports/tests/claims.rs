//! Each claim of the old report has a row; one that was not measured says so.

mod common;

use common::{Builder, PLAIN, Shape, cell};
use plimsoll_reports::claims::{Claim, Verdict, ledger};
use plimsoll_reports::record::Record;
use plimsoll_reports::view::View;

fn claim(record: &Record, id: &str) -> Claim {
    ledger(&View::new(record)).into_iter().find(|claim| claim.id == id).unwrap()
}

fn grown(levels: &[(&str, i64)]) -> Record {
    let mut b = Builder::new().scenario("chat", 1);
    for (name, _) in levels {
        b = b.subject(name, "level", "");
    }
    for (name, rss) in levels {
        b = b.measured(
            &cell(name, "chat", "rss", &[]),
            &[Shape { growth: 1_000_000, file: rss - 1_000_000, ..PLAIN }; 2],
        );
    }
    b.build()
}

#[test]
fn without_measurements_every_claim_is_not_measured() {
    let rows = ledger(&View::new(&Builder::new().build()));
    assert_eq!(rows.len(), 22);
    for row in rows {
        assert_eq!((row.verdict, row.measured.len()), (Verdict::NotMeasured, 0), "{}", row.id);
    }
}

#[test]
fn a_claimed_growth_holds_within_a_fifth() {
    for (rss, verdict) in [
        (16_000_000, Verdict::Holds),
        (13_000_000, Verdict::Holds),
        (12_000_000, Verdict::Fails),
        (20_000_000, Verdict::Fails),
    ] {
        assert_eq!(claim(&grown(&[("original", rss)]), "original-growth").verdict, verdict, "{rss}");
    }
}

#[test]
fn savings_are_against_the_original() {
    let record =
        grown(&[("original", 16_000_000), ("optimized", 12_000_000), ("ultra", 16_800_000), ("libcurl", 13_500_000)]);
    let optimized = claim(&record, "optimized-saving");
    assert_eq!(
        (optimized.verdict, optimized.measured),
        (Verdict::Holds, vec!["chat: 25 % less (11.44 MiB against 15.26 MiB)".to_owned()])
    );
    let ultra = claim(&record, "ultra-saving");
    assert_eq!(
        (ultra.verdict, ultra.measured),
        (Verdict::Fails, vec!["chat: 5 % more (16.02 MiB against 15.26 MiB)".to_owned()])
    );
    assert_eq!(claim(&record, "libcurl-saving").verdict, Verdict::Holds);
    assert_eq!(claim(&record, "own-http-saving").verdict, Verdict::NotMeasured);
}

#[test]
fn the_target_is_judged_level_by_level() {
    assert_eq!(claim(&grown(&[("original", 7_000_000), ("ultra", 5_000_000)]), "target").verdict, Verdict::Holds);
    assert_eq!(claim(&grown(&[("original", 16_000_000), ("ultra", 5_000_000)]), "target").verdict, Verdict::Partly);
    assert_eq!(claim(&grown(&[("original", 16_000_000)]), "target").verdict, Verdict::Fails);
}

#[test]
fn an_alert_that_would_sleep_through_a_doubling_does_not_hold() {
    assert_eq!(claim(&grown(&[("original", 4_400_000)]), "alert").verdict, Verdict::Fails);
    assert_eq!(claim(&grown(&[("original", 7_000_000)]), "alert").verdict, Verdict::Holds);
}

#[test]
fn the_quick_record_answers_what_it_can() {
    let record = common::quick();
    let zero = claim(&record, "zero-allocations");
    assert_eq!(zero.verdict, Verdict::Fails);
    assert!(
        zero.measured.iter().any(|line| line.ends_with(": 119") && line.starts_with("original")),
        "{:?}",
        zero.measured
    );
    assert_eq!(claim(&record, "recycling").verdict, Verdict::Holds);
    let python = claim(&record, "python");
    assert_eq!(python.measured, ["chat: 6.83 MiB → 9.83 MiB (+3.00 MiB)"]);
    assert_eq!(claim(&record, "tls-cost").verdict, Verdict::NotMeasured);
}
