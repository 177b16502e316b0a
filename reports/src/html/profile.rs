//! The measured profile: for each scenario, the figures, growth per checkpoint, allocations.

use maud::{Markup, html};

use super::chart::Chart;
use super::{bars, lines, not_measured, scenario_id, table};
use crate::derive::{Figure, Measured};
use crate::view::{Column, Face, Row, Scenario, View};

/// All scenarios.
pub(super) fn section(view: &View, headline: Option<&str>) -> Markup {
    html! {
        p {
            "Growth is the reading after 20 requests minus the one before the first statement. Because growth can be gamed, the absolute level at start and the peak stand beside it. "
            "An equals sign marks figures that were identical in all processes; ± is the median absolute deviation; ↑ or ↓ an end of the samples that lies far beyond it; × is the ratio to the first subject under the same factors."
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
        // The headline's growth is drawn in the summary already.
        @if headline == Some(info.id.as_str()) {
            p.note { "Its growth over 20 requests is drawn " a href="#figure-headline" { "in the summary" } "." }
        } @else {
            (growth(view, scenario, &format!("{id}-growth")))
        }
        @match table::usual(view, scenario, &view.columns(), &format!("{id}-figures"), &about("Main figures")) {
            Some(table) => (table),
            None => (not_measured("no sample of this scenario counts.")),
        }
        @for over in over(scenario, headline) { (checkpoints(view, scenario, &id, over)) }
        (allocations(view, scenario, &id))
        @if let Some(table) = table::usual_only(view, scenario, &lasting(), &format!("{id}-lasting"), &about("What lasts")) {
            h4 { "What lasts" }
            p.note { "Slopes are the smaller of the segments 64–128 and 128–256 requests; what the other segment has beyond it is a step, something that grew once. Residue is what is left when provider and runtime are gone." }
            (table)
        }
    }
}

/// Growth over 20 requests, one chart for each runtime.
pub(super) fn growth(view: &View, scenario: &Scenario, id: &str) -> Markup {
    let shows = |row: &Row| view.figure(row, "rss", &Figure::growth("proc.rss")).is_some();
    let faces = view.faces(scenario, shows);
    let chart = |(at, face): (usize, &Face<'_>)| {
        bars::of(
            view,
            bars::Spec {
                rows: &face.rows,
                id: if at == 0 { id.to_owned() } else { format!("{id}-{}", at + 1) },
                title: with_runtime(format!("Growth over 20 requests, {}", scenario.info.id), face),
                about: "steady@20 minus start, medians: anonymous memory (what the code asked for) solid, resident memory (file pages too) pale; whiskers from the \
                        smallest to the largest sample.",
                probe: "rss",
                series: &[("anonymous", Figure::growth("proc.anon")), ("resident (RSS)", Figure::growth("proc.rss"))],
            },
        )
    };
    in_a_row(faces.iter().enumerate().filter_map(chart))
}

fn with_runtime(title: String, face: &Face<'_>) -> String {
    if face.runtime.is_empty() { title } else { format!("{title}, {}", face.runtime) }
}

fn in_a_row(charts: impl Iterator<Item = Chart>) -> Markup {
    let charts: Vec<Chart> = charts.collect();
    html! {
        @match charts.as_slice() {
            [] => {},
            [one] => (one.frame(true)),
            several => div.charts { @for chart in several { (chart.frame(false)) } },
        }
    }
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
        let rows = view.usual(scenario, "count", &series[0].1);
        bars::of(view, bars::Spec { rows: &rows, id, title, about, probe: "count", series: &series })
    };
    in_a_row(charts.into_iter().filter_map(chart))
}

/// A metric whose growth is drawn.
struct Over {
    metric: &'static str,
    probe: &'static str,
    title: &'static str,
}

/// What the code asked for; of the headline's scenario also with file pages, which are much the same in the others.
fn over(scenario: &Scenario, headline: Option<&str>) -> &'static [Over] {
    match (scenario.info.held.is_empty(), headline == Some(scenario.info.id.as_str())) {
        (false, _) => OVER_HELD,
        (true, true) => OVER_CHECKPOINTS,
        (true, false) => &OVER_CHECKPOINTS[..1],
    }
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

/// What came since start, over the checkpoints: one chart for each runtime, side by side and on one scale.
fn checkpoints(view: &View, scenario: &Scenario, id: &str, over: &Over) -> Markup {
    let Over { metric, probe, title } = *over;
    let names = checkpoint_names(view, scenario, probe);
    let faces = view.faces(scenario, |row| view.cell(row, probe).is_some_and(|cell| cell.ok > 0));
    let panels: Vec<(String, Vec<lines::Line>)> =
        faces.iter().map(|face| panel(view, &face.rows, &names, over)).collect();
    let range = lines::range(panels.iter().flat_map(|(_, lines)| lines));
    let short = metric.rsplit_once('.').map_or(metric, |(_, short)| short);
    let chart = |(place, (face, (common, lines))): (usize, (&Face<'_>, &(String, Vec<lines::Line>)))| {
        let title = with_runtime(format!("{title}, {}", scenario.info.id), face);
        let at =
            if scenario.info.held.is_empty() { "" } else { "; while the requests named on the axis are held open" };
        let left: Vec<&str> = lines.iter().filter(|line| !line.drawn).map(|line| line.name.as_str()).collect();
        let left = match left.as_slice() {
            [] => String::new(),
            left => format!(" Off this scale, and in the data only: {}.", left.join(", ")),
        };
        let about = format!("{metric} minus that at start, medians{at}. All: {common}.{left}");
        lines::chart(format!("{id}-{short}-{}", place + 1), title, about, &names, lines, range)
    };
    in_a_row(faces.iter().zip(&panels).enumerate().filter_map(chart))
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

/// The lines of a panel, and the factors that they share. An interpreter beside levels is not drawn: it would flatten them.
fn panel(view: &View, rows: &[&Row], names: &[String], over: &Over) -> (String, Vec<lines::Line>) {
    let labels = view.labels(rows, over.probe);
    let has_levels = rows.iter().any(|row| row.kind == "level");
    let point = |row: &Row, name: &str| -> Option<Measured> {
        view.figure(row, over.probe, &Figure::since(name, over.metric)).copied()
    };
    let line = |(at, row): (usize, &&Row)| lines::Line {
        name: labels.names[at].clone(),
        place: row.place,
        dashed: rows[..at].iter().any(|other| other.subject == row.subject),
        drawn: !has_levels || row.kind != "baseline",
        points: names.iter().map(|name| point(row, name)).collect(),
    };
    (labels.common.clone(), rows.iter().enumerate().map(line).collect())
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
