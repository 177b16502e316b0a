//! jemalloc, prefixed: Rust's heap only. The C heap beside it stays glibc's and is read as `cheap.live`.

use std::fmt::{self, Write as _};

use tikv_jemalloc_ctl::{epoch, epoch_mib, opt, stats};

use super::counted::{self, Counted};
use super::{Allocator, Line};
use crate::sys;

/// jemalloc with the count of what Rust code holds.
pub type GlobalJemalloc = Counted<tikv_jemallocator::Jemalloc>;

/// That allocator.
pub const GLOBAL_JEMALLOC: GlobalJemalloc = Counted(tikv_jemallocator::Jemalloc);

/// A name in jemalloc's tree of statistics, looked up: `stats.arenas.I.NAME`.
type ArenasMib = [usize; 4];

/// The index that stands for all arenas (`MALLCTL_ARENAS_ALL`).
const ALL_ARENAS: usize = 4_096;

/// A program whose Rust heap is jemalloc's. Its MIBs are looked up before the greeting, so that reading allocates nothing.
#[derive(Clone, Copy)]
pub struct Jemalloc {
    epoch: epoch_mib,
    allocated: stats::allocated_mib,
    active: stats::active_mib,
    metadata: stats::metadata_mib,
    resident: stats::resident_mib,
    mapped: stats::mapped_mib,
    retained: stats::retained_mib,
    page: usize,
    dirty: ArenasMib,
    muzzy: ArenasMib,
    cached: ArenasMib,
    internal: ArenasMib,
}

impl Allocator for Jemalloc {
    const NAME: &'static str = "jemalloc";

    #[inline]
    fn start() -> Result<Self, String> {
        let found = || -> Result<Self, tikv_jemalloc_ctl::Error> {
            Ok(Self {
                epoch: epoch::mib()?,
                allocated: stats::allocated::mib()?,
                active: stats::active::mib()?,
                metadata: stats::metadata::mib()?,
                resident: stats::resident::mib()?,
                mapped: stats::mapped::mib()?,
                retained: stats::retained::mib()?,
                page: page_size()?,
                dirty: of_all_arenas(b"stats.arenas.0.pdirty\0")?,
                muzzy: of_all_arenas(b"stats.arenas.0.pmuzzy\0")?,
                cached: of_all_arenas(b"stats.arenas.0.tcache_bytes\0")?,
                internal: of_all_arenas(b"stats.arenas.0.internal\0")?,
            })
        };
        let jemalloc =
            found().map_err(|error| format!("jemalloc has no statistics ({error}): build it with `stats`"))?;
        // Without a block of Rust's, of which there are some before `main`, another allocator answers: what jemalloc takes for itself, and
        // what its caches hold, counts as allocated too.
        match jemalloc.epoch.advance().and_then(|_| jemalloc.allocated.read()) {
            Ok(allocated) if allocated > jemalloc.own() => Ok(jemalloc),
            Ok(_) => Err("jemalloc has allocated nothing: it is not this program's allocator".to_owned()),
            Err(error) => Err(format!("jemalloc's statistics cannot be read: {error}")),
        }
    }

    #[inline]
    fn describe(&self, line: &mut Line) -> fmt::Result {
        // What is in force, whoever set it: the harness compares it with what it asked for.
        if let Ok(narenas) = opt::narenas::read() {
            write!(line, " opt.narenas={narenas}")?;
        }
        for (name, key) in
            [("dirty_decay_ms", &b"opt.dirty_decay_ms\0"[..]), ("muzzy_decay_ms", b"opt.muzzy_decay_ms\0")]
        {
            if let Some(value) = sys::jemalloc_option(key) {
                write!(line, " opt.{name}={value}")?;
            }
        }
        if let Ok(tcache) = opt::tcache::read() {
            write!(line, " opt.tcache={tcache}")?;
        }
        if let Ok(background_thread) = opt::background_thread::read() {
            write!(line, " opt.background_thread={background_thread}")?;
        }
        if let Some(thp) = sys::jemalloc_word(b"opt.thp\0") {
            write!(line, " opt.thp={}", thp.trim_end_matches('\0'))?;
        }
        Ok(())
    }

    #[inline]
    fn figures(&self, line: &mut Line) -> fmt::Result {
        // Without this the figures are those of the last time somebody did it.
        if self.epoch.advance().is_err() {
            return Ok(());
        }
        let figures = [
            ("allocated", self.allocated.read()),
            ("active", self.active.read()),
            ("metadata", self.metadata.read()),
            ("resident", self.resident.read()),
            ("mapped", self.mapped.read()),
            ("retained", self.retained.read()),
        ];
        for (name, figure) in figures {
            if let Ok(bytes) = figure {
                write!(line, " jemalloc.{name}={bytes}")?;
            }
        }
        let arenas = [
            ("dirty", &self.dirty, self.page),
            ("muzzy", &self.muzzy, self.page),
            ("cached", &self.cached, 1),
            ("internal", &self.internal, 1),
        ];
        for (name, mib, worth) in arenas {
            if let Some(count) = sys::jemalloc_size(mib) {
                write!(line, " jemalloc.{name}={}", count * worth)?;
            }
        }
        if let Some(bytes) = sys::c_heap_live() {
            write!(line, " cheap.live={bytes}")?;
        }
        counted::figures(line)
    }

    #[inline]
    fn finish(self) {}
}

impl Jemalloc {
    /// Bytes of what counts as allocated that no program asked for.
    #[inline]
    fn own(&self) -> usize {
        [&self.internal, &self.cached].into_iter().filter_map(|mib| sys::jemalloc_size(mib)).sum()
    }
}

/// Bytes of a page, as jemalloc counts pages.
#[inline]
fn page_size() -> Result<usize, tikv_jemalloc_ctl::Error> {
    let mut mib = [0; 2];
    tikv_jemalloc_ctl::raw::name_to_mib(b"arenas.page\0", &mut mib)?;
    Ok(sys::jemalloc_size(&mib).unwrap_or_default())
}

/// Looks a name up and turns it into that of all arenas together.
#[inline]
fn of_all_arenas(name: &[u8]) -> Result<ArenasMib, tikv_jemalloc_ctl::Error> {
    let mut mib = ArenasMib::default();
    tikv_jemalloc_ctl::raw::name_to_mib(name, &mut mib)?;
    mib[2] = ALL_ARENAS;
    Ok(mib)
}

impl fmt::Debug for Jemalloc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jemalloc")
    }
}
