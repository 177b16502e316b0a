//! Which rows stand where: what has a section of its own is not among the levels, and who has others do the work is not called thrifty.

use std::collections::BTreeSet;

use plimsoll_reports::record::{Process, Record};
use plimsoll_reports::{Format, render, terminal};
use scraper::Html;

use crate::common::{self, Builder, PLAIN, Shape, cell};
use crate::page::{all, rows};

const UNDER: [(&str, &str); 3] = [("allocator", "system"), ("protocol", "h1"), ("runtime", "multi_thread")];

fn page(record: &Record) -> Html {
    Html::parse_document(&String::from_utf8(render(record, Format::Html)).unwrap())
}

fn markdown(record: &Record) -> String {
    String::from_utf8(render(record, Format::Markdown)).unwrap()
}

fn names(html: &Html, table: &str) -> Vec<String> {
    rows(html, &format!("{table} tbody tr")).into_iter().map(|row| row[0].clone()).collect()
}

/// Levels, a rung, a peer, and a level whose techniques were switched one by one.
fn mixed() -> Record {
    let mut b = Builder::new()
        .subject("original", "level", "")
        .subject("ultra", "level", "")
        .rung("tls", None)
        .subject("genai", "peer", "")
        .scenario("chat", 1);
    let with = |crypto| [("allocator", "system"), ("crypto", crypto), ("protocol", "h1"), ("runtime", "multi_thread")];
    for (name, growth) in [("original", 733_184), ("ultra", 421_888), ("tls", 90_000), ("genai", 2_097_152)] {
        b = b.measured(&cell(name, "chat", "rss", &with("aws-lc")), &[Shape { growth, ..PLAIN }; 2]);
    }
    b = b.measured(&cell("original", "chat", "rss", &with("ring")), &[Shape { growth: 500_000, ..PLAIN }; 2]);
    for set in ["none", "pooling", "-pooling"] {
        let under: Vec<(&str, &str)> = with("aws-lc").into_iter().chain([("switches", set)]).collect();
        b = b.measured(&cell("ultra", "chat", "rss", &under), &[PLAIN; 2]);
    }
    b.build()
}

#[test]
fn rungs_peers_and_single_techniques_are_not_among_the_levels() {
    let html = page(&mixed());
    assert_eq!(names(&html, "#scenario-1-figures"), ["original", "ultra"]);
    assert_eq!(names(&html, "#scenario-1-figures-all"), ["original · aws-lc", "ultra · aws-lc", "original · ring"]);
    assert_eq!(names(&html, "#table-pick"), ["ultra", "original"]);
    assert_eq!(names(&html, "#times-1"), ["original", "ultra"]);
    assert_eq!(names(&html, "#peers-1"), ["original", "ultra", "genai"]);
    let text = markdown(&mixed());
    let (_, chat) = text.split_once("### chat\n").unwrap();
    let table: Vec<&str> =
        chat.lines().filter(|line| line.starts_with("| ")).take_while(|line| !line.contains("scenario")).collect();
    assert!(
        table.len() >= 3 && !table[..3].iter().any(|row| row.contains("tls") || row.contains("genai")),
        "{table:#?}"
    );
    // The terminal has no other place for them.
    let shown = terminal::render(&mixed(), None, false);
    assert!(shown.contains("tls") && shown.contains("genai") && shown.contains("-pooling"), "{shown}");
}

#[test]
fn where_there_is_nothing_else_they_are_shown() {
    let record = Builder::new()
        .rung("main", None)
        .scenario("chat", 1)
        .measured(&cell("main", "chat", "rss", &[("allocator", "system")]), &[PLAIN; 2])
        .build();
    assert_eq!(names(&page(&record), "#scenario-1-figures"), ["main"]);
    assert!(markdown(&record).contains("| main |"));
}

#[test]
fn who_has_others_hold_the_requests_takes_least_of_nothing() {
    let mut b = Builder::new();
    for name in ["original", "bare", "proxied"] {
        b = b.subject(name, "level", "");
    }
    b = b.scenario("inflight-event", 1_000);
    for name in ["original", "bare", "proxied"] {
        b = b.measured(&cell(name, "inflight-event", "rss", &UNDER), &[PLAIN; 2]);
    }
    let mut record = b.build();
    common::held(&mut record, "inflight-event", 40_000);
    for sample in record.samples.iter_mut().filter(|sample| sample.cell.subject != "original") {
        let proxied = sample.cell.subject == "proxied";
        for point in &mut sample.checkpoints {
            // One takes half of it, the other a third, with the rest in its proxy.
            let whole = point.metrics.clone();
            point.metrics.values_mut().for_each(|value| *value /= if proxied { 3 } else { 2 });
            if proxied {
                let metrics = whole.into_iter().map(|(name, value)| (name, value - value / 3)).collect();
                point.processes.push(Process { role: "proxy".into(), metrics });
            }
        }
    }
    let shown = terminal::render(&record, None, false);
    let sentence = "In `inflight-event` one more request in flight takes least anonymous memory with `bare`: 19.5 KiB against 39.1 KiB of `original` (";
    assert!(shown.contains(sentence), "{shown}");
    let html = page(&record);
    let best: BTreeSet<String> = all(&html, "#scenario-1-figures tbody tr")
        .iter()
        .filter(|row| row.child_elements().any(|cell| cell.value().classes().any(|class| class == "best")))
        .filter_map(|row| row.text().next())
        .map(str::to_owned)
        .collect();
    assert_eq!(best.into_iter().collect::<Vec<_>>(), ["bare"]);
}

/// `original` and `mux` one by one, 20 and 1,000 at once.
fn crowds() -> Record {
    let mut b = Builder::new().subject("original", "level", "").subject("mux", "level", "");
    for (scenario, at_once) in [("chat", 1), ("chat-20x", 20), ("crowd", 1_000)] {
        b = b.scenario(scenario, at_once);
        for (name, protocol, micros) in [("original", "h1", 400), ("mux", "h2", 500)] {
            let under = [UNDER[0], ("protocol", protocol), UNDER[2]];
            let shape = Shape { micros: micros * at_once, ..PLAIN };
            b = b.measured(&cell(name, scenario, "rss", &under), &[shape; 2]);
        }
    }
    b.build()
}

#[test]
fn time_stands_beside_how_many_requests_are_made_at_once_and_what_was_not_measured_is_said() {
    let html = page(&crowds());
    assert_eq!(
        rows(&html, "#table-at-once tbody tr"),
        [
            [
                "original · h1",
                "400 µs",
                "1.60 ms",
                "8.00 ms",
                "32.00 ms",
                "not measured",
                "not measured",
                "400.00 ms",
                "1.60 s"
            ],
            [
                "mux · h2",
                "500 µs",
                "2.00 ms",
                "10.00 ms",
                "40.00 ms",
                "not measured",
                "not measured",
                "500.00 ms",
                "2.00 s"
            ],
        ]
    );
    assert_eq!(
        rows(&html, "#at-once-chart tbody tr"),
        [["original · h1", "400 µs", "8.00 ms", "400.00 ms"], ["mux · h2", "500 µs", "10.00 ms", "500.00 ms"]]
    );
    let text = markdown(&crowds());
    assert!(text.contains("| subject | 1 | 20 | 100 | 1,000 |"), "{text}");
    let row = "| original · h1 | 400 µs / 1.60 ms | 8.00 ms / 32.00 ms | not measured | 400.00 ms / 1.60 s |";
    assert!(text.contains(row), "{text}");
    let without = page(&common::quick());
    let said: String = all(&without, "#model").iter().flat_map(|e| e.text()).collect();
    assert!(said.contains("more than one number of requests at once"), "{said}");
}
