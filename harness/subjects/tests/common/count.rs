//! The counting library, and the counts of a subject that runs under it.

#[path = "../../../tests/common/cargo.rs"]
mod cargo;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

#[path = "../../../count/src/layout.rs"]
mod layout;

pub use layout::Slot;

/// A subject's file of counters.
pub struct Counters(PathBuf);

impl Counters {
    /// Makes the file, and has `command` counted into it.
    pub fn of(command: &mut Command, name: &str) -> Self {
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.count", std::process::id()));
        fs::write(&file, layout::blank()).unwrap();
        command.env("LD_PRELOAD", library()).env("PLIMSOLL_COUNT_FILE", &file);
        Self(file)
    }

    /// What the subject has counted so far.
    pub fn read(&self) -> Slot {
        layout::read(&fs::read(&self.0).unwrap()).unwrap()[0]
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// libplimsoll_count.so as it now is in the source: Cargo builds no cdylib for the tests of another package.
fn library() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let status = cargo::by_hand()
            .args(["build", "--quiet", "--locked", "--release", "--package", "plimsoll-count"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success());
    });
    super::program("libplimsoll_count.so")
}
