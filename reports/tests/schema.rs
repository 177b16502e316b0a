//! The committed schemas are those of the types.

use std::path::Path;

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
