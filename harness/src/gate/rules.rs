//! By which rules it is judged: the base's, so that a change cannot loosen what it is held to; the head's are told beside them.

use std::path::PathBuf;

use plimsoll_reports::gate::{Rules, Settings};

use super::base::short;
use super::git::Git;
use crate::config::{Config, ConfigError, Project};

/// The rules, and whose they are.
#[derive(Debug)]
pub struct Ruled {
    /// Settings with the rules filled in.
    pub settings: Settings,
    /// The base's whole file, where it has one.
    pub base: Option<Config>,
    /// What a reader must be told of it.
    pub note: Option<String>,
}

/// Reads the rules of a base, by the commit that it is of, as far as that is here.
///
/// # Errors
/// When the base's file, or the head's, has a rule that cannot be applied: the file, the key, the mend.
pub fn read(project: &Project, git: Option<&Git>, commit: Option<&str>) -> Result<Ruled, ConfigError> {
    let proposed = rules(project, &project.config)?;
    let known = git.zip(commit).filter(|(git, commit)| git.commit(commit).is_some());
    let Some((git, commit)) = known else {
        let note = "the base's commit is not in this clone: its rules are unknown, and the head's own are used";
        return Ok(Ruled { settings: Settings::new(proposed), base: None, note: Some(note.to_owned()) });
    };
    let name = project.file.to_string_lossy();
    let Some(text) = git.file(commit, &name) else {
        let note = format!("the base has no {name}: the head's own rules are used");
        return Ok(Ruled { settings: Settings::new(proposed), base: None, note: Some(note) });
    };
    // As git writes it, so that it can be looked at: git show COMMIT:PATH.
    let file = format!("{}:{}{name}", short(commit), git.prefix());
    let config = Config::read(file.as_ref(), &text)?;
    let at_base = Project { root: PathBuf::new(), file: file.into(), config: config.clone(), target: None };
    let rules = rules(&at_base, &config)?;
    let mut settings = Settings::new(rules.clone());
    settings.proposed = (proposed != rules).then_some(proposed);
    Ok(Ruled { settings, base: Some(config), note: None })
}

fn rules(project: &Project, config: &Config) -> Result<Rules, ConfigError> {
    config.rules().map_err(|(key, message)| ConfigError::Value { path: project.path(), key, message })
}
