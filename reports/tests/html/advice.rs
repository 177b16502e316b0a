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

#[test]
fn the_target_is_told_by_the_largest_sample() {
    let told = target(&View::new(&common::quick())).unwrap();
    assert!(told.starts_with("3 of 3 levels stay below the target of 8 MB growth"), "{told}");
    let large = levels(&[("original", 9_000_000, 400, &[]), ("small", 100_000, 400, &[])]);
    let told = target(&View::new(&large)).unwrap();
    assert!(told.starts_with("1 of 2 levels") && told.contains("of `original`"), "{told}");
    assert_eq!(target(&View::new(&Builder::new().build())), None);
}
