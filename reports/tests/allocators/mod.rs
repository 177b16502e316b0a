//! The allocator matrix: which rows are held against which, and what is said of them.

use plimsoll_reports::allocators::{self, WARNING};
use plimsoll_reports::record::Record;
use plimsoll_reports::view::View;
use plimsoll_reports::{Format, render};

use super::common::{Builder, PLAIN, Shape, cell, varied};

/// `original` on three allocators and `ultra` on the first of them, twelve processes each.
fn record() -> Record {
    let mut b = Builder::new()
        .subject("original", "level", "reqwest as it comes")
        .subject("ultra", "level", "the ten techniques")
        .scenario("chat", 1);
    // The last one differs by less than from one process to the next.
    for (allocator, more) in [("system", 0), ("jemalloc", 524_288), ("jemalloc-tuned", -40_960)] {
        for runtime in ["current_thread", "multi_thread"] {
            let with = [("allocator", allocator), ("protocol", "h1"), ("runtime", runtime)];
            let shape = Shape { growth: PLAIN.growth + more, ..PLAIN };
            b = b.measured(&cell("original", "chat", "rss", &with), &varied(shape, 12));
        }
    }
    let alone = [("allocator", "system"), ("protocol", "h1"), ("runtime", "multi_thread")];
    let mut record = b.measured(&cell("ultra", "chat", "rss", &alone), &varied(PLAIN, 12)).build();
    record.environment.jemalloc.insert("opt.narenas (jemalloc-tuned)".into(), "1".into());
    record
}

#[test]
fn a_client_is_held_against_itself_on_the_c_library_s_allocator_under_the_same_runtime() {
    let matrices = allocators::matrices(&View::new(&record()));
    let titles: Vec<&str> = matrices.iter().map(|matrix| matrix.title.as_str()).collect();
    assert_eq!(titles, ["chat · current_thread", "chat · multi_thread"]);
    for matrix in &matrices {
        // `ultra`, on one allocator, has nothing to stand beside.
        let names: Vec<&str> = matrix.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["original"; 3]);
        let told = matrix.lines.iter().map(|line| {
            let effect = line.effects[1].map(|effect| (effect.contrast.difference().value(), effect.told()));
            (line.allocator.as_str(), line.samples, effect)
        });
        let wanted = [
            ("system", 12, None),
            ("jemalloc", 12, Some((524_288.0, "costs".to_owned()))),
            ("jemalloc-tuned", 12, Some((-40_960.0, "saves".to_owned()))),
        ];
        assert!(told.eq(wanted), "{matrix:?}");
    }
}

#[test]
fn the_pages_warn_name_the_options_and_tell_each_difference() {
    let record = record();
    let markdown = String::from_utf8(render(&record, Format::Markdown)).unwrap();
    let (_, section) = markdown.split_once("### Allocators\n").expect("a section");
    for wanted in [
        "RSS on one is compared with RSS on another nowhere else",
        "jemalloc-tuned, as read back: narenas=1",
        "+512.0 KiB (",
        "costs |",
    ] {
        assert!(section.contains(wanted), "{wanted}: {section}");
    }
    let html = String::from_utf8(render(&record, Format::Html)).unwrap();
    assert!(html.contains("id=\"allocators-1\"") && html.contains("id=\"allocators-2-chart\""));
    assert!(html.contains(WARNING));
}

#[test]
fn a_record_of_one_allocator_has_no_matrix() {
    let quick = super::common::quick();
    assert!(allocators::matrices(&View::new(&quick)).is_empty());
    let html = String::from_utf8(render(&quick, Format::Html)).unwrap();
    assert!(html.contains("plimsoll run --suite allocators"));
    assert!(!String::from_utf8(render(&quick, Format::Markdown)).unwrap().contains("### Allocators"));
}
