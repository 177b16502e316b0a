//! Facts of the build that every record states.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok().and_then(|o| String::from_utf8(o.stdout).ok());
    println!("cargo:rustc-env=PLIMSOLL_RUSTC={}", version.as_deref().unwrap_or("rustc (version unknown)").trim());
    // `PROFILE` only says whether a profile inherits from `release`; its own name is in the path: target/NAME/build/plimsoll-…/out.
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let profile = out.ancestors().nth(3).and_then(|p| p.file_name()).map(|n| n.to_string_lossy().into_owned());
    println!("cargo:rustc-env=PLIMSOLL_PROFILE={}", profile.as_deref().unwrap_or("unknown"));
}
