//! What a reader does with the figures: which level fits a budget, what is recommended, how to run it, what came of it all.

use maud::{Markup, html};

use super::lead::plain;
use super::{colour, not_measured, prose};
use crate::claims;
use crate::recommend::{self, Recommendation};
use crate::summary::{self, Summary};
use crate::units::{Quantity, Unit};
use crate::view::View;
use crate::view::pick::{FIGURES, Pick, SHOWN, place};

/// The minute's worth: what to take, whether the target is met, what became of the claims.
pub(super) fn brief(view: &View, told: &Summary) -> Markup {
    let all = recommend::recommendations(view);
    html! {
        ul.brief {
            @for one in all.iter().take(4) { li { (prose(&one.advice)) " " a href={ "#recommend-" (one.id) } aria-label={ "Why: " (one.advice) } { "Why" } } }
            @if let Some(target) = recommend::target(view) { li { (prose(&target)) } }
            li { (claims_told(view)) " " a href="#claims" { "All claims" } }
            li { (plain(told.ok)) " of " (plain(told.planned.max(told.ok))) " samples count, each a process of its own with every answer checked."
                @if told.failed > 0 { " " a href="#failures" { (told.failed) " failed" } "." } }
        }
    }
}

fn claims_told(view: &View) -> String {
    claims::told(&claims::ledger(view))
}

/// Which level fits a budget. A script may filter the table; it says everything without one.
pub(super) fn pick(view: &View) -> Markup {
    let Some(picks) = view.picks() else {
        return not_measured("no resident memory after 20 requests of `chat`.");
    };
    let shown: Vec<usize> =
        SHOWN.into_iter().filter(|at| picks.lines.iter().any(|line| line.figures[*at].is_some())).collect();
    let missing: Vec<&str> = SHOWN.into_iter().filter(|at| !shown.contains(at)).map(|at| FIGURES[at].0).collect();
    html! {
        p { "Read from the left: what a process takes, what it takes with requests held open, what each of them costs, what it takes in time. For a budget, take the levels whose memory with as many requests as you have is below it, and of these the quickest. Least memory stands first." }
        @if !picks.common.is_empty() { p.caption { span.soft { "All: " (picks.common) "." } } }
        div.scroll id="table-pick" tabindex="0" role="region" aria-label="What each takes" {
            table.wide.sortable {
                thead { tr {
                    th scope="col" { "subject" }
                    @for at in &shown { th.num scope="col" title=(FIGURES[*at].1) { (FIGURES[*at].0) } }
                } }
                tbody { @for line in &picks.lines { (pick_row(line, &shown)) } }
            }
        }
        @if picks.lines.iter().any(|line| line.whole) {
            p.note { "† Helpers or a proxy do its work: memory and allocations are those of all its processes together, pages that they share counted once (PSS)." }
        }
        @if !missing.is_empty() { p.note { "Not measured in this run: " (missing.join(", ")) "." } }
    }
}

fn pick_row(line: &Pick<'_>, shown: &[usize]) -> Markup {
    html! {
        tr data-rest=[line.median(place::RSS)] data-each=[line.median(place::EACH)] {
            th scope="row" { span class={ "sw " (colour(line.row.place)) } {} (line.name) @if line.whole { " †" } }
            @for at in shown {
                @match (line.text(*at), line.figures[*at]) {
                    (Some(text), Some(m)) => td.num data-v=(m.stats.median) title={ (m.min()) " to " (m.max()) ", " (m.stats.samples) " samples" } { (text) },
                    _ => td.num { span.soft title="not measured" { "—" } },
                }
            }
        }
    }
}

/// What to do, by which rule, on which figures.
pub(super) fn recommendations(view: &View) -> Markup {
    let all = recommend::recommendations(view);
    if all.is_empty() {
        return html! { p { "None: no rule found figures in this run that it could go by." } };
    }
    let mut seen: Vec<&'static str> = Vec::new();
    html! {
        p { "Each is made from the figures of this run by a rule that stands beside it. They are about memory on this machine and this work; " a href="#pick" { "the table above" } " has the rest." }
        ol.advice { @for one in &all { (recommendation(one, &mut seen)) } }
    }
}

fn recommendation(one: &Recommendation, seen: &mut Vec<&'static str>) -> Markup {
    // The first of a rule has the rule's anchor.
    let id = (!seen.contains(&one.id)).then(|| format!("recommend-{}", one.id));
    seen.push(one.id);
    html! {
        li id=[id] {
            p.what { (prose(&one.advice)) }
            p.rule { "Rule: " (one.rule) "." }
            ul.figures-told { @for figure in one.figures.iter().take(8) { li { (figure) } } @if one.figures.len() > 8 { li { "and " (one.figures.len() - 8) " more of the kind" } } }
        }
    }
}

/// How to run a level, what to give it, and when to be alarmed.
pub(super) fn production(view: &View) -> Markup {
    let Some(picks) = view.picks() else {
        return not_measured("no resident memory of `chat`, from which limits and alarms are worked out.");
    };
    let levels: Vec<&Pick<'_>> = picks.lines.iter().filter(|line| line.is_level()).collect();
    let chosen = picks.least(place::GROWTH).into_iter().find_map(|line| snippet(&line.row.subject));
    let with_room = |line: &Pick<'_>, at: usize| room(line.figures[at].as_ref().map(|m| m.stats.max), 1.25);
    html! {
        @if let Some(snippet) = chosen { pre tabindex="0" aria-label="How a provider is made" { code { (snippet) } } }
        p { "What to give a process, and when to be alarmed: the largest sample of this run and a quarter more, for the client alone. What else your program holds comes on top." }
        div.scroll id="table-production" tabindex="0" role="region" aria-label="Limits and alarms" {
            table.wide {
                thead { tr {
                    th scope="col" { "level" }
                    th.num scope="col" title="highest RSS up to steady@20 (of several processes their PSS), largest sample, and a quarter more" { "limit, one at a time" }
                    th.num scope="col" title="RSS with 100 requests held, largest sample, and a quarter more" { "limit, 100 in flight" }
                    th.num scope="col" title="RSS with 1,000 requests held, largest sample, and a quarter more" { "limit, 1,000 in flight" }
                    th.num scope="col" title="twice the largest growth of anonymous memory over 20 requests" { "alarm, anonymous growth" }
                } }
                tbody { @for line in levels { tr {
                    th scope="row" { span class={ "sw " (colour(line.row.place)) } {} (line.name) @if line.whole { " †" } }
                    td.num { (with_room(line, if line.whole { place::RSS } else { place::PEAK })) }
                    td.num { (with_room(line, place::HELD_100)) }
                    td.num { (with_room(line, place::HELD_1000)) }
                    td.num { (room(line.figures[place::GROWTH].as_ref().map(|m| m.stats.max), 2.0)) }
                } } }
            }
        }
        ul.plain {
            li { "Watch " code { "Anonymous" } " of " code { "/proc/PID/smaps_rollup" } ": it is what the code asked for. Resident memory moves with file pages that the system may drop." }
            li { "Watch " code { "VmHWM" } " of " code { "/proc/PID/status" } " against the limit: a peak kills, not an average. For helpers, add up their PSS." }
            li { "Alarm on growth after warming up, not on level: what one request leaves behind should be nothing (" a href="#profile" { "what lasts" } ")." }
            li { code { "plimsoll line --memory 64MiB" } " proves how many requests in flight a limit holds, by running them under it; " code { "plimsoll run --suite soak" } " shows 10,000 requests." }
        }
    }
}

fn room(value: Option<f64>, times: f64) -> String {
    let quantity = value.and_then(|value| Quantity::new(value * times, Unit::Bytes));
    quantity.map_or_else(|| "—".to_owned(), |quantity| quantity.to_string())
}

/// The levels of this repository: module and type, from which a provider is made in the same way. Of others nothing is known.
const LEVELS: [(&str, &str, &str); 5] = [
    ("original", "gemini_original", ""),
    ("optimized", "gemini_optimized", "Optimized"),
    ("ultra", "gemini_ultra_optimized", "UltraOptimized"),
    ("bare", "gemini_bare_http", "Bare"),
    ("mux", "gemini_mux", "Mux"),
];

fn snippet(subject: &str) -> Option<String> {
    let (_, module, prefix) = LEVELS.iter().find(|(id, _, _)| *id == subject)?;
    Some(format!(
        "use plimsoll_providers::{module}::{{{prefix}GeminiConfig, {prefix}GeminiProvider}};\n\n\
         let config = {prefix}GeminiConfig {{ api_key, base_url: None, default_model, api_version, timeout_ms: 30_000 }};\n\
         let provider = Arc::new({prefix}GeminiProvider::new(config).await?); // one for the whole program\n"
    ))
}

/// What came of it all, and what this run leaves open.
pub(super) fn conclusion(view: &View, told: &Summary) -> Markup {
    let all = recommend::recommendations(view);
    let open = open_questions(view);
    html! {
        p { (prose(&told.verdict)) }
        @if let Some(target) = recommend::target(view) { p { (prose(&target)) } }
        @if !all.is_empty() { ul.plain { @for one in &all { li { (prose(&one.advice)) } } } }
        p { (claims_told(view)) }
        @if !open.is_empty() {
            p { "This run leaves open:" }
            ul.plain { @for (what, how) in &open { li { (what) ": " code { (how) } } } }
        }
    }
}

/// What a run may hold and this one does not, and what measures it.
fn open_questions(view: &View) -> Vec<(&'static str, &'static str)> {
    let has_probe = |probe: &str| view.record.samples.iter().any(|sample| sample.cell.probe == probe);
    let is_live = summary::is_live(&view.record.environment.target);
    [
        (view.models().is_empty(), "what a request in flight takes", "plimsoll run --suite inflight"),
        (crate::ladder::ladders(view).is_empty(), "what each component takes", "plimsoll run --suite ladder"),
        (crate::techniques::ledger(view).is_empty(), "what each technique saves or costs", "plimsoll run --ablate"),
        (!has_probe("ledger"), "where memory is, byte by byte", "plimsoll run --suite ledger"),
        (view.peers().is_empty(), "other people’s clients", "make peers"),
        (!is_live, "the live service", "make live"),
    ]
    .into_iter()
    .filter_map(|(open, what, how)| open.then_some((what, how)))
    .collect()
}
