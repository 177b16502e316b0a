//! The sides of a comparison: a checkout each, with a target folder of its own, built.
//!
//! They lie in `target/plimsoll/gate/`, in slots whose paths are of one length, because the path of a source file is in the program: `head-1`, and
//! `base-1`, `base-2`, for the bases of late. A slot is brought from one tree to another by writing only what differs, so that a build in it
//! does not begin anew; and one that holds what is wanted is not built again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_reports::record::Tool;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::git::{Git, GitError};
use super::seed;
use crate::config::{Config, Project};
use crate::run::environment::hex;
use crate::run::store::{self, StoreError};

/// A side, built.
#[derive(Debug, Clone)]
pub struct Side {
    /// `base` or `head`.
    pub name: &'static str,
    /// What is measured of it, in its checkout.
    pub project: Project,
    /// Whose figures they are.
    pub tool: Tool,
}

/// A side that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SideError {
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The disk.
    #[error("cannot make a checkout in {}: {source}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What a slot holds cannot be noted.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else is at it.
    #[error("another `plimsoll gate` is using {}; wait for its end", .0.display())]
    Busy(PathBuf),
    /// A build command failed.
    #[error("the {side} does not build: {subject}: {said}")]
    Build {
        /// `base` or `head`.
        side: &'static str,
        /// What for: a subject, or the gate.
        subject: String,
        /// The command and how it ended.
        said: String,
    },
}

/// Bases whose checkouts are kept.
const BASES: usize = 2;

/// The folder of the sides, locked as long as this lives.
#[derive(Debug)]
pub struct Slots {
    folder: PathBuf,
    /// Where dependencies may be built already.
    warm: PathBuf,
    /// The name of the project's file.
    file: PathBuf,
    _lock: fs::File,
}

/// What a slot holds, noted beside it when it is built.
#[derive(Debug, Serialize, Deserialize)]
struct Held {
    /// The key of what it holds.
    key: String,
    /// Keys of what was to be built instead of it and did not build.
    instead_of: Vec<String>,
}

/// What is to be built: a tree, and the project as it is measured there.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// `base` or `head`.
    pub name: &'static str,
    /// The tree.
    pub tree: &'a str,
    /// What says how its subjects are built and started.
    pub config: &'a Config,
    /// The subjects that are measured.
    pub subjects: &'a [String],
    /// Whose figures they are.
    pub tool: &'a Tool,
}

impl Slots {
    /// Opens the sides' folder of a project.
    ///
    /// # Errors
    /// When it cannot be written, or somebody else is using it.
    pub fn open(project: &Project) -> Result<Self, SideError> {
        let folder = std::path::absolute(project.root.join("target/plimsoll/gate")).unwrap_or_default();
        let io = |source| SideError::Io { path: folder.clone(), source };
        fs::create_dir_all(&folder).map_err(io)?;
        let lock = fs::File::create(folder.join("lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(SideError::Busy(folder)),
            Err(fs::TryLockError::Error(source)) => return Err(io(source)),
        }
        let target = project.target_dir();
        let warm = target.parent().unwrap_or(&target).to_owned();
        Ok(Self { folder, warm, file: project.file.clone(), _lock: lock })
    }

    /// Makes a side: checked out and built, or found as it was left. `instead_of` are the keys of what did not build.
    ///
    /// # Errors
    /// When it does not build.
    pub fn side(&self, git: &Git, wanted: Wanted<'_>, instead_of: &[String]) -> Result<Side, SideError> {
        let key = key(&wanted, git);
        let slot = self.slot(wanted.name, &key);
        let (folder, note) = (self.folder.join(&slot), self.folder.join(format!("{slot}.json")));
        let root = folder.join(git.prefix());
        let side = Side {
            name: wanted.name,
            project: Project {
                root,
                file: self.file.clone(),
                config: wanted.config.clone(),
                target: Some(folder.join("target")),
            },
            tool: wanted.tool.clone(),
        };
        if held(&note).is_some_and(|held| held.key == key) {
            // The one that was used last is the last to be given up.
            let _ =
                fs::File::options().append(true).open(&note).and_then(|f| f.set_modified(std::time::SystemTime::now()));
            return Ok(side);
        }
        let _ = fs::remove_file(&note);
        let io = |source| SideError::Io { path: folder.clone(), source };
        fs::create_dir_all(&folder).map_err(io)?;
        git.check_out(wanted.tree, &folder, &self.folder.join(format!("{slot}.index")))?;
        if let Err(source) = seed::lend(&self.warm, &folder.join("target"), &side.project.root) {
            let _ = fs::remove_dir_all(folder.join("target"));
            tracing::warn!("dependencies are built anew: {source}");
        }
        build(&side, wanted.subjects)?;
        let held = Held { key, instead_of: instead_of.to_vec() };
        store::write_whole(&note, &serde_json::to_vec(&held).unwrap_or_default())?;
        Ok(side)
    }

    /// Whether this did not build when something else was built instead of it, which is still there.
    pub fn is_known_not_to_build(&self, git: &Git, wanted: &Wanted<'_>) -> bool {
        let key = key(wanted, git);
        names(wanted.name).any(|slot| {
            held(&self.folder.join(format!("{slot}.json"))).is_some_and(|held| held.instead_of.contains(&key))
        })
    }

    /// The slot that holds it, or an empty one, or the one that was used longest ago.
    fn slot(&self, name: &str, key: &str) -> String {
        let note = |slot: &String| self.folder.join(format!("{slot}.json"));
        let used = |slot: &String| fs::metadata(note(slot)).and_then(|meta| meta.modified()).ok();
        let holds = names(name).find(|slot| held(&note(slot)).is_some_and(|held| held.key == key));
        holds.or_else(|| names(name).min_by_key(used)).unwrap_or_else(|| format!("{name}-1"))
    }
}

/// What tells one build from another: the tree, what is built of it, and by which compiler. `tree` alone would do for sources.
pub(super) fn key(wanted: &Wanted<'_>, git: &Git) -> String {
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update(text.len().to_le_bytes());
        digest.update(text);
    };
    add(wanted.tree);
    add(git.prefix());
    for (subject, command) in builds(wanted.config, wanted.subjects) {
        add(subject);
        command.iter().for_each(|word| add(word));
    }
    let compiler = Command::new("rustc").arg("-vV").output().map(|output| output.stdout).unwrap_or_default();
    add(&String::from_utf8_lossy(&compiler));
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CFLAGS", "CC"] {
        add(&std::env::var(variable).unwrap_or_default());
    }
    hex(&digest.finalize())
}

fn names(side: &str) -> impl Iterator<Item = String> {
    let slots = if side == "base" { BASES } else { 1 };
    (1..=slots).map(move |number| format!("{side}-{number}"))
}

fn held(note: &Path) -> Option<Held> {
    serde_json::from_slice(&fs::read(note).ok()?).ok()
}

/// The build commands of a side, each once, with what they are for: the gate's own, or those of its subjects.
fn builds<'a>(config: &'a Config, subjects: &'a [String]) -> Vec<(&'a str, &'a [String])> {
    if let Some(words) = config.gate.as_ref().and_then(|gate| gate.build.as_deref()).filter(|words| !words.is_empty()) {
        return vec![("gate", words)];
    }
    let mut all: Vec<(&str, &[String])> = Vec::new();
    for subject in config.subject.iter().filter(|subject| subjects.contains(&subject.id)) {
        let Some(words) = subject.build.as_deref().filter(|words| !words.is_empty()) else { continue };
        if !all.iter().any(|(_, known)| *known == words) {
            all.push((&subject.id, words));
        }
    }
    all
}

fn build(side: &Side, subjects: &[String]) -> Result<(), SideError> {
    for (subject, words) in builds(&side.project.config, subjects) {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&side.project.root);
        command.envs(side.project.target.iter().map(|target| ("CARGO_TARGET_DIR", target)));
        let said = match command.status() {
            Ok(status) if status.success() => continue,
            Ok(status) => format!("`{}` ended with {status}", words.join(" ")),
            Err(error) => format!("cannot run `{}`: {error}", words.join(" ")),
        };
        return Err(SideError::Build { side: side.name, subject: subject.to_owned(), said });
    }
    Ok(())
}
