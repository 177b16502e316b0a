//! Two records as a page: whole, inert, and with the figures that the two have.

use plimsoll_reports::compare::compare;
use plimsoll_reports::record::Record;
use scraper::Html;

use crate::common;
use crate::page::{all, rows};

/// `quick` after a change: `ultra` makes an allocation more and grows by 64 KiB more, one subject is gone, and the compiler is another.
pub(crate) fn changed() -> Record {
    let mut record = common::quick();
    record.environment.rustc = "rustc 9.9".into();
    record.plan.cells.retain(|planned| planned.cell.subject != "optimized");
    record.samples.retain(|sample| sample.cell.subject != "optimized");
    for sample in record.samples.iter_mut().filter(|sample| sample.cell.subject == "ultra") {
        for point in &mut sample.checkpoints {
            if let Some(anon) = point.metrics.get_mut("proc.anon").filter(|_| point.name == "steady@20") {
                *anon += 65_536;
            }
            if let Some(allocs) = point.metrics.get_mut("heap.allocs") {
                *allocs += i64::try_from(point.requests).unwrap();
            }
        }
    }
    record
}

pub(crate) fn compared() -> String {
    compare(&common::quick(), &changed()).html()
}

#[test]
fn a_comparison_is_a_whole_page_with_every_figure_under_its_anchor() {
    let text = compared();
    let html = Html::parse_document(&text);
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    let ids: Vec<&str> = all(&html, "[id]").iter().filter_map(|e| e.attr("id")).collect();
    let unique: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
    for id in ["conditions", "largest", "figures", "alone", "reading"] {
        assert_eq!(all(&html, &format!("main > section#{id}")).len(), 1, "{id}");
        assert_eq!(all(&html, &format!("nav.toc a[href='#{id}']")).len(), 1, "{id}");
    }
    let conditions = rows(&html, "#table-conditions tbody tr");
    assert_eq!(conditions, [["compiler", "rustc 0.0", "rustc 9.9", "every figure of a Rust program"]]);
    // Of `ultra` in chat the growth has most of itself added, then the allocations.
    let first = rows(&html, "#figures-1-differ tbody tr");
    let told: Vec<&String> = first.iter().filter_map(|row| row.last()).collect();
    assert!(told.iter().any(|told| *told == "B takes 1 more than A (+3 %)"), "{first:?}");
    assert!(told.iter().any(|told| *told == "B takes 64.0 KiB more than A (+16 %)"), "{first:?}");
    assert_eq!(all(&html, "#figures-1-differ tbody tr#figures-1-differ-1").len(), 1);
    let alone: String = all(&html, "#alone").iter().flat_map(|e| e.text()).collect();
    assert!(alone.contains("optimized/chat/rss/") && alone.contains("Only in B: none."), "{alone}");
    assert_eq!(all(&html, "#largest-chart svg").len(), 1);
    assert!(all(&html, "link, img, iframe, object, embed, form").is_empty());
}

#[test]
fn hostile_records_are_inert_side_by_side() {
    let mut other = common::hostile();
    for sample in &mut other.samples {
        sample.checkpoints.iter_mut().for_each(|point| common::grow(point, 1 << 20));
    }
    other.environment.kernel = "<script>alert(2)</script>".into();
    let compared = compare(&common::hostile(), &other);
    let text = compared.html();
    let html = Html::parse_document(&text);
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    assert_eq!(all(&html, "script").len(), 1, "a script came in");
    let markdown = compared.markdown();
    for forbidden in [
        "<script>alert",
        "<img",
        "onerror=alert(1)>",
        "\u{202e}",
        "\u{2066}",
        "\u{1b}",
        "/home/user",
        "canary-password",
    ] {
        assert!(!text.contains(forbidden), "{forbidden:?} came through");
        assert!(!markdown.contains(forbidden), "{forbidden:?} came through the Markdown");
    }
}

#[test]
fn a_record_beside_itself_has_no_difference_and_the_same_bytes_each_time() {
    let record = common::quick();
    let compared = compare(&record, &record);
    let html = Html::parse_document(&compared.html());
    assert!(all(&html, "svg").is_empty() && all(&html, ".tag.bad, .tag.ok").is_empty());
    let said: String = all(&html, "#conditions, #largest").iter().flat_map(|e| e.text()).collect();
    assert!(said.contains("Nothing: machine, build") && said.contains("None: no figure"), "{said}");
    assert_eq!(compared.html(), compare(&record, &record).html());
}
