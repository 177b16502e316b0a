//! `plimsoll.schema.json` is what the code reads, and `plimsoll.toml` fits it.

use std::path::Path;

#[test]
fn the_committed_schema_is_current_and_the_committed_configuration_fits_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a repository");
    let path = root.join("plimsoll.schema.json");
    let current = format!("{:#}\n", plimsoll::config::schema());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).expect("writable");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == current, "plimsoll.schema.json is stale: make schema");

    let text = std::fs::read_to_string(root.join("plimsoll.toml")).expect("readable");
    let value: serde_json::Value = toml::from_str(&text).expect("TOML");
    let validator = jsonschema::validator_for(&plimsoll::config::schema()).expect("a schema");
    let errors: Vec<_> = validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
}
