//! Baselines: records that are kept by name, to be compared with later or where there is no history to build a base from.
//!
//! A baseline is a folder with one file in it, the record packed by gzip: whole, so that every report can be made of it, and a fifteenth of the
//! size. Named ones lie in [`FOLDER`], beside the runs; a folder given instead of a name, as [`COMMITTED`], is for git.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_reports::record::{Record, Status};

use crate::config::Project;
use crate::run::store::{self, PACKED, StoreError};

/// Where named baselines lie, from the project's folder.
pub const FOLDER: &str = "target/plimsoll/baselines";
/// Where the one lies that a project commits.
pub const COMMITTED: &str = "reports/baseline";
/// The name where none is given.
pub const DEFAULT: &str = "default";

/// A baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// What `--base` takes: its name, or its folder.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Its size on disk, bytes.
    pub size: u64,
    /// The record.
    pub record: Record,
}

/// Why a baseline is not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// A record cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A word that names none.
    #[error(
        "{0:?} cannot be a baseline's name: letters, digits, `-`, `_` and `.`, not first `-` or `.`, and at most 64 of them"
    )]
    Name(String),
    /// None has that name.
    #[error("no baseline {name:?}; there {}", listed(.known))]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The run has not come to its end.
    #[error("{} is a run without its end: {} of {} samples are there; `plimsoll run --resume` measures the others", path.display(), done, planned)]
    Unfinished {
        /// The record.
        path: PathBuf,
        /// Samples that are there.
        done: usize,
        /// Samples that were planned.
        planned: u64,
    },
    /// Samples are not valid.
    #[error("{}: {bad} of {all} samples are not valid, the first: {first}; nothing can be compared with it, measure again", path.display())]
    Failed {
        /// The record.
        path: PathBuf,
        /// Samples that are not valid.
        bad: usize,
        /// All samples.
        all: usize,
        /// The first of them, and why.
        first: String,
    },
    /// Nothing was measured.
    #[error("{}: nothing was measured, every sample is unavailable", .0.display())]
    Nothing(PathBuf),
    /// The figures are not of the mock.
    #[error(
        "{} was measured against {target:?}, which answers differently every time: only runs against the mock can be compared with",
        path.display()
    )]
    NotTheMock {
        /// The record.
        path: PathBuf,
        /// What it was measured against.
        target: String,
    },
    /// It cannot be deleted.
    #[error("cannot delete {}: {source}", path.display())]
    Delete {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn listed(known: &[String]) -> String {
    match known {
        [] => "are none yet: `plimsoll baseline save` makes one of the latest run".to_owned(),
        known => format!("are: {}", known.join(", ")),
    }
}

/// Keeps a record under a name of this machine's. One of that name is replaced.
///
/// # Errors
/// When the record cannot be compared with, or the name is none.
pub fn save(project: &Project, record: &Path, name: &str) -> Result<Baseline, BaselineError> {
    if !is_name(name) {
        return Err(BaselineError::Name(name.to_owned()));
    }
    let mut saved = save_to(record, &project.root.join(FOLDER).join(name))?;
    name.clone_into(&mut saved.name);
    Ok(saved)
}

/// Keeps a record in a folder. The one that lies there is replaced; other files are left as they are.
///
/// # Errors
/// When the record cannot be compared with, or the folder cannot be written.
pub fn save_to(record: &Path, folder: &Path) -> Result<Baseline, BaselineError> {
    let (path, record) = (record, store::read(record)?);
    usable(path, &record)?;
    let bytes = store::packed(&record)?;
    let file = folder.join(PACKED);
    let io = |source| StoreError::Io { verb: "write", path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(io)?;
    store::write_whole(&file, &bytes)?;
    Ok(Baseline { name: folder.display().to_string(), file, size: bytes.len() as u64, record })
}

/// Whether anything can be compared with a record at all.
fn usable(path: &Path, record: &Record) -> Result<(), BaselineError> {
    let path = path.to_owned();
    if record.finished.is_none() {
        let planned = record.plan.cells.iter().map(|cell| u64::from(cell.samples)).sum();
        return Err(BaselineError::Unfinished { path, done: record.samples.len(), planned });
    }
    if record.environment.target != "mock" {
        return Err(BaselineError::NotTheMock { path, target: record.environment.target.clone() });
    }
    let is_bad = |status: Status| !matches!(status, Status::Ok | Status::Unavailable);
    let mut bad = record.samples.iter().filter(|sample| is_bad(sample.status));
    if let Some(first) = bad.next() {
        let why = first.error.as_deref().unwrap_or("no reason is given");
        let first = format!("{}: {why}", crate::plan::cell_name(&first.cell));
        return Err(BaselineError::Failed { path, bad: 1 + bad.count(), all: record.samples.len(), first });
    }
    if !record.samples.iter().any(|sample| sample.status == Status::Ok) {
        return Err(BaselineError::Nothing(path));
    }
    Ok(())
}

/// The record of a baseline, by its name; `None` where none has it.
pub fn find(project: &Project, name: &str) -> Option<PathBuf> {
    is_name(name).then(|| project.root.join(FOLDER).join(name).join(PACKED)).filter(|file| file.is_file())
}

/// The names that there are, in their order.
pub fn names(project: &Project) -> Vec<String> {
    let entries = fs::read_dir(project.root.join(FOLDER)).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| find(project, name).is_some());
    names.sort();
    names
}

/// Every baseline of a project by its name, the committed one last, each as far as it can be read.
pub fn all(project: &Project) -> Vec<(String, Result<Baseline, StoreError>)> {
    let named = names(project).into_iter().map(|name| (project.root.join(FOLDER).join(&name).join(PACKED), name));
    let committed = store::record_at(&project.root.join(COMMITTED)).map(|file| (file, COMMITTED.to_owned()));
    let read = |(file, name): (PathBuf, String)| {
        let size = fs::metadata(&file).map_or(0, |meta| meta.len());
        let read = store::read(&file).map(|record| Baseline { name: name.clone(), file, size, record });
        (name, read)
    };
    named.chain(committed).map(read).collect()
}

/// Deletes a baseline by its name; gives its size in bytes. What else lies in its folder stays.
///
/// # Errors
/// When none has the name, or it cannot be deleted.
pub fn remove(project: &Project, name: &str) -> Result<u64, BaselineError> {
    let unknown = || BaselineError::Unknown { name: name.to_owned(), known: names(project) };
    let file = find(project, name).ok_or_else(unknown)?;
    let size = fs::metadata(&file).map_or(0, |meta| meta.len());
    fs::remove_file(&file).map_err(|source| BaselineError::Delete { path: file.clone(), source })?;
    if let Some(folder) = file.parent() {
        // Not empty means that somebody put something there.
        let _ = fs::remove_dir(folder);
    }
    Ok(size)
}

/// Whether a word can be a name: one folder's, whatever it is, and nothing that a command would take for an option.
fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=64).contains(&name.len()) && !name.starts_with(['-', '.']) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_folder_s() {
        for name in ["default", "before-pooling", "v1.2_x", "0"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "../x", "a/b", "-x", ".hidden", "a b", "ä", &"x".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
