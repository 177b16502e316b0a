//! The page in a browser: nothing is fetched, nothing complains, everything can be reached and read, on a wide screen, a telephone and paper.
//!
//! - `chromium` drives the browser; `checks.js` is what the page is asked.

mod chromium;

use std::path::{Path, PathBuf};

use plimsoll_reports::record::Record;
use plimsoll_reports::{Extras, Format, render, render_with};
use serde_json::Value;

use self::chromium::{Browser, Look, start};
use crate::{common, compare};

const CHECKS: &str = include_str!("checks.js");
/// Height of A4 within the margins that the page's style sets, CSS pixels.
const PAGE: u32 = 1_016;

/// Records of all that a page can hold.
pub(crate) fn records() -> Vec<(&'static str, Record)> {
    let mut quick = common::quick();
    common::sites::put(&mut quick, None);
    vec![
        ("quick", quick),
        ("peers", common::peers()),
        ("ledger", common::ledger(4_096, "libc.so.6")),
        ("hostile", common::hostile()),
        ("empty", common::Builder::new().build()),
    ]
}

pub(crate) fn page(record: &Record) -> String {
    String::from_utf8(render(record, Format::Html)).unwrap()
}

/// The pages of those records, and what else is a page: two records side by side, and a report with the live service beside the mock.
fn pages() -> Vec<(&'static str, String)> {
    let mut pages: Vec<(&str, String)> = records().iter().map(|(name, record)| (*name, page(record))).collect();
    let (mock, mut live) = (common::quick(), compare::changed());
    live.environment.target = "live".into();
    let extras = Extras { beside: Some(&live), ..Extras::default() };
    pages.push(("live beside mock", String::from_utf8(render_with(&mock, Format::Html, extras)).unwrap()));
    pages.push(("compared", compare::compared()));
    pages.push(("hostile, compared", plimsoll_reports::compare::compare(&common::hostile(), &common::peers()).html()));
    pages
}

/// What the page answers to one of the questions.
fn ask(browser: &mut Browser, question: &str) -> Value {
    browser.evaluate(&format!("({CHECKS}).{question}"))
}

fn hold(browser: &mut Browser, name: &str, question: &str) {
    let wrong = ask(browser, question);
    let wrong: Vec<&str> = wrong.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(wrong.is_empty(), "{name}, {question}: {}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn nothing_is_fetched_nothing_complains_and_every_section_and_chart_is_whole() {
    let Some(mut browser) = start() else { return };
    for (name, page) in pages() {
        browser.open(&page, Look::WIDE);
        hold(&mut browser, name, "sections()");
        hold(&mut browser, name, "charts()");
        assert_eq!(browser.evaluate("window.hacked"), Value::Null, "{name}: a script of the record ran");
        assert_eq!(browser.complaints(), Vec::<String>::new(), "{name}");
        assert_eq!(browser.requests().len(), 1, "{name}: {:?}", browser.requests());
    }
}

#[test]
fn it_fits_a_wide_screen_a_telephone_and_paper() {
    let Some(mut browser) = start() else { return };
    for (name, page) in pages() {
        browser.open(&page, Look::WIDE);
        for (width, look) in [("wide", Look::WIDE), ("narrow", Look::NARROW), ("paper", Look::PAPER)] {
            browser.look(look);
            hold(&mut browser, &format!("{name}, {width}, folded"), "layout()");
            ask(&mut browser, "unfold()");
            hold(&mut browser, &format!("{name}, {width}"), "layout()");
        }
        hold(&mut browser, name, &format!("paper({PAGE})"));
        let pdf = browser.pdf();
        assert!(pdf.starts_with("JVBERi0"), "{name}: not a PDF");
    }
}

#[test]
fn it_reads_the_same_without_a_script() {
    let Some(mut browser) = start() else { return };
    for (name, page) in pages().into_iter().filter(|(name, _)| ["quick", "compared"].contains(name)) {
        let mut words = |script| {
            browser.open(&page, Look { script, ..Look::WIDE });
            hold(&mut browser, name, "sections()");
            ask(&mut browser, "words()")
        };
        let (with, without) = (words(true), words(false));
        // What the script adds are buttons, which are marked as its own.
        assert_eq!(with, without, "{name}");
    }
}

#[test]
fn every_link_fold_and_table_can_be_reached_by_keys_in_the_order_of_the_page() {
    let Some(mut browser) = start() else { return };
    let (_, record) = records().swap_remove(0);
    browser.open(&page(&record), Look::WIDE);
    let all = ask(&mut browser, "reachable()").as_array().unwrap().len();
    assert!(all > 60, "{all} places");
    browser.press("Tab");
    let first = ask(&mut browser, "focused()");
    assert!(first["what"].as_str().unwrap().contains("class=\"skip\""), "{first}");
    assert_eq!(first["shown"], true, "the skip link is hidden when it has the focus");
    for at in 1..all {
        browser.press("Tab");
        let focused = ask(&mut browser, "focused()");
        assert_eq!(focused["at"].as_str(), Some(at.to_string().as_str()), "{focused}");
        assert_eq!((&focused["shown"], &focused["outlined"]), (&true.into(), &true.into()), "{focused}");
    }
    browser.evaluate("document.querySelector('summary').focus()");
    browser.press("Enter");
    assert_eq!(browser.evaluate("document.querySelector('details').open"), true, "a fold opens by a key");
    browser.evaluate("document.querySelector('.skip').focus()");
    browser.press("Enter");
    assert_eq!(browser.evaluate("location.hash"), "#summary");
}

#[test]
fn axe_finds_nothing_in_light_or_dark() {
    let Some(mut browser) = start() else { return };
    let Some(axe) = axe() else { return };
    for (name, page) in pages() {
        browser.open(&page, Look::WIDE);
        browser.evaluate(&axe);
        ask(&mut browser, "unfold()");
        for (scheme, dark) in [("light", false), ("dark", true)] {
            browser.look(Look { dark, ..Look::WIDE });
            hold(&mut browser, &format!("{name}, {scheme}"), "axe()");
        }
    }
}

/// axe-core as `scripts/test-deps` got it; `None` where it did not, which is an error in CI.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn axe() -> Option<String> {
    let path: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-deps").join("axe.min.js");
    let Ok(script) = std::fs::read_to_string(&path) else {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "CI must have {}: scripts/test-deps gets it",
            path.display()
        );
        eprintln!("skipped: {} is not there; scripts/test-deps gets it", path.display());
        return None;
    };
    Some(script)
}
