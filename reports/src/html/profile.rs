//! The measured profile: for each scenario, the figures, growth per checkpoint, allocations.

use maud::{Markup, html};

use super::{bars, lines, not_measured, scenario_id, table};
use crate::derive::{Figure, Measured};
use crate::view::{Column, Row, Scenario, View};

/// All scenarios.
pub(super) fn section(view: &View, headline: Option<&str>) -> Markup {
    html! {
        p {
            "Growth is the reading after 20 requests minus the one before the first statement. Because growth can be gamed, the absolute level at start and the peak stand beside it. "
            "An equals sign marks figures that were identical in all processes; ± is the median absolute deviation; × is the ratio to the first subject under the same factors."
        }
        @if view.scenarios.is_empty() { (not_measured("the record names no scenario.")) }
        @for (at, scenario) in view.scenarios.iter().enumerate() { (one(view, scenario, at, headline)) }
    }
}

fn one(view: &View, scenario: &Scenario, at: usize, headline: Option<&str>) -> Markup {
    let id = scenario_id(at);
    let info = &scenario.info;
    let about = |what: &str| format!("{what}, {}", info.id);
    html! {
        h3 id=(id) { a href={ "#" (id) } { (info.id) } }
        p.soft.cap {
            (info.description.trim_end_matches('.')) "."
            @if !info.method.is_empty() { " Calls " code { (info.method) } ", " @if info.held.is_empty() { (info.in_flight) " in flight at a time." } @else { "up to " (info.in_flight) " in flight." } }
            @if let Some(body) = info.body_bytes { " An answer’s body has " (crate::units::plain(crate::units::whole(i64::try_from(body).unwrap_or(i64::MAX)))) " B" @if let Some(events) = info.events { " in " (events) " events" } "." }
            @if info.deterministic { " Declared deterministic: one request after another, in lock-step." }
        }
        @match table::figures(view, scenario, &view.columns(), &format!("{id}-figures"), &about("Main figures")) {
            Some(table) => (table),
            None => (not_measured("no sample of this scenario counts.")),
        }
        // The headline's growth is drawn in the summary already.
        @if headline == Some(info.id.as_str()) {
            p.note { "Its growth over 20 requests is drawn " a href="#figure-headline" { "in the summary" } "." }
        } @else {
            (growth(view, scenario, &id))
        }
        @for over in if info.held.is_empty() { OVER_CHECKPOINTS } else { OVER_HELD } { (checkpoints(view, scenario, &id, over)) }
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

/// A metric whose growth is drawn.
struct Over {
    metric: &'static str,
    probe: &'static str,
    title: &'static str,
}

const OVER_CHECKPOINTS: &[Over] = &[
    Over { metric: "proc.anon", probe: "rss", title: "Growth of anonymous memory" },
    Over { metric: "proc.rss", probe: "rss", title: "Growth of resident memory (RSS)" },
];

/// Of scenarios that hold requests: only the checkpoints at which they are held.
const OVER_HELD: &[Over] = &[
    Over { metric: "proc.anon", probe: "rss", title: "Anonymous memory by requests in flight" },
    Over { metric: "proc.rss", probe: "rss", title: "Resident memory (RSS) by requests in flight" },
    Over { metric: "heap.live", probe: "count", title: "Live heap by requests in flight" },
];

/// What came since start, over the checkpoints: one chart for each set of conditions, side by side and on one scale.
fn checkpoints(view: &View, scenario: &Scenario, id: &str, over: &Over) -> Markup {
    let Over { metric, probe, title } = *over;
    let names = checkpoint_names(view, scenario, probe);
    let rows = panels(view, scenario, probe);
    let panels: Vec<(String, Vec<lines::Line>)> = rows.iter().map(|rows| panel(view, rows, &names, over)).collect();
    let range = lines::range(panels.iter().flat_map(|(_, lines)| lines));
    let short = metric.rsplit_once('.').map_or(metric, |(_, short)| short);
    let chart = |(place, (common, lines)): (usize, &(String, Vec<lines::Line>))| {
        let name = apart(&rows, place);
        let title = format!("{title}, {}", scenario.info.id);
        let title = if name.is_empty() { title } else { format!("{title}, {name}") };
        let at =
            if scenario.info.held.is_empty() { "" } else { "; while the requests named on the axis are held open" };
        let about = format!(
            "{metric} minus that at start, {}, medians{at}; charts side by side share one scale. All: {common}.",
            scenario.info.id
        );
        lines::chart(format!("{id}-{short}-{}", place + 1), title, about, &names, lines, range)
    };
    let charts: Vec<_> = panels.iter().enumerate().filter_map(chart).collect();
    html! { @if !charts.is_empty() { div.charts { @for chart in &charts { (chart.frame(false)) } } } }
}

/// The conditions that set a panel apart from the others.
fn apart(panels: &[Vec<&Row>], at: usize) -> String {
    let own = panels[at][0].conditions();
    let differs = |key: &str| panels.iter().any(|rows| rows[0].conditions().get(key) != own.get(key));
    own.iter().filter(|(key, _)| differs(key)).map(|(_, value)| *value).collect::<Vec<_>>().join(" · ")
}

fn checkpoint_names(view: &View, scenario: &Scenario, probe: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in &scenario.rows {
        let reached = view.cell(row, probe).map_or(&[][..], |cell| &cell.checkpoints);
        if reached.len() > names.len() {
            names = reached.to_vec();
        }
    }
    if !scenario.info.held.is_empty() {
        names.retain(|name| name.starts_with("held@"));
    }
    names
}

/// The lines of a panel, and the factors that they share.
fn panel(view: &View, rows: &[&Row], names: &[String], over: &Over) -> (String, Vec<lines::Line>) {
    let labels = view.labels(rows, over.probe);
    let point = |row: &Row, name: &str| -> Option<Measured> {
        view.figure(row, over.probe, &Figure::since(name, over.metric)).copied()
    };
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
fn panels<'a>(view: &View, scenario: &'a Scenario, probe: &str) -> Vec<Vec<&'a Row>> {
    let rows: Vec<&Row> =
        scenario.rows.iter().filter(|row| view.cell(row, probe).is_some_and(|cell| cell.ok > 0)).collect();
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
