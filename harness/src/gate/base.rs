//! What the head is compared with: a commit, or a record that is there already.

use std::path::{Path, PathBuf};

use super::git::{Git, GitError};
use crate::baseline;
use crate::config::Project;
use crate::run::store;

/// What the head is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A commit, which is built and measured in turns with the head.
    Commit {
        /// Its SHA.
        sha: String,
        /// How it was come by, if nobody named it: one sentence.
        how: Option<String>,
    },
    /// A record: its file or its run's folder.
    Record(PathBuf),
}

/// A base that cannot be found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaseError {
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Nothing is named so.
    #[error(
        "--base {0:?} is no commit, no record and no baseline; `git fetch` gets what others have, `plimsoll baseline list` shows what is saved"
    )]
    Unknown(String),
    /// Both a commit and a baseline.
    #[error("--base {name:?} is a commit and a baseline too: say --base {} for the baseline, or the commit's SHA", path.display())]
    Twofold {
        /// The name.
        name: String,
        /// The baseline's record.
        path: PathBuf,
    },
    /// The base has all that the head has.
    #[error(
        "--base {base} contains HEAD {head}, as the merge of a pull request contains its commits: a change would be on both sides; name the \
         commit that they began from (git merge-base)"
    )]
    ContainsHead {
        /// The base.
        base: String,
        /// The head.
        head: String,
    },
    /// History is missing.
    #[error(
        "no merge base of HEAD and {with}: this clone is shallow and does not go back that far; get more of its history (git fetch --unshallow, or \
         fetch-depth: 0 for actions/checkout), or name a commit with --base"
    )]
    Shallow {
        /// The other branch.
        with: String,
    },
    /// Histories that have nothing in common.
    #[error("no merge base of HEAD and {with}: they have no commit in common; name a commit with --base")]
    Unrelated {
        /// The other branch.
        with: String,
    },
    /// There is no other commit.
    #[error(
        "there is nothing to compare with: no origin/main, no main but this, and HEAD is the first commit; name a commit or a record with --base"
    )]
    Nothing,
    /// No commit at all.
    #[error("the repository has no commit yet; name a record with --base")]
    Empty,
}

/// The branches that a base is looked for on, if none is named.
const BRANCHES: [&str; 2] = ["origin/main", "main"];

/// Finds the base that is named, or else the usual one: where HEAD parted from `origin/main`, or from `main`; if HEAD is on it, its parent.
///
/// # Errors
/// When there is none.
pub fn find(project: &Project, named: Option<&str>) -> Result<Base, BaseError> {
    let Some(named) = named else { return usual(&Git::of(&project.root)?) };
    if is_path(named) {
        return Ok(Base::Record(named.into()));
    }
    let baseline = baseline::find(project, named);
    let git = Git::of(&project.root);
    let commit = git.as_ref().ok().and_then(|git| git.commit(named));
    match (commit, baseline, git) {
        (Some(_), Some(path), _) => Err(BaseError::Twofold { name: named.to_owned(), path }),
        (Some(sha), None, Ok(git)) => beside(&git, named, sha),
        (None, Some(path), _) => Ok(Base::Record(path)),
        // A path that is not there is named as such when it is read.
        _ if named.contains('/') && Path::new(named).extension().is_some() => Ok(Base::Record(named.into())),
        _ => Err(BaseError::Unknown(named.to_owned())),
    }
}

/// Whether a word names a file, or a folder with a run in it, and not a branch that happens to be a folder's name too.
fn is_path(named: &str) -> bool {
    store::record_at(Path::new(named)).is_some()
}

/// A commit that was named: not one that has the head in it already.
fn beside(git: &Git, named: &str, sha: String) -> Result<Base, BaseError> {
    let head = git.commit("HEAD").ok_or(BaseError::Empty)?;
    if sha != head && git.merge_base(&sha, &head).as_ref() == Some(&head) {
        return Err(BaseError::ContainsHead { base: named.to_owned(), head: short(&head).to_owned() });
    }
    Ok(Base::Commit { sha, how: None })
}

fn usual(git: &Git) -> Result<Base, BaseError> {
    let head = git.commit("HEAD").ok_or(BaseError::Empty)?;
    let found = |sha: String, how: String| Ok(Base::Commit { sha, how: Some(how) });
    for branch in BRANCHES {
        let Some(tip) = git.commit(branch) else { continue };
        let Some(sha) = git.merge_base(&tip, &head) else {
            let with = branch.to_owned();
            return Err(if git.is_shallow() { BaseError::Shallow { with } } else { BaseError::Unrelated { with } });
        };
        if sha != head || git.is_dirty() {
            return found(sha, format!("the base is where HEAD parted from {branch}"));
        }
        break;
    }
    // HEAD is what everybody has, or there is no branch to part from: what came last is what is judged.
    match git.parents(&head).as_slice() {
        [first, _, ..] if git.commit(first).is_some() => {
            found(first.clone(), "HEAD is a merge: the base is what it was merged into".to_owned())
        }
        [parent] if git.commit(parent).is_some() => {
            found(parent.clone(), "HEAD has no change that main has not: the base is its parent".to_owned())
        }
        _ if git.is_shallow() => Err(BaseError::Shallow { with: BRANCHES[0].to_owned() }),
        _ => Err(BaseError::Nothing),
    }
}

/// The beginning of a SHA, as people quote it.
pub fn short(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}
