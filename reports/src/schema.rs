//! The JSON Schemas of `record.json`, of a line of `samples.jsonl` and of `verdict.json`, made from the types that read them.
//!
//! They are committed under `reports/schema/`, numbered like the record's own version; a test says when they are not current, and
//! `UPDATE_SCHEMA=1 cargo test --release -p plimsoll-reports --test schema` writes them anew.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::record::{Record, SCHEMA, Sample};

/// The schema of `record.json`.
#[must_use]
pub fn record() -> Value {
    let mut schema = generate::<Record>("plimsoll.record/1: one run, all that was measured in it");
    if let Some(name) = schema.pointer_mut("/properties/schema") {
        name["const"] = json!(SCHEMA);
    }
    schema
}

/// The schema of one line of `samples.jsonl`.
#[must_use]
pub fn sample() -> Value {
    generate::<Sample>("plimsoll.sample/1: one line of samples.jsonl, one process of a cell")
}

/// The schema of `verdict.json`, which the gate writes.
#[must_use]
pub fn verdict() -> Value {
    crate::gate::show::schema()
}

/// The committed files: name, and what must be in it.
#[must_use]
pub fn files() -> [(&'static str, String); 3] {
    [
        ("plimsoll.record-1.schema.json", text(&record())),
        ("plimsoll.sample-1.schema.json", text(&sample())),
        ("plimsoll.verdict-1.schema.json", text(&verdict())),
    ]
}

fn generate<T: schemars::JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), json!(title));
    schema.to_value()
}

fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}
