//! The folder for sockets, counters and the trust bundle while a run lasts.
//!
//! Its path ends up in subjects' environment, so its length is the same for every run: `/tmp/plimsoll-0012345-abcdefgh`. A harness that is
//! killed leaves its folder behind; the next one of the same user clears it away.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A temporary folder, removed when dropped.
#[derive(Debug)]
pub struct Scratch {
    dir: tempfile::TempDir,
}

const PREFIX: &str = "plimsoll-";

impl Scratch {
    /// Makes one, and removes those whose owners are gone.
    ///
    /// # Errors
    /// When the system's folder for temporary files cannot be written.
    pub fn create() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        for stale in abandoned(&parent) {
            let _ = fs::remove_dir_all(stale);
        }
        let prefix = format!("{PREFIX}{:07}-", std::process::id());
        tempfile::Builder::new().prefix(&prefix).rand_bytes(8).tempdir_in(parent).map(|dir| Self { dir })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

fn abandoned(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    let owner = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        let (pid, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
        pid.parse::<u32>().ok()
    };
    let gone = |path: &PathBuf| owner(path).is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists());
    entries.map(|entry| entry.path()).filter(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_a_dead_owner_is_cleared_away_and_a_living_one_s_is_not() {
        // No process has this number: the kernel's largest is 4,194,304.
        let dead = std::env::temp_dir().join("plimsoll-9999999-deadbeef");
        fs::create_dir_all(&dead).expect("writable");
        let first = Scratch::create().expect("writable");
        let second = Scratch::create().expect("writable");
        assert!(!dead.exists());
        assert!(first.path().exists() && second.path().exists());
        assert_eq!(first.path().as_os_str().len(), second.path().as_os_str().len());
    }
}
