//! The report that people open: one HTML file that needs nothing else.
//!
//! No network, and no script but one that sorts, filters, copies and zooms; light, dark and print by CSS variables. Every chart is SVG made here, with a title, a description and its data as a
//! table beside it. What comes from a record is cleaned first (`clean.rs`) and escaped by maud; the embedded JSON is escaped by [`embed`].
//!
//! - `page` parts, in reading order: `lead`, `advice`, `profile`, `model`, `at_once`, `beside`, `peers`, `benches`, `ladder`, `techniques`, `allocators`, `accounts`, `places`, `heap`, `sites`, `ledger`, `method`.
//! - `compare` is a page of its own, of two records; `compared` its tables, which `live` has too.
//! - `chart` frames a chart; `bars`, `curve`, `differences`, `flame`, `flame_diff`, `lines`, `stack` draw one; `table` lays out figures.

mod accounts;
mod advice;
mod allocators;
mod at_once;
mod bars;
pub(crate) mod benches;
mod beside;
mod chart;
pub(crate) mod compare;
mod compared;
mod curve;
mod differences;
mod flame;
mod flame_diff;
mod heap;
mod ladder;
mod lead;
mod ledger;
mod lines;
mod live;
mod method;
mod model;
mod peers;
mod places;
mod profile;
pub(crate) mod sites;
mod stack;
mod table;
mod techniques;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::format::Extras;
use crate::record::Record;
use crate::summary;
use crate::view::View;

const STYLE: &str = include_str!("style.css");
/// Sorts, filters, copies and zooms what is there; nothing needs it.
const SCRIPT: &str = include_str!("script.js");
/// Nothing may be fetched and nothing run but that script, whatever a record holds: a second lock behind the escaping. Where the digest is not the
/// script's, the browser refuses it and says which it would be.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-Rfk+rvIBvdDMi1ve+1Q+3wk/wDFaWAjF4uNksSGU3eA='; base-uri 'none'; form-action 'none'";

/// The record as one HTML page.
#[must_use]
pub fn render(record: &Record, extras: Extras<'_>) -> String {
    let view = View::linked(record, extras.source).beside_record(extras.beside);
    let told = summary::of(&view);
    let parts = sections(&view, &told);
    let title = format!("Plimsoll · {} · {}", view.record.plan.suite, view.record.started.strftime("%Y-%m-%d"));
    let body = html! {
        (lead::header(&view, &told))
        (contents(&view, &parts))
        main { @for part in &parts { (part.section()) } }
        (method::footer(&view))
    };
    document(&title, "summary", body, Some(&crate::json::compact(&view)))
}

/// A whole page: `first` is the section that a skip link leads to, `data` what is embedded for programs.
fn document(title: &str, first: &str, body: Markup, data: Option<&serde_json::Value>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href={ "#" (first) } { "Skip to the report" }
                div.page { (body) }
                @if let Some(data) = data { script type="application/json" id="plimsoll-figures" { (PreEscaped(embed(data))) } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut text = thin(page.into_string());
    text.push('\n');
    text
}

/// Without what HTML lets one leave out, a fourteenth of a page of all suites: end tags of cells and rows, and the attribute that maud writes where none of an element's
/// classes applies. None of these can be in a text, whose angle brackets and quotes are escaped.
fn thin(page: String) -> String {
    ["</td>", "</th>", "</tr>", " class=\"\""].iter().fold(page, |page, needless| page.replace(needless, ""))
}

/// A section of the page.
struct Part {
    id: &'static str,
    title: &'static str,
    body: Markup,
}

impl Part {
    fn section(&self) -> Markup {
        html! {
            section id=(self.id) aria-labelledby={ (self.id) "-title" } {
                h2 id={ (self.id) "-title" } { a href={ "#" (self.id) } { (self.title) } }
                (self.body)
            }
        }
    }
}

fn sections(view: &View, told: &summary::Summary) -> Vec<Part> {
    let part = |id, title, body| Part { id, title, body };
    vec![
        part("summary", "Summary", lead::summary(view, told)),
        part("pick", "Which level fits my budget", advice::pick(view)),
        part("recommend", "Recommendations", advice::recommendations(view)),
        part("levels", "The levels", lead::levels(view)),
        part(
            "profile",
            "Measured profile",
            profile::section(view, told.headline.as_ref().map(|headline| headline.scenario.as_str())),
        ),
        part("model", "What memory depends on", model::section(view)),
        part("line", "What a given memory holds", model::line(view)),
        part("beside", "Helpers and proxies", beside::section(view)),
        part("peers", "Other people’s clients", peers::section(view)),
        part("latency", "Time per request", places::latency(view)),
        part("benches", "Benches: time beside bytes allocated", benches::section(view)),
        part("live", "Mock against live", live::section(view)),
        part("ladder", "Why 8 MB was thought hard", ladder::section(view)),
        part("techniques", "Technique ledger", techniques::section(view)),
        part("allocators", "Allocators", allocators::section(view)),
        part("where", "Where memory lives", accounts::section(view)),
        part("mappings", "Where resident memory lies", places::mappings(view)),
        part("jemalloc", "jemalloc’s view", heap::jemalloc(view)),
        part("dhat", "Rust heap by dhat", heap::dhat(view)),
        part("sites", "Call sites", sites::section(view)),
        part("claims", "The old report’s claims", ledger::claims(view)),
        part("production", "In production", advice::production(view)),
        part("conclusion", "Conclusion", advice::conclusion(view, told)),
        part("failures", "Samples that do not count", ledger::failures(view)),
        part("plan", "Plan", method::plan(view)),
        part("environment", "Environment", method::environment(view)),
        part("method", "Method", method::method()),
        part("reading", "How to read this", method::reading(view)),
        part("glossary", "Glossary", method::glossary()),
    ]
}

fn contents(view: &View, parts: &[Part]) -> Markup {
    let scenarios = html! {
        ol { @for (at, scenario) in view.scenarios.iter().enumerate() {
            li { a href={ "#" (scenario_id(at)) } { (scenario.info.id) } }
        } }
    };
    let below = |part: &Part| {
        if part.id == "profile" {
            scenarios.clone()
        } else {
            html! {}
        }
    };
    toc(parts.iter().map(|part| (part.id, part.title, below(part))))
}

/// Links to sections: anchor, title, and what stands below it.
fn toc<'a>(entries: impl Iterator<Item = (&'a str, &'a str, Markup)>) -> Markup {
    html! {
        nav.toc aria-label="Contents" {
            h2 { "Contents" }
            ol { @for (id, title, below) in entries { li { a href={ "#" (id) } { (title) } (below) } } }
        }
    }
}

/// The anchor of a scenario: by its place, because its name may hold anything.
fn scenario_id(at: usize) -> String {
    format!("scenario-{}", at + 1)
}

/// A sentence in which names stand in backticks.
fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    html! {
        @if parts.len().is_multiple_of(2) { (text) } @else {
            @for (at, part) in parts.iter().enumerate() {
                @if at % 2 == 1 { code { (part) } } @else { (part) }
            }
        }
    }
}

/// The class that gives a subject its colour; it follows the subject through all charts.
fn colour(place: usize) -> String {
    format!("s{}", place % 10)
}

/// What stands where there is nothing to show.
fn not_measured(what: &str) -> Markup {
    html! { p.soft { "Not measured in this run: " (prose(what)) } }
}

/// JSON that cannot end the element it stands in, nor open a comment, whatever strings it holds.
fn embed(value: &serde_json::Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
