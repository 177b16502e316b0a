//! Which record a word on the command line means: a path, or what this project has by that name.

use std::path::PathBuf;

use plimsoll_reports::record::Record;

use super::{Failure, project};
use crate::baseline;
use crate::run::store;

/// Where runs lie, from the project's folder.
const RUNS: &str = "target/plimsoll";

/// The record that a word means: a run's folder or a record's file; or else a run by its id, `latest`, or a baseline by its name. `config` is the configuration
/// file that was named, of which project it is; it is looked for only where the word is no path.
///
/// # Errors
/// When nothing is called so, two things are, or it cannot be read.
pub(super) fn record(word: &str, config: Option<PathBuf>) -> Result<Record, Failure> {
    store::read(&path(word, config)?).map_err(Failure::usage)
}

fn path(word: &str, config: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(word);
    if store::record_at(&path).is_some() || word.contains('/') || word.ends_with(".json") || word.ends_with(".gz") {
        // What looks like a path and is none is said to be missing when it is read.
        return Ok(path);
    }
    let unknown = |why: String| Failure::usage(format!("{word:?} is no run's folder and no record's file{why}"));
    let project = project(config)
        .map_err(|failure| unknown(format!("; as a name it cannot be looked up: {}", failure.message)))?;
    let run = project.root.join(RUNS).join(word);
    let run = store::record_at(&run).map(|_| run);
    match (run, baseline::find(&project, word)) {
        (Some(run), None) => Ok(run),
        (None, Some(baseline)) => Ok(baseline),
        (Some(run), Some(baseline)) => Err(Failure::usage(format!(
            "{word:?} is a run and a baseline too: say {} or {}",
            run.display(),
            baseline.display()
        ))),
        (None, None) => Err(unknown(format!(
            ", no run in {RUNS} and no baseline; `plimsoll baseline list` shows the baselines, `ls {RUNS}` the runs"
        ))),
    }
}
