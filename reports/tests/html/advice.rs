//! What the page advises: by its rules, on these figures, and not without them.

use plimsoll_reports::recommend::{recommendations, target};
use plimsoll_reports::record::Record;
use plimsoll_reports::view::View;
use plimsoll_reports::view::pick::{FIGURES, place};

use crate::common::{self, Builder, PLAIN, Shape, cell};

type Factors = &'static [(&'static str, &'static str)];

/// Levels on worker threads, and what each grows and takes in time.
fn levels(levels: &[(&str, i64, u64, Factors)]) -> Record {
    let mut b = Builder::new().scenario("chat", 1);
    let mut named: Vec<&str> = Vec::new();
    for (name, growth, micros, more) in levels {
        if !named.contains(name) {
            b = b.subject(name, "level", "");
            named.push(name);
        }
        let mut factors = vec![("runtime", "multi_thread"), ("protocol", "h1")];
        factors.extend(*more);
        let shape = Shape { growth: *growth, micros: *micros, ..PLAIN };
        b = b.measured(&cell(name, "chat", "rss", &factors), &[shape; 2]);
    }
    b.build()
}

fn told(record: &Record) -> Vec<(&'static str, String)> {
    recommendations(&View::new(record)).into_iter().map(|one| (one.id, one.advice)).collect()
}

#[test]
fn thrift_is_recommended_with_its_price_and_what_only_costs_is_advised_against() {
    let record =
        levels(&[("original", 1_000_000, 400, &[]), ("thrifty", 500_000, 300, &[]), ("clever", 950_000, 2_000, &[])]);
    let told = told(&record);
    let ids: Vec<&str> = told.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ["least", "not-worth"]);
    assert_eq!(
        told[0].1,
        "For the least memory in one process, use `thrifty`: its anonymous memory grows 50 % less than that of `original`, at 0.75× its time per request."
    );
    assert!(told[1].1.contains("`clever`") && told[1].1.contains("5.00×"), "{}", told[1].1);
    let all = recommendations(&View::new(&record));
    assert_eq!(
        all[0].figures,
        [
            "thrifty: anon growth 488.3 KiB",
            "original: anon growth 976.6 KiB",
            "thrifty: p50 300 µs",
            "original: p50 400 µs"
        ]
    );
}

#[test]
fn a_tenth_less_is_asked_for_and_without_a_base_nothing_is_advised() {
    assert_eq!(told(&levels(&[("original", 1_000_000, 400, &[]), ("near", 910_000, 300, &[])])), []);
    assert_eq!(told(&levels(&[("mine", 1_000_000, 400, &[]), ("yours", 100_000, 300, &[])])), []);
    assert_eq!(told(&Builder::new().build()), []);
}

#[test]
fn cryptography_is_recommended_where_all_pairs_agree() {
    let (lc, ring): (Factors, Factors) = (&[("crypto", "aws-lc")], &[("crypto", "ring")]);
    let agree = [
        ("original", 1_000_000, 400, lc),
        ("original", 600_000, 400, ring),
        ("bare", 950_000, 400, lc),
        ("bare", 475_000, 400, ring),
    ];
    let advice = told(&levels(&agree));
    assert_eq!(advice, [("crypto", "Prefer `ring` to `aws-lc` for memory: growth is 40 % to 50 % less.".to_owned())]);
    let mut one_apart = agree;
    one_apart[3].1 = 960_000;
    assert_eq!(told(&levels(&one_apart)), []);
    assert_eq!(told(&levels(&agree[..2])), [], "one pair is an anecdote");
}

#[test]
fn a_row_stands_for_its_subject_under_the_usual_factors() {
    let record = levels(&[
        ("original", 9_000_000, 400, &[("allocator", "jemalloc"), ("crypto", "aws-lc")]),
        ("original", 2_000_000, 400, &[("allocator", "system"), ("crypto", "ring")]),
        ("original", 1_000_000, 400, &[("allocator", "system"), ("crypto", "aws-lc")]),
        ("original", 3_000_000, 400, &[("allocator", "system"), ("crypto", "aws-lc"), ("switches", "none")]),
    ]);
    let view = View::new(&record);
    let picks = view.picks().unwrap();
    assert_eq!(picks.lines.len(), 1);
    assert_eq!(picks.lines[0].median(place::GROWTH), Some(1_000_000.0));
    assert_eq!(picks.lines[0].figures.len(), FIGURES.len());
}

/// One process under `count`, of a level that is picked: its live heap at each thousand of a soak, and in `chat` so many bytes more with each request.
fn soak(live: [i64; 10], leak: i64) -> Record {
    let factors = [("runtime", "multi_thread"), ("protocol", "h1")];
    let mut record = Builder::new()
        .scenario("chat", 1)
        .scenario("soak", 1)
        .subject("original", "level", "")
        .measured(&cell("original", "chat", "rss", &factors), &[PLAIN])
        .measured(&cell("original", "chat", "count", &factors), &[Shape { leak, ..PLAIN }])
        .measured(&cell("original", "soak", "count", &factors), &[PLAIN])
        .build();
    let info = record.plan.scenarios.iter_mut().find(|info| info.id == "soak").unwrap();
    info.steps = (1..=10).map(|thousand| thousand * 1_000).collect();
    let sample = record.samples.iter_mut().find(|sample| sample.cell.scenario == "soak").unwrap();
    let steady = sample.checkpoints.iter().find(|point| point.name.starts_with("steady")).unwrap().clone();
    sample.checkpoints.retain(|point| !point.name.starts_with("steady"));
    for (thousand, live) in (1..).zip(live) {
        let mut point = steady.clone();
        point.name = format!("steady@{thousand}000");
        point.requests = thousand * 1_000;
        point.metrics.insert("heap.live".into(), live);
        sample.checkpoints.push(point);
    }
    record
}

#[test]
fn what_grows_at_every_checkpoint_is_a_leak_and_what_comes_and_goes_is_none() {
    let steady = soak([300, 310, 320, 330, 340, 350, 360, 370, 380, 390].map(|kib| kib * 1_024), 0);
    assert_eq!(told(&steady), [("growing", "Look for a leak in `original` before using it for long.".to_owned())]);
    let all = recommendations(&View::new(&steady));
    assert_eq!(all[0].figures, ["original, soak: 10.0 KiB of live heap per 1,000 requests"]);
    // As `original` was measured once: over 2,000, 6,000 and 10,000 it rises twice, and it is nowhere higher than after the first thousand.
    let buffers = [373_296, 348_720, 373_296, 365_104, 365_104, 365_120, 356_928, 373_296, 356_912, 373_296];
    assert_eq!(told(&soak(buffers, 0)), []);
    // A pool that is still being filled after 256 requests and is full after a thousand.
    assert_eq!(told(&soak([400_000; 10], 64)), []);
    let both = soak([300, 310, 320, 330, 340, 350, 360, 370, 380, 390].map(|kib| kib * 1_024), 64);
    assert_eq!(recommendations(&View::new(&both))[0].figures.len(), 2);
}

#[test]
fn the_target_is_told_by_the_largest_sample() {
    let told = target(&View::new(&common::quick())).unwrap();
    assert!(told.starts_with("3 of 3 levels stay below the target of 8 MB growth"), "{told}");
    let large = levels(&[("original", 9_000_000, 400, &[]), ("small", 100_000, 400, &[])]);
    let told = target(&View::new(&large)).unwrap();
    assert!(told.starts_with("1 of 2 levels") && told.contains("of `original`"), "{told}");
    assert_eq!(target(&View::new(&Builder::new().build())), None);
}
