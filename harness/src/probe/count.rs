//! The counters of `libplimsoll_count.so`, read from the file that it shares with the subject.
//!
//! The subject never knows: the kernel keeps the file's pages coherent between its mapping and this reading, and while it stands still
//! no counter moves.

// The layout is defined once, in the library that writes the file, and compiled into both sides.
#[path = "../../count/src/layout.rs"]
#[allow(dead_code, unreachable_pub)] // offsets that only the writing side uses; that side is a crate of its own
mod layout;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::Metrics;
use layout::Slot;

/// A file of counters.
#[derive(Debug)]
pub struct Counters {
    path: PathBuf,
    file: File,
}

/// Counters that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CountError {
    /// The file cannot be made or read.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what the library writes.
    #[error("{0}")]
    Layout(String),
}

impl Counters {
    /// Makes a new file, with all counters at zero.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path) -> Result<Self, CountError> {
        let fail = |source| CountError::Io { path: path.to_owned(), source };
        // Under a new inode: a subject of an earlier sample, should one still be dying, keeps its own.
        if path.exists() {
            std::fs::remove_file(path).map_err(fail)?;
        }
        std::fs::write(path, layout::blank()).map_err(fail)?;
        let file = File::open(path).map_err(fail)?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// The counts of the process itself, `heap.*`; `None` if it did not load the library.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn subject(&self, pid: u32) -> Result<Option<Metrics>, CountError> {
        // The trampoline took a slot of the same pid before it became the subject: the last one counts.
        let slots = self.slots()?;
        let executed = slots.iter().filter(|slot| slot.pid == pid).count() > 1;
        Ok(slots.iter().rfind(|slot| slot.pid == pid).filter(|_| executed).map(metrics))
    }

    /// The counts of every other process that the subject started, by its id, in the order in which they came. What it counted before it
    /// became another program is in them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn helpers(&self, pid: u32) -> Result<Vec<(u32, Metrics)>, CountError> {
        let mut helpers: Vec<(u32, Metrics)> = Vec::new();
        for slot in self.slots()?.iter().filter(|slot| slot.pid != pid) {
            match helpers.iter_mut().find(|(helper, _)| *helper == slot.pid) {
                None => helpers.push((slot.pid, metrics(slot))),
                Some((_, counted)) => {
                    for (name, value) in metrics(slot) {
                        // What the earlier program held went with it.
                        let before =
                            if LEVELS.contains(&&*name) { 0 } else { counted.get(&name).copied().unwrap_or_default() };
                        counted.insert(name, before + value);
                    }
                }
            }
        }
        Ok(helpers)
    }

    fn slots(&self) -> Result<Vec<Slot>, CountError> {
        let fail = |source| CountError::Io { path: self.path.clone(), source };
        let mut bytes = vec![0; layout::FILE_SIZE];
        self.file.read_exact_at(&mut bytes, 0).map_err(fail)?;
        layout::read(&bytes).map_err(|error| CountError::Layout(error.to_string()))
    }
}

/// Of the metrics, those that end with a process.
pub const LEVELS: [&str; 2] = ["heap.live", "heap.peak"];

fn metrics(slot: &Slot) -> Metrics {
    Metrics::from([
        ("heap.allocs".into(), slot.allocs as i64),
        ("heap.bytes".into(), slot.bytes as i64),
        ("heap.reallocs".into(), slot.reallocs as i64),
        ("heap.frees".into(), slot.frees as i64),
        ("heap.live".into(), slot.live),
        ("heap.peak".into(), slot.peak),
    ])
}
