//! Figures of known subjects: one that leaks, one with a cache, one with a pool, one that fails.

mod common;
mod model;

use common::{Builder, PLAIN, Shape, cell, held, varied};
use plimsoll_reports::derive::{CellFigures, Figure, cells};
use plimsoll_reports::noise;
use plimsoll_reports::record::{Process, Record, Status};
use plimsoll_reports::stats::Exactness;
use plimsoll_reports::stats::power::Rule;
use plimsoll_reports::summary;

fn one(probe: &str, shapes: &[Shape]) -> CellFigures {
    let cell = cell("s", "chat", probe, &[]);
    cells(&Builder::new().subject("s", "level", "").scenario("chat", 1).measured(&cell, shapes).build()).remove(0)
}

fn value(figures: &CellFigures, figure: Figure) -> f64 {
    figures.figure(&figure).unwrap().stats.median
}

#[test]
fn growth_is_steady_20_minus_start() {
    let figures = one("rss", &[PLAIN; 3]);
    assert_eq!(value(&figures, Figure::growth("proc.anon")), 733_184.0);
    assert_eq!(value(&figures, Figure::growth("proc.rss")), 733_184.0 + 3_670_016.0);
    assert_eq!(value(&figures, Figure::since("steady@20", "proc.anon")), 733_184.0);
    assert_eq!(value(&figures, Figure::since("start", "proc.anon")), 0.0);
}

#[test]
fn pages_that_were_given_up_lazily_are_in_no_figure_of_what_is_in_use() {
    let cell = cell("s", "chat", "rss", &[]);
    let mut record = Builder::new().subject("s", "level", "").scenario("chat", 1).measured(&cell, &[PLAIN; 3]).build();
    for point in record.samples.iter_mut().flat_map(|sample| &mut sample.checkpoints) {
        if point.name != "start" {
            for metric in ["proc.rss", "proc.anon", "proc.lazyfree"] {
                *point.metrics.get_mut(metric).unwrap() += 8 << 20;
            }
        }
    }
    let (with, without) = (cells(&record).remove(0), one("rss", &[PLAIN; 3]));
    for metric in ["proc.rss", "proc.anon", "proc.file", "proc.hwm"] {
        for figure in [Figure::growth(metric), Figure::at("steady@20", metric), Figure::residue(metric)] {
            assert_eq!(value(&with, figure.clone()), value(&without, figure.clone()), "{figure}");
        }
    }
    assert_eq!(value(&with, Figure::at("steady@20", "proc.lazyfree")), f64::from(8 << 20));
}

#[test]
fn a_leak_is_a_slope_and_a_residue() {
    let (figures, clean) = (one("count", &[Shape { leak: 64, ..PLAIN }; 2]), one("count", &[PLAIN; 2]));
    assert_eq!(value(&figures, Figure::slope("heap.live")), 64.0);
    assert_eq!(value(&figures, Figure::step("heap.live")), 0.0);
    let residue = |figures| value(figures, Figure::residue("heap.live"));
    assert_eq!(residue(&figures) - residue(&clean), 64.0 * 236.0);
}

#[test]
fn a_cache_that_fills_once_is_a_step_and_no_slope() {
    let figures = one("count", &[Shape { step: 9_000, ..PLAIN }; 2]);
    assert_eq!(value(&figures, Figure::slope("heap.live")), 0.0);
    assert_eq!(value(&figures, Figure::step("heap.live")), 9_000.0);
}

#[test]
fn a_step_beside_a_leak_does_not_hide_it() {
    let figures = one("count", &[Shape { step: 9_000, leak: 64, ..PLAIN }; 2]);
    assert_eq!(value(&figures, Figure::slope("heap.live")), 64.0);
    assert_eq!(value(&figures, Figure::step("heap.live")), 9_000.0);
}

#[test]
fn counters_are_rates_and_have_no_residue() {
    let figures = one("count", &[PLAIN; 10]);
    let allocs = figures.figure(&Figure::per_request("heap.allocs")).unwrap();
    assert_eq!((allocs.stats.median, allocs.stats.exactness, allocs.stats.samples), (119.0, Exactness::Identical, 10));
    assert_eq!(value(&figures, Figure::per_request("heap.bytes")), 13_412.0);
    assert!(figures.figure(&Figure::residue("heap.allocs")).is_none());
    assert!(figures.figure(&Figure::slope("heap.allocs")).is_none());
}

#[test]
fn a_request_in_flight_costs_what_900_more_of_them_take() {
    for (probe, metric) in [("rss", "proc.anon"), ("count", "heap.live")] {
        let cell = cell("s", "inflight-event", probe, &[]);
        let builder = Builder::new().scenario("inflight-event", 1).measured(&cell, &[PLAIN; 3]);
        let mut record = builder.failed(&cell, Status::Failed, "100 of 1000 requests were held").build();
        held(&mut record, "inflight-event", 6_000);
        let figures = cells(&record).remove(0);
        let cost = figures.figure(&Figure::in_flight(metric)).unwrap();
        assert_eq!(
            (cost.stats.samples, cost.stats.median, cost.stats.min, cost.stats.max),
            (3, 6_001.0, 6_000.0, 6_002.0)
        );
        assert_eq!(value(&figures, Figure::since("held@100", metric)), 600_000.0);
        // Of what only ever grows nothing is held, and growth over 20 requests was not measured.
        for not_held in ["heap.allocs", "heap.peak", "proc.hwm"] {
            assert!(figures.figure(&Figure::in_flight(not_held)).is_none());
        }
        assert!(figures.figure(&Figure::growth(metric)).is_none());
    }
}

#[test]
fn without_a_thousand_held_there_is_no_cost_in_flight() {
    let cell = cell("s", "inflight-event", "rss", &[]);
    let mut record = Builder::new().scenario("inflight-event", 1).measured(&cell, &[PLAIN]).build();
    held(&mut record, "inflight-event", 6_000);
    record.samples[0].checkpoints.retain(|c| c.name != "held@1000");
    assert!(cells(&record).remove(0).figure(&Figure::in_flight("proc.anon")).is_none());
}

/// Levels timed in one run: the base over both protocols, one over HTTP/2 only, and one without a choice of runtime.
#[test]
fn times_are_held_against_the_original_s_under_the_same_factors_and_over_h1() {
    let level = |subject: &str, protocol: &'static str, runtime: &'static str| {
        cell(subject, "chat", "rss", &[("allocator", "system"), ("protocol", protocol), ("runtime", runtime)])
    };
    let took = |micros| [Shape { micros, ..PLAIN }; 2];
    let script = cell("script", "chat", "rss", &[("allocator", "system"), ("protocol", "h1")]);
    let record = Builder::new()
        .subject("mux", "level", "")
        .subject("original", "level", "")
        .subject("script", "baseline", "")
        .scenario("chat", 1)
        .measured(&level("original", "h1", "multi_thread"), &took(400))
        .measured(&level("original", "h2", "multi_thread"), &took(500))
        .measured(&level("original", "h1", "current_thread"), &took(200))
        .measured(&level("mux", "h2", "multi_thread"), &took(300))
        .measured(&level("mux", "h2", "current_thread"), &took(100))
        .measured(&script, &took(800))
        .build();
    let view = plimsoll_reports::view::View::new(&record);
    let times = view.times().remove(0);
    assert_eq!(times.base, "original");
    let of = |subject: &str, protocol: &str, runtime: &str| {
        let is = |timed: &&plimsoll_reports::view::Timed<'_>| {
            let has = |key: &str, value: &str| timed.row.factors.get(key).is_none_or(|factor| factor == value);
            timed.row.subject == subject && has("protocol", protocol) && has("runtime", runtime)
        };
        let timed = times.rows.iter().find(is);
        timed.map(|timed| (timed.alike, timed.over_h1)).unwrap()
    };
    assert_eq!(of("original", "h1", "multi_thread"), (None, None));
    assert_eq!(of("original", "h2", "multi_thread"), (None, Some(1.25)));
    assert_eq!(of("mux", "h2", "multi_thread"), (Some(0.6), Some(0.75)));
    // The original over h2 was not measured on this runtime.
    assert_eq!(of("mux", "h2", "current_thread"), (None, Some(0.5)));
    // Without a runtime of its own it could be held against either: against neither, then.
    assert_eq!(of("script", "h1", ""), (None, None));
}

#[test]
fn rates_are_over_the_requests_that_were_done() {
    let cell = cell("s", "chat", "count", &[]);
    let mut record = Builder::new().measured(&cell, &[PLAIN]).build();
    let at_128 = record.samples[0].checkpoints.iter_mut().find(|c| c.name == "steady@128").unwrap();
    at_128.requests = 96;
    let figures = cells(&record).remove(0);
    assert_eq!(value(&figures, Figure::per_request("heap.allocs")), 238.0);
}

#[test]
fn only_valid_samples_enter_and_the_others_are_listed() {
    let cell = cell("s", "chat", "rss", &[]);
    let record = Builder::new()
        .measured(&cell, &varied(PLAIN, 3))
        .failed(&cell, Status::WrongAnswer, "dropped text")
        .failed(&cell, Status::Timeout, "no answer in 30 s")
        .build();
    let figures = cells(&record).remove(0);
    let growth = figures.figure(&Figure::growth("proc.anon")).unwrap();
    assert_eq!((figures.planned, figures.ok, growth.stats.samples), (5, 3, 3));
    assert!(growth.stats.min > 700_000.0, "a failed sample entered a figure");
    let told: Vec<_> = figures.failures.iter().map(|f| (f.index, f.status, f.error.as_str())).collect();
    assert_eq!(told, [(3, Status::WrongAnswer, "dropped text"), (4, Status::Timeout, "no answer in 30 s")]);
}

#[test]
fn a_missing_checkpoint_is_no_figure_and_not_zero() {
    let cell = cell("s", "chat", "rss", &[]);
    let mut record = Builder::new().measured(&cell, &[PLAIN]).build();
    record.samples[0].checkpoints.retain(|c| c.name != "steady@20" && c.name != "dropped");
    let figures = cells(&record).remove(0);
    assert!(figures.figure(&Figure::growth("proc.rss")).is_none());
    assert!(figures.figure(&Figure::residue("proc.rss")).is_none());
    assert!(figures.figure(&Figure::slope("proc.rss")).is_some());
}

#[test]
fn figures_at_the_ends_of_their_type_do_not_overflow() {
    let cell = cell("s", "chat", "rss", &[]);
    let mut record = Builder::new().measured(&cell, &[PLAIN, PLAIN]).build();
    for (at, checkpoint) in record.samples[0].checkpoints.iter_mut().enumerate() {
        checkpoint.requests = u64::MAX;
        for value in checkpoint.metrics.values_mut() {
            *value = if at % 2 == 0 { i64::MIN } else { i64::MAX };
        }
    }
    for format in plimsoll_reports::Format::ALL {
        assert!(!plimsoll_reports::render(&record, format).is_empty());
    }
}

#[test]
fn the_verdict_compares_levels_under_the_same_factors() {
    let told = summary(&common::quick());
    assert_eq!(
        told.verdict,
        "`ultra` grew least anonymous memory over 20 requests of `chat`: 508.0 KiB against 812.0 KiB of `original`, 37 % less \
         (generateContent, 2,048 B answers, h1 over TLS, 143 roots, aws-lc, multi_thread, mock target; median of 5 processes)."
    );
    assert_eq!(told.besides.len(), 1);
    assert!(told.besides[0].contains("current_thread"));
    assert_eq!((told.planned, told.ok, told.failed, told.unavailable), (88, 85, 1, 2));
    assert!(told.has_valid_measurement() && !told.is_complete());
}

fn two(ultra: &[Shape], allocator: &str) -> Record {
    let original = cell("original", "chat", "rss", &[("allocator", "system")]);
    let other = cell("ultra", "chat", "rss", &[("allocator", allocator)]);
    let b = Builder::new().subject("original", "level", "").subject("ultra", "level", "").scenario("chat", 1);
    b.measured(&original, &varied(PLAIN, 5)).measured(&other, ultra).build()
}

#[test]
fn a_difference_within_the_samples_is_not_called_certain() {
    let near = varied(Shape { growth: PLAIN.growth - 4096, ..PLAIN }, 5);
    let told = summary(&two(&near, "system"));
    assert!(told.headline.as_ref().unwrap().overlaps);
    assert!(told.verdict.ends_with("Their samples overlap, so the difference is not certain."), "{}", told.verdict);
}

#[test]
fn different_allocators_are_said() {
    let told = summary(&two(&[Shape { growth: 100_000, ..PLAIN }; 5], "jemalloc"));
    assert!(told.verdict.ends_with("They run on different allocators: jemalloc and system."), "{}", told.verdict);
}

#[test]
fn when_the_original_is_best_it_is_said() {
    let told = summary(&two(&[Shape { growth: 1_000_000, ..PLAIN }; 5], "system"));
    assert!(told.verdict.starts_with("`original` itself grew least"), "{}", told.verdict);
}

#[test]
fn figures_of_the_live_service_are_advisory_in_every_format_for_people_and_in_json() {
    use plimsoll_reports::{Format, render, terminal};
    let mut record = common::quick();
    for (target, advisory) in [("mock", false), ("live", true), ("live, resolved to 127.0.0.1 port 1", true)] {
        record.environment.target = target.to_owned();
        let told = summary(&record);
        assert_eq!(told.besides.iter().any(|line| line.contains("advisory")), advisory, "{target}");
        let text = |format| String::from_utf8(render(&record, format)).unwrap();
        let page = [text(Format::Html), text(Format::Markdown), terminal::render(&record, None, false)];
        assert!(page.iter().all(|page| page.contains("so advisory") == advisory), "{target}");
        let json: serde_json::Value = serde_json::from_str(&text(Format::Json)).unwrap();
        assert_eq!(json["advisory"], advisory);
    }
}

#[test]
fn nothing_is_claimed_of_nothing() {
    let empty = Builder::new().build();
    assert_eq!(summary(&empty).verdict, "Nothing was measured: the record holds no sample.");
    let cell = cell("original", "chat", "rss", &[]);
    let failed = Builder::new().failed(&cell, Status::Failed, "x").failed(&cell, Status::Killed, "y").build();
    let told = summary(&failed);
    assert!(told.verdict.starts_with("No valid measurement: none of 2 samples counts"), "{}", told.verdict);
    assert!(!told.has_valid_measurement() && told.headline.is_none());
}

/// A change that is to be seen by twenty pairs, all at once, twice.
const RULE: Rule = Rule { pairs: 20, family: 1, alpha: 0.05, floor: 0.0 };

#[test]
fn noise_is_told_figure_by_figure_and_an_exact_one_shows_any_change() {
    let (rss, count) = (cell("a", "chat", "rss", &[]), cell("a", "chat", "count", &[("runtime", "current_thread")]));
    let record = Builder::new().measured(&rss, &varied(PLAIN, 10)).measured(&count, &[PLAIN; 10]).build();
    let told = noise::noise(&record, &RULE);
    let of = |figure: &Figure| told.iter().find(|row| row.figure == *figure).unwrap();

    let exact = of(&Figure::per_request("heap.allocs"));
    assert_eq!(
        (exact.measured.is_exact(), noise::smallest(exact), noise::range(exact)),
        (true, "any".into(), "".into())
    );
    // Growth varies by −2 to +2 pages: a change of two is seen, and less than one cannot occur.
    let noisy = of(&Figure::growth("proc.anon"));
    let smallest = noisy.smallest.unwrap().value() / 4096.0;
    assert!(!noisy.measured.is_exact() && (1.0..2.0).contains(&smallest), "{smallest} pages");
    assert_eq!(noise::range(noisy), "2.23 %", "four pages of 733,184 B");
    assert_eq!((exact.why, noisy.why), ("", "pages: which of them were touched"));

    let table = noise::markdown(&told);
    assert_eq!(table.lines().count(), told.len() + 2);
    assert!(
        table.contains("| `chat` | current_thread | heap.allocs per request | 10 | 119 | identical |  | any |  |"),
        "{table}"
    );
}

#[test]
fn noise_of_samples_that_do_not_count_is_not_told() {
    let rss = cell("a", "chat", "rss", &[]);
    let record = Builder::new().measured(&rss, &[PLAIN; 4]).failed(&rss, Status::Failed, "no").build();
    let told = noise::noise(&record, &RULE);
    assert!(!told.is_empty());
    assert!(told.iter().all(|row| row.measured.stats.samples == 4 && row.measured.is_exact()));
}

/// A record of a subject that has a helper from `client` on, or had it until `steady@64`, and a proxy from the beginning.
fn accompanied(probe: &str, metric: &str) -> Record {
    let cell = cell("s", "chat", probe, &[]);
    let mut record = Builder::new().subject("s", "level", "").scenario("chat", 1).measured(&cell, &[PLAIN]).build();
    for (at, checkpoint) in record.samples[0].checkpoints.iter_mut().enumerate() {
        let row = |role: &str, value| Process { role: role.to_owned(), metrics: [(metric.to_owned(), value)].into() };
        checkpoint.processes.push(row("proxy", 1_000));
        if at >= 2 {
            let requests = i64::try_from(checkpoint.requests).unwrap();
            checkpoint.processes.push(row(if at < 6 { "helper" } else { "ended" }, 50_000 + 7 * requests));
        }
    }
    record
}

#[test]
fn what_helpers_and_a_proxy_take_is_beside_a_subjects_own_and_in_the_whole() {
    let record = accompanied("rss", "proc.anon");
    let figures = cells(&record).remove(0);
    assert_eq!(value(&figures, Figure::growth("proc.anon")), 733_184.0, "the subject's own is its own");
    assert_eq!(value(&figures, Figure::at("start", "beside.anon")), 1_000.0);
    assert_eq!(value(&figures, Figure::at("steady@20", "beside.anon")), 51_140.0);
    assert_eq!(value(&figures, Figure::growth("whole.anon")), 733_184.0 + 50_140.0);
    assert!(figures.figure(&Figure::growth("whole.pss")).is_none_or(|pss| pss.stats.median > 0.0));
    let counted = cells(&accompanied("count", "heap.allocs")).remove(0);
    assert_eq!(value(&counted, Figure::per_request("heap.allocs")), 119.0);
    assert_eq!(value(&counted, Figure::per_request("beside.allocs")), 7.0);
    assert_eq!(value(&counted, Figure::per_request("whole.allocs")), 126.0);
    assert!(counted.figure(&Figure::per_request("whole.anon")).is_none());
}

#[test]
fn who_has_others_do_the_work_is_not_called_best_for_it() {
    let mut record = two(&[Shape { growth: 100_000, ..PLAIN }; 5], "system");
    assert!(summary(&record).verdict.starts_with("`ultra` grew least"));
    for sample in record.samples.iter_mut().filter(|sample| sample.cell.subject == "ultra") {
        for checkpoint in &mut sample.checkpoints {
            let metrics = [("proc.anon".to_owned(), 700_000)].into();
            checkpoint.processes.push(Process { role: "helper".to_owned(), metrics });
        }
    }
    assert!(summary(&record).verdict.starts_with("`original` grew"), "{}", summary(&record).verdict);
    let terminal = plimsoll_reports::terminal::render(&record, None, false);
    let marked: Vec<&str> = terminal.lines().filter(|line| line.contains(" *")).collect();
    assert!(marked.iter().all(|line| !line.contains("ultra ")), "{marked:#?}");
}

#[test]
fn every_report_shows_both_and_only_where_there_are_any() {
    let with = accompanied("rss", "proc.anon");
    let without = Builder::new()
        .subject("s", "level", "")
        .scenario("chat", 1)
        .measured(&cell("s", "chat", "rss", &[]), &[PLAIN])
        .build();
    // JUnit's form says which samples count, and no figure.
    let with_figures = |format: &plimsoll_reports::Format| !matches!(format, plimsoll_reports::Format::Junit);
    for format in plimsoll_reports::Format::ALL.into_iter().filter(with_figures) {
        let text = |record| String::from_utf8(plimsoll_reports::render(record, format)).unwrap();
        let marks = ["anon beside", "beside.anon"];
        assert!(marks.iter().any(|mark| text(&with).contains(mark)), "{format:?}");
        // The page's glossary names every metric, measured or not.
        assert!(!text(&without).contains("anon beside"), "{format:?}");
    }
    let terminal = plimsoll_reports::terminal::render(&with, None, false);
    assert!(terminal.contains("memory with helpers and proxy") && terminal.contains("49.9 KiB"), "{terminal}");
}
