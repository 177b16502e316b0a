//! Where a process's memory lies (probe `ledger`), read from outside while it stands still.
//!
//! Nothing of this runs in the process. Its mappings come from `smaps`, which pages of them are in memory from `pagemap`, and what the C
//! library's heap is made of from the headers of its blocks, in `mem`. What is read is checked by what it must be: headers that do not lead to
//! the heap's very end, a list that leaves the heap, mean that this is another heap than the one that is known here, and then nothing is said.
//!
//! - `image`: the process's words, and which of its pages are in memory
//! - `areas`: its mappings, by what they are for
//! - `glibc`: the C library's heap, and the blocks that it mapped one by one
//! - `jemalloc`: jemalloc's book-keeping
//! - `sockets`: what the kernel keeps for its sockets

mod areas;
mod glibc;
mod image;
mod jemalloc;
mod sockets;

use std::path::PathBuf;

use plimsoll_reports::record::Memory;
use procfs::process::Process;

use super::proc::ReadError;
use areas::Areas;
use image::Image;

pub use sockets::memory as socket_memory;

/// What the harness knows of a process that it started.
#[derive(Debug, Clone)]
pub struct Known {
    /// Whether its allocator is jemalloc.
    pub jemalloc: bool,
    /// Files that are Plimsoll's own.
    pub instrument: Vec<PathBuf>,
    /// The trust bundle.
    pub roots: PathBuf,
}

/// Reads where the memory of a process lies.
///
/// # Errors
/// When it is gone or may not be read.
pub fn read(pid: u32, known: &Known) -> Result<Memory, ReadError> {
    let fail = |file| move |source| ReadError { pid, file, source };
    let process = Process::new(pid.cast_signed()).map_err(fail("stat"))?;
    let image = Image::open(pid).map_err(|(file, error)| ReadError { pid, file, source: error.into() })?;
    let maps = process.smaps().map_err(fail("smaps"))?;
    let mut areas = Areas::of(&process, &maps, known);
    let heap = glibc::read(&image, &mut areas);
    if known.jemalloc {
        jemalloc::read(&image, &mut areas);
    }
    Ok(Memory { areas: areas.summed(), heap })
}
