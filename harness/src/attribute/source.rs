//! Which crate a source file is of, in which version, and where in it: from its path.
//!
//! Nothing in what comes out names a folder of the machine: a path begins at its crate, or at the project's repository.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Where a source file belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Its crate, as Cargo names it; `std` for the standard library's; `None` where the path does not tell.
    pub krate: Option<String>,
    /// The crate's version, or a git dependency's commit; `None` for a project's own.
    pub version: Option<String>,
    /// Its path: in the crate, or in the repository if it is a project's own.
    pub file: String,
    /// Whether it is a project's own.
    pub own: bool,
}

/// Source trees of projects, as they lie on disk: looked at once a folder.
#[derive(Debug, Default)]
pub struct Sources {
    /// The project's folder: where a file is looked for whose tree has moved since it was compiled.
    root: PathBuf,
    packages: RefCell<BTreeMap<PathBuf, Option<Package>>>,
}

/// A package of a project.
#[derive(Debug, Clone)]
struct Package {
    name: String,
    version: Option<String>,
    /// The package's folder.
    folder: PathBuf,
    /// Whether `cargo vendor` put it there.
    vendored: bool,
}

impl Sources {
    /// For the project in a folder.
    pub fn of(root: &Path) -> Self {
        Self { root: std::path::absolute(root).unwrap_or_else(|_| root.to_owned()), ..Self::default() }
    }

    /// Tells of a source file's path, as the compiler noted it, where it belongs.
    pub fn place(&self, path: &str) -> Source {
        let path = tidy(Path::new(path));
        let found = of_cargo(&path).or_else(|| self.of_project(&path));
        found.or_else(|| self.of_project(&self.moved(&path)?)).unwrap_or_else(|| unknown(&path))
    }

    /// The same file in the project's folder, where the tree that it was compiled in is not there any more: its path from the folder on, the
    /// longest that is a file there.
    fn moved(&self, path: &Path) -> Option<PathBuf> {
        if !path.is_absolute() || path.exists() {
            return None;
        }
        let parts: Vec<&std::ffi::OsStr> = path.iter().skip(1).collect();
        let here = |from: usize| self.root.join(parts[from..].iter().collect::<PathBuf>());
        (1..parts.len().saturating_sub(1)).map(here).find(|file| file.is_file())
    }

    fn of_project(&self, path: &Path) -> Option<Source> {
        let folder = path.parent().filter(|_| path.is_absolute())?;
        let package = self.package(folder)?;
        let base = if package.vendored { package.folder.clone() } else { repository(&package.folder) };
        Some(Source {
            krate: Some(package.name),
            version: package.version.filter(|_| package.vendored),
            file: text(path.strip_prefix(&base).ok()?),
            own: !package.vendored,
        })
    }

    /// The package that a folder belongs to: of the nearest `Cargo.toml`. One without a package is a workspace's, and what lies under it and
    /// in no member is nobody's.
    fn package(&self, folder: &Path) -> Option<Package> {
        if let Some(known) = self.packages.borrow().get(folder) {
            return known.clone();
        }
        let package = match std::fs::read_to_string(folder.join("Cargo.toml")) {
            Ok(manifest) => named(&manifest).map(|(name, version)| Package {
                name,
                version,
                folder: folder.to_owned(),
                vendored: folder.join(".cargo-checksum.json").is_file(),
            }),
            Err(_) => folder.parent().and_then(|parent| self.package(parent)),
        };
        self.packages.borrow_mut().insert(folder.to_owned(), package.clone());
        package
    }
}

/// Name and version of a manifest's package.
fn named(manifest: &str) -> Option<(String, Option<String>)> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let package = manifest.get("package")?;
    let version = package.get("version").and_then(toml::Value::as_str);
    Some((package.get("name")?.as_str()?.to_owned(), version.map(str::to_owned)))
}

/// The repository that a package's folder lies in; without one, the outermost folder above it with a `Cargo.toml`. A side of the gate is a checkout
/// of its own inside of another: what lies in both sides has the same path in both.
fn repository(package: &Path) -> PathBuf {
    let above = || package.ancestors();
    let is_side = |folder: &Path| folder.parent().is_some_and(|sides| sides.ends_with("target/plimsoll/gate"));
    let of_git = above().find(|folder| is_side(folder) || folder.join(".git").exists());
    let of_cargo =
        || above().take_while(|folder| folder.parent().is_some()).filter(|f| f.join("Cargo.toml").is_file()).last();
    of_git.or_else(of_cargo).unwrap_or(package).to_owned()
}

/// Of a crate that Cargo fetched, or of the standard library: their paths say all.
fn of_cargo(path: &Path) -> Option<Source> {
    let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap_or_default()).collect();
    let after = |marks: &[&str]| {
        let at = parts.windows(marks.len()).rposition(|window| window == marks)?;
        Some(&parts[at + marks.len()..])
    };
    // ~/.cargo/registry/src/INDEX/NAME-VERSION/…
    if let Some([_, folder, rest @ ..]) = after(&["registry", "src"])
        && let Some((name, version)) = versioned(folder)
    {
        return Some(foreign(name, Some(version), rest));
    }
    // ~/.cargo/git/checkouts/NAME-HASH/COMMIT/…
    if let Some([folder, commit, rest @ ..]) = after(&["git", "checkouts"]) {
        let repository = folder.rsplit_once('-').map_or(*folder, |(name, _)| name);
        // A repository of several crates has a folder for each, in which the sources lie.
        let at = rest.iter().position(|part| *part == "src").unwrap_or(0);
        let name = if at == 0 { repository } else { rest[at - 1] };
        return Some(foreign(name, Some(commit), &rest[at..]));
    }
    // …/build/NAME-HASH/out/…: what a build script wrote, of whatever project.
    if let Some(at) = parts.windows(3).rposition(|window| window[0] == "build" && window[2] == "out")
        && let Some((name, _)) = parts[at + 1].rsplit_once('-')
    {
        return Some(foreign(name, None, &parts[at + 2..]));
    }
    // /rust/deps/NAME-VERSION/…: what the standard library is built with.
    if let Some([folder, rest @ ..]) = after(&["rust", "deps"])
        && let Some((name, version)) = versioned(folder)
    {
        return Some(foreign(name, Some(version), rest));
    }
    // /rustc/COMMIT/library/…, or where the component rust-src has put it.
    let library = match after(&["rustlib", "src", "rust", "library"]) {
        Some(rest) => Some(rest),
        None => match parts.as_slice() {
            ["/", "rustc", _, "library", rest @ ..] => Some(rest),
            _ => None,
        },
    };
    library.map(|rest| Source { file: format!("library/{}", rest.join("/")), ..foreign("std", None, rest) })
}

fn foreign(name: &str, version: Option<&str>, rest: &[&str]) -> Source {
    Source { krate: Some(name.to_owned()), version: version.map(str::to_owned), file: rest.join("/"), own: false }
}

/// A folder's name as name and version: `aws-lc-sys-0.32.1`, `x-1.0.0-rc.1`.
fn versioned(folder: &str) -> Option<(&str, &str)> {
    let is_version = |text: &str| {
        let mut numbers = text.splitn(3, '.');
        let number = |part: Option<&str>| part.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
        number(numbers.next())
            && number(numbers.next())
            && numbers.next().is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    folder.match_indices('-').map(|(at, _)| (&folder[..at], &folder[at + 1..])).find(|(_, version)| is_version(version))
}

/// The path without `.` and with `..` carried out.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidy.components().next_back(), Some(Component::Normal(_))) => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

/// Of which nothing is known: its last two parts, which may help a reader and name no home folder.
fn unknown(path: &Path) -> Source {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).filter(|part| *part != "/").collect();
    Source { file: parts[parts.len().saturating_sub(2)..].join("/"), ..Source::default() }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_crate_version_and_file_and_never_a_home_folder() {
        for (path, krate, version, file) in [
            (
                "/home/user/.cargo/registry/src/registry-index-01949cf8c6b5b557f/hyper-1.12.0/src/proto/h1/io.rs",
                "hyper",
                "1.12.0",
                "src/proto/h1/io.rs",
            ),
            (
                "/home/user/.cargo/registry/src/registry-index-01949cf8c6b5b557f/aws-lc-sys-0.32.1/aws-lc/crypto/mem.c",
                "aws-lc-sys",
                "0.32.1",
                "aws-lc/crypto/mem.c",
            ),
            ("/c/registry/src/i/rand-0.10.0-rc.1/src/./lib.rs", "rand", "0.10.0-rc.1", "src/lib.rs"),
            ("/c/registry/src/i/wasip2-1.0.1+wasi-0.2.4/src/lib.rs", "wasip2", "1.0.1+wasi-0.2.4", "src/lib.rs"),
            ("/c/registry/src/i/sha-1-0.10.1/src/lib.rs", "sha-1", "0.10.1", "src/lib.rs"),
            ("/home/user/.cargo/git/checkouts/h2-8d1f6a7f2c1d2b3a/1a2b3c4/src/lib.rs", "h2", "1a2b3c4", "src/lib.rs"),
            (
                "/home/user/.cargo/git/checkouts/rig-8d1f6a7f2c1d2b3a/1a2b3c4/rig-core/src/agent.rs",
                "rig-core",
                "1a2b3c4",
                "src/agent.rs",
            ),
            (
                "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/alloc/src/vec/mod.rs",
                "std",
                "",
                "library/alloc/src/vec/mod.rs",
            ),
            ("/rustc/59807616e/library/std/src/../../backtrace/src/lib.rs", "std", "", "library/backtrace/src/lib.rs"),
            (
                "/home/user/.rustup/toolchains/stable-x86_64-unknown-linux-gnu/lib/rustlib/src/rust/library/core/src/ops/function.rs",
                "std",
                "",
                "library/core/src/ops/function.rs",
            ),
            ("/home/user/project/target/release/build/typenum-0a1b2c/out/tests.rs", "typenum", "", "out/tests.rs"),
            ("/rust/deps/hashbrown-0.16.1/src/raw/mod.rs", "hashbrown", "0.16.1", "src/raw/mod.rs"),
            ("/home/user/nowhere-in-particular/a/b.c", "", "", "a/b.c"),
            ("../csu/libc-start.c", "", "", "csu/libc-start.c"),
            ("", "", "", ""),
        ] {
            let source = Sources::default().place(path);
            assert_eq!(source.krate.as_deref().unwrap_or_default(), krate, "{path}");
            assert_eq!(source.version.as_deref().unwrap_or_default(), version, "{path}");
            assert_eq!(source.file, file, "{path}");
            assert!(!source.own && !source.file.contains("user"), "{path}");
        }
    }

    #[test]
    fn a_project_s_own_file_is_told_from_its_repository_and_a_vendored_crate_is_not_its_own() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let write = |path: &str, content: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            std::fs::write(path, content).expect("writable");
        };
        write("Cargo.toml", "[workspace]\nmembers = [\"client\"]\n");
        write("client/Cargo.toml", "[package]\nname = \"my-client\"\nversion.workspace = true\n");
        write("vendor/hyper/Cargo.toml", "[package]\nname = \"hyper\"\nversion = \"1.2.3\"\n");
        write("vendor/hyper/.cargo-checksum.json", "{}");
        let sources = Sources::default();
        let place = |path: &str| sources.place(&dir.path().join(path).to_string_lossy());
        let own = |file: &str| Source { krate: Some("my-client".into()), version: None, file: file.into(), own: true };
        // Without git, a repository begins at its outermost manifest.
        assert_eq!(place("client/src/net/lib.rs"), own("client/src/net/lib.rs"));
        let hyper = foreign("hyper", Some("1.2.3"), &["src", "lib.rs"]);
        assert_eq!(place("vendor/hyper/src/lib.rs"), hyper);
        // In the workspace, and in no member of it.
        assert_eq!(place("target/made.rs").krate, None);
        // Both sides of the gate are checkouts in the project's own.
        write(".git/HEAD", "ref: refs/heads/main\n");
        for side in ["base-1", "head-1"] {
            write(&format!("target/plimsoll/gate/{side}/Cargo.toml"), "[workspace]\nmembers = [\"client\"]\n");
            let manifest = format!("target/plimsoll/gate/{side}/client/Cargo.toml");
            write(&manifest, "[package]\nname = \"my-client\"\nversion.workspace = true\n");
            let lib = format!("target/plimsoll/gate/{side}/client/src/net/lib.rs");
            assert_eq!(place(&lib), own("client/src/net/lib.rs"));
        }
        // The same tree, compiled in a folder that is gone.
        let lib = dir.path().join("client/src/net/lib.rs");
        std::fs::create_dir_all(lib.parent().expect("a folder")).expect("writable");
        std::fs::write(&lib, "").expect("writable");
        let moved = Sources::of(dir.path()).place("/nowhere/at/all/client/src/net/lib.rs");
        assert_eq!(moved, own("client/src/net/lib.rs"));
        assert_eq!(Sources::of(dir.path()).place("/nowhere/at/all/src/other.rs").krate, None);
        std::fs::create_dir(dir.path().join("client/.git")).expect("writable");
        assert_eq!(
            Sources::default().place(&dir.path().join("client/src/lib.rs").to_string_lossy()),
            own("src/lib.rs")
        );
    }
}
