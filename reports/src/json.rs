//! Every figure of a record as JSON for programs, schema `plimsoll.summary/1`; and what a page embeds of it, `plimsoll.page/1`.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value, json};

use crate::claims::{self, Verdict};
use crate::derive::{CellFigures, Failure, Figure, GROWTH_AT, Measured, Percentile};
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

/// The main figures of every cell in a hundredth of the size: what a page embeds. `factors` and `figures` are named once; a cell is its subject, scenario,
/// probe, the place of its factors, samples planned and samples that count, and of each figure that it has the place of its name, samples and median, and
/// where the samples vary, smallest and largest.
pub(crate) fn compact(view: &View) -> Value {
    let (mut factors, mut names): (Vec<&BTreeMap<String, String>>, Vec<String>) = (Vec::new(), Vec::new());
    let mut cells = Vec::new();
    for CellFigures { cell, planned, ok, figures, .. } in &view.cells {
        let under = place(&mut factors, &cell.factors);
        let mut row = vec![json!([cell.subject, cell.scenario, cell.probe, under, planned, ok])];
        for (figure, measured) in figures.iter().filter(|(figure, _)| is_embedded(figure)) {
            let stats = &measured.stats;
            let mut told =
                vec![json!(place(&mut names, figure.to_string())), json!(stats.samples), number(stats.median)];
            if stats.exactness == Exactness::Varies {
                told.extend([stats.min, stats.max].map(number));
            }
            row.push(Value::Array(told));
        }
        cells.push(Value::Array(row));
    }
    let told = summary::of(view);
    json!({
        "schema": "plimsoll.page/1",
        "record": view.record.id,
        "target": view.record.environment.target,
        "verdict": told.verdict,
        "factors": factors,
        "figures": names,
        "cells": cells,
        "benches": view.record.benches,
        "claims": claims::ledger(view).into_iter().map(|row| json!([row.id, verdict(row.verdict)])).collect::<Vec<_>>(),
    })
}

/// Where a value stands among those that were named, itself the last if it is new.
fn place<T: PartialEq>(named: &mut Vec<T>, value: T) -> usize {
    named.iter().position(|other| *other == value).unwrap_or_else(|| {
        named.push(value);
        named.len() - 1
    })
}

/// Whether a page embeds a figure: those that its main tables show. The rest is in the record beside the page.
fn is_embedded(figure: &Figure) -> bool {
    let is_of = |metric: &str, told: &[&str]| told.contains(&metric);
    match figure {
        Figure::Since { .. } | Figure::Step(_) => false,
        Figure::At { checkpoint, metric } => {
            let told: &[&str] = match checkpoint.as_str() {
                "start" => &["proc.rss"],
                GROWTH_AT => &["proc.rss", "proc.hwm", "whole.pss", "heap.peak", "jemalloc.allocated", "dhat.total"],
                "held@100" | "held@1000" => &["proc.rss", "whole.pss"],
                _ => &[],
            };
            is_of(metric, told)
        }
        Figure::Growth(metric) | Figure::Residue(metric) | Figure::Slope(metric) => {
            is_of(metric, &["proc.rss", "proc.anon", "whole.anon", "heap.live"])
        }
        Figure::InFlight(metric) => {
            is_of(metric, &["proc.rss", "proc.anon", "whole.pss", "cgroup.kernel", "heap.live"])
        }
        Figure::PerRequest(metric) => is_of(metric, &["heap.allocs", "heap.bytes", "whole.allocs", "whole.bytes"]),
        Figure::Latency(percentile) => matches!(percentile, Percentile::P50 | Percentile::P99),
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
