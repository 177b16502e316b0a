//! What is read first: the header with the verdict, the facts of the run, the levels.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{advice, colour, profile, prose};
use crate::record::Status;
use crate::summary::{self, Summary};
use crate::units::Count;
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
            (verdict(&told.verdict))
        }
    }
}

/// The verdict, its conditions in small letters below it.
fn verdict(told: &str) -> Markup {
    let parts = told.split_once(" (").and_then(|(head, rest)| Some((head, rest.split_once(").")?)));
    html! {
        @match parts {
            Some((head, (conditions, rest))) => {
                p.verdict { (prose(head)) "." @if !rest.is_empty() { (prose(rest)) } span.conditions { (conditions) } }
            },
            None => p.verdict { (prose(told)) },
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
    let commit: String = record.tool.git.as_deref().unwrap_or("not a git checkout").chars().take(12).collect();
    // What figures of the live service are worth stands first, and in no fold.
    let live = usize::from(summary::is_live(&e.target)).min(told.besides.len());
    let (advisory, others) = told.besides.split_at(live);
    html! {
        @for line in advisory { p { (prose(line)) } }
        (advice::brief(view, told))
        @if record.finished.is_none() { p.note { "This run is not finished: samples are missing." } }
        (headline(view, told))
        @if !others.is_empty() {
            details {
                summary { "The same under other factors" }
                @for line in others { p { (prose(line)) } }
            }
        }
        dl.facts {
            div { dt { "Samples that count" } dd { (plain(told.ok)) " of " (plain(told.planned.max(told.ok))) } }
            div { dt { "Failed" } dd { (told.failed) } }
            div { dt { "Unavailable here" } dd { (told.unavailable) } }
            div { dt { "Subjects" } dd { (record.plan.subjects.len()) } }
            div { dt { "Cells" } dd { (view.cells.len()) } }
            div { dt { "Profile" } dd { (e.profile) } }
            div { dt { "Commit" } dd { (commit) @if record.tool.dirty { " with changes" } } }
        }
    }
}

fn headline(view: &View, told: &Summary) -> Markup {
    let scenario = told.headline.as_ref().and_then(|headline| view.scenario(&headline.scenario));
    html! { @if let Some(scenario) = scenario { (profile::growth(view, scenario, "figure-headline")) } }
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

/// A number with its thousands apart.
pub(super) fn plain(count: u64) -> String {
    Count(i64::try_from(count).unwrap_or(i64::MAX)).to_string()
}

/// What became of the samples of a subject under a probe.
#[derive(Default)]
struct Tally {
    ok: u32,
    failed: u32,
    unavailable: u32,
    planned: u32,
}
