//! The verdict in one sentence, and the facts of a run, computed from the data: nothing is said that was not measured.

use std::collections::BTreeMap;

use crate::derive::{Figure, Measured};
use crate::ladder::{self, Height, Rung};
use crate::record::{Cell, Record, Status};
use crate::units::percent;
use crate::view::{Row, Scenario, View};

/// The scenario that the verdict speaks of, if it was measured.
const HEADLINE: &str = "chat";
/// The level that others are compared with, if it was measured.
const BASE: &str = "original";
/// What figures of the live service are worth.
pub(crate) const ADVISORY: &str = "Measured against the live service, so advisory: it answers each time in other words and at its own pace. Of an answer \
                        only this was checked: that it came without an error, was counted and has a text.";

/// What the command line can print after a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The verdict, one or two sentences.
    pub verdict: String,
    /// What the verdict is made of; absent when no growth was measured.
    pub headline: Option<Headline>,
    /// What the figures are worth where the live service gave them, the same under the other runtimes that were measured, and what a request
    /// in flight takes, as sentences.
    pub besides: Vec<String>,
    /// Samples that were planned.
    pub planned: u64,
    /// Samples that count.
    pub ok: u64,
    /// Samples that were asked for and failed: `failed`, `timeout`, `killed`, `wrong-answer`.
    pub failed: u64,
    /// Samples that cannot be measured on this machine.
    pub unavailable: u64,
    /// The samples that do not count: cell, index, status, error.
    pub failures: Vec<FailedSample>,
}

/// A sample that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedSample {
    /// Its cell.
    pub cell: Cell,
    /// Which of the cell's samples.
    pub index: u32,
    /// How it ended.
    pub status: Status,
    /// Why.
    pub error: String,
}

/// The comparison in the verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Headline {
    /// The scenario.
    pub scenario: String,
    /// The subject that grew least anonymous memory.
    pub subject: String,
    /// The factors it was measured under.
    pub factors: BTreeMap<String, String>,
    /// Its growth of anonymous memory.
    pub growth: Measured,
    /// The subject it is compared with (`original`, or the next where that is best) and that one's growth; absent when only one was measured.
    pub base: Option<(String, Measured)>,
    /// Whether the samples of the two overlap, so that the difference is not certain.
    pub overlaps: bool,
}

impl Summary {
    /// Whether at least one sample counts.
    #[must_use]
    pub fn has_valid_measurement(&self) -> bool {
        self.ok > 0
    }

    /// Whether every planned sample was measured and counts, those apart that this machine cannot do.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.ok + self.unavailable >= self.planned
    }
}

/// The facts of a run.
#[must_use]
pub fn summary(record: &Record) -> Summary {
    of(&View::new(record))
}

pub(crate) fn of(view: &View) -> Summary {
    let counted = |statuses: &[Status]| {
        let n = view.record.samples.iter().filter(|sample| statuses.contains(&sample.status)).count();
        u64::try_from(n).unwrap_or(u64::MAX)
    };
    let failures = view.failures().map(|(cell, failure)| FailedSample {
        cell: cell.clone(),
        index: failure.index,
        status: failure.status,
        error: failure.error.clone(),
    });
    let mut groups = groups(view);
    // Beside the verdict, one level alone says nothing of which to take.
    let several = |rows: &[&Row]| rows.iter().any(|row| row.subject != rows[0].subject);
    let mut at = 0;
    groups.retain(|(_, rows)| {
        at += 1;
        at == 1 || several(rows)
    });
    let mut told = groups.iter().map(|(scenario, rows)| compare(view, scenario, rows));
    let (headline, verdict) = match told.next() {
        Some((headline, text)) => (Some(headline), text),
        None => (None, component(view).unwrap_or_else(|| nothing(view))),
    };
    let mut besides: Vec<String> =
        is_live(&view.record.environment.target).then(|| ADVISORY.to_owned()).into_iter().collect();
    besides.extend(told.map(|(_, text)| text));
    besides.extend(in_flight(view));
    Summary {
        verdict,
        headline,
        besides,
        planned: view.record.plan.cells.iter().map(|cell| u64::from(cell.samples)).sum(),
        ok: counted(&[Status::Ok]),
        failed: counted(&[Status::Failed, Status::Timeout, Status::Killed, Status::WrongAnswer]),
        unavailable: counted(&[Status::Unavailable]),
        failures: failures.collect(),
    }
}

/// A status as it is written in a record.
#[must_use]
pub fn status_name(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Failed => "failed",
        Status::Timeout => "timeout",
        Status::Killed => "killed",
        Status::WrongAnswer => "wrong-answer",
        Status::Unavailable => "unavailable",
    }
}

fn growth() -> Figure {
    Figure::growth("proc.anon")
}

/// The headline scenario's groups.
fn groups(view: &View) -> Vec<(&Scenario, Vec<&Row>)> {
    let measured = |scenario: &&Scenario| !alike(view, scenario, &growth()).is_empty();
    let chat = view.scenario(HEADLINE).filter(measured);
    let Some(scenario) = chat.or_else(|| view.scenarios.iter().find(measured)) else { return Vec::new() };
    alike(view, scenario, &growth()).into_iter().map(|rows| (scenario, rows)).collect()
}

/// The levels' rows of a scenario that have a figure and may be compared, one group for each set of common factors: first the group with most
/// levels, and of those the multi-threaded one, because current_thread flatters real life.
fn alike<'a>(view: &View, scenario: &'a Scenario, figure: &Figure) -> Vec<Vec<&'a Row>> {
    // Rungs of a ladder are parts of a client, of which none is better for being smaller.
    let is_meant = |row: &&Row| row.kind != "rung" && !view.is_ablation(&row.subject, &row.factors);
    let rows = || scenario.rows.iter().filter(is_meant).filter(|row| view.figure(row, "rss", figure).is_some());
    let levels_only = rows().any(|row| row.kind == "level");
    // What a level has its helpers or a proxy do it does not save: such levels are compared in a table of their own.
    let own_work = rows().any(|row| row.kind == "level" && !view.shares_work(row));
    let mut groups: Vec<(BTreeMap<&str, &str>, Vec<&Row>)> = Vec::new();
    for row in rows().filter(|row| (!levels_only || row.kind == "level") && !(own_work && view.shares_work(row))) {
        let common = row.conditions();
        match groups.iter_mut().find(|(factors, _)| *factors == common) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((common, vec![row])),
        }
    }
    groups.sort_by_key(|(factors, rows)| {
        let subjects: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.subject.as_str()).collect();
        (std::cmp::Reverse(subjects.len()), factors.get("runtime") != Some(&"multi_thread"))
    });
    groups.into_iter().map(|(_, rows)| of_usual_allocator(rows)).collect()
}

/// Without the rows of a subject on another allocator than the C library's, where it was measured on that too.
fn of_usual_allocator(rows: Vec<&Row>) -> Vec<&Row> {
    let usual = |row: &Row| row.factors.get("allocator").is_none_or(|allocator| allocator == "system");
    let has_usual = |row: &Row| rows.iter().any(|other| other.subject == row.subject && usual(other));
    rows.iter().copied().filter(|row| usual(row) || !has_usual(row)).collect()
}

/// The verdict of a run of the component ladder alone: which rung adds most to the one below it.
fn component(view: &View) -> Option<String> {
    let ladder = ladder::ladders(view).into_iter().next()?;
    let beyond = |rung: &Rung<'_>| rung.step(Height::Rss).beyond;
    let most = ladder
        .rungs
        .iter()
        .filter_map(|rung| Some((rung, beyond(rung)?)))
        .max_by(|(_, a), (_, b)| a.difference().value().total_cmp(&b.difference().value()))?;
    let whole = |rung: &Rung<'_>| Some((rung.info.id.clone(), rung.step(Height::Rss).height?.median()));
    let (lowest, highest) = (ladder.rungs.iter().find_map(whole)?, ladder.rungs.iter().rev().find_map(whole)?);
    let runtime = if ladder.runtime.is_empty() { String::new() } else { format!(" on {}", ladder.runtime) };
    Some(format!(
        "Of {} rungs{runtime}, `{}` has most resident memory beyond the one below it, `{}`: {} (95 % interval {}). In all, `{}` takes {} and `{}` {}.",
        ladder.rungs.len(),
        most.0.info.id,
        most.0.info.below.as_deref().unwrap_or_default(),
        most.1.difference().signed(),
        most.1.range(),
        lowest.0,
        lowest.1,
        highest.0,
        highest.1
    ))
}

/// What a request in flight takes, a sentence for each scenario that holds requests. Levels are compared across protocols here: which one
/// holds requests for less is often the protocol's doing, and then the sentence says so.
fn in_flight(view: &View) -> Vec<String> {
    let figure = Figure::in_flight("proc.anon");
    let one = |scenario: &Scenario| {
        let mut rows: Vec<&Row> = alike(view, scenario, &figure).into_iter().flatten().collect();
        // What no public front end grants is not held against what one does.
        let granted = |row: &&Row| !row.factors.contains_key("streams");
        if rows.iter().any(granted) {
            rows.retain(granted);
        }
        let mut known: Vec<(&Row, Measured)> =
            rows.iter().filter_map(|row| Some((*row, *view.figure(row, "rss", &figure)?))).collect();
        known.sort_by(|a, b| a.1.stats.median.total_cmp(&b.1.stats.median));
        let best = *known.first()?;
        let mut bases = known.iter().filter(|(row, _)| row.subject == BASE && row.subject != best.0.subject);
        let base = bases.clone().find(|(row, _)| row.comparable(best.0)).or_else(|| bases.next());
        let against = base.map_or_else(String::new, |(row, cost)| {
            let over = view.protocol(row).filter(|_| !row.comparable(best.0));
            let over = over.map_or_else(String::new, |protocol| format!(" over {protocol}"));
            format!(" against {} of `{}`{over}", cost.median(), row.subject)
        });
        let place = format!("{}; {}", conditions(view, scenario, best.0), processes(&best.1));
        let (id, name, cost) = (&scenario.info.id, &best.0.subject, best.1.median());
        Some(format!(
            "In `{id}` one more request in flight takes least anonymous memory with `{name}`: {cost}{against} ({place})."
        ))
    };
    view.scenarios.iter().filter_map(one).collect()
}

/// Compares the rows of a group, which has at least one and all with a growth.
fn compare(view: &View, scenario: &Scenario, rows: &[&Row]) -> (Headline, String) {
    let figure = |row: &Row| view.figure(row, "rss", &growth()).copied();
    let mut known: Vec<(&Row, Measured)> = rows.iter().filter_map(|row| Some((*row, figure(row)?))).collect();
    let base = known.iter().position(|(row, _)| row.subject == BASE).unwrap_or(0);
    let base = known[base];
    known.sort_by(|a, b| a.1.stats.median.total_cmp(&b.1.stats.median));
    let best = known[0];
    // The level that the best is held against: the base, or the next where the base itself is best.
    let other = if best.0.subject == base.0.subject {
        known.iter().find(|(row, _)| row.subject != best.0.subject).copied().unwrap_or(base)
    } else {
        base
    };
    let overlaps = best.1.stats.overlaps(&other.1.stats);
    let unsure = if overlaps { " Their samples overlap, so the difference is not certain." } else { "" };
    let alone = known.iter().all(|(row, _)| row.subject == best.0.subject);
    let (id, name, grew) = (&scenario.info.id, &best.0.subject, best.1.median());
    let place = format!("{}; {}", conditions(view, scenario, best.0), processes(&best.1));
    let text = if alone {
        format!(
            "`{name}` grew {grew} of anonymous memory over 20 requests of `{id}`; nothing was measured beside it ({place})."
        )
    } else {
        let (itself, joint) = if best.0.subject == base.0.subject { (" itself", "next is") } else { ("", "against") };
        let (against, theirs, less) = (&other.0.subject, other.1.median(), less(&best.1, &other.1));
        let told = match itself {
            "" => format!("{grew} {joint} {theirs} of `{against}`{less}"),
            _ => format!("{grew}; {joint} `{against}` with {theirs}"),
        };
        let apart = allocators(best.0, other.0);
        format!(
            "`{name}`{itself} grew least anonymous memory over 20 requests of `{id}`: {told} ({place}).{unsure}{apart}"
        )
    };
    let headline = Headline {
        scenario: scenario.info.id.clone(),
        subject: best.0.subject.clone(),
        factors: best.0.factors.clone(),
        growth: best.1,
        base: (!alone).then(|| (other.0.subject.clone(), other.1)),
        overlaps: overlaps && !alone,
    };
    (headline, text)
}

fn processes(measured: &Measured) -> String {
    match measured.stats.samples {
        1 => "1 process".to_owned(),
        n => format!("median of {n} processes"),
    }
}

fn less(best: &Measured, base: &Measured) -> String {
    let ratio = best.median().ratio(base.median());
    ratio.map_or_else(String::new, |ratio| format!(", {} less", percent(1.0 - ratio)))
}

/// Memory under two allocators is not compared without saying so.
fn allocators(a: &Row, b: &Row) -> String {
    match (a.factors.get("allocator"), b.factors.get("allocator")) {
        (Some(x), Some(y)) if x != y => format!(" They run on different allocators: {x} and {y}."),
        _ => String::new(),
    }
}

/// What a growth depends on besides the code: method, body, transport, roots, target, runtime.
pub(crate) fn conditions(view: &View, scenario: &Scenario, row: &Row) -> String {
    let (info, environment) = (&scenario.info, &view.record.environment);
    let mut parts = Vec::new();
    if !info.method.is_empty() {
        parts.push(info.method.clone());
    }
    if let Some(body) = info.body_bytes {
        let body = crate::units::Quantity::from(crate::units::Bytes(i64::try_from(body).unwrap_or(i64::MAX)));
        parts.push(format!("{} answers", body.in_full()));
    }
    parts.push(transport(view, row));
    // The protocol is told already.
    let untold = row.conditions().into_iter().filter(|(key, _)| *key != "protocol");
    parts.extend(
        untold.map(|(key, value)| if key == "streams" { format!("{value} streams") } else { value.to_owned() }),
    );
    parts.push(match environment.target.as_str() {
        "mock" => "mock target".to_owned(),
        live if is_live(live) => format!("{live} target"),
        url => format!("target {url}"),
    });
    parts.join(", ")
}

/// Whether a record's target is the live service, or what stands in for it in a rehearsal: what it gives is advisory.
pub(crate) fn is_live(target: &str) -> bool {
    target == "live" || target.starts_with("live,")
}

/// How requests went: protocol, TLS, roots. The mock is asked over TLS.
pub(crate) fn transport(view: &View, row: &Row) -> String {
    let environment = &view.record.environment;
    let plain = environment.target.starts_with("http:");
    let protocol = view.protocol(row).unwrap_or("protocol not recorded");
    if plain {
        format!("{protocol} without TLS")
    } else {
        format!("{protocol} over TLS, {} roots", environment.trust.roots)
    }
}

fn nothing(view: &View) -> String {
    let (samples, ok) =
        (view.record.samples.len(), view.record.samples.iter().filter(|s| s.status == Status::Ok).count());
    match (samples, ok) {
        (0, _) => "Nothing was measured: the record holds no sample.".to_owned(),
        (n, 0) => {
            format!("No valid measurement: none of {n} samples counts; the reasons are listed under failed samples.")
        }
        (n, ok) => format!(
            "No growth of anonymous memory was measured: {ok} of {n} samples count, none of them under the probe `rss` up to steady@20."
        ),
    }
}
