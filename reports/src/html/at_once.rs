//! Time per request against requests at once, beside the memory that they take.

use maud::{Markup, html};

use super::lead::plain;
use super::{colour, lines, not_measured};
use crate::derive::Measured;
use crate::view::View;
use crate::view::at_once::{AtOnce, Crowd};

/// A table of p50 and p99, and a chart of p50.
pub(super) fn section(view: &View) -> Markup {
    html! {
        h3 id="at-once" { a href="#at-once" { "Time by requests at once" } }
        @match view.at_once() {
            Some(all) if !all.lines.is_empty() => (table(&all)),
            _ => (not_measured("more than one number of requests at once; `plimsoll run --suite inflight` makes 100 and 1,000.")),
        }
    }
}

fn table(all: &AtOnce<'_>) -> Markup {
    html! {
        p.note { "The same answers as in " code { "chat" } ", so many at once: medians over the processes of their p50 and p99. Of a crowd nothing is warm: the handshakes of its connections are in its times." }
        @if !all.common.is_empty() { p.caption { span.soft { (all.common) } } }
        div.scroll id="table-at-once" tabindex="0" role="region" aria-label="Time by requests at once" {
            table.wide {
                thead { tr {
                    th scope="col" { "subject" }
                    @for (count, scenario) in &all.counts {
                        @for percentile in ["p50", "p99"] { th.num scope="col" title=(scenario.unwrap_or("not measured")) { (percentile) ", " (plain(*count)) " at once" } }
                    }
                } }
                tbody { @for line in &all.lines { tr {
                    th scope="row" { span class={ "sw " (colour(line.row.place)) } {} (line.name) }
                    @for ((_, scenario), times) in all.counts.iter().zip(&line.times) {
                        @match times {
                            Some(times) => { @for time in times { (entry(time)) } },
                            None => { @for _ in 0..2 { td.num { span.soft title="not measured" { @if scenario.is_none() { "not measured" } @else { "—" } } } } },
                        }
                    }
                } } }
            }
        }
        @if let Some(chart) = chart(all) { (chart.frame(true)) }
    }
}

fn entry(time: &Measured) -> Markup {
    html! {
        td.num title={ (time.min()) " to " (time.max()) ", " (time.stats.samples) " samples" } { (time.median()) }
    }
}

fn chart(all: &AtOnce<'_>) -> Option<super::chart::Chart> {
    let measured: Vec<usize> = (0..all.counts.len()).filter(|at| all.counts[*at].1.is_some()).collect();
    let names: Vec<String> = measured.iter().map(|at| plain(all.counts[*at].0)).collect();
    let line = |(at, crowd): (usize, &Crowd<'_>)| lines::Line {
        name: crowd.name.clone(),
        place: crowd.row.place,
        dashed: all.lines[..at].iter().any(|other| other.row.subject == crowd.row.subject),
        drawn: true,
        points: measured.iter().map(|at| crowd.times[*at].map(|[p50, _]| p50)).collect(),
    };
    let drawn: Vec<lines::Line> = all.lines.iter().enumerate().map(line).collect();
    let range = lines::range(drawn.iter());
    lines::chart(
        "at-once-chart".to_owned(),
        "Median time per request by requests at once".to_owned(),
        "p50, medians over the processes; the axis names how many requests are made at once, each number as far from the next as any other.".to_owned(),
        &names,
        &drawn,
        range,
    )
}
