//! The figures that the page shows, held to the record: computed here from its JSON alone, by other code than the report's.

use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

use crate::browser::{page, records};

#[test]
fn every_figure_of_the_main_tables_is_the_one_that_the_record_gives() {
    let mut checked = 0;
    for (name, record) in records().into_iter().filter(|(name, _)| *name != "hostile") {
        let json: Value = serde_json::from_slice(&record.write().unwrap()).unwrap();
        let html = Html::parse_document(&page(&record));
        for scroll in all(&html.root_element(), "#profile .scroll[id^='scenario-'][id*='-figures']") {
            let scenario = scenario_of(&scroll, &json);
            let caption = text(scroll.prev_siblings().find_map(ElementRef::wrap).as_ref());
            let head: Vec<String> = all(&scroll, "thead th").iter().map(|th| text(Some(th))).collect();
            for row in all(&scroll, "tbody tr") {
                let label = text(all(&row, "th").first());
                for (heading, shown) in head.iter().skip(1).zip(all(&row, "td")) {
                    // Where there are many rows, a cell is its median and its spread, without elements of their own.
                    let shown = text(Some(all(&shown, ".v").first().unwrap_or(&shown)));
                    let shown = shown.split(" ±").next().unwrap_or_default();
                    if shown == "—" {
                        continue;
                    }
                    let place = format!("{name}, {scenario}, {label}, {heading}");
                    let expected = median(&json, &scenario, &label, &caption, heading, &place);
                    let (value, half) = number(shown);
                    assert!((value - expected).abs() <= half + 1e-6, "{place}: {shown} is shown, it is {expected}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 90, "{checked} figures");
}

#[test]
fn every_figure_of_the_first_chart_is_the_one_that_the_record_gives() {
    let (name, record) = records().swap_remove(0);
    let json: Value = serde_json::from_slice(&record.write().unwrap()).unwrap();
    let html = Html::parse_document(&page(&record));
    let chart = all(&html.root_element(), "#figure-headline").swap_remove(0);
    let about = text(all(&chart, "figcaption p").first());
    let mut checked = 0;
    for row in all(&chart, "tbody tr") {
        let label = text(all(&row, "th").first());
        let cells: Vec<String> = all(&row, "td").iter().map(|td| text(Some(td))).collect();
        for (heading, at) in [("anon growth", 0), ("RSS growth", 4)] {
            let expected = median(&json, "chat", &label, &about, heading, name);
            let (value, half) = number(&cells[at]);
            assert!((value - expected).abs() <= half + 1e-6, "{label}: {} is shown, it is {expected}", cells[at]);
            checked += 1;
        }
    }
    assert!(checked >= 8, "{checked} figures");
}

fn scenario_of(scroll: &ElementRef<'_>, json: &Value) -> String {
    let number: usize = scroll.attr("id").unwrap().split('-').nth(1).unwrap().parse().unwrap();
    json["plan"]["scenarios"][number - 1]["id"].as_str().unwrap().to_owned()
}

/// The median over the processes of the one cell that a row and a column speak of.
fn median(json: &Value, scenario: &str, label: &str, caption: &str, heading: &str, place: &str) -> f64 {
    let (probe, figure): (&str, fn(&Value) -> f64) = match heading {
        "RSS growth" => ("rss", |s| at(s, "steady@20", "proc.rss") - at(s, "start", "proc.rss")),
        "anon growth" => ("rss", |s| at(s, "steady@20", "proc.anon") - at(s, "start", "proc.anon")),
        "start RSS" => ("rss", |s| at(s, "start", "proc.rss")),
        "peak RSS" => ("rss", |s| at(s, "steady@20", "proc.hwm")),
        "p50" => ("rss", |s| s["latency"]["p50_us"].as_f64().unwrap()),
        "allocs/request" => {
            ("count", |s| (at(s, "steady@128", "heap.allocs") - at(s, "steady@64", "heap.allocs")) / 64.0)
        }
        "bytes/request" => ("count", |s| (at(s, "steady@128", "heap.bytes") - at(s, "steady@64", "heap.bytes")) / 64.0),
        "live/1,000 req" => ("count", |s| {
            let live = |name| at(s, name, "heap.live");
            let (first, second) =
                ((live("steady@128") - live("steady@64")) / 64.0, (live("steady@256") - live("steady@128")) / 128.0);
            first.min(second) * 1_000.0
        }),
        other => panic!("{place}: {other} is a column that this test does not know"),
    };
    let mut parts = label.split(" · ");
    let subject = parts.next().unwrap();
    let named: Vec<&str> = parts.collect();
    let is_meant = |sample: &&Value| {
        let cell = &sample["cell"];
        cell["subject"] == subject && cell["scenario"] == scenario && cell["probe"] == probe && sample["status"] == "ok"
    };
    let mut found: Vec<(&Value, f64)> = Vec::new();
    for sample in json["samples"].as_array().unwrap().iter().filter(is_meant) {
        let factors = &sample["cell"]["factors"];
        let values: Vec<&str> = factors.as_object().unwrap().values().map(|value| value.as_str().unwrap()).collect();
        // What sets rows apart stands in the row's name, what they share in the caption: together they name one cell.
        let named_all = named.iter().all(|word| values.contains(word));
        if named_all && values.iter().all(|value| named.contains(value) || caption.contains(value)) {
            found.push((factors, figure(sample)));
        }
    }
    assert!(!found.is_empty() && found.iter().all(|(factors, _)| *factors == found[0].0), "{place}: no one cell");
    let mut values: Vec<f64> = found.into_iter().map(|(_, value)| value).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

fn at(sample: &Value, checkpoint: &str, metric: &str) -> f64 {
    let checkpoints = sample["checkpoints"].as_array().unwrap();
    let found = checkpoints.iter().find(|point| point["name"] == checkpoint).unwrap();
    found["metrics"][metric].as_f64().unwrap()
}

/// What a shown figure says, in bytes, counts or microseconds, and half of its last digit.
fn number(shown: &str) -> (f64, f64) {
    let shown = shown.trim_end_matches(['=', '≈', ' ']);
    let (digits, unit) = shown.split_once(' ').unwrap_or((shown, ""));
    let worth = match unit {
        "" | "B" | "µs" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "ms" => 1e3,
        "s" => 1e6,
        other => panic!("{other} is no unit: {shown}"),
    };
    let plain = digits.replace('−', "-").replace(',', "");
    let decimals = plain.split_once('.').map_or(0, |(_, after)| after.len());
    let last = 10f64.powi(-i32::try_from(decimals).unwrap());
    (plain.parse::<f64>().unwrap() * worth, last / 2.0 * worth)
}

fn all<'a>(within: &ElementRef<'a>, selector: &str) -> Vec<ElementRef<'a>> {
    within.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: Option<&ElementRef<'_>>) -> String {
    let text: String = element.map(|element| element.text().collect()).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
