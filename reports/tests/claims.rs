//! Each claim of the old report has a row; one that was not measured says so.

mod common;

use common::{Builder, PLAIN, Shape, cell};
use plimsoll_reports::claims::{Claim, Verdict, ledger};
use plimsoll_reports::components::{self, Asker};
use plimsoll_reports::record::{Record, Sample, Status};
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
fn claims_are_about_levels_as_they_come_each_held_against_the_original_on_its_own_allocator() {
    let mut b = Builder::new().scenario("chat", 1).subject("original", "level", "").subject("ultra", "level", "");
    for (name, factors, rss) in [
        ("original", &[("allocator", "jemalloc")][..], 20_000_000),
        ("original", &[("allocator", "system")], 16_000_000),
        ("ultra", &[("allocator", "jemalloc")], 10_000_000),
        ("ultra", &[("allocator", "system")], 9_000_000),
        // An ablation's: nothing that anybody would run.
        ("ultra", &[("allocator", "system"), ("switches", "none")], 16_000_000),
    ] {
        let shape = Shape { growth: 1_000_000, file: rss - 1_000_000, ..PLAIN };
        b = b.measured(&cell(name, "chat", "rss", factors), &[shape; 2]);
    }
    let record = b.build();
    for id in ["ultra-growth", "ultra-saving"] {
        let claim = claim(&record, id);
        assert_eq!((claim.verdict, claim.measured.len()), (Verdict::Holds, 2), "{:?}", claim.measured);
    }
    let saving = claim(&record, "ultra-saving").measured;
    assert!(saving.iter().any(|line| line.starts_with("chat, jemalloc: 50 % less")), "{saving:?}");
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

/// The rungs that the claims name, lowest first: with the one below, the scenario, and the bytes that it has beyond that one, all anonymous.
const LADDER: [(&str, Option<&str>, &str, i64); 9] = [
    ("main", None, "client", 100_000),
    ("tokio", Some("main"), "client", 900_000),
    ("tokio-multi", Some("tokio"), "client", 250_000),
    ("dns", Some("tokio-multi"), "client", 300_000),
    ("http", Some("dns"), "chat", 50_000),
    ("tls-ring", Some("http"), "chat", 1_300_000),
    ("tls-aws-lc", Some("http"), "chat", 2_600_000),
    ("reqwest", Some("tls-aws-lc"), "chat", 2_100_000),
    ("json", Some("reqwest"), "chat", 7_000),
];

/// That ladder, without the rungs named.
fn ladder(without: &[&str]) -> Record {
    let mut b = Builder::new().scenario("client", 1).scenario("chat", 1);
    for (rung, below, ..) in LADDER {
        b = b.rung(rung, below);
    }
    let mut heights = std::collections::BTreeMap::new();
    for (rung, below, scenario, more) in LADDER {
        let height = below.map_or(0, |below| heights[below]) + more;
        heights.insert(rung, height);
        // Every process of a round is as much larger as the round is late: what drifts is in both sides of a difference.
        let shapes: Vec<Shape> =
            (0..8).map(|round| Shape { start: height + 4_096 * round, growth: 0, file: 0, ..PLAIN }).collect();
        if !without.contains(&rung) {
            let factors: &[(&str, &str)] =
                if below.is_some_and(|b| b != "main") { &[("runtime", "multi_thread")] } else { &[] };
            b = b.measured(&cell(rung, scenario, "rss", factors), &shapes);
        }
    }
    b.build()
}

#[test]
fn components_are_the_differences_of_two_rungs_in_pairs() {
    let record = ladder(&[]);
    for (id, verdict, first) in [
        (
            "tls-cost",
            Verdict::Partly,
            "AWS-LC, multi_thread: +2.48 MiB (+2.48 MiB to +2.48 MiB); anonymous +2.48 MiB (+2.48 MiB to +2.48 MiB)",
        ),
        (
            "reqwest-cost",
            Verdict::Holds,
            "HTTP/1.1, multi_thread: +2.00 MiB (+2.00 MiB to +2.00 MiB); anonymous +2.00 MiB (+2.00 MiB to +2.00 MiB)",
        ),
        (
            "json-cost",
            Verdict::Fails,
            "bodies of 2 KB, multi_thread: +6.8 KiB (+6.8 KiB to +6.8 KiB); anonymous +6.8 KiB (+6.8 KiB to +6.8 KiB)",
        ),
        (
            "tokio-cost",
            Verdict::Holds,
            "one thread, multi_thread: +878.9 KiB (+878.9 KiB to +878.9 KiB); anonymous +878.9 KiB (+878.9 KiB to +878.9 KiB)",
        ),
        (
            "dns-cost",
            Verdict::Fails,
            "getaddrinfo, multi_thread: +293.0 KiB (+293.0 KiB to +293.0 KiB); anonymous +293.0 KiB (+293.0 KiB to +293.0 KiB)",
        ),
    ] {
        let claim = claim(&record, id);
        assert_eq!((claim.verdict, claim.measured[0].as_str()), (verdict, first), "{id}: {:?}", claim.measured);
    }
    // Both scheduler and thread were measured, so both are told: 0.90 and 1.15 MB are within a fifth of 1.
    assert_eq!(claim(&record, "tokio-cost").measured.len(), 2);
}

#[test]
fn a_component_whose_rung_is_missing_is_not_measured() {
    for (without, id) in [
        (&["http"][..], "tls-cost"),
        (&["tls-ring", "tls-aws-lc"], "tls-cost"),
        (&["tls-aws-lc"], "reqwest-cost"),
        (&["json"], "json-cost"),
        (&["main"], "tokio-cost"),
        (&["tokio-multi"], "dns-cost"),
    ] {
        let claim = claim(&ladder(without), id);
        assert_eq!((claim.verdict, claim.measured.len()), (Verdict::NotMeasured, 0), "{id}: {:?}", claim.measured);
    }
    let one = claim(&ladder(&["tls-aws-lc"]), "tls-cost");
    assert_eq!((one.verdict, one.measured.len()), (Verdict::Fails, 1), "ring alone: {:?}", one.measured);
}

#[test]
fn a_ladder_is_told_by_its_largest_step_and_no_rung_is_lowest_of_anything() {
    let record = ladder(&[]);
    let told = plimsoll_reports::summary(&record);
    assert!(told.headline.is_none(), "{:?}", told.headline);
    assert!(told.verdict.starts_with("Of 9 rungs on multi_thread, `tls-aws-lc` has most"), "{}", told.verdict);
    let view = View::new(&record);
    let chat = view.scenario("chat").unwrap();
    let marked = view
        .blocks(chat, &view.columns())
        .iter()
        .flat_map(|b| &b.columns)
        .flat_map(|(_, e)| e)
        .flatten()
        .any(|e| e.lowest || e.ratio.is_some());
    assert!(!marked);
    let markdown = String::from_utf8(plimsoll_reports::render(&record, plimsoll_reports::Format::Markdown)).unwrap();
    assert!(
        markdown.contains("| tls-aws-lc · chat | http | 5.85 MiB<br>(+2.48 MiB; +2.48 MiB to +2.48 MiB) |"),
        "{markdown}"
    );
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
    assert_eq!(python.measured, ["python, chat: 7.13 MiB → 9.83 MiB (+2.70 MiB); 6.83 MiB before its imports"]);
    assert_eq!(python.verdict, Verdict::Fails);
    assert_eq!(claim(&record, "tls-cost").verdict, Verdict::NotMeasured);
}

/// A record of Python clients, each grown by so many bytes.
fn pythons(clients: &[(&str, i64)]) -> Record {
    let mut b = Builder::new().scenario("chat", 1);
    for (name, kind) in [("python", "baseline"), ("httpx", "peer"), ("httpx-each", "peer")] {
        b = b.subject(name, kind, "");
    }
    for (name, growth) in clients {
        b = b.measured(&cell(name, "chat", "rss", &[]), &[Shape { growth: *growth, file: 0, ..PLAIN }; 2]);
    }
    b.build()
}

#[test]
fn the_python_claim_is_judged_by_a_client_for_each_request_where_there_is_one() {
    // A tenth of what a made-up process grows by is there when its imports are done.
    let (claimed, little) = (15_200_000, 5_000_000);
    for (clients, verdict, lines) in [
        (&[("httpx-each", claimed), ("httpx", little), ("python", little)][..], Verdict::Holds, 3),
        (&[("httpx-each", little), ("httpx", claimed), ("python", claimed)], Verdict::Fails, 3),
        (&[("python", little)], Verdict::Fails, 1),
        (&[("httpx", claimed)], Verdict::NotMeasured, 0),
        (&[], Verdict::NotMeasured, 0),
    ] {
        let claim = claim(&pythons(clients), "python");
        assert_eq!((claim.verdict, claim.measured.len()), (verdict, lines), "{clients:?}");
    }
}

#[test]
fn a_component_has_what_its_crates_asked_for_and_the_parts_add_up_to_what_was_counted() {
    let mut record = common::quick();
    assert!(components::of(&record).is_none(), "without call sites there is nothing to say");
    common::sites::put(&mut record, None);
    let components = components::of(&record).unwrap();
    let part = |asker| components.parts.iter().find(|part| part.asker == asker).unwrap();
    let figures = |asker| (part(asker).total.bytes, part(asker).total.blocks, part(asker).live);
    // Of each hundred bytes 30 were asked for by hyper in the level's code, 50 by that code, 15 by sites too small, 5 by nobody known.
    assert_eq!(figures(Asker::Component("reqwest-cost")), (30_000, 1_000, Some(30)));
    assert_eq!(part(Asker::Component("reqwest-cost")).by_crate(), "hyper 1.12.0 30 B of 29.3 KiB");
    assert_eq!(figures(Asker::Component("tls-cost")), (0, 0, Some(0)));
    assert_eq!(figures(Asker::Own), (50_000, 1_000, Some(50)));
    assert_eq!(figures(Asker::Small), (15_000, 1_000, Some(15)));
    assert_eq!(figures(Asker::Other), (5_000, 1_000, Some(5)));
    // What C holds is in no profile, and there is no byte ledger here.
    assert_eq!(part(Asker::C).live, None);
    let at_64 = |sample: &&Sample| {
        let same = plimsoll_reports::cell::is_same_work(&sample.cell, components.cell) && sample.cell.probe == "count";
        same && sample.status == Status::Ok
    };
    let counted = &record.samples.iter().find(at_64).unwrap().checkpoints;
    let counted = counted.iter().find(|point| point.name == "steady@64").unwrap().metrics["heap.bytes"];
    assert_eq!(components.parts.iter().map(|part| part.total.bytes).sum::<i64>(), counted);
}
