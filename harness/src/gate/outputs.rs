//! What a gate leaves in its folder beside the records, and what it tells GitHub.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use plimsoll_reports::gate::Verdict;
use plimsoll_reports::gate::show::{self, Context};

use crate::run::store::{self, StoreError};

/// The verdict for programs.
pub const VERDICT: &str = "verdict.json";
/// The verdict as a pull request's comment.
pub const COMMENT: &str = "VERDICT.md";
/// The verdict for CI systems.
pub const JUNIT: &str = "junit.xml";

/// Writes the verdict in each form for files.
///
/// # Errors
/// When a file cannot be written.
pub fn write(dir: &Path, verdict: &Verdict, context: &Context) -> Result<(), StoreError> {
    let forms = [
        (VERDICT, show::json(verdict)),
        (COMMENT, show::comment(verdict, context, false)),
        (JUNIT, show::junit(verdict)),
    ];
    forms.into_iter().try_for_each(|(name, text)| store::write_whole(&dir.join(name), text.as_bytes()))
}

/// Where the head's lines can be read on GitHub, as a job there is told: `{sha}` is left for the verdict to fill in.
pub fn github_source() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
    Some(format!("{server}/{repository}/blob/{{sha}}"))
}

/// Whether this is a job on GitHub, where lines of standard output become marks beside the code.
pub fn is_github() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Adds the verdict to the job's summary, if there is one.
///
/// # Errors
/// When the summary's file cannot be written.
pub fn summarise(verdict: &Verdict, context: &Context) -> Result<(), StoreError> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return Ok(()) };
    let written = OpenOptions::new().create(true).append(true).open(&path);
    let written = written.and_then(|mut file| file.write_all(show::step_summary(verdict, context).as_bytes()));
    written.map_err(|source| StoreError::Io { verb: "write", path: path.into(), source })
}
