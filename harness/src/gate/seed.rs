//! Dependencies that are built already, lent to a side's own target folder: it then builds the project's own crates and nothing else.
//!
//! Only what is not the project's is lent. Cargo knows a crate from a registry by its version, features and compiler, whatever folder it was built
//! in, and has it built again where one of them differs; of the project's own crates it looks at the times of files, which another
//! checkout has anew.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Lends what was built in the target folder `from` to `to`, where the workspace in `root` is going to be built. A folder that has anything
/// yet, and a project that is not Cargo's, are left alone.
///
/// # Errors
/// When a file can be neither linked nor copied: what was lent so far is then to be deleted.
pub(super) fn lend(from: &Path, to: &Path, root: &Path) -> io::Result<()> {
    let (from, to) = (from.join("release"), to.join("release"));
    if to.exists() || !from.join("deps").is_dir() {
        return Ok(());
    }
    let Some(own) = own_names(root) else { return Ok(()) };
    for folder in [".fingerprint", "build", "deps"] {
        fs::create_dir_all(to.join(folder))?;
        for entry in fs::read_dir(from.join(folder)).into_iter().flatten() {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if is_foreign(name, &own) {
                lend_one(&entry.path(), &to.join(folder).join(name))?;
            }
        }
    }
    Ok(())
}

/// The names of the workspace's packages and of what they build.
fn own_names(root: &Path) -> Option<BTreeSet<String>> {
    let words = ["metadata", "--no-deps", "--format-version", "1", "--offline"];
    let output = Command::new("cargo").args(words).current_dir(root).output().ok()?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout).ok()?;
    let names = metadata.packages.into_iter().flat_map(|package| {
        package.targets.into_iter().map(|target| target.name).chain([package.name]).collect::<Vec<_>>()
    });
    Some(names.map(|name| letters(&name)).collect())
}

/// Whether a file or folder of a target folder, `libNAME-HASH.rlib` or `NAME-HASH`, is of none of these.
fn is_foreign(file: &str, own: &BTreeSet<String>) -> bool {
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    let Some((name, _)) = stem.rsplit_once('-') else { return false };
    let name = letters(name);
    // A build script's own program is `build_script_build` in every package.
    let is_script = name.starts_with("build_script");
    !is_script && !own.contains(&name) && !name.strip_prefix("lib").is_some_and(|name| own.contains(name))
}

fn letters(name: &str) -> String {
    name.replace('-', "_")
}

/// Bytes from which a file is linked and not copied. What a build script may write again in its place is text and small; compilers and
/// archivers make their files anew.
const LINKED: u64 = 64 * 1024;

fn lend_one(from: &Path, to: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(from)?;
    if meta.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            lend_one(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if meta.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if meta.len() >= LINKED && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    // Cargo tells by times whether something is older than what it was made of.
    fs::File::options().write(true).open(to).and_then(|file| file.set_modified(meta.modified()?)).or_else(|error| {
        // A file that may not be written is one that was built; its time is then as new as everything's here.
        if error.kind() == io::ErrorKind::PermissionDenied { Ok(()) } else { Err(error) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_project_s_own_is_not_lent() {
        let own: BTreeSet<String> = ["my_client", "my_subject", "my_client_worker"].map(str::to_owned).into();
        for lent in
            ["libserde-0123.rlib", "serde-0123", "ring-a4d7e02ef1f92835", "libmy_client_other-01.rmeta", "tokio-1.d"]
        {
            assert!(is_foreign(lent, &own), "{lent}");
        }
        for kept in
            ["libmy_client-0123.rlib", "my-client-0123", "my_subject-9f.d", "build_script_build-77.d", "CACHEDIR.TAG"]
        {
            assert!(!is_foreign(kept, &own), "{kept}");
        }
    }

    #[test]
    fn a_target_folder_that_has_something_is_left_alone() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("release/deps")).expect("writable");
        fs::write(from.join("release/deps/libserde-01.rlib"), "x").expect("writable");
        fs::create_dir_all(to.join("release")).expect("writable");
        lend(&from, &to, dir.path()).expect("nothing to do");
        assert!(!to.join("release/deps").exists());
    }
}
