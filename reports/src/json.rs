//! Every figure of a record as JSON, schema `plimsoll.summary/1`: what the page embeds and programs read.

use serde_json::{Map, Number, Value, json};

use crate::claims::{self, Verdict};
use crate::derive::{CellFigures, Figure, Measured};
use crate::record::Record;
use crate::stats::Exactness;
use crate::summary::{self, status_name};
use crate::view::View;

/// The record's figures as indented JSON.
#[must_use]
pub fn render(record: &Record) -> String {
    format!("{:#}\n", value(&View::new(record)))
}

pub(crate) fn value(view: &View) -> Value {
    let told = summary::of(view);
    json!({
        "schema": "plimsoll.summary/1",
        "record": view.record.id,
        "started": view.record.started.to_string(),
        "suite": view.record.plan.suite,
        "target": view.record.environment.target,
        "verdict": told.verdict,
        "samples": { "planned": told.planned, "ok": told.ok, "failed": told.failed, "unavailable": told.unavailable },
        "cells": view.cells.iter().map(cell).collect::<Vec<_>>(),
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
    json!({
        "subject": figures.cell.subject,
        "scenario": figures.cell.scenario,
        "probe": figures.cell.probe,
        "factors": figures.cell.factors,
        "planned": figures.planned,
        "ok": figures.ok,
        "failures": figures.failures.iter().map(|failure| json!({
            "index": failure.index,
            "status": status_name(failure.status),
            "error": failure.error,
        })).collect::<Vec<_>>(),
        "figures": figures.figures.iter().map(|(figure, measured)| one(figure, measured)).collect::<Vec<_>>(),
    })
}

fn one(figure: &Figure, measured: &Measured) -> Value {
    let mut object = Map::new();
    object.insert("form".to_owned(), json!(figure.form()));
    if let Figure::At { checkpoint, .. } = figure {
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
