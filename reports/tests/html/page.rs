//! The page, parsed: whole, offline, accessible, inert whatever the record holds, and the same each time.

use std::collections::BTreeSet;

use crate::common::{self, Builder};
use plimsoll_reports::record::Record;
use plimsoll_reports::{Format, render, render_linked};
use scraper::{ElementRef, Html, Selector};

fn page(record: &Record) -> (String, Html) {
    let text = String::from_utf8(render(record, Format::Html)).unwrap();
    let html = Html::parse_document(&text);
    (text, html)
}

pub(crate) fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

/// The words of an element, in one line.
fn words(element: &ElementRef<'_>) -> String {
    element.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// The words of all that a selector finds.
fn text(html: &Html, selector: &str) -> String {
    all(html, selector).iter().map(words).collect::<Vec<_>>().join(" ")
}

/// Rows of a table, cell by cell.
pub(crate) fn rows(html: &Html, selector: &str) -> Vec<Vec<String>> {
    let cells = |row: &ElementRef<'_>| row.child_elements().map(|cell| words(&cell)).collect();
    all(html, selector).iter().map(cells).collect()
}

fn records() -> [Record; 4] {
    [with_sites(), common::peers(), common::hostile(), Builder::new().build()]
}

fn with_sites() -> Record {
    let mut record = common::quick();
    common::sites::put(&mut record, None);
    record
}

#[test]
fn it_is_well_formed() {
    for record in records() {
        let (_, html) = page(&record);
        assert!(html.errors.is_empty(), "{:?}", html.errors);
        assert_eq!(all(&html, "h1").len(), 1);
        assert_eq!(all(&html, "main").len(), 1);
    }
}

#[test]
fn every_section_is_there_and_in_the_contents() {
    for record in records() {
        let (_, html) = page(&record);
        for id in "summary pick recommend levels profile model line beside peers latency live ladder techniques where mappings jemalloc dhat sites claims production conclusion failures plan environment method reading glossary".split(' ') {
            let section = all(&html, &format!("main > section#{id}"));
            assert_eq!(section.len(), 1, "{id}");
            assert!(section[0].text().collect::<String>().len() > 40, "{id} is empty");
            assert_eq!(all(&html, &format!("nav.toc a[href='#{id}']")).len(), 1, "{id}");
        }
    }
}

#[test]
fn what_figures_of_the_live_service_are_worth_stands_in_no_fold() {
    let mut record = common::quick();
    record.environment.target = "live".into();
    let (_, html) = page(&record);
    let open = text(&html, "section#summary > p");
    assert!(open.contains("so advisory"), "{open}");
    assert!(!all(&html, "section#summary > details p").is_empty(), "the other factors are folded");
}

#[test]
fn every_chart_has_title_description_and_its_data() {
    let (_, html) = page(&common::quick());
    let charts = all(&html, "figure > svg");
    assert!(charts.len() >= 12, "{} charts", charts.len());
    for chart in charts {
        assert_eq!(chart.attr("role"), Some("img"));
        let child = |name: &str| chart.child_elements().find(|e| e.value().name() == name).unwrap();
        let (title, about) = (child("title"), child("desc"));
        assert!(title.text().collect::<String>().len() > 8 && about.text().collect::<String>().len() > 20);
        let named = format!("{} {}", title.attr("id").unwrap(), about.attr("id").unwrap());
        assert_eq!(chart.attr("aria-labelledby"), Some(named.as_str()));
        let figure = ElementRef::wrap(chart.parent().unwrap()).unwrap();
        assert_eq!(figure.value().name(), "figure");
        assert!(figure.attr("id").is_some());
        let rows = figure.select(&Selector::parse("table tbody tr").unwrap()).count();
        assert!(rows > 0, "a chart without data");
    }
}

#[test]
fn anchors_are_unique_and_every_link_has_one() {
    for record in records() {
        let (_, html) = page(&record);
        let ids: Vec<&str> = all(&html, "[id]").iter().filter_map(|e| e.attr("id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len());
        for link in all(&html, "a") {
            let target = link.attr("href").unwrap().strip_prefix('#').unwrap();
            assert!(unique.contains(target), "#{target} leads nowhere");
        }
        for labelled in all(&html, "[aria-labelledby]") {
            assert!(labelled.attr("aria-labelledby").unwrap().split(' ').all(|id| unique.contains(id)));
        }
    }
}

#[test]
fn figures_in_the_tables_are_those_of_the_record() {
    let (_, html) = page(&common::quick());
    assert_eq!(
        rows(&html, "#scenario-1-figures-2 tbody tr"),
        [
            ["original", "119 = 1.00×", "13,412 B = 1.00×", "0 B ="],
            ["optimized", "104 = 0.87×", "9,870 B = 0.74×", "0 B ="],
            ["ultra", "31 = 0.26×", "2,210 B = 0.16×", "0 B ="],
        ]
    );
    let best: Vec<String> =
        all(&html, "#scenario-1-figures-2 td.best").iter().map(|cell| cell.text().next().unwrap().to_owned()).collect();
    assert_eq!(best, ["31", "2,210 B"]);
}

#[test]
fn peers_stand_beside_the_base_with_their_version_their_memory_in_all_and_their_counts_from_one_thread() {
    let (_, html) = page(&common::peers());
    assert_eq!(
        rows(&html, "#peers-1 tbody tr"),
        [
            [
                "original · current_thread",
                "0.1.0",
                "4.20 MiB =",
                "716.0 KiB =",
                "6.22 MiB =",
                "119 =",
                "13,412 B =",
                "410 µs =",
                "3.78 MiB",
                "—"
            ],
            [
                "genai · current_thread",
                "0.7.2",
                "5.50 MiB =",
                "2.00 MiB =",
                "7.52 MiB =",
                "196 =",
                "20,000 B =",
                "820 µs =",
                "4.95 MiB",
                "2.00×"
            ],
            [
                "original · multi_thread",
                "0.1.0",
                "4.20 MiB =",
                "716.0 KiB =",
                "6.22 MiB =",
                "119 =",
                "13,412 B =",
                "500 µs =",
                "3.78 MiB",
                "—"
            ],
            [
                "genai · multi_thread",
                "0.7.2",
                "5.50 MiB =",
                "2.00 MiB =",
                "7.52 MiB =",
                "196 =",
                "20,000 B =",
                "820 µs =",
                "4.95 MiB",
                "1.64×"
            ],
            [
                "httpx",
                "0.28.1",
                "13.50 MiB =",
                "10.00 MiB =",
                "15.52 MiB =",
                "—",
                "—",
                "1.25 ms =",
                "12.15 MiB",
                "2.50×"
            ],
        ]
    );
    assert_eq!(all(&html, "#peers-1-chart svg").len(), 1);
    let (_, none) = page(&common::quick());
    let said = text(&none, "section#peers");
    assert!(said.contains("Not measured in this run") && said.contains("make peers"), "{said}");
}

#[test]
fn runtimes_stand_side_by_side_on_one_scale() {
    let (_, html) = page(&common::quick());
    let titles: Vec<String> =
        all(&html, "figure[id^='scenario-1-anon-'] figcaption a").iter().map(|e| e.text().collect()).collect();
    assert_eq!(
        titles,
        ["Growth of anonymous memory, chat, multi_thread", "Growth of anonymous memory, chat, current_thread"]
    );
    let axis = |id: &str| -> Vec<String> {
        all(&html, &format!("#{id} svg text.axis[x='0']")).iter().map(|e| e.text().collect()).collect()
    };
    assert_eq!(axis("scenario-1-anon-1"), axis("scenario-1-anon-2"));
    assert!(axis("scenario-1-anon-1").len() >= 3);
}

#[test]
fn nothing_is_fetched() {
    for record in records() {
        let (text, html) = page(&record);
        assert!(
            all(&html, "link, img, iframe, object, embed, audio, video, source, base, form, image, use, foreignObject")
                .is_empty()
        );
        for element in all(&html, "*") {
            for (name, value) in element.value().attrs() {
                assert!(
                    !matches!(name, "src" | "srcset" | "xlink:href" | "action" | "poster" | "ping")
                        && !name.starts_with("on"),
                    "{name}={value}"
                );
                assert!(!value.contains("url(") && !value.contains("javascript:"), "{name}={value}");
            }
        }
        let styles: String = all(&html, "style").iter().flat_map(|style| style.text()).collect();
        assert!(!styles.contains("url(") && !styles.contains("@import") && !styles.contains("://"));
        assert!(!text.contains("href=\"http"));
        let policy = all(&html, "meta[http-equiv='Content-Security-Policy']");
        assert!(policy[0].attr("content").unwrap().starts_with("default-src 'none'"));
    }
}

#[test]
fn hostile_strings_are_inert() {
    let (text, html) = page(&common::hostile());
    let scripts = all(&html, "script");
    assert_eq!(scripts.len(), 2, "a script came in");
    assert_eq!(scripts[0].attr("type"), Some("application/json"));
    let embedded: serde_json::Value = serde_json::from_str(&scripts[0].text().collect::<String>()).unwrap();
    assert_eq!(embedded["schema"], "plimsoll.page/1");
    for forbidden in [
        "<script>alert",
        "<img",
        "onerror=alert(1)>",
        "]]></",
        "\u{202e}",
        "\u{2066}",
        "\u{200f}",
        "\u{1b}",
        "\u{2028}",
        "/home/user",
        "canary-password",
    ] {
        assert!(!text.contains(forbidden), "{forbidden:?} came through");
    }
    assert!(!text.contains(&"x".repeat(700)), "a string of 10,000 characters came through");
    assert!(text.contains("⟨U+202E⟩"), "a mark of direction is hidden and not shown");
    assert!(html.errors.is_empty(), "{:?}", html.errors);
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    for record in records() {
        let again = Record::read(&record.write().unwrap()).unwrap();
        for format in Format::ALL {
            assert_eq!(render(&record, format), render(&again, format), "{format}");
        }
    }
}

#[test]
fn what_was_not_measured_is_said() {
    let (_, html) = page(&Builder::new().build());
    for id in ["latency", "mappings", "jemalloc", "dhat", "sites"] {
        let said = text(&html, &format!("#{id}"));
        assert!(said.contains("Not measured in this run"), "{id}: {said}");
    }
    assert_eq!(all(&html, "svg").len(), 0);
    assert_eq!(all(&html, "#claims .tag.none").len(), 22);
}

#[test]
fn call_sites_stand_by_root_crate_and_line_and_lead_to_the_source() {
    let source = "https://host.example/o/n/blob/0123abc".parse().unwrap();
    let linked = String::from_utf8(render_linked(&with_sites(), Format::Html, Some(&source))).unwrap();
    let html = Html::parse_document(&linked);
    let rows = |id: &str| -> Vec<String> { all(&html, &format!("#{id} tbody tr")).iter().map(words).collect() };
    // The first is of `original`, chat, per request: 1,000 B of Rust, 500 of them by its own code, 300 by hyper in it.
    let (roots, crates, sites) = (rows("sites-1-roots"), rows("sites-1-crates"), rows("sites-1-sites"));
    let row = |rows: &[String], name: &str, figures: &str| {
        assert!(rows.iter().any(|row| row.starts_with(name) && row.contains(figures)), "{name} {figures}: {rows:#?}");
    };
    row(&roots, "Provider::ask", "800 20");
    row(&roots, "hyper connection task", "150 10");
    row(&roots, "other", "50 10");
    row(&roots, "C", "12,412");
    row(&crates, "client", "500 10");
    row(&crates, "hyper 1.12.0", "450 20");
    row(&sites, "Provider::ask", "500 10");
    row(&sites, "Buffered::poll_read, several sites", "150 10");
    let links: BTreeSet<&str> = all(&html, "#sites-1-sites a").iter().filter_map(|a| a.attr("href")).collect();
    assert_eq!(links.into_iter().collect::<Vec<_>>(), ["https://host.example/o/n/blob/0123abc/client/src/lib.rs#L7"]);
    // Without a place to link to there is no link.
    assert!(all(&page(&with_sites()).1, "#sites a[href^=http]").is_empty());
    assert!(!all(&html, "#sites-1-flame svg svg rect").is_empty());
}

#[test]
fn failed_samples_are_rows() {
    let (_, html) = page(&common::quick());
    let rows = rows(&html, "#table-failures tbody tr");
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().any(|row| row[0] == "python" && row[1] == "unavailable" && row[3] == "2"), "{rows:?}");
    assert!(rows.iter().any(|row| row[1] == "wrong-answer" && row[2].contains("the subject dropped text")), "{rows:?}");
}

#[test]
fn scroll_areas_can_be_reached_with_the_keyboard() {
    let (_, html) = page(&common::quick());
    for area in all(&html, ".scroll") {
        assert_eq!((area.attr("tabindex"), area.attr("role")), (Some("0"), Some("region")));
        assert!(area.attr("aria-label").is_some_and(|label| !label.is_empty()));
    }
    for head in all(&html, "th") {
        assert!(matches!(head.attr("scope"), Some("col" | "row")));
    }
}

#[test]
fn a_byte_ledger_is_a_table_and_a_waterfall_whose_last_line_has_its_sign() {
    for (unexplained, shown, share) in [(-73_728, "−72.0 KiB", "−1.4"), (0, "0 B", "0.1"), (73_728, "72.0 KiB", "1.4")]
    {
        let (_, html) = page(&common::ledger(unexplained, "libx.so"));
        let heads: Vec<String> = all(&html, "#where-1 thead th").iter().map(|e| e.text().collect()).collect();
        let cells: Vec<String> = all(&html, "#where-1 tbody tr > *").iter().map(|e| e.text().collect()).collect();
        let at =
            |head: &str| &cells[heads.iter().position(|h| h == head).unwrap_or_else(|| panic!("{head} {heads:?}"))];
        assert_eq!((at("live heap, Rust").as_str(), at("size-class slack").as_str()), ("87.9 KiB", "2.0 KiB"));
        assert_eq!((at("program text").as_str(), at("other libraries").as_str()), ("4.00 MiB", "1.00 MiB"));
        assert_eq!((at("unexplained").as_str(), at("sockets").as_str()), (shown, "4.5 KiB"));
        // Over all three processes, which are a page apart.
        assert!(at("unexplained, share").contains(share), "{cells:?}");
        let rows = rows(&html, "#where-1-1 table tbody tr");
        let row = |name: &str| rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("{name} {rows:?}"));
        assert_eq!((row("live heap, C")[1].as_str(), row("live heap, C")[3].as_str()), ("201.6 KiB", "+100.0 KiB"));
        assert_eq!(row("unexplained")[1], shown);
        assert_eq!(row("RSS")[3], "+100.0 KiB");
    }
}

#[test]
fn names_of_mappings_in_a_byte_ledger_are_text() {
    let (text, html) = page(&common::ledger(0, "<script>alert(1)</script>.so"));
    assert!(!text.contains("<script>alert"), "not escaped");
    let names: Vec<String> = all(&html, "#where-1-1-mappings tbody th").iter().map(|e| e.text().collect()).collect();
    assert!(names.contains(&"<script>alert(1)</script>.so".to_owned()), "{names:?}");
}

#[test]
fn benches_stand_side_by_side_with_what_they_allocate() {
    let (_, html) = page(&common::benched());
    let rows: Vec<String> = all(&html, "#table-benches-1 tbody tr").iter().map(words).collect();
    let expected = [
        "SseReader 2.05 µs 2.00 µs to 2.11 µs 0 B = 0 = 2.76 GiB/s",
        "other 11.30 µs 11.20 µs to 11.41 µs 33.6 KiB = 37 = 511.95 MiB/s",
    ];
    assert_eq!(rows, expected);
    assert_eq!(all(&html, "#table-benches-1 td.best").len(), 1);
    let chat = all(&html, "#table-benches-2");
    assert_eq!(chat.len(), 1);
    assert!(!chat[0].text().any(|text| text == "reads"), "a level reads no measure of bytes");
    let (_, without) = page(&common::quick());
    assert!(text(&without, "#benches").contains("make criterion"));
}
