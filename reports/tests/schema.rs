//! The committed schemas are those of the types.

mod common;

use std::path::Path;

use serde_json::Value;

#[test]
fn the_committed_schemas_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    for (name, current) in plimsoll_reports::schema::files() {
        let path = folder.join(name);
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(&path, &current).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == current,
            "schema/{name} is not current: run `UPDATE_SCHEMA=1 cargo test --release -p plimsoll-reports --test schema` and commit it"
        );
    }
}

#[test]
fn records_and_lines_are_valid_under_them() {
    let (record_schema, sample_schema) =
        (validator(&plimsoll_reports::schema::record()), validator(&plimsoll_reports::schema::sample()));
    for record in [common::quick(), common::hostile()] {
        assert_valid(&record_schema, &serde_json::from_slice(&record.write().unwrap()).unwrap());
        for sample in &record.samples {
            assert_valid(&sample_schema, &serde_json::from_slice(&sample.write_line().unwrap()).unwrap());
        }
    }
}

#[test]
fn they_refuse_what_the_reader_refuses() {
    let schema = validator(&plimsoll_reports::schema::record());
    let good: Value = serde_json::from_slice(&common::quick().write().unwrap()).unwrap();
    for (pointer, wrong) in [
        ("/schema", Value::from("plimsoll.record/2")),
        ("/samples/0/status", Value::from("fine")),
        ("/samples/0/checkpoints/0/metrics/proc.rss", Value::from("many")),
        ("/environment/cores", Value::from(-1)),
        ("/plan/cells/0/samples", Value::Null),
        ("/samples/0/index", Value::from(0.5)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong;
        assert!(!schema.is_valid(&bad), "{pointer}");
        assert!(plimsoll_reports::Record::read(bad.to_string().as_bytes()).is_err(), "{pointer}");
    }
    for pointer in ["/environment", "/samples/0", "/plan/cells/0"] {
        let mut bad = good.clone();
        bad.pointer_mut(pointer).unwrap()["surprise"] = Value::from(1);
        assert!(!schema.is_valid(&bad), "{pointer}");
        assert!(plimsoll_reports::Record::read(bad.to_string().as_bytes()).is_err(), "{pointer}");
    }
}

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::validator_for(schema).unwrap()
}

fn assert_valid(schema: &jsonschema::Validator, value: &Value) {
    let errors: Vec<String> = schema.iter_errors(value).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
