//! Every metric that a record may hold: its name, unit, and what it means in one sentence.

use crate::units::Unit;

/// How a metric behaves over a process's life, which decides the figures that can be made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down: what is held now.
    Level,
    /// It only goes up, to the highest level reached.
    Peak,
    /// It only goes up, by each event: a rate per request can be made of it.
    Counter,
}

impl Kind {
    /// How it behaves, in words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Level => "it goes up and down: what is held now",
            Self::Peak => "it only goes up: the highest level so far",
            Self::Counter => "it only goes up, by each event: a rate per request is made of it",
        }
    }
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name in a record: `proc.anon`.
    pub id: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// How it behaves.
    pub kind: Kind,
    /// A short name for headings.
    pub label: &'static str,
    /// One sentence: what it is, and where it is read.
    pub definition: &'static str,
}

/// The metric of that name, if it is one of [`METRICS`].
#[must_use]
pub fn find(id: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.id == id)
}

/// The unit of a metric, by its registered definition; of one that a subject made up, bytes, because the protocol asks for bytes or counts
/// and only the registered counts are known.
#[must_use]
pub fn unit(id: &str) -> Unit {
    find(id).map_or(Unit::Bytes, |metric| metric.unit)
}

const fn bytes(id: &'static str, kind: Kind, label: &'static str, definition: &'static str) -> Metric {
    Metric { id, unit: Unit::Bytes, kind, label, definition }
}

const fn count(id: &'static str, kind: Kind, label: &'static str, definition: &'static str) -> Metric {
    Metric { id, unit: Unit::Count, kind, label, definition }
}

use Kind::{Counter, Level, Peak};

/// All metrics, in the order in which a glossary names them.
pub const METRICS: &[Metric] = &[
    bytes(
        "proc.rss",
        Level,
        "RSS",
        "Pages of the process that are in memory, file pages included: `Rss` in /proc/PID/smaps_rollup, read from outside while the subject stands still.",
    ),
    bytes(
        "proc.anon",
        Level,
        "anonymous",
        "Of the RSS, pages that belong to no file (heap, stacks, written data), so what the code asked for and not what was mapped: `Anonymous` in smaps_rollup.",
    ),
    bytes(
        "proc.file",
        Level,
        "file pages",
        "Of the RSS, pages of mapped files (program text, libraries), which the system can drop and share: `Rss` − `Anonymous` in smaps_rollup.",
    ),
    bytes(
        "proc.pss",
        Level,
        "PSS",
        "RSS with each shared page divided by the processes that share it, so it moves with other processes: `Pss` in smaps_rollup.",
    ),
    bytes(
        "proc.lazyfree",
        Level,
        "lazily freed",
        "Anonymous pages given back with MADV_FREE that the system has not taken yet; figures of `proc.rss` and `proc.anon` are without them: `LazyFree` in smaps_rollup.",
    ),
    bytes(
        "proc.hwm",
        Peak,
        "peak RSS",
        "The highest RSS so far, which no tidying up before a reading can hide: `VmHWM` in /proc/PID/status, reset before the subject's first statement.",
    ),
    bytes(
        "proc.swap",
        Level,
        "swapped",
        "Pages written out to swap; more than none makes every other figure doubtful: `Swap` in smaps_rollup.",
    ),
    bytes(
        "proc.sockets",
        Level,
        "socket memory",
        "What the kernel holds for the process's TCP and Unix sockets, which is in no RSS: socket memory by NETLINK_SOCK_DIAG, under the probe `ledger`.",
    ),
    count("proc.threads", Level, "threads", "Threads of the process: `Threads` in /proc/PID/status."),
    count(
        "heap.allocs",
        Counter,
        "allocations",
        "Calls of malloc and its kin, each realloc included, from Rust and C alike: counted by libplimsoll_count.so in the subject's place of malloc.",
    ),
    bytes(
        "heap.bytes",
        Counter,
        "bytes allocated",
        "Bytes asked for in those calls; a realloc adds its whole new size, as valgrind and dhat count it: libplimsoll_count.so.",
    ),
    count(
        "heap.reallocs",
        Counter,
        "reallocations",
        "Of the allocations, those that changed a block's size: libplimsoll_count.so.",
    ),
    count("heap.frees", Counter, "frees", "Blocks given back: libplimsoll_count.so."),
    bytes(
        "heap.live",
        Level,
        "live heap",
        "Blocks allocated and not freed, at the size the allocator handed out (usable size): libplimsoll_count.so.",
    ),
    bytes("heap.peak", Peak, "peak heap", "The highest live heap so far, in usable size: libplimsoll_count.so."),
    bytes(
        "jemalloc.allocated",
        Level,
        "jemalloc allocated",
        "Bytes in blocks in use, size classes and thread caches included: `stats.allocated`, after the epoch was advanced.",
    ),
    bytes(
        "jemalloc.active",
        Level,
        "jemalloc active",
        "Bytes in pages that hold at least one such block: `stats.active`.",
    ),
    bytes(
        "jemalloc.metadata",
        Level,
        "jemalloc metadata",
        "Bytes that jemalloc takes for its own book-keeping: `stats.metadata`.",
    ),
    bytes(
        "jemalloc.resident",
        Level,
        "jemalloc resident",
        "An upper bound of jemalloc's pages in memory, pages not yet given back included; not the RSS: `stats.resident`.",
    ),
    bytes("jemalloc.mapped", Level, "jemalloc mapped", "Bytes of address space in use by jemalloc: `stats.mapped`."),
    bytes(
        "jemalloc.retained",
        Level,
        "jemalloc retained",
        "Address space that jemalloc keeps for later; it takes no memory: `stats.retained`.",
    ),
    bytes(
        "jemalloc.cached",
        Level,
        "jemalloc cached",
        "Of allocated, bytes in blocks that its threads' caches hold: `stats.arenas.4096.tcache_bytes`.",
    ),
    bytes(
        "jemalloc.internal",
        Level,
        "jemalloc internal",
        "Of allocated, bytes in blocks that jemalloc has taken for itself: `stats.arenas.4096.internal`.",
    ),
    bytes(
        "jemalloc.dirty",
        Level,
        "jemalloc dirty",
        "Bytes in pages without a block that jemalloc has not given back: `stats.arenas.4096.pdirty`.",
    ),
    bytes(
        "jemalloc.muzzy",
        Level,
        "jemalloc muzzy",
        "Bytes in such pages that it has given back with MADV_FREE: `stats.arenas.4096.pmuzzy`.",
    ),
    bytes(
        "dhat.total",
        Counter,
        "dhat total",
        "Bytes that Rust code asked for over the whole life of the process: dhat's profile.",
    ),
    bytes(
        "dhat.t_gmax",
        Peak,
        "dhat at peak",
        "Bytes in live Rust blocks when there were most of them: dhat's profile, t-gmax.",
    ),
    bytes("dhat.t_end", Level, "dhat at end", "Bytes in Rust blocks that were never freed: dhat's profile, t-end."),
    bytes(
        "cheap.live",
        Level,
        "live C heap",
        "Bytes in use on the C library's heap beside jemalloc's: `uordblks` of mallinfo2, jemalloc binaries only.",
    ),
    bytes(
        "cgroup.charged",
        Level,
        "charged",
        "What a memory limit counts of the subject: anonymous and kernel memory, and file pages that it was the first to read: `memory.current` (cgroup v2) or `memory.usage_in_bytes` (v1) of a control group of its own.",
    ),
    bytes(
        "cgroup.peak",
        Peak,
        "peak charged",
        "The highest of it so far: `memory.peak` or `memory.max_usage_in_bytes`.",
    ),
    bytes(
        "cgroup.kernel",
        Level,
        "kernel memory",
        "Of it, what the kernel holds for the subject (page tables, stacks, sockets): `kernel` and `sock` in `memory.stat`, or `memory.kmem.usage_in_bytes`.",
    ),
    bytes("cgroup.file", Level, "file pages charged", "Of it, file pages: `file` or `cache` in `memory.stat`."),
    bytes(
        "cgroup.limit",
        Level,
        "limit",
        "The limit of that group, where one was set: `memory.max` or `memory.limit_in_bytes`.",
    ),
    count(
        "cgroup.hits",
        Counter,
        "limit reached",
        "How often that limit was reached: `max` in `memory.events`, or `memory.failcnt`.",
    ),
    bytes(
        "rust.live",
        Level,
        "live Rust heap",
        "Bytes in blocks that Rust code holds, as asked for: counted in front of the allocator by plimsoll-worker, under the probe `ledger`.",
    ),
    bytes("rust.usable", Level, "live Rust heap, usable", "The same blocks at the size that the allocator handed out."),
    bytes(
        "beside.rss",
        Level,
        "RSS beside",
        "`proc.rss` summed over the processes that do the subject's work beside it: its helpers, its proxy.",
    ),
    bytes("beside.anon", Level, "anonymous beside", "`proc.anon` summed over the same."),
    count(
        "beside.allocs",
        Counter,
        "allocations beside",
        "`heap.allocs` summed over the same, helpers that have ended included.",
    ),
    bytes("beside.live", Level, "live heap beside", "`heap.live` summed over the same."),
    bytes(
        "whole.rss",
        Level,
        "RSS, whole",
        "`proc.rss` summed over the subject and the processes beside it; a file page that two of them have in memory counts twice.",
    ),
    bytes("whole.pss", Level, "PSS, whole", "`proc.pss` summed over the same: pages that only they share count once."),
    bytes("whole.anon", Level, "anonymous, whole", "`proc.anon` summed over the same."),
    count("whole.allocs", Counter, "allocations, whole", "`heap.allocs` summed over the same."),
    bytes("whole.bytes", Counter, "bytes allocated, whole", "`heap.bytes` summed over the same."),
    bytes("whole.live", Level, "live heap, whole", "`heap.live` summed over the same."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_definitions_are_one_sentence() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.id).collect();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            assert!(metric.definition.ends_with('.') && !metric.definition.contains(". "), "{}", metric.id);
            assert!(metric.id.split_once('.').is_some(), "{}", metric.id);
        }
    }

    #[test]
    fn the_vocabulary_is_complete() {
        for id in "proc.rss proc.pss proc.anon proc.file proc.lazyfree proc.hwm proc.swap proc.threads jemalloc.allocated jemalloc.active \
                   jemalloc.metadata jemalloc.resident jemalloc.mapped jemalloc.retained heap.allocs heap.bytes heap.reallocs heap.frees \
                   heap.live heap.peak dhat.total dhat.t_gmax dhat.t_end cheap.live cgroup.charged cgroup.peak cgroup.kernel \
                   cgroup.file cgroup.limit cgroup.hits beside.rss beside.anon beside.allocs \
                   heap.live heap.peak proc.sockets jemalloc.cached jemalloc.internal jemalloc.dirty jemalloc.muzzy rust.live rust.usable dhat.total dhat.t_gmax dhat.t_end cheap.live beside.rss beside.anon beside.allocs \
                   beside.live whole.rss whole.pss whole.anon whole.allocs whole.bytes whole.live"
            .split_whitespace()
        {
            assert!(find(id).is_some(), "{id} is missing");
        }
    }

    #[test]
    fn an_unknown_metric_is_not_a_count() {
        assert_eq!(unit("my.cache"), Unit::Bytes);
        assert_eq!(unit("heap.allocs"), Unit::Count);
    }
}
