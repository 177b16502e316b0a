//! The measured profile: for each scenario, the figures, growth per checkpoint, allocations.

use maud::{Markup, html};

use super::{bars, lines, not_measured, scenario_id, table};
use crate::derive::{Figure, Measured};
use crate::view::{Column, Labels, Row, Scenario, View, columns};

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
    let chart = bars::of(
        view,
        scenario,
        bars::Spec {
            id: format!("{id}-growth"),
            title: format!("Growth over 20 requests, {}", scenario.info.id),
            about: "steady@20 minus start: anonymous memory solid, resident memory pale; whiskers from the smallest to the largest sample.",
            probe: "rss",
            series: &[("anonymous", Figure::growth("proc.anon")), ("resident (RSS)", Figure::growth("proc.rss"))],
        },
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
    let chart = |(metric, short, title, about): (&str, &str, &str, &str)| {
        let (id, title) = (format!("{id}-{short}"), format!("{title}, {}", scenario.info.id));
        let series = [(metric, Figure::per_request(metric))];
        bars::of(view, scenario, bars::Spec { id, title, about, probe: "count", series: &series })
    };
    let charts: Vec<_> = charts.into_iter().filter_map(chart).collect();
    html! { @if !charts.is_empty() { div.charts { @for chart in &charts { (chart.frame(false)) } } } }
}

/// A metric over the checkpoints: one chart for each set of common factors (runtime, protocol), side by side and on one scale.
fn checkpoints(view: &View, scenario: &Scenario, id: &str, metric: &str, title: &str) -> Markup {
    let names = checkpoint_names(view, scenario);
    let panels: Vec<(String, Vec<lines::Line>)> =
        panels(view, scenario).into_iter().map(|rows| panel(view, &rows, &names, metric)).collect();
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

/// The lines of a panel, and the factors that they share.
fn panel(view: &View, rows: &[&Row], names: &[String], metric: &str) -> (String, Vec<lines::Line>) {
    let labels = Labels::of(rows);
    let point =
        |row: &Row, name: &str| -> Option<Measured> { view.figure(row, "rss", &Figure::at(name, metric)).copied() };
    let line = |(at, row): (usize, &&Row)| lines::Line {
        name: labels.names[at].clone(),
        place: row.place,
        dashed: rows[..at].iter().any(|other| other.subject == row.subject),
        points: names.iter().map(|name| point(row, name)).collect(),
    };
    (labels.common.clone(), rows.iter().enumerate().map(line).collect())
}

/// The rows that may be compared, one panel for each set of conditions. A row that lacks a condition (an interpreter's runtime) stands in
/// every panel that it does not contradict.
fn panels<'a>(view: &View, scenario: &'a Scenario) -> Vec<Vec<&'a Row>> {
    let rows: Vec<&Row> =
        scenario.rows.iter().filter(|row| view.cell(row, "rss").is_some_and(|cell| cell.ok > 0)).collect();
    let most = rows.iter().map(|row| row.conditions().len()).max().unwrap_or(0);
    let mut panels: Vec<Vec<&Row>> = Vec::new();
    for row in rows.iter().filter(|row| row.conditions().len() == most) {
        match panels.iter_mut().find(|panel| panel[0].conditions() == row.conditions()) {
            Some(panel) => panel.push(row),
            None => panels.push(vec![row]),
        }
    }
    for row in rows.iter().filter(|row| row.conditions().len() < most) {
        for panel in panels.iter_mut().filter(|panel| panel[0].comparable(row)) {
            panel.push(row);
        }
    }
    panels
}

fn lasting() -> Vec<Column> {
    let column = Column::new;
    vec![
        column(
            "anon slope /1,000",
            "rss",
            Figure::slope("proc.anon"),
            "anonymous memory that 1,000 further requests add",
        )
        .per_thousand(),
        column("anon step", "rss", Figure::step("proc.anon"), "anonymous memory that one segment has beyond the slope"),
        column("anon residue", "rss", Figure::residue("proc.anon"), "anonymous memory at dropped minus start"),
        column("threads", "rss", Figure::at("steady@20", "proc.threads"), "threads at steady@20"),
        column("live slope /1,000", "count", Figure::slope("heap.live"), "live heap that 1,000 further requests add")
            .per_thousand(),
        column("live step", "count", Figure::step("heap.live"), "live heap that one segment has beyond the slope"),
        column("live residue", "count", Figure::residue("heap.live"), "live heap at dropped minus start"),
        column("peak heap", "count", Figure::at("steady@20", "heap.peak"), "highest live heap up to steady@20"),
    ]
}
