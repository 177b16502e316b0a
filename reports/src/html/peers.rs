//! Other people's clients beside the levels.

use maud::{Markup, html};

use super::{bars, colour, not_measured};
use crate::derive::Measured;
use crate::units::ratio;
use crate::view::peers::{BASE, FIGURES, Peers, SINCE_RUNTIME, figure, text};
use crate::view::{Row, View};

/// Bars and a table for each scenario in which somebody else's client was measured.
pub(super) fn section(view: &View) -> Markup {
    let all = view.peers();
    if all.is_empty() {
        return not_measured("no client of somebody else's; `make peers` gets and measures them.");
    }
    html! {
        p { "Clients that people use, each a program of its own, asked the same and held to the same answers. Interpreters bring their memory along before the first statement: growth leaves it out, resident memory in all has it. What they import afterwards is in the growth, and not in what came since " code { "runtime" } ". Counts are those of the C library’s " code { "malloc" } ": all of a Rust or a Python program’s, but not the heap that Node’s engine maps for itself. None of this is judged: what changes here is not ours." }
        @for (at, peers) in all.iter().enumerate() { (one(view, peers, at)) }
    }
}

fn one(view: &View, peers: &Peers<'_>, at: usize) -> Markup {
    let id = format!("peers-{}", at + 1);
    let title = format!("Peers, {}", peers.scenario.info.id);
    let rows: Vec<&Row> = peers.lines.iter().map(|line| line.row).collect();
    let chart = bars::of(
        view,
        bars::Spec {
            rows: &rows,
            id: format!("{id}-chart"),
            title: format!("Resident memory, {}", peers.scenario.info.id),
            about: "At steady@20 in all solid, what of it came since start pale.",
            probe: "rss",
            series: &[("in all", figure(2)), ("growth", figure(0))],
        },
    );
    html! {
        h3 { (peers.scenario.info.id) }
        @if !peers.common.is_empty() { p.caption { span.soft { (peers.common) } } }
        div.scroll id=(id) tabindex="0" role="region" aria-label=(title) {
            table.wide {
                thead { tr {
                    th scope="col" { "subject" }
                    th scope="col" title="as its greeting names it" { "version" }
                    @for (heading, _, meaning) in FIGURES { th.num scope="col" title=(meaning) { (heading) } }
                    th.num scope="col" title=(SINCE_RUNTIME) { "since runtime" }
                    th.num scope="col" title="its p50 over that of the base under the same runtime; over that on worker threads where it has no choice" { "× " (BASE) }
                } }
                tbody { @for line in &peers.lines { tr {
                    th scope="row" { span class={ "sw " (colour(line.row.place)) } {} (line.name) }
                    td { (line.version.as_deref().unwrap_or("—")) }
                    @for (at, measured) in line.figures.iter().enumerate() { (entry(at, measured.as_ref())) }
                    td.num { (line.since_runtime.map_or_else(|| "—".to_owned(), |growth| growth.to_string())) }
                    td.num { (line.over_base.map_or_else(|| "—".to_owned(), ratio)) }
                } } }
            }
        }
        @if let Some(chart) = chart { (chart.frame(true)) }
    }
}

fn entry(at: usize, measured: Option<&Measured>) -> Markup {
    match measured {
        None => html! { td.num { span.soft title="not measured" { "—" } } },
        Some(m) => html! {
            td.num title={ (m.min()) " to " (m.max()) ", " (m.stats.samples) " samples" } {
                (text(at, m)) @if m.is_exact() { span.exact { " =" } }
            }
        },
    }
}
