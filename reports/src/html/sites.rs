//! Call sites: which code asked for memory.

use maud::{Markup, html};

use super::chart::Chart;
use super::{flame, flame_diff, not_measured};
use crate::attribution::{self, Asked, Attribution, Part, Sum};
use crate::function_name;
use crate::record::{Cell, Frame, Status};
use crate::roots::Root;
use crate::units::{Quantity, Unit, percent, whole};
use crate::view::{Labels, View};

/// Sites that are listed one by one; where nothing is drawn, fewer.
const LISTED: [usize; 2] = [12, 8];
/// Parts of a table by root or crate, likewise.
const PARTS: [usize; 2] = [10, 6];

/// All attributions of the record, by scenario.
pub(super) fn section(view: &View) -> Markup {
    let all = told(attribution::of(&view.record));
    let unattributed: Vec<&str> = view
        .record
        .samples
        .iter()
        .filter(|sample| sample.status == Status::Ok)
        .filter_map(|sample| sample.unattributed.as_deref())
        .collect();
    if all.is_empty() && unattributed.is_empty() {
        return not_measured("no sample under the probe `dhat` has call sites.");
    }
    let names: Vec<_> = all.iter().map(|a| (a.cell.subject.as_str(), &a.cell.factors)).collect();
    let labels = Labels::of(&names);
    html! {
        p {
            "Which code asked for the bytes that " code { "count" } " counted. A site belongs to the first function of the project’s own on its stack, from the one that asked outwards; "
            "what has none there goes to a named root, and what no root is known for is " em { "other" } ". C is what was counted beyond Rust’s own. "
            "Figures per request are differences of two processes that ended after 64 and 128 requests. Stacks with every frame lie beside the record, under " code { "profiles/" } "."
        }
        @for why in unattributed { p.note { "Without call sites: " (why) } }
        @if let Some(chart) = beside_base(view, &all, &labels.names) { (chart.frame(true)) }
        @for (at, attribution) in all.iter().enumerate() {
            // Of one subject one picture, of its first scenario: requests where they are told apart, else the whole life.
            @let first = all.iter().find(|other| other.cell.subject == attribution.cell.subject && !other.whole);
            @let first = first.or_else(|| all.iter().find(|other| other.cell.subject == attribution.cell.subject));
            @let drawn = first.is_some_and(|first| std::ptr::eq(first, attribution));
            (one(view, attribution, drawn, &labels.names[at], &format!("sites-{}", at + 1)))
        }
    }
}

/// The attributions that are shown: a whole life only where requests cannot be told apart in it. The rest is in the profiles.
fn told<'a>(all: Vec<Attribution<'a>>) -> Vec<Attribution<'a>> {
    let by_request: Vec<&'a Cell> = all.iter().filter(|one| !one.whole).map(|one| one.cell).collect();
    all.into_iter().filter(|one| !one.whole || !by_request.contains(&one.cell)).collect()
}

/// The level that others are held against, where it has call sites.
const BASE: &str = "original";

/// What the level that asks for least asks for beside the base, in the base's first scenario that is told by request.
fn beside_base(view: &View, all: &[Attribution<'_>], names: &[String]) -> Option<Chart> {
    let by_request = || all.iter().zip(names).filter(|(attribution, _)| !attribution.whole);
    let (base, base_name) = by_request().find(|(attribution, _)| attribution.cell.subject == BASE)?;
    let asked = |attribution: &Attribution<'_>| attribution.sites.iter().map(|site| site.asked.bytes).sum::<i64>();
    // What is done by other processes is asked for there.
    let own_work = |subject: &str| {
        let rows = view.scenarios.iter().flat_map(|scenario| &scenario.rows);
        !rows.filter(|row| row.subject == subject).any(|row| view.shares_work(row))
    };
    let same = |other: &Attribution<'_>| {
        other.cell.scenario == base.cell.scenario
            && other.cell.subject != base.cell.subject
            && own_work(&other.cell.subject)
            && asked(other) > 0
    };
    let (other, name) = by_request().filter(|(other, _)| same(other)).min_by_key(|(other, _)| asked(other))?;
    let title = format!("{name} beside {base_name}, {}, per request", base.cell.scenario);
    flame_diff::chart((base_name, base), (name, other), "sites-beside".to_owned(), title)
}

fn one(view: &View, attribution: &Attribution<'_>, drawn: bool, name: &str, id: &str) -> Markup {
    let scenario = &attribution.cell.scenario;
    let what = if attribution.whole { "whole life" } else { "per request" };
    let title = format!("{name}, {scenario}, {what}");
    let figure = drawn.then(|| {
        flame::chart(
            attribution,
            format!("{id}-flame"),
            format!("What asked for memory: {title}"),
            "Callers stand above what they call; the width is the share of the bytes that Rust asked for. What is called within one crate is one box.".to_owned(),
        )
    });
    let fold = usize::from(!drawn);
    let tables = html! {
        // Where nothing is drawn, the sites say the root.
        @if drawn { (parts(attribution, &attribution.by_root(), PARTS[fold], ["root", &format!("{id}-roots"), &format!("By root: {title}")])) }
        (parts(attribution, &attribution.by_crate(), PARTS[fold], ["crate that asked", &format!("{id}-crates"), &format!("By crate: {title}")]))
        (sites(view, attribution, drawn, &format!("{id}-sites"), &format!("By site: {title}")))
    };
    html! {
        @if drawn {
            h3 id=(id) { a href={ "#" (id) } { (title) } }
            p.note { (asked_in_all(attribution)) }
            @if let Some(figure) = figure.flatten() { (figure.frame(true)) }
            details { summary { "By root, by crate, by site: " (title) } (tables) }
        } @else {
            details id=(id) { summary { (title) } p.note { (asked_in_all(attribution)) } (tables) }
        }
    }
}

/// What was asked for, and how much of it has a root.
fn asked_in_all(attribution: &Attribution<'_>) -> String {
    let figure =
        |sum: Sum| format!("{} B in {} blocks", amount(attribution, sum.bytes), amount(attribution, sum.blocks));
    let counted = match attribution.counted {
        Some(counted) => format!("{} counted, of them {} by Rust", figure(counted), figure(attribution.rust)),
        None => format!("{} by Rust; C was not counted under this cell", figure(attribution.rust)),
    };
    let coverage =
        attribution.coverage().map_or_else(String::new, |share| format!("; {} under a named root", percent(share)));
    format!("{counted}{coverage}.")
}

fn parts(attribution: &Attribution<'_>, all: &[Part], listed: usize, [head, id, about]: [&str; 3]) -> Markup {
    let rest = all.iter().skip(listed).fold(Sum::default(), |sum, part| Sum {
        bytes: sum.bytes + part.asked.bytes,
        blocks: sum.blocks + part.asked.blocks,
    });
    html! {
        div.scroll id=(id) tabindex="0" role="region" aria-label=(about) {
            table.wide {
                thead { tr { th scope="col" { (head) } th.num scope="col" { "bytes" } th.num scope="col" { "blocks" } th.num scope="col" { "share" } } }
                tbody {
                    @for part in all.iter().take(listed) { tr {
                        @let (whole, short) = (function_name::cut(&part.name), function_name::short_of_root(&part.name));
                        th scope="row" title=[(whole != short).then_some(whole)] { (short) }
                        (figures(attribution, part.asked))
                    } }
                    @if all.len() > listed { tr { th scope="row" { (all.len() - listed) " more" } (figures(attribution, rest)) } }
                }
            }
        }
    }
}

/// `drawn` is whether a picture stands above: then more are listed, with whole names behind the short ones.
fn sites(view: &View, attribution: &Attribution<'_>, drawn: bool, id: &str, about: &str) -> Markup {
    let listed = LISTED[usize::from(!drawn)];
    let shown = attribution.sites.iter().take(listed);
    let rest = attribution.sites.iter().skip(listed).fold(Sum::default(), |sum, site| Sum {
        bytes: sum.bytes + site.asked.bytes,
        blocks: sum.blocks + site.asked.blocks,
    });
    html! {
        div.scroll id=(id) tabindex="0" role="region" aria-label=(about) {
            table.wide {
                thead { tr { th scope="col" { "asked by" } th scope="col" { "for" } th.num scope="col" { "bytes" } th.num scope="col" { "blocks" } th.num scope="col" { "share" } } }
                tbody {
                    @for site in shown { tr {
                        th scope="row" { (asker(view, site, drawn)) }
                        td.text { (root(view, site, drawn)) }
                        (figures(attribution, site.asked))
                    } }
                    @if attribution.sites.len() > listed { tr {
                        th scope="row" { (attribution.sites.len() - listed) " more sites" } td {} (figures(attribution, rest))
                    } }
                }
            }
        }
    }
}

fn figures(attribution: &Attribution<'_>, sum: Sum) -> Markup {
    html! {
        td.num { (amount(attribution, sum.bytes)) }
        td.num { (amount(attribution, sum.blocks)) }
        td.num { (attribution.share(sum.bytes).map_or_else(|| "—".to_owned(), percent)) }
    }
}

/// A figure per request: whole where it is whole.
pub(crate) fn amount(attribution: &Attribution<'_>, value: i64) -> String {
    let requests = whole(i64::try_from(attribution.requests).unwrap_or(1)).max(1.0);
    Quantity::new(whole(value) / requests, Unit::Count).map_or_else(String::new, Quantity::in_full)
}

fn asker(view: &View, site: &Asked<'_>, named: bool) -> Markup {
    let Some(frame) = site.asker() else { return html! { "several" } };
    html! {
        span.v title=[named.then(|| function_name::cut(&frame.function))] { (function_name::short(&frame.function)) @if site.rest { ", several sites" } }
        span.d { (place(view, frame)) }
    }
}

fn root(view: &View, site: &Asked<'_>, named: bool) -> Markup {
    match site.root {
        Root::Own(frame) => html! {
            span.v title=[named.then(|| function_name::cut(&frame.function))] { (function_name::short(&frame.function)) }
            span.d { (place(view, frame)) }
        },
        root => html! { (root.name()) },
    }
}

/// Crate, file and line; a link where it is the project's own and its source can be read somewhere.
fn place(view: &View, frame: &Frame) -> Markup {
    let krate = attribution::crate_name(frame);
    let line = frame.line.map_or_else(String::new, |line| format!(":{line}"));
    let Some(file) = frame.file.as_deref() else { return html! { (krate) } };
    let place = format!("{file}{line}");
    let link = view.source.as_ref().and_then(|source| source.link(frame));
    html! {
        @if !frame.own { (krate) " " }
        @match link { Some(link) => a href=(link) rel="noopener noreferrer" { code { (place) } }, None => code { (place) } }
    }
}
