//! Why 8 MB was thought hard: the old report's five components, and the ladder that measures them.

use maud::{Markup, html};

use super::differences::{self, Bar};
use super::ledger::class;
use super::{not_measured, prose};
use crate::claims::{self, COMPONENTS};
use crate::components::{self, Components};
use crate::ladder::{self, Height, Ladder, Rung, Step};
use crate::units::{Bytes, Count};
use crate::view::View;

/// The claims, each with its figure and verdict; then the ladder of each runtime.
pub(super) fn section(view: &View) -> Markup {
    let ladders = ladder::ladders(view);
    html! {
        p { "The old report gave five components as the reason why less than 8 MB could hardly be reached. The ladder answers: programs that each have one component more than the one below, built as the levels are, through the same requests. What a component takes is the difference of two programs in one round, so pages of the program file that it adds are in it." }
        @let components = components::of(&view.record);
        (claims(view, components.as_ref()))
        @match &components {
            Some(components) => (attributed(components)),
            None => (not_measured("no call sites of `original` in `chat`; `plimsoll run --suite ladder` reads them.")),
        }
        @if ladders.is_empty() { (not_measured("no rung of the ladder counts; `plimsoll run --suite ladder` measures it.")) }
        @for (at, ladder) in ladders.iter().enumerate() { (one(view, ladder, at + 1)) }
    }
}

fn claims(view: &View, components: Option<&Components<'_>>) -> Markup {
    let rows: Vec<_> = claims::ledger(view).into_iter().filter(|row| COMPONENTS.contains(&row.id)).collect();
    html! {
        div.scroll id="table-components" tabindex="0" role="region" aria-label="The five components" {
            table.wide {
                thead { tr { th scope="col" { "claim" } th scope="col" { "measured, with its 95 % interval" } th scope="col" title="what the component’s own crates asked for, by call site" { "in original, by call site" } th scope="col" { "verdict" } } }
                tbody { @for row in &rows { tr {
                    th scope="row" { a href={ "#claim-" (row.id) } { (row.claim) } }
                    td.figures {
                        @if row.measured.is_empty() { span.soft { "not measured" } }
                        ul.lines { @for line in &row.measured { li { (line) } } }
                    }
                    td.figures { @match components.and_then(|components| components.of(row.id)) { Some(asked) => (asked.told()), None => span.soft { "not measured" } } }
                    td { span class={ "tag " (class(row.verdict)) } { (row.verdict.label()) } }
                } } }
            }
        }
    }
}

/// The whole of it, so that the parts add up.
fn attributed(components: &Components<'_>) -> Markup {
    let runtime = components.cell.factors.get("runtime").map_or("", String::as_str);
    html! {
        h3 id="components-attributed" { a href="#components-attributed" { "The same by attribution" } }
        p.note { (components::ABOUT) " Here: original, chat, " (runtime) ", when " (components.requests) " requests are answered." }
        div.scroll id="table-components-attributed" tabindex="0" role="region" aria-label="Components by attribution" {
            table.wide {
                thead { tr { th scope="col" { "who asked" } th.num scope="col" { "live" } th.num scope="col" { "asked for" } th.num scope="col" { "blocks" } th scope="col" { "by crate, live of asked for" } } }
                tbody { @for part in &components.parts { tr {
                    th scope="row" { (part.asker.name()) }
                    td.num { (part.live.map_or_else(|| "—".to_owned(), |live| Bytes(live).to_string())) }
                    td.num { (Bytes(part.total.bytes)) }
                    td.num { (Count(part.total.blocks)) }
                    td.text { (part.by_crate()) }
                } } }
            }
        }
    }
}

fn one(view: &View, ladder: &Ladder<'_>, number: usize) -> Markup {
    let id = format!("ladder-{number}");
    let runtime = if ladder.runtime.is_empty() { "one runtime" } else { ladder.runtime };
    let charts = [(Height::Rss, "Resident memory"), (Height::Anon, "Anonymous memory")];
    html! {
        h3 id=(id) { a href={ "#" (id) } { "The ladder on " (runtime) } }
        p.note { (prose("Rungs that ask are read at steady@20 (allocations: at `first`), those that ask nothing when they are made. Below each figure is what it has beyond the rung below, with the 95 % interval over rounds.")) }
        div.scroll id={ "table-" (id) } tabindex="0" role="region" aria-label={ "The component ladder on " (runtime) } {
            table.wide {
                thead { tr {
                    th scope="col" { "rung" }
                    th scope="col" { "beyond" }
                    @for height in Height::ALL { th.num scope="col" title=(height.meaning()) { (height.heading()) } }
                } }
                tbody { @for rung in &ladder.rungs { tr {
                    th scope="row" { (name(rung)) span.d { (rung.info.description) } }
                    td { (rung.info.below.as_deref().unwrap_or("—")) }
                    @for step in &rung.steps { (cell(step)) }
                } } }
            }
        }
        div.charts {
            @for (height, title) in charts {
                @if let Some(chart) = chart(view, ladder, &format!("{id}-{}", height.heading().to_lowercase()), height, title) { (chart.frame(false)) }
            }
        }
    }
}

fn name(rung: &Rung<'_>) -> String {
    if rung.asks { format!("{} · {}", rung.info.id, rung.scenario) } else { rung.info.id.clone() }
}

fn cell(step: &Step) -> Markup {
    let Some(height) = &step.height else { return html! { td.num { span.soft title="not measured" { "—" } } } };
    let title = format!("{} to {}, {} samples", height.min(), height.max(), height.stats.samples);
    html! {
        td.num title=(title) {
            span.v { (height.median()) @if height.is_exact() { span.exact { " =" } } }
            @if let Some(beyond) = &step.beyond {
                span.d { (beyond.difference().signed()) }
                span.d { "(" (beyond.range()) ")" }
            }
        }
    }
}

fn chart(view: &View, ladder: &Ladder<'_>, id: &str, height: Height, title: &str) -> Option<super::chart::Chart> {
    let place =
        |rung: &Rung<'_>| view.record.plan.subjects.iter().position(|info| info.id == rung.info.id).unwrap_or(0);
    let bar = |rung: &Rung<'_>| {
        let below = rung.info.below.as_deref()?;
        let contrast = rung.step(height).beyond?;
        Some(Bar { name: name(rung), place: place(rung), contrast, told: format!("beyond {below}") })
    };
    let bars: Vec<Bar> = ladder.rungs.iter().filter_map(bar).collect();
    let about =
        format!("What each rung has beyond the one below it, {}; whiskers are 95 % intervals.", height.meaning());
    differences::chart(id.to_owned(), format!("{title} by component, {}", ladder.runtime), about, &bars)
}
