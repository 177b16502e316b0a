//! Git, as far as the gate needs it: which commit is meant, what lies in it, and the checkout as it is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A question that git does not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// There is no git.
    #[error("cannot run git: {0}; install it, or name a record with --base")]
    Absent(std::io::Error),
    /// The project is in no repository.
    #[error("{} is in no git repository: name a record with --base", .0.display())]
    NoRepository(PathBuf),
    /// It refuses.
    #[error("git {command}: {said}")]
    Refused {
        /// What it was asked.
        command: String,
        /// The first line that it said.
        said: String,
    },
}

/// A repository.
#[derive(Debug, Clone)]
pub struct Git {
    top: PathBuf,
    /// Where the project lies in it: empty, or a path with a `/` at its end.
    prefix: String,
}

impl Git {
    /// The repository that a folder lies in.
    ///
    /// # Errors
    /// When it lies in none, or there is no git.
    pub fn of(folder: &Path) -> Result<Self, GitError> {
        let nowhere = |_| GitError::NoRepository(folder.to_owned());
        if let Err(error) = Command::new("git").arg("--version").output() {
            return Err(GitError::Absent(error));
        }
        let top = run(folder, None, ["rev-parse", "--show-toplevel"]).map_err(nowhere)?;
        let prefix = run(folder, None, ["rev-parse", "--show-prefix"]).map_err(nowhere)?;
        Ok(Self { top: top.into(), prefix })
    }

    /// Where the project lies in the repository.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What git says to some words.
    ///
    /// # Errors
    /// When it refuses.
    pub fn ask<const N: usize>(&self, words: [&str; N]) -> Result<String, GitError> {
        run(&self.top, None, words)
    }

    /// The commit that a revision names; `None` if there is none.
    pub fn commit(&self, revision: &str) -> Option<String> {
        // A name that begins with `-` would be an option.
        let named = !revision.is_empty() && !revision.starts_with('-');
        named.then(|| self.ask(["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]).ok()).flatten()
    }

    /// Where two commits parted; `None` if the history that is here does not say.
    pub fn merge_base(&self, one: &str, other: &str) -> Option<String> {
        self.ask(["merge-base", one, other]).ok().filter(|sha| !sha.is_empty())
    }

    /// The parents of a commit, as far as they are here.
    pub fn parents(&self, commit: &str) -> Vec<String> {
        let parents = self.ask(["rev-list", "--parents", "--max-count=1", commit]).unwrap_or_default();
        parents.split_whitespace().skip(1).map(str::to_owned).collect()
    }

    /// Whether history is missing.
    pub fn is_shallow(&self) -> bool {
        self.ask(["rev-parse", "--is-shallow-repository"]).is_ok_and(|said| said == "true")
    }

    /// Whether there are changes that are not committed.
    pub fn is_dirty(&self) -> bool {
        self.ask(["status", "--porcelain"]).is_ok_and(|said| !said.is_empty())
    }

    /// A file of a commit or a tree, by its path from the project; `None` if it has none.
    pub fn file(&self, tree: &str, path: &str) -> Option<String> {
        let object = format!("{tree}:{}{path}", self.prefix);
        let output = Command::new("git").args(["show", &object]).current_dir(&self.top).output();
        let output = output.ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    }

    /// The checkout as it is, with what was changed and what is new and not ignored, as a tree.
    ///
    /// # Errors
    /// When git cannot write it.
    pub fn tree_of_checkout(&self) -> Result<String, GitError> {
        self.with_index(|index| {
            // The checkout's own index saves reading every file again.
            let own = self.ask(["rev-parse", "--git-path", "index"])?;
            if std::fs::copy(self.top.join(own), index).is_err() {
                run(&self.top, Some(index), ["read-tree", "HEAD"])?;
            }
            run(&self.top, Some(index), ["add", "--all", "."])?;
            run(&self.top, Some(index), ["write-tree"])
        })
    }

    /// A tree with some of its paths as another tree has them: those paths alone, wherever the other has them.
    ///
    /// # Errors
    /// When git cannot write it.
    pub fn tree_with(&self, tree: &str, other: &str, paths: &[String]) -> Result<String, GitError> {
        self.with_index(|index| {
            run(&self.top, Some(index), ["read-tree", tree])?;
            for path in paths {
                let path = format!("{}{path}", self.prefix);
                let path = path.trim_end_matches('/');
                run(&self.top, Some(index), ["rm", "-r", "--cached", "--quiet", "--ignore-unmatch", "--", path])?;
                let entry = run(&self.top, None, ["ls-tree", other, "--", path])?;
                match entry.split_once('\t').map(|(kind, _)| kind.split(' ').collect::<Vec<_>>()).as_deref() {
                    Some([_, "tree", id]) => {
                        run(&self.top, Some(index), ["read-tree", &format!("--prefix={path}/"), id])?;
                    }
                    Some([mode, "blob", id]) => {
                        let info = format!("{mode},{id},{path}");
                        run(&self.top, Some(index), ["update-index", "--add", "--cacheinfo", &info])?;
                    }
                    _ => {}
                }
            }
            run(&self.top, Some(index), ["write-tree"])
        })
    }

    /// Makes a folder hold a tree: only what differs from what it holds is written, so that a build there need not begin anew. `index` is
    /// where git notes what it holds.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn check_out(&self, tree: &str, folder: &Path, index: &Path) -> Result<(), GitError> {
        let work_tree = format!("--work-tree={}", folder.display());
        let git_dir = format!("--git-dir={}", self.ask(["rev-parse", "--absolute-git-dir"])?);
        run(folder, Some(index), [&git_dir, &work_tree, "read-tree", "--reset", "-u", tree]).map(drop)
    }

    /// What two trees differ in, but for prose and some paths; by the first part of the path, with the number of files: `harness (3 files)`.
    pub fn differing(&self, base: &str, head: &str, but: &[String]) -> Vec<String> {
        let names = self.ask(["diff-tree", "-r", "--name-only", "--no-renames", base, head]).unwrap_or_default();
        let mut folders: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        for name in names.lines() {
            let Some(name) = name.strip_prefix(&self.prefix) else { continue };
            let among = |path: &String| {
                let path = path.trim_end_matches('/');
                name == path || name.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
            };
            let is_prose = Path::new(name).extension().is_some_and(|extension| extension == "md");
            if !is_prose && !but.iter().any(among) {
                *folders.entry(name.split('/').next().unwrap_or(name)).or_default() += 1;
            }
        }
        let said =
            |(folder, files): (&str, usize)| format!("{folder} ({files} file{})", if files == 1 { "" } else { "s" });
        folders.into_iter().map(said).collect()
    }

    fn with_index<T>(&self, work: impl FnOnce(&Path) -> Result<T, GitError>) -> Result<T, GitError> {
        let dir = tempfile::tempdir().map_err(GitError::Absent)?;
        work(&dir.path().join("index"))
    }
}

fn run<const N: usize>(folder: &Path, index: Option<&Path>, words: [&str; N]) -> Result<String, GitError> {
    let mut git = Command::new("git");
    git.args(words.map(OsStr::new)).current_dir(folder);
    if let Some(index) = index {
        git.env("GIT_INDEX_FILE", index);
    }
    let output = git.output().map_err(GitError::Absent)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("no reason was given").to_owned();
    Err(GitError::Refused { command: words.join(" "), said })
}
