//! What memory depends on, as a table and as curves; and what a given memory holds.

use maud::{Markup, html};

use super::curve::{self, Curve, Scale};
use super::{at_once, colour, not_measured};
use crate::line;
use crate::metric;
use crate::model::{Model, Point};
use crate::view::{Labels, View};

/// Metrics whose models are drawn.
const DRAWN: [&str; 2] = ["proc.anon", "heap.live"];

/// The models of a record.
pub(super) fn section(view: &View) -> Markup {
    let models = view.models();
    if models.is_empty() {
        return html! {
            (not_measured("no scenario that holds requests, such as `inflight-event`."))
            (at_once::section(view))
        };
    }
    let scenarios = scenarios(&models);
    let usual: Vec<Model> = models.iter().filter(|model| view.is_usual_model(model)).cloned().collect();
    html! {
        p {
            "Memory as " code { "fixed + slope·N + inflight·C" } ", with N requests answered and C in flight. The slope is that of the longest sequential scenario; the rest is the straight line "
            "through the readings with requests held, each process by itself. The residual says how far the readings lie from it."
        }
        @for (at, scenario) in scenarios.iter().enumerate() { (tables(view, &models, scenario, at)) }
        div.charts {
            @for (at, scenario) in scenarios.iter().enumerate() {
                @for metric in DRAWN { @if let Some(chart) = in_flight(view, &usual, scenario, metric, at) { (chart) } }
            }
            @for metric in DRAWN { @if let Some(chart) = answered(view, &usual, metric) { (chart) } }
        }
        (at_once::section(view))
    }
}

fn scenarios(models: &[Model]) -> Vec<String> {
    let mut all: Vec<String> = models.iter().map(|model| model.cell.scenario.clone()).collect();
    all.dedup();
    all.sort();
    all.dedup();
    all
}

fn labels(models: &[&Model]) -> Labels {
    Labels::of(&models.iter().map(|model| (model.cell.subject.as_str(), &model.cell.factors)).collect::<Vec<_>>())
}

fn place(view: &View, model: &Model) -> usize {
    let subjects = &view.record.plan.subjects;
    subjects.iter().position(|subject| subject.id == model.cell.subject).unwrap_or(subjects.len())
}

/// The models of the rows that stand for their subjects, and in a fold those under other factors too.
fn tables(view: &View, models: &[Model], scenario: &str, at: usize) -> Markup {
    let here: Vec<&Model> = models
        .iter()
        .filter(|model| model.cell.scenario == scenario && !view.is_ablation(&model.cell.subject, &model.cell.factors))
        .collect();
    let usual: Vec<&Model> = here.iter().copied().filter(|model| view.is_usual_model(model)).collect();
    let id = format!("model-{}", at + 1);
    html! {
        (table(view, &usual, scenario, &id, "The model"))
        @if here.len() > usual.len() {
            details {
                summary { "Under other factors too, " (scenario) }
                (table(view, &here, scenario, &format!("{id}-all"), "The model under every factor"))
            }
        }
    }
}

fn table(view: &View, here: &[&Model], scenario: &str, id: &str, about: &str) -> Markup {
    let labels = labels(here);
    html! {
        p.caption { strong { (scenario) } " " span.soft { (labels.common) } }
        div.scroll id=(id) tabindex="0" role="region" aria-label={ (about) ", " (scenario) } {
            table.wide.plain {
                thead { tr {
                    th scope="col" { "subject" }
                    th scope="col" { "metric" }
                    th.num scope="col" title="with nothing asked and nothing in flight" { "fixed" }
                    th.num scope="col" title="what 1,000 further requests leave" { "slope /1,000" }
                    th.num scope="col" title="what each request in flight takes" { "in flight" }
                    th.num scope="col" title="the largest distance of a reading from the model, and as a share of the reading" { "residual, max" }
                    th.num scope="col" title="the root of the mean square of all distances" { "residual, RMS" }
                } }
                tbody { @for (at, model) in here.iter().enumerate() {
                    tr.apart[at > 0 && here[at - 1].cell != model.cell] {
                        th scope="row" { span class={ "sw " (colour(place(view, model))) } {} (labels.names[at]) }
                        th scope="row" { code { (model.metric) } }
                        @for text in model.texts() { td { (text) } }
                    }
                } }
            }
        }
    }
}

/// Against C.
fn in_flight(view: &View, models: &[Model], scenario: &str, metric: &str, at: usize) -> Option<Markup> {
    let here: Vec<&Model> =
        models.iter().filter(|model| model.cell.scenario == scenario && model.metric == metric).collect();
    let label = metric::find(metric).map_or(metric, |metric| metric.label);
    let chart = curve::chart(
        format!("model-{}-{}", at + 1, metric.replace('.', "-")),
        format!("{label} against requests in flight, {scenario}"),
        "Points: medians of the processes. Lines: the model, which is straight and looks bent because the axis goes by orders of size.".to_owned(),
        "in flight",
        Scale::Orders,
        &curves(view, &here, |model| model.held.iter().map(|point| (point.in_flight, point.clone())).collect()),
    )?;
    Some(chart.frame(false))
}

/// Against N: once for each subject, whatever hold point its model is of.
fn answered(view: &View, models: &[Model], metric: &str) -> Option<Markup> {
    let mut here: Vec<&Model> = Vec::new();
    for model in models.iter().filter(|model| model.metric == metric) {
        let seen = here
            .iter()
            .any(|other| (&other.cell.subject, &other.cell.factors) == (&model.cell.subject, &model.cell.factors));
        if !seen {
            here.push(model);
        }
    }
    let from = here.iter().find_map(|model| model.slope.as_ref()).map(|(_, scenario)| scenario.clone())?;
    let label = metric::find(metric).map_or(metric, |metric| metric.label);
    let chart = curve::chart(
        format!("model-n-{}", metric.replace('.', "-")),
        format!("{label} against requests answered, {from}"),
        "Points: medians of the processes at each checkpoint. Lines: the model’s slope, from this scenario’s own beginning.".to_owned(),
        "requests",
        Scale::Even,
        &curves(view, &here, |model| model.answered.iter().map(|point| (point.requests, point.clone())).collect()),
    )?;
    Some(chart.frame(false))
}

fn curves(view: &View, models: &[&Model], points: impl Fn(&Model) -> Vec<(u64, Point)>) -> Vec<Curve> {
    let labels = labels(models);
    let curve = |(at, model): (usize, &&Model)| Curve {
        name: labels.names[at].clone(),
        place: place(view, model),
        dashed: models[..at].iter().any(|other| other.cell.subject == model.cell.subject),
        points: points(model),
    };
    models.iter().enumerate().map(curve).filter(|curve| !curve.points.is_empty()).collect()
}

/// What a given memory holds, of a record of `plimsoll line`.
pub(super) fn line(view: &View) -> Markup {
    let Some(memory) = line::memory(&view.record) else {
        return not_measured(
            "`plimsoll line --memory 32MiB` says how many requests in flight a memory holds, and proves it.",
        );
    };
    let lines = line::lines(&view.record, memory);
    let (heading, names) = line::headed(&lines, memory);
    html! {
        p.caption { strong { (heading) } }
        div.scroll id="line-table" tabindex="0" role="region" aria-label="Requests in flight that fit" {
            table.wide {
                thead { tr { @for (at, head) in line::HEAD.iter().enumerate() { th scope="col" .num[at > 0] { (head) } } } }
                tbody { @for (lined, name) in lines.iter().zip(&names) { tr {
                    th scope="row" { (name) }
                    @for text in line::row(lined) { td.num { (text) } }
                } } }
            }
        }
        p.soft { (line::ABOUT) " " (line::how(&lines)) }
    }
}
