//! The measured profile: for each scenario, the figures, growth per checkpoint, allocations.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{bars, lines, not_measured, scenario_id, table};
use crate::derive::{Figure, Measured};
use crate::view::{Column, Row, Scenario, View, columns};

/// All scenarios.
pub(super) fn section(view: &View) -> Markup {
    html! {
        p {
            "Growth is the reading after 20 requests minus the one before the first statement. Because growth can be gamed, the absolute level at start and the peak stand beside it. "
            "An equals sign marks figures that were identical in all processes; ± is the median absolute deviation; × is the ratio to the first subject under the same factors."
        }
        @for (at, scenario) in view.scenarios.iter().enumerate() { (one(view, scenario, at)) }
    }
}

fn one(view: &View, scenario: &Scenario, at: usize) -> Markup {
    let id = scenario_id(at);
    let info = &scenario.info;
    let about = |what: &str| format!("{what}, {}", info.id);
    html! {
        h3 id=(id) { a href={ "#" (id) } { (info.id) } }
        p.soft {
            (info.description)
            @if !info.method.is_empty() { " Calls " code { (info.method) } ", " (info.in_flight) " in flight at a time." }
            @if let Some(body) = info.body_bytes { " An answer’s body has " (crate::units::plain(crate::units::whole(i64::try_from(body).unwrap_or(i64::MAX)))) " B" @if let Some(events) = info.events { " in " (events) " events" } "." }
            @if info.deterministic { " Declared deterministic: one request after another, in lock-step." }
        }
        @match table::figures(view, scenario, &columns(), &format!("{id}-figures"), &about("Main figures")) {
            Some(table) => (table),
            None => (not_measured("no sample of this scenario counts.")),
        }
        (growth(view, scenario, &id))
        (checkpoints(view, scenario, &id, "proc.anon", "Anonymous memory"))
        (checkpoints(view, scenario, &id, "proc.rss", "Resident memory (RSS)"))
        (allocations(view, scenario, &id))
        @if let Some(table) = table::figures(view, scenario, &lasting(), &format!("{id}-lasting"), &about("What lasts")) {
            h4 { "What lasts" }
            p.note { "Slopes are the smaller of the segments 64–128 and 128–256 requests; what the other segment has beyond it is a step, something that grew once. Residue is what is left when provider and runtime are gone." }
            (table)
        }
    }
}

fn growth(view: &View, scenario: &Scenario, id: &str) -> Markup {
    let groups = groups(view, scenario, "rss", &[Figure::growth("proc.anon"), Figure::growth("proc.rss")]);
    let chart = bars::chart(
        format!("{id}-growth"),
        format!("Growth over 20 requests, {}", scenario.info.id),
        "steady@20 minus start: anonymous memory solid, resident memory pale; whiskers from the smallest to the largest sample.".to_owned(),
        &["anonymous", "resident (RSS)"],
        &groups,
    );
    html! { @if let Some(chart) = chart { (chart.frame(true)) } }
}

fn allocations(view: &View, scenario: &Scenario, id: &str) -> Markup {
    let charts = [
        (
            "heap.allocs",
            "allocs",
            "Allocations per request",
            "Calls of malloc and realloc, Rust and C, per request between the 64th and the 128th.",
        ),
        (
            "heap.bytes",
            "bytes",
            "Bytes allocated per request",
            "Bytes asked for in those calls; a realloc adds its whole new size.",
        ),
    ];
    let charts: Vec<_> = charts
        .into_iter()
        .filter_map(|(metric, short, title, about)| {
            let groups = groups(view, scenario, "count", &[Figure::per_request(metric)]);
            let title = format!("{title}, {}", scenario.info.id);
            bars::chart(format!("{id}-{short}"), title, about.to_owned(), &[metric], &groups)
        })
        .collect();
    html! { @if !charts.is_empty() { div.charts { @for chart in &charts { (chart.frame(false)) } } } }
}

fn groups(view: &View, scenario: &Scenario, probe: &str, figures: &[Figure]) -> Vec<bars::Group> {
    let group = |row: &Row| bars::Group {
        name: row.label.clone(),
        place: row.place,
        bars: figures.iter().map(|figure| view.figure(row, probe, figure).copied()).collect(),
    };
    scenario.rows.iter().map(group).filter(|group| group.bars.iter().any(Option::is_some)).collect()
}

/// A metric over the checkpoints: one chart for each set of common factors (runtime, protocol), side by side and on one scale.
fn checkpoints(view: &View, scenario: &Scenario, id: &str, metric: &str, title: &str) -> Markup {
    let names = checkpoint_names(view, scenario);
    let panels: Vec<(String, Vec<lines::Line>)> = panels(scenario)
        .into_iter()
        .map(|(name, rows)| {
            (name, rows.iter().enumerate().map(|(at, row)| line(view, &rows[..at], row, &names, metric)).collect())
        })
        .collect();
    let largest = panels.iter().map(|(_, lines)| lines::largest(lines)).fold(0.0, f64::max);
    let short = metric.rsplit_once('.').map_or(metric, |(_, short)| short);
    let charts: Vec<_> = panels
        .iter()
        .enumerate()
        .filter_map(|(at, (name, lines))| {
            let place =
                if name.is_empty() { scenario.info.id.clone() } else { format!("{}, {name}", scenario.info.id) };
            let about =
                format!("{metric} at each checkpoint, medians, probe rss; charts side by side share one scale.");
            lines::chart(format!("{id}-{short}-{}", at + 1), format!("{title}, {place}"), about, &names, lines, largest)
        })
        .collect();
    html! { @if !charts.is_empty() { div.charts { @for chart in &charts { (chart.frame(false)) } } } }
}

fn checkpoint_names(view: &View, scenario: &Scenario) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in &scenario.rows {
        let reached = view.cell(row, "rss").map_or(&[][..], |cell| &cell.checkpoints);
        if reached.len() > names.len() {
            names = reached.to_vec();
        }
    }
    names
}

fn line(view: &View, before: &[&Row], row: &Row, names: &[String], metric: &str) -> lines::Line {
    let point = |name: &String| -> Option<Measured> { view.figure(row, "rss", &Figure::at(name, metric)).copied() };
    lines::Line {
        name: row.label.clone(),
        place: row.place,
        dashed: before.iter().any(|other| other.subject == row.subject),
        points: names.iter().map(point).collect(),
    }
}

/// The rows by the factors that they share with other subjects. A row that has none of these factors (an interpreter's) stands in every panel.
fn panels(scenario: &Scenario) -> Vec<(String, Vec<&Row>)> {
    let keys = ["runtime", "protocol", "crypto", "transport"];
    let several = |key: &&str| {
        let values: BTreeSet<_> = scenario.rows.iter().filter_map(|row| row.factors.get(*key)).collect();
        values.len() > 1
    };
    let keys: Vec<&str> = keys.into_iter().filter(several).collect();
    let name = |row: &Row| -> Vec<String> { keys.iter().filter_map(|key| row.factors.get(*key).cloned()).collect() };
    let mut panels: Vec<(Vec<String>, Vec<&Row>)> = Vec::new();
    for row in &scenario.rows {
        let name = name(row);
        if !keys.is_empty() && name.len() < keys.len() {
            continue;
        }
        match panels.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rows)) => rows.push(row),
            None => panels.push((name, vec![row])),
        }
    }
    if panels.is_empty() {
        return vec![(String::new(), scenario.rows.iter().collect())];
    }
    for row in scenario.rows.iter().filter(|row| name(row).len() < keys.len()) {
        for (values, rows) in &mut panels {
            if name(row).iter().all(|value| values.contains(value)) {
                rows.push(row);
            }
        }
    }
    panels.into_iter().map(|(name, rows)| (name.join(" · "), rows)).collect()
}

fn lasting() -> Vec<Column> {
    let column =
        |heading, probe, figure, times, meaning| Column { heading, probe, figure, times, in_full: false, meaning };
    vec![
        column(
            "anon slope /1,000",
            "rss",
            Figure::slope("proc.anon"),
            1_000,
            "anonymous memory that 1,000 further requests add",
        ),
        column(
            "anon step",
            "rss",
            Figure::step("proc.anon"),
            1,
            "anonymous memory that one segment has beyond the slope",
        ),
        column(
            "live slope /1,000",
            "count",
            Figure::slope("heap.live"),
            1_000,
            "live heap that 1,000 further requests add",
        ),
        column("live step", "count", Figure::step("heap.live"), 1, "live heap that one segment has beyond the slope"),
        column("peak heap", "count", Figure::at("steady@20", "heap.peak"), 1, "highest live heap up to steady@20"),
        column("anon residue", "rss", Figure::residue("proc.anon"), 1, "anonymous memory at dropped minus start"),
        column("live residue", "count", Figure::residue("heap.live"), 1, "live heap at dropped minus start"),
        column("threads", "rss", Figure::at("steady@20", "proc.threads"), 1, "threads at steady@20"),
    ]
}
