//! Memory as the kernel accounts for it, read from outside.
//!
//! `smaps_rollup` walks the page tables, so it is exact at the moment of reading; the counters behind `VmRSS` are kept per CPU since
//! Linux 6.2 and lag. `Private_Dirty` is not used: it counts a fresh binary's own file pages.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plimsoll_reports::record::Mapping;
use procfs::ProcError;
use procfs::process::{MMapPath, Process};

use super::Metrics;

/// A process that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read /proc/{pid}/{file}: {source}")]
pub struct ReadError {
    /// The process.
    pub pid: u32,
    /// The file.
    pub file: &'static str,
    /// Why.
    pub source: ProcError,
}

/// Mappings smaller than this are summed under `other`, bytes resident.
const SMALL: u64 = 32 * 1024;

/// A process as this probe reads it.
#[derive(Debug)]
pub struct Watched {
    pid: u32,
    process: Process,
}

impl Watched {
    /// Watches a process.
    ///
    /// # Errors
    /// When it is gone.
    pub fn new(pid: u32) -> Result<Self, ReadError> {
        let process = Process::new(pid as i32).map_err(|source| ReadError { pid, file: "stat", source })?;
        Ok(Self { pid, process })
    }

    /// Starts the high-water mark anew at what is resident now.
    pub fn reset_high_water_mark(&self) -> Result<(), ReadError> {
        let reset = self.process.clear_refs(procfs::process::ClearRefs::PeakRSS);
        reset.map_err(|source| ReadError { pid: self.pid, file: "clear_refs", source })
    }

    /// Waits until all of its threads sleep: its main thread waits for a line or for answers, but workers may still have a connection to put
    /// away. Gives whether they do; a subject that never rests is waited for no longer than `patience`.
    pub fn rest(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut quiet = 0;
        while quiet < 3 && Instant::now() < until {
            quiet = if self.sleeps() { quiet + 1 } else { 0 };
            std::thread::yield_now();
        }
        quiet == 3
    }

    /// Whether all of its threads sleep now.
    pub fn sleeps(&self) -> bool {
        let Ok(tasks) = self.process.tasks() else { return true };
        tasks.filter_map(Result::ok).filter_map(|task| task.stat().ok()).all(|stat| stat.state != 'R')
    }

    /// Reads all `proc.*` metrics.
    ///
    /// # Errors
    /// When it is gone or may not be read.
    pub fn metrics(&self) -> Result<Metrics, ReadError> {
        let fail = |file| move |source| ReadError { pid: self.pid, file, source };
        let rollup = self.process.smaps_rollup().map_err(fail("smaps_rollup"))?;
        let status = self.process.status().map_err(fail("status"))?;
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for map in rollup.memory_map_rollup.iter() {
            for key in ["Rss", "Pss", "Anonymous", "LazyFree", "Swap"] {
                *sums.entry(key).or_default() += map.extension.map.get(key).copied().unwrap_or_default();
            }
        }
        let of = |key: &str| sums.get(key).copied().unwrap_or_default() as i64;
        Ok(Metrics::from([
            ("proc.rss".into(), of("Rss")),
            ("proc.pss".into(), of("Pss")),
            ("proc.anon".into(), of("Anonymous")),
            ("proc.file".into(), of("Rss") - of("Anonymous")),
            ("proc.lazyfree".into(), of("LazyFree")),
            ("proc.swap".into(), of("Swap")),
            // kB here, as in the file.
            ("proc.hwm".into(), status.vmhwm.unwrap_or_default() as i64 * 1024),
            ("proc.threads".into(), status.threads as i64),
        ]))
    }

    /// Reads its memory by mapping, largest first.
    ///
    /// # Errors
    /// When it is gone or may not be read.
    pub fn mappings(&self) -> Result<Vec<Mapping>, ReadError> {
        let maps = self.process.smaps().map_err(|source| ReadError { pid: self.pid, file: "smaps", source })?;
        let mut by_name: BTreeMap<String, Mapping> = BTreeMap::new();
        for map in maps.iter() {
            let of = |key: &str| map.extension.map.get(key).copied().unwrap_or_default();
            let name = name_of(&map.pathname);
            let sum = by_name.entry(name.clone()).or_insert(Mapping { name, rss: 0, anon: 0, size: 0 });
            sum.rss += of("Rss");
            sum.anon += of("Anonymous");
            sum.size += map.address.1 - map.address.0;
        }
        Ok(without_small(by_name.into_values().collect()))
    }
}

/// The file's name without its folder: where somebody keeps his build says nothing about memory.
pub(super) fn name_of(path: &MMapPath) -> String {
    match path {
        MMapPath::Path(path) => {
            path.file_name().map_or_else(|| "[file]".to_owned(), |name| name.to_string_lossy().into_owned())
        }
        MMapPath::Heap => "[heap]".into(),
        MMapPath::Stack | MMapPath::TStack(_) => "[stack]".into(),
        MMapPath::Anonymous => "[anon]".into(),
        MMapPath::Vdso => "[vdso]".into(),
        MMapPath::Vvar => "[vvar]".into(),
        _ => "[special]".into(),
    }
}

fn without_small(mappings: Vec<Mapping>) -> Vec<Mapping> {
    let (mut large, small): (Vec<_>, Vec<_>) = mappings.into_iter().partition(|m| m.rss >= SMALL || m.name == "[heap]");
    large.sort_by(|a, b| b.rss.cmp(&a.rss).then_with(|| a.name.cmp(&b.name)));
    let other = small.iter().fold(Mapping { name: "other".into(), rss: 0, anon: 0, size: 0 }, |sum, m| Mapping {
        name: sum.name,
        rss: sum.rss + m.rss,
        anon: sum.anon + m.anon,
        size: sum.size + m.size,
    });
    if other.size > 0 {
        large.push(other);
    }
    large
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anonymous_memory_that_is_touched_shows_to_the_byte() {
        // A child of its own, so that other tests' threads do not move the figure: `sleep` touches nothing more while it is read twice.
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep starts");
        let watched = Watched::new(child.id()).expect("readable");
        assert!(watched.rest(Duration::from_secs(10)));
        let first = watched.metrics().expect("readable");
        let second = watched.metrics().expect("readable");
        let mappings = watched.mappings().expect("readable");
        child.kill().expect("killable");
        child.wait().expect("reaped");
        assert_eq!(first["proc.anon"], second["proc.anon"]);
        assert!(first["proc.anon"] > 0 && first["proc.hwm"] > 0 && first["proc.threads"] == 1);
        assert_eq!(first["proc.rss"], first["proc.anon"] + first["proc.file"]);
        assert_eq!(mappings.iter().map(|m| m.rss).sum::<u64>() as i64, first["proc.rss"], "mappings add up");
        assert!(mappings.iter().all(|m| !m.name.contains('/')));
    }
}
