//! What is read first: the header with the verdict, the facts of the run, the levels.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{bars, colour, prose};
use crate::derive::Figure;
use crate::record::Status;
use crate::summary::Summary;
use crate::view::View;

/// Title, date, target, verdict.
pub(super) fn header(view: &View, told: &Summary) -> Markup {
    let record = &view.record;
    html! {
        header.top {
            div.brand { span.mark aria-hidden="true" {} "Plimsoll" }
            h1 { "How much memory each provider level takes" }
            p.soft {
                "Measured " time datetime=(record.started) { (record.started.strftime("%-d %B %Y, %H:%M UTC")) }
                " against " (target(&record.environment.target)) ", suite " code { (record.plan.suite) } ", run " code { (record.id) } "."
            }
            p.verdict { (prose(&told.verdict)) }
        }
    }
}

fn target(target: &str) -> Markup {
    match target {
        "mock" => html! { "the mock" },
        "live" => html! { "the live service" },
        url => html! { code { (url) } },
    }
}

/// The facts of the run, and the figure that the verdict speaks of.
pub(super) fn summary(view: &View, told: &Summary) -> Markup {
    let (record, e) = (&view.record, &view.record.environment);
    let names = record.plan.scenarios.iter().map(|s| s.id.as_str()).collect::<Vec<_>>().join(", ");
    html! {
        @for line in &told.besides { p { (prose(line)) } }
        dl.facts {
            div { dt { "Samples that count" } dd { (told.ok) " of " (told.planned.max(told.ok)) } }
            div { dt { "Failed" } dd { (told.failed) } }
            div { dt { "Unavailable here" } dd { (told.unavailable) } }
            div { dt { "Subjects" } dd { (record.plan.subjects.len()) } }
            div { dt { "Scenarios" } dd { (names) } }
            div { dt { "Trusted roots" } dd { (e.trust.roots) } }
            div { dt { "Profile" } dd { (e.profile) } }
            div { dt { "Commit" } dd { (record.tool.git.as_deref().unwrap_or("not a git checkout")) @if record.tool.dirty { " with changes" } } }
        }
        @if record.finished.is_none() { p.note { "This run is not finished: samples are missing." } }
        (headline(view, told))
    }
}

fn headline(view: &View, told: &Summary) -> Markup {
    let Some(scenario) = told.headline.as_ref().and_then(|headline| view.scenario(&headline.scenario)) else {
        return html! {};
    };
    let chart = bars::of(
        view,
        scenario,
        bars::Spec {
            id: "figure-headline".to_owned(),
            title: format!("Growth over 20 requests, {}", scenario.info.id),
            about: "From start to steady@20, medians; whiskers reach from the smallest to the largest sample. Anonymous memory is what \
                    the code asked for; resident memory adds file pages touched.",
            probe: "rss",
            series: &[("anonymous", Figure::growth("proc.anon")), ("resident (RSS)", Figure::growth("proc.rss"))],
        },
    );
    html! { @if let Some(chart) = chart { (chart.frame(true)) } }
}

/// The subjects, and how much of what was planned for them counts.
pub(super) fn levels(view: &View) -> Markup {
    let mut probes: BTreeMap<&str, BTreeMap<&str, Tally>> = BTreeMap::new();
    for cell in &view.cells {
        let tally = probes.entry(&cell.cell.subject).or_default().entry(&cell.cell.probe).or_default();
        let of = |unavailable: bool| {
            let those = cell.failures.iter().filter(|failure| (failure.status == Status::Unavailable) == unavailable);
            u32::try_from(those.count()).unwrap_or(u32::MAX)
        };
        tally.ok += cell.ok;
        tally.unavailable += of(true);
        tally.failed += of(false);
        tally.planned += cell.planned.max(cell.ok);
    }
    let empty = BTreeMap::new();
    html! {
        p { "Each was measured in processes of its own, one level per binary, through the same work, with every answer checked." }
        div.scroll id="table-levels" tabindex="0" role="region" aria-label="The subjects of this run" {
            table.wide {
                thead { tr { th scope="col" { "subject" } th scope="col" { "kind" } th scope="col" { "what it is" } th scope="col" { "samples that count, by probe" } } }
                tbody { @for (place, subject) in view.record.plan.subjects.iter().enumerate() { tr {
                    th scope="row" { span class={ "sw " (colour(place)) } {} (subject.id) }
                    td { (subject.kind) }
                    td.text { (subject.description) }
                    td { ul.lines { @for (probe, tally) in probes.get(subject.id.as_str()).unwrap_or(&empty) { li {
                        code { (probe) } " " (tally.ok) " of " (tally.planned)
                        @if tally.failed > 0 { " " span.tag.bad { (tally.failed) " failed" } }
                        @if tally.unavailable > 0 { " " span.tag { (tally.unavailable) " unavailable" } }
                    } } } }
                } } }
            }
        }
    }
}

/// What became of the samples of a subject under a probe.
#[derive(Default)]
struct Tally {
    ok: u32,
    failed: u32,
    unavailable: u32,
    planned: u32,
}
