//! The report that people open: one HTML file that needs nothing else.
//!
//! No network, and no script but one that sorts, filters, copies and zooms; light, dark and print by CSS variables. Every chart is SVG made here, with a title, a description and its data as a
//! table beside it. What comes from a record is cleaned first (`clean.rs`) and escaped by maud; the embedded JSON is escaped by [`embed`].
//!
//! - `page` parts, in reading order: `lead`, `advice`, `profile`, `model`, `beside`, `peers`, `benches`, `ladder`, `techniques`, `allocators`, `accounts`, `places`, `heap`, `sites`, `ledger`, `method`.
//! - `chart` frames a chart; `bars`, `curve`, `differences`, `flame`, `flame_diff`, `lines`, `stack` draw one; `table` lays out figures.

mod accounts;
mod advice;
mod allocators;
mod bars;
pub(crate) mod benches;
mod beside;
mod chart;
mod curve;
mod differences;
mod flame;
mod flame_diff;
mod heap;
mod ladder;
mod lead;
mod ledger;
mod lines;
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

use crate::record::Record;
use crate::source_url::SourceUrl;
use crate::summary;
use crate::view::View;

const STYLE: &str = include_str!("style.css");
/// Sorts, filters, copies and zooms what is there; nothing needs it.
const SCRIPT: &str = include_str!("script.js");
/// Nothing may be fetched and nothing run but that script, whatever a record holds: a second lock behind the escaping. Where the digest is not the
/// script's, the browser refuses it and says which it would be.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-Rfk+rvIBvdDMi1ve+1Q+3wk/wDFaWAjF4uNksSGU3eA='; base-uri 'none'; form-action 'none'";

/// The record as one HTML page. `source` is where the project's own code can be read, for links to its lines.
#[must_use]
pub fn render(record: &Record, source: Option<&SourceUrl>) -> String {
    let view = View::linked(record, source);
    let told = summary::of(&view);
    let parts = sections(&view, &told);
    let title = format!("Plimsoll · {} · {}", view.record.plan.suite, view.record.started.strftime("%Y-%m-%d"));
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
                a.skip href="#summary" { "Skip to the report" }
                div.page {
                    (lead::header(&view, &told))
                    (contents(&view, &parts))
                    main {
                        @for part in &parts {
                            section id=(part.id) aria-labelledby={ (part.id) "-title" } {
                                h2 id={ (part.id) "-title" } { a href={ "#" (part.id) } { (part.title) } }
                                (part.body)
                            }
                        }
                    }
                    (method::footer(&view))
                }
                script type="application/json" id="plimsoll-figures" { (PreEscaped(embed(&crate::json::compact(&view)))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    text
}

/// A section of the page.
struct Part {
    id: &'static str,
    title: &'static str,
    body: Markup,
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
        part("live", "Mock against live", advice::live(view)),
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
    html! {
        nav.toc aria-label="Contents" {
            h2 { "Contents" }
            ol {
                @for part in parts {
                    li {
                        a href={ "#" (part.id) } { (part.title) }
                        @if part.id == "profile" {
                            ol { @for (at, scenario) in view.scenarios.iter().enumerate() {
                                li { a href={ "#" (scenario_id(at)) } { (scenario.info.id) } }
                            } }
                        }
                    }
                }
            }
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
