//! Resident memory by mapping, and time per request.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::stack::{self, Stack};
use super::{bars, colour, not_measured, table};
use crate::derive::{Figure, Percentile};
use crate::record::{Sample, Status};
use crate::stats::Stats;
use crate::units::{Quantity, Unit, ratio, whole};
use crate::view::{Column, Row, Scenario, View};

const CLASSES: [&str; 6] = ["heap", "other anonymous", "stacks", "program and data files", "shared libraries", "other"];
/// Mappings that are named one by one.
const NAMED: usize = 6;

/// Time per request, for each scenario in which subjects measured it.
pub(super) fn latency(view: &View) -> Markup {
    let columns: Vec<Column> = Percentile::ALL
        .iter()
        .map(|p| Column::new(p.name(), "rss", Figure::Latency(*p), "time per request in the last batch of work"))
        .collect();
    let one = |at: usize, scenario: &Scenario| {
        let id = format!("latency-{}", at + 1);
        let table =
            table::usual_only(view, scenario, &columns, &id, &format!("Time per request, {}", scenario.info.id))?;
        let series = [("p50", Figure::Latency(Percentile::P50)), ("p99", Figure::Latency(Percentile::P99))];
        let chart = bars::of(
            view,
            bars::Spec {
                rows: &view.usual(scenario, "rss", &Figure::Latency(Percentile::P50)),
                id: format!("{id}-chart"),
                title: format!("Time per request, {}", scenario.info.id),
                about: "Median of the processes’ medians solid, of their 99th percentiles pale; the last batch of work.",
                probe: "rss",
                series: &series,
            },
        );
        Some(html! {
            h3 { (scenario.info.id) }
            @if let Some(chart) = chart { (chart.frame(true)) }
            details { summary { "Percentiles, " (scenario.info.id) } (table) }
        })
    };
    let shown: Vec<Markup> = view.scenarios.iter().enumerate().filter_map(|(at, s)| one(at, s)).collect();
    if shown.is_empty() {
        return not_measured("no subject reported its times.");
    }
    html! {
        p { "As the subjects measured it on a monotonic clock, from the call to the whole answer. Against a mock on the same machine this is the client’s own time, not the network’s." }
        (beside_memory(view))
        @for part in &shown { (part) }
    }
}

/// What thrift costs in time: each row's median time over that of the base level.
fn beside_memory(view: &View) -> Markup {
    let times = view.usual_times();
    html! {
        @for (at, times) in times.iter().enumerate() {
            p.caption {
                strong { "Time beside memory, " (times.scenario.info.id) } " "
                span.soft { (times.labels.common) }
            }
            div.scroll id={ "times-" (at + 1) } tabindex="0" role="region" aria-label={ "Time beside memory, " (times.scenario.info.id) } {
                table.wide {
                    thead { tr {
                        th scope="col" { "subject" }
                        th.num scope="col" { "p50" }
                        th.num scope="col" title="over the base under the same factors, protocol included" { "× " (times.base) }
                        @if times.over_h1() { th.num scope="col" title="over the base over HTTP/1.1, of rows over another protocol" { "× " (times.base) " over h1" } }
                        th.num scope="col" title="growth of anonymous memory over 20 requests" { "anon growth" }
                    } }
                    tbody { @for (timed, name) in times.rows.iter().zip(&times.labels.names) { tr {
                        th scope="row" { span class={ "sw " (colour(timed.row.place)) } {} (name) }
                        td.num title={ (timed.p50.min()) " to " (timed.p50.max()) ", " (timed.p50.stats.samples) " samples" } { (timed.p50.median()) }
                        td.num { (times_over(timed.alike)) }
                        @if times.over_h1() { td.num { (times_over(timed.over_h1)) } }
                        td.num { (timed.growth.map_or_else(|| "—".to_owned(), |growth| growth.median().to_string())) }
                    } } }
                }
            }
        }
    }
}

fn times_over(over: Option<f64>) -> String {
    over.map_or_else(|| "—".to_owned(), ratio)
}

/// Resident memory by mapping at steady@20, for each scenario.
pub(super) fn mappings(view: &View) -> Markup {
    let shown: Vec<Markup> = view.scenarios.iter().enumerate().filter_map(|(at, s)| mappings_of(view, s, at)).collect();
    if shown.is_empty() {
        return not_measured("no sample under the probe `rss` has its mappings.");
    }
    html! {
        p { "At steady@20, or at the last checkpoint before it; where requests are held, with all of them held. Medians over processes. File pages are touched once and can be shared or dropped; the heap and the other anonymous mappings are what the code holds." }
        @for part in &shown { (part) }
    }
}

/// A row's mappings: of each name, the medians of resident and of anonymous bytes.
type Named = BTreeMap<String, (f64, f64)>;

fn mappings_of(view: &View, scenario: &Scenario, at: usize) -> Option<Markup> {
    let has = |row: &Row| view.cell(row, "rss").is_some_and(|cell| cell.ok > 0);
    let rows = view.faces(scenario, has).into_iter().next().map_or_else(Vec::new, |face| face.rows);
    let (rows, named): (Vec<&Row>, Vec<Named>) =
        rows.into_iter().map(|row| (row, named(view, row))).filter(|(_, named)| !named.is_empty()).unzip();
    let labels = view.labels(&rows, "rss");
    let stacks: Vec<Stack> = labels
        .names
        .iter()
        .zip(&named)
        .map(|(name, named)| Stack { name: name.clone(), parts: classes(named) })
        .collect();
    let id = format!("mappings-{}", at + 1);
    let chart = stack::chart(
        id.clone(),
        format!("Resident memory by mapping, {}", scenario.info.id),
        "Resident bytes of the process at steady@20, by kind of mapping.".to_owned(),
        &CLASSES,
        &stacks,
    )?;
    Some(html! {
        (chart.frame(true))
        details {
            summary { "Every mapping by name, " (scenario.info.id) }
            @for (at, (name, named)) in labels.names.iter().zip(&named).enumerate() { (by_name(name, named, &format!("{id}-{}", at + 1), &scenario.info.id)) }
        }
    })
}

fn named(view: &View, row: &Row) -> Named {
    let Some(cell) = view.cell(row, "rss") else { return Named::new() };
    let samples: Vec<&Sample> = view
        .record
        .samples
        .iter()
        .filter(|s| s.status == Status::Ok && s.cell == cell.cell && !s.mappings.is_empty())
        .collect();
    let mut values: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for sample in &samples {
        let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for mapping in &sample.mappings {
            let sum = sums.entry(&mapping.name).or_default();
            sum.0 += bytes(mapping.rss);
            sum.1 += bytes(mapping.anon);
        }
        for (name, sum) in sums {
            values.entry(name).or_default().push(sum);
        }
    }
    let median = |all: &[(f64, f64)], pick: fn(&(f64, f64)) -> f64| {
        // A process without this mapping has none of it resident.
        let mut values: Vec<f64> = all.iter().map(pick).collect();
        values.resize(samples.len(), 0.0);
        Stats::of(&values).map_or(0.0, |stats| stats.median)
    };
    values.into_iter().map(|(name, all)| (name.to_owned(), (median(&all, |v| v.0), median(&all, |v| v.1)))).collect()
}

fn classes(named: &Named) -> Vec<f64> {
    let mut parts = vec![0.0; CLASSES.len()];
    for (name, (rss, _)) in named {
        parts[class(name)] += rss;
    }
    parts
}

/// The kind of a mapping, by its name alone.
fn class(name: &str) -> usize {
    match name {
        "[heap]" => 0,
        "[stack]" => 2,
        "other" => 5,
        name if name.starts_with('[') => 1,
        name if name.ends_with(".so") || name.contains(".so.") => 4,
        _ => 3,
    }
}

fn by_name(label: &str, named: &Named, id: &str, scenario: &str) -> Markup {
    let mut all: Vec<(&String, &(f64, f64))> = named.iter().collect();
    all.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then_with(|| a.0.cmp(b.0)));
    let rest = all.iter().skip(NAMED).fold((0.0, 0.0), |sum, (_, part)| (sum.0 + part.0, sum.1 + part.1));
    html! {
        div.scroll id=(id) tabindex="0" role="region" aria-label={ "Mappings of " (label) ", " (scenario) } {
            table.wide.plain {
                thead { tr { th scope="col" { (label) } th.num scope="col" { "resident" } th.num scope="col" { "of it anonymous" } } }
                tbody {
                    @for (name, (rss, anon)) in all.iter().take(NAMED) { tr { th scope="row" { (name) } td { (shown(*rss)) } td { (shown(*anon)) } } }
                    @if all.len() > NAMED { tr { th scope="row" { (all.len() - NAMED) " more" } td { (shown(rest.0)) } td { (shown(rest.1)) } } }
                }
            }
        }
    }
}

fn shown(value: f64) -> String {
    Quantity::new(value, Unit::Bytes).map_or_else(String::new, |q| q.to_string())
}

fn bytes(value: u64) -> f64 {
    whole(i64::try_from(value).unwrap_or(i64::MAX))
}
