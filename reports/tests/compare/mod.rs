//! Two records side by side: what is called a difference, what is said first, and the same in Markdown.

use plimsoll_reports::compare::{Compared, Comparison, Direction, compare, mock_and_live};
use plimsoll_reports::derive::Figure;
use plimsoll_reports::record::Record;
use plimsoll_reports::{Extras, Format, render, render_with};

use super::common::{Builder, PLAIN, Shape, cell, varied};

const UNDER: [(&str, &str); 3] = [("allocator", "system"), ("protocol", "h1"), ("runtime", "multi_thread")];

/// `original` and `ultra` in `chat`, so many processes each; `ultra` grows by `more` beyond what it grows by, and makes so many allocations.
fn record(processes: i64, more: i64, allocs: i64) -> Record {
    let ultra = Shape { growth: 421_888 + more, allocs, ..PLAIN };
    let mut b = Builder::new().subject("original", "level", "").subject("ultra", "level", "").scenario("chat", 1);
    for (name, shape) in [("original", PLAIN), ("ultra", ultra)] {
        b = b.measured(&cell(name, "chat", "rss", &UNDER), &varied(shape, processes));
        b = b.measured(&cell(name, "chat", "count", &UNDER), &[shape; 2]);
    }
    b.build()
}

fn row<'a>(compared: &'a Comparison, subject: &str, figure: &Figure) -> &'a Compared {
    let is_meant = |row: &&Compared| row.cell.subject == subject && row.asked.figure == *figure;
    compared.rows.iter().find(is_meant).unwrap_or_else(|| panic!("{subject} {figure}"))
}

fn growth() -> Figure {
    Figure::growth("proc.anon")
}

#[test]
fn the_direction_is_spelled_out_from_either_side() {
    let (a, b) = (record(5, 0, 31), record(5, 102_400, 31));
    let there = compare(&a, &b);
    let ultra = row(&there, "ultra", &growth());
    assert_eq!(ultra.direction(), Direction::More);
    assert_eq!(ultra.told(there.sides), "B takes 100.0 KiB more than A (+24 %)");
    assert_eq!(row(&there, "original", &growth()).told(there.sides), "the same");
    let back = compare(&b, &a);
    assert_eq!(row(&back, "ultra", &growth()).told(back.sides), "B takes 100.0 KiB less than A (−20 %)");
}

#[test]
fn one_allocation_more_is_a_difference_where_all_processes_agree_and_a_page_within_the_spread_is_none() {
    let compared = compare(&record(5, 0, 31), &record(5, 4_096, 32));
    let allocs = row(&compared, "ultra", &Figure::per_request("heap.allocs"));
    assert_eq!(allocs.told(compared.sides), "B takes 1 more than A (+3 %)");
    let grown = row(&compared, "ultra", &growth());
    assert_eq!(grown.direction(), Direction::Noise);
    assert_eq!(grown.told(compared.sides), "no difference that noise would not make");
}

#[test]
fn processes_that_lie_apart_are_too_few_where_chance_would_do_it_as_well() {
    for (processes, direction) in [(1, Direction::TooFew), (3, Direction::TooFew), (4, Direction::More)] {
        let compared = compare(&record(processes, 0, 31), &record(processes, 1 << 20, 31));
        assert_eq!(row(&compared, "ultra", &growth()).direction(), direction, "{processes} processes");
    }
    let few = compare(&record(3, 0, 31), &record(3, 1 << 20, 31));
    assert_eq!(row(&few, "ultra", &growth()).told(few.sides), "3 and 3 processes are too few to say");
    assert!(few.verdict().contains("there are too few processes to say"), "{}", few.verdict());
}

#[test]
fn the_largest_differences_come_first() {
    let compared = compare(&record(5, 0, 31), &record(5, 102_400, 62));
    let groups = compared.groups();
    let named: Vec<(&str, bool)> = groups.iter().map(|group| (group.subject, group.differ > 0)).collect();
    assert_eq!(named, [("ultra", true), ("original", false)]);
    assert_eq!(groups[0].rows[0].0.asked.heading, "allocations per request");
    let (differ, alike) = groups[0].rows.split_at(groups[0].differ);
    let has_growth = |rows: &[(&Compared, String)]| rows.iter().any(|(row, _)| row.asked.heading == "anonymous growth");
    assert!(has_growth(differ) && !has_growth(alike));
    assert_eq!(compared.differences()[0].asked.heading, "allocations per request");
}

#[test]
fn what_was_not_alike_is_said_with_what_it_can_move() {
    let (a, mut b) = (record(5, 0, 31), record(5, 0, 31));
    assert_eq!(compare(&a, &b).conditions, []);
    b.environment.rustc = "rustc 9.9".into();
    b.environment.target = "http://127.0.0.1:1".into();
    b.plan.scenarios[0].body_bytes = Some(4_096);
    for sample in &mut b.samples {
        sample.answers.protocol = "h2".into();
    }
    let compared = compare(&a, &b);
    let named: Vec<&str> = compared.conditions.iter().map(|condition| condition.name.as_str()).collect();
    assert_eq!(
        named,
        ["compiler", "target", "answers of chat", "protocol of original, chat", "protocol of ultra, chat"]
    );
    assert!(compared.conditions.iter().all(|condition| !condition.moves.is_empty()));
    let text = compared.markdown();
    assert!(text.contains("| compiler | rustc 0.0 | rustc 9.9 | every figure of a Rust program |"), "{text}");
    assert!(text.contains("| protocol of ultra, chat | h1 | h2 |"), "{text}");
}

#[test]
fn cells_without_a_twin_are_named_and_a_pattern_takes_some() {
    let (a, mut b) = (record(5, 0, 31), record(5, 102_400, 31));
    for sample in b.samples.iter_mut().filter(|sample| sample.cell.subject == "original") {
        sample.cell.subject = "another".into();
    }
    b.plan.cells.retain(|planned| planned.cell.subject == "ultra");
    let compared = compare(&a, &b);
    let text = compared.markdown();
    assert!(text.contains("Only in A, 2: original/chat/rss/"), "{text}");
    assert!(text.contains("Only in B, 2: another/chat/"), "{text}");
    let only = compared.only("ultra/count");
    assert!(only.alone.0.is_empty() && only.rows.iter().all(|row| row.cell.probe == "count"));
    let nothing = compare(&a, &Builder::new().build());
    assert!(nothing.rows.is_empty() && nothing.markdown().contains("nothing can be compared"));
    assert_eq!(nothing.alone.0.len(), a.plan.cells.len());
}

#[test]
fn markdown_has_each_figure_with_its_spread_and_its_number() {
    let text = compare(&record(5, 0, 31), &record(5, 102_400, 31)).markdown();
    let wanted = "| anonymous growth | 412.0 KiB ± 4.0 KiB, n 5 | 512.0 KiB ± 4.0 KiB, n 5 | +100.0 KiB | B takes 100.0 KiB more than A (+24 %) |";
    assert!(text.contains(wanted), "{text}");
    assert!(text.contains("| allocations per request | 31 =, n 2 | 31 =, n 2 | 0 | the same |"), "{text}");
}

#[test]
fn the_live_service_stands_beside_the_mock_in_a_report_and_else_it_is_not_measured() {
    let (mock, mut live) = (record(5, 0, 31), record(1, 102_400, 31));
    live.environment.target = "live".into();
    let told = [("mock", &mock, &live), ("live", &live, &mock)].map(|(name, one, other)| {
        let text = |format| {
            String::from_utf8(render_with(one, format, Extras { beside: Some(other), ..Extras::default() })).unwrap()
        };
        let (markdown, html) = (text(Format::Markdown), text(Format::Html));
        let (_, section) =
            markdown.split_once("### Mock against live\n").unwrap_or_else(|| panic!("{name}: {markdown}"));
        let row = "| anonymous growth | 412.0 KiB ± 4.0 KiB, n 5 | 504.0 KiB, n 1 | +92.0 KiB |";
        assert!(section.contains(row), "{name}: {section}");
        assert!(
            section.contains("advisory") && section.contains("| figure | mock | live | live less mock | in words |")
        );
        assert!(html.contains("id=\"live-1-1\""), "{name}: no anchor");
        section.lines().filter(|line| line.starts_with("| anonymous growth")).map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(told[0], told[1], "whichever is beside the other");
    assert_eq!(mock_and_live(&mock, &mock), None);
    for record in [&mock, &live] {
        let html = String::from_utf8(render(record, Format::Html)).unwrap();
        assert!(html.contains("--beside") && html.contains("Not measured in this run: the "));
        assert!(!String::from_utf8(render(record, Format::Markdown)).unwrap().contains("Mock against live"));
    }
}
