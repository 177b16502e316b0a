//! Every figure of a record as JSON, schema `plimsoll.summary/1`: what the page embeds and programs read.

use serde_json::{Map, Number, Value, json};

use crate::claims::{self, Verdict};
use crate::derive::{CellFigures, Failure, Figure, GROWTH_AT, Measured};
use crate::record::Record;
use crate::stats::Exactness;
use crate::summary::{self, status_name};
use crate::view::View;

/// The record's figures as indented JSON.
#[must_use]
pub fn render(record: &Record) -> String {
    format!("{:#}\n", value(&View::new(record)))
}

fn value(view: &View) -> Value {
    with_cells(view, view.cells.iter().map(cell).collect())
}

/// The same with each cell's main figures as a map of arrays, a fortieth of the size: what a page embeds. An array is samples and median, and where
/// the samples vary, median absolute deviation, smallest and largest.
pub(crate) fn compact(view: &View) -> Value {
    let figure = |(figure, measured): (&Figure, &Measured)| {
        let stats = &measured.stats;
        let mut array = vec![json!(stats.samples), number(stats.median)];
        if stats.exactness == Exactness::Varies {
            array.extend([stats.mad, stats.min, stats.max].map(number));
        }
        (figure.to_string(), Value::Array(array))
    };
    let cell = |figures: &CellFigures| {
        let mut object = head(figures);
        let shown = figures.figures.iter().filter(|(figure, _)| is_embedded(figure)).map(figure);
        object.insert("figures".to_owned(), Value::Object(shown.collect()));
        Value::Object(object)
    };
    with_cells(view, view.cells.iter().map(cell).collect())
}

/// Whether a page embeds a figure: those that are made of readings, and readings at the checkpoints that figures are told of. The rest is in the
/// record beside the page.
fn is_embedded(figure: &Figure) -> bool {
    match figure {
        Figure::Since { .. } | Figure::Step(_) => false,
        Figure::At { checkpoint, metric } => {
            let told = [
                "proc.rss",
                "proc.anon",
                "proc.hwm",
                "heap.live",
                "heap.peak",
                "jemalloc.allocated",
                "jemalloc.resident",
                "dhat.total",
            ];
            (checkpoint == GROWTH_AT || checkpoint == "start" || checkpoint.starts_with("held@"))
                && told.contains(&metric.as_str())
        }
        Figure::Growth(metric) | Figure::Residue(metric) | Figure::Slope(metric) => {
            ["proc.rss", "proc.anon", "heap.live"].contains(&metric.as_str())
        }
        Figure::PerRequest(_) | Figure::InFlight(_) | Figure::Latency(_) => true,
    }
}

fn with_cells(view: &View, cells: Vec<Value>) -> Value {
    let told = summary::of(view);
    json!({
        "schema": "plimsoll.summary/1",
        "record": view.record.id,
        "started": view.record.started.to_string(),
        "suite": view.record.plan.suite,
        "target": view.record.environment.target,
        "advisory": summary::is_live(&view.record.environment.target),
        "verdict": told.verdict,
        "samples": { "planned": told.planned, "ok": told.ok, "failed": told.failed, "unavailable": told.unavailable },
        "cells": cells,
        "benches": view.record.benches,
        "claims": claims::ledger(view).into_iter().map(|row| json!({
            "id": row.id,
            "claim": row.claim,
            "measured": row.measured,
            "verdict": verdict(row.verdict),
            "why": row.why,
        })).collect::<Vec<_>>(),
    })
}

/// The name of an exactness in JSON and CSV.
pub(crate) fn exactness(exactness: Exactness) -> &'static str {
    match exactness {
        Exactness::Single => "single",
        Exactness::Identical => "identical",
        Exactness::Varies => "varies",
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Partly => "partly",
        Verdict::Fails => "fails",
        Verdict::NotMeasured => "not-measured",
    }
}

fn cell(figures: &CellFigures) -> Value {
    let mut object = head(figures);
    let all = figures.figures.iter().map(|(figure, measured)| one(figure, measured)).collect();
    object.insert("figures".to_owned(), Value::Array(all));
    Value::Object(object)
}

fn head(figures: &CellFigures) -> Map<String, Value> {
    let failure = |failure: &Failure| json!({ "index": failure.index, "status": status_name(failure.status), "error": failure.error });
    let pairs = [
        ("subject", json!(figures.cell.subject)),
        ("scenario", json!(figures.cell.scenario)),
        ("probe", json!(figures.cell.probe)),
        ("factors", json!(figures.cell.factors)),
        ("planned", json!(figures.planned)),
        ("ok", json!(figures.ok)),
        ("failures", figures.failures.iter().map(failure).collect()),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn one(figure: &Figure, measured: &Measured) -> Value {
    let mut object = Map::new();
    object.insert("form".to_owned(), json!(figure.form()));
    if let Some(checkpoint) = figure.checkpoint() {
        object.insert("checkpoint".to_owned(), json!(checkpoint));
    }
    object.insert("metric".to_owned(), json!(figure.metric()));
    object.insert("unit".to_owned(), json!(measured.unit.name()));
    let stats = &measured.stats;
    object.insert("samples".to_owned(), json!(stats.samples));
    for (name, value) in [("median", stats.median), ("mad", stats.mad), ("min", stats.min), ("max", stats.max)] {
        object.insert(name.to_owned(), number(value));
    }
    object.insert("exactness".to_owned(), json!(exactness(stats.exactness)));
    Value::Object(object)
}

/// A whole number without a fraction, which is what nearly every figure is.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within 2^53")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        return Value::Number(Number::from(value as i64));
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}
