//! Builds inside of tests. Shared with the tests of the packages below this one, by path.

use std::process::Command;

/// `cargo` as it is called by hand: without what describes the package under test. Build scripts of dependencies look at that (ring's does),
/// and would have everything built once more.
pub(crate) fn by_hand() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    let ours = |name: &str| name == "OUT_DIR" || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| ours(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    cargo
}
