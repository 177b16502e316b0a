//! The byte ledger: where a process's resident memory is, from the live heap to the last file page, in lines that add up to its RSS.
//!
//! Lines are read or counted, each on its own: so what is left of the whole is an *unexplained* line that says how good the account is. It has a
//! sign, and is never cut off at zero. One line is a difference, and says so: what jemalloc counts and is in no memory.
//!
//! | allocator | what its lines are made of |
//! |---|---|
//! | the C library's | blocks counted at `malloc`, against the same heap read from outside, header by header |
//! | jemalloc's | what Rust code holds, counted in front of it, against its own statistics; its pages in memory, and of these its book-keeping, by address |
//!
//! - `lines`: what each line is.

mod lines;

use std::collections::BTreeMap;

pub use lines::Line;

use crate::record::{Area, AreaKind, Blocks, Cell, Checkpoint, Heap, Record, Sample, Status};

/// The word of the probe in a cell.
pub const PROBE: &str = "ledger";

/// The ledger of one process at one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Its RSS, bytes.
    pub rss: i64,
    /// Bytes of each line that applies, in the order of [`Line::ALL`]; the last is [`Line::Unexplained`]. They add up to the RSS.
    pub lines: Vec<(Line, i64)>,
    /// What the kernel holds for its sockets, apart from the RSS, where it said so.
    pub sockets: Option<i64>,
}

impl Ledger {
    /// Bytes of a line; none if the line does not apply.
    #[must_use]
    pub fn bytes(&self, line: Line) -> Option<i64> {
        self.lines.iter().find(|(other, _)| *other == line).map(|(_, bytes)| *bytes)
    }

    /// What no line accounts for.
    #[must_use]
    pub fn unexplained(&self) -> i64 {
        self.bytes(Line::Unexplained).unwrap_or_default()
    }

    /// The share of the RSS that it is, with its sign; 0 where there is no RSS.
    #[must_use]
    pub fn unexplained_share(&self) -> f64 {
        if self.rss > 0 { crate::units::whole(self.unexplained()) / crate::units::whole(self.rss) } else { 0.0 }
    }
}

/// The ledger of a checkpoint; `None` where the probe was another one, or what the subject says itself is missing, as it is while its requests
/// are held.
#[must_use]
pub fn of(checkpoint: &Checkpoint) -> Option<Ledger> {
    let memory = checkpoint.memory.as_ref()?;
    let metric = |name: &str| checkpoint.metrics.get(name).copied();
    let rss = metric("proc.rss")?;
    let areas = |wanted: &dyn Fn(&Area) -> Option<u64>| -> i64 {
        memory.areas.iter().filter_map(wanted).fold(0, |sum: i64, bytes| sum.saturating_add(signed(bytes)))
    };
    let whole = |kinds: &[AreaKind]| areas(&|area| kinds.contains(&area.kind).then_some(area.rss));
    let files = |kinds: &[AreaKind], text: Option<bool>| {
        areas(&|area| {
            let is = kinds.contains(&area.kind) && text.is_none_or(|text| text == area.permissions.contains('x'));
            is.then(|| area.rss.saturating_sub(area.anon))
        })
    };
    let mut lines: BTreeMap<Line, i64> = BTreeMap::new();
    let mut add = |line, bytes: i64| {
        let sum = lines.entry(line).or_insert(0);
        *sum = sum.saturating_add(bytes);
    };

    // What code holds.
    let counted = metric("heap.live")?;
    let jemalloc = whole(&[AreaKind::Jemalloc, AreaKind::JemallocBase]) > 0;
    match (metric("rust.live"), metric("rust.usable")) {
        (Some(asked), Some(usable)) => {
            add(Line::LiveRust, asked);
            add(Line::Slack, usable.saturating_sub(asked));
            // Where Rust's blocks are jemalloc's, all that `malloc` was asked for is C's.
            add(Line::LiveC, if jemalloc { counted } else { counted.saturating_sub(usable) });
        }
        _ => add(Line::Live, counted),
    }
    // What the C library's heap has besides.
    let Heap { used, cached, fast, free, top, tables, mapped } = memory.heap.unwrap_or_default();
    let absent = absent(used).saturating_add(absent(mapped));
    add(Line::Untouched, -absent);
    add(Line::Caches, signed(cached.resident));
    add(Line::Caches, signed(fast.resident));
    add(Line::Holes, signed(free.resident));
    add(Line::Dirty, signed(top.resident));
    add(Line::Metadata, signed(tables.resident));
    add(Line::Metadata, signed(used.blocks).saturating_mul(HEADER));
    add(Line::Metadata, signed(mapped.blocks).saturating_mul(MAPPED_HEADER));
    // What jemalloc has besides.
    if jemalloc {
        let (allocated, active) = (metric("jemalloc.allocated")?, metric("jemalloc.active")?);
        let dirty = metric("jemalloc.dirty")?.saturating_add(metric("jemalloc.muzzy")?);
        add(Line::Caches, metric("jemalloc.cached")?);
        add(Line::Holes, active.saturating_sub(allocated));
        add(Line::Dirty, dirty);
        add(Line::Metadata, metric("jemalloc.internal")?);
        add(Line::Metadata, whole(&[AreaKind::JemallocBase]));
        // It counts whole pages as soon as one block is to be on them, and its caches take blocks in advance.
        add(Line::Untouched, whole(&[AreaKind::Jemalloc]).saturating_sub(active.saturating_add(dirty)));
    }

    use AreaKind::{Bss, CLibrary, File, Instrument, Kernel, Other, Program, Roots, Stack, ThreadStack};
    let written = areas(&|area| matches!(area.kind, Program | CLibrary | File | Roots | Bss).then_some(area.anon));
    let libraries =
        areas(&|area| (area.kind == File && is_library(&area.name)).then(|| area.rss - area.anon.min(area.rss)));
    add(Line::Stacks, whole(&[Stack, ThreadStack]));
    add(Line::Relocations, written);
    add(Line::OtherAnonymous, areas(&|area| matches!(area.kind, Other | Kernel).then_some(area.anon)));
    add(Line::Text, files(&[Program], Some(true)));
    add(Line::Rodata, files(&[Program], Some(false)));
    add(Line::CLibrary, files(&[CLibrary], None));
    add(Line::Libraries, libraries);
    add(Line::Roots, files(&[Roots], None));
    add(Line::OtherFiles, files(&[File, Bss, Other, Kernel], None).saturating_sub(libraries));
    add(Line::Instrument, whole(&[Instrument]));

    let sum = lines.values().fold(0_i64, |sum, bytes| sum.saturating_add(*bytes));
    lines.insert(Line::Unexplained, rss.saturating_sub(sum));
    Some(Ledger { rss, lines: lines.into_iter().collect(), sockets: metric("proc.sockets") })
}

/// Bytes of header that a block of the C library's heap has beyond those that it hands out.
const HEADER: i64 = 8;
/// The same of one that it mapped by itself.
const MAPPED_HEADER: i64 = 16;

/// Bytes that are in no memory.
fn absent(blocks: Blocks) -> i64 {
    signed(blocks.bytes.saturating_sub(blocks.resident))
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn is_library(name: &str) -> bool {
    name.ends_with(".so") || name.contains(".so.")
}

/// A cell's ledger: that of one process, the one whose RSS is the median, because medians of lines would add up to nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The cell.
    pub cell: Cell,
    /// The checkpoint.
    pub checkpoint: String,
    /// Its ledger there.
    pub ledger: Ledger,
    /// The same process's at `start`, if it has one.
    pub start: Option<Ledger>,
    /// Its mappings there, largest first.
    pub areas: Vec<Area>,
    /// Processes that were read.
    pub samples: usize,
    /// Of them all, the smallest and the largest share of the RSS that is unexplained.
    pub unexplained: (f64, f64),
}

/// The accounts of a scenario, in the plan's order: at `steady@20`, or at the last checkpoint that has a ledger where there is no such.
#[must_use]
pub fn accounts(record: &Record, scenario: &str) -> Vec<Account> {
    let mut cells: Vec<&Cell> = Vec::new();
    let planned = record.plan.cells.iter().map(|planned| &planned.cell);
    for cell in planned.chain(record.samples.iter().map(|sample| &sample.cell)) {
        if cell.probe == PROBE && cell.scenario == scenario && !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    cells.into_iter().filter_map(|cell| account(record, cell)).collect()
}

fn account(record: &Record, cell: &Cell) -> Option<Account> {
    let samples = record.samples.iter().filter(|sample| sample.status == Status::Ok && sample.cell == *cell);
    let mut read: Vec<(&Sample, &Checkpoint, Ledger)> = samples
        .filter_map(|sample| {
            let at = |name: &str| sample.checkpoints.iter().find(|checkpoint| checkpoint.name == name);
            let with = |checkpoint| of(checkpoint).map(|ledger| (sample, checkpoint, ledger));
            let live = sample.checkpoints.iter().rev().filter(|checkpoint| checkpoint.name != "dropped");
            at(crate::derive::GROWTH_AT).and_then(with).or_else(|| live.into_iter().find_map(with))
        })
        .collect();
    read.sort_by_key(|(sample, _, ledger)| (ledger.rss, sample.index));
    let shares = read.iter().map(|(_, _, ledger)| ledger.unexplained_share());
    let unexplained =
        shares.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), share| (low.min(share), high.max(share)));
    let samples = read.len();
    let (sample, checkpoint, ledger) = read.into_iter().nth(samples.saturating_sub(1) / 2)?;
    let start = sample.checkpoints.iter().find(|checkpoint| checkpoint.name == "start").and_then(of);
    let areas = checkpoint.memory.as_ref().map(|memory| memory.areas.clone()).unwrap_or_default();
    let (cell, checkpoint) = (cell.clone(), checkpoint.name.clone());
    Some(Account { cell, checkpoint, ledger, start, areas, samples, unexplained })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::Memory;

    const KINDS: [AreaKind; 14] = [
        AreaKind::Program,
        AreaKind::CLibrary,
        AreaKind::File,
        AreaKind::Roots,
        AreaKind::Instrument,
        AreaKind::Bss,
        AreaKind::Heap,
        AreaKind::MappedBlock,
        AreaKind::Stack,
        AreaKind::ThreadStack,
        AreaKind::Jemalloc,
        AreaKind::JemallocBase,
        AreaKind::Kernel,
        AreaKind::Other,
    ];

    fn area(kind: AreaKind, permissions: &str, rss: u64, anon: u64) -> Area {
        Area { name: "libx.so.1".into(), permissions: permissions.into(), kind, rss, anon, size: rss }
    }

    fn blocks(blocks: u64, bytes: u64, resident: u64) -> Blocks {
        Blocks { blocks, bytes, resident }
    }

    fn checkpoint(metrics: &[(&str, i64)], areas: Vec<Area>, heap: Option<Heap>) -> Checkpoint {
        Checkpoint {
            name: "steady@20".into(),
            requests: 20,
            at_ms: 1.0,
            metrics: metrics.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            processes: vec![],
            sites: vec![],
            memory: Some(Memory { areas, heap }),
        }
    }

    /// 40 pages of the C library's heap, all of it known: 100 blocks in use with 90,000 B handed out, of which Rust has 60,000 and asked
    /// for 59,000; one of two pages was never written.
    fn known() -> Checkpoint {
        let heap = Heap {
            used: blocks(100, 90_800, 82_608),
            cached: blocks(3, 4_000, 4_000),
            fast: blocks(2, 64, 64),
            free: blocks(4, 30_000, 30_000),
            top: blocks(1, 50_000, 46_512),
            tables: blocks(1, 656, 656),
            mapped: blocks(0, 0, 0),
        };
        let areas = vec![
            area(AreaKind::Heap, "rw-p", 163_840, 163_840),
            area(AreaKind::Program, "r-xp", 400_000, 0),
            area(AreaKind::Program, "r--p", 300_000, 20_000),
            area(AreaKind::CLibrary, "r-xp", 200_000, 0),
            area(AreaKind::File, "r-xp", 100_000, 5_000),
            area(AreaKind::Stack, "rw-p", 8_192, 8_192),
            area(AreaKind::ThreadStack, "rw-p", 4_096, 4_096),
            area(AreaKind::Other, "rw-p", 12_288, 12_288),
            area(AreaKind::Kernel, "r-xp", 4_096, 0),
        ];
        let rss: u64 = areas.iter().map(|area| area.rss).sum();
        let metrics = [
            ("proc.rss", signed(rss)),
            ("heap.live", 90_000),
            ("rust.live", 59_000),
            ("rust.usable", 60_000),
            ("proc.sockets", 2_304),
        ];
        checkpoint(&metrics, areas, Some(heap))
    }

    #[test]
    fn a_heap_of_known_blocks_is_explained_to_the_byte() {
        let ledger = of(&known()).expect("a ledger");
        let of = |line| ledger.bytes(line).unwrap();
        assert_eq!((of(Line::LiveRust), of(Line::Slack), of(Line::LiveC)), (59_000, 1_000, 30_000));
        assert_eq!((of(Line::Untouched), of(Line::Caches), of(Line::Holes)), (-8_192, 4_064, 30_000));
        assert_eq!((of(Line::Dirty), of(Line::Metadata)), (46_512, 656 + 800));
        assert_eq!((of(Line::Stacks), of(Line::OtherAnonymous), of(Line::Relocations)), (12_288, 12_288, 25_000));
        assert_eq!((of(Line::Text), of(Line::Rodata), of(Line::CLibrary)), (400_000, 280_000, 200_000));
        assert_eq!((of(Line::Libraries), of(Line::OtherFiles)), (95_000, 4_096));
        assert_eq!((ledger.unexplained(), ledger.sockets), (0, Some(2_304)));
        assert!(ledger.bytes(Line::Live).is_none(), "Rust's and C's are told apart");
    }

    #[test]
    fn what_is_counted_and_not_there_is_below_zero_and_what_is_there_and_not_counted_above() {
        for (live, unexplained) in [(95_000, -5_000), (85_000, 5_000)] {
            let mut checkpoint = known();
            checkpoint.metrics.insert("heap.live".into(), live);
            let ledger = of(&checkpoint).expect("a ledger");
            assert_eq!(ledger.unexplained(), unexplained);
            assert_eq!(ledger.lines.iter().map(|(_, bytes)| bytes).sum::<i64>(), ledger.rss);
        }
    }

    #[test]
    fn jemalloc_is_held_to_what_rust_code_holds_and_c_has_all_that_malloc_gave() {
        let mut checkpoint = known();
        let memory = checkpoint.memory.as_mut().unwrap();
        memory.areas.push(area(AreaKind::Jemalloc, "rw-p", 200_000, 200_000));
        memory.areas.push(area(AreaKind::JemallocBase, "rw-p", 50_000, 50_000));
        let jemalloc = [
            ("proc.rss", checkpoint.metrics["proc.rss"] + 250_000),
            ("jemalloc.allocated", 60_000 + 7_000 + 30_000),
            ("jemalloc.internal", 7_000),
            ("jemalloc.cached", 30_000),
            ("jemalloc.active", 160_000),
            ("jemalloc.dirty", 90_000),
            ("jemalloc.muzzy", 0),
        ];
        checkpoint.metrics.extend(jemalloc.map(|(name, value)| (name.to_owned(), value)));
        let ledger = of(&checkpoint).expect("a ledger");
        let bytes = |line| ledger.bytes(line).unwrap();
        assert_eq!((bytes(Line::LiveRust), bytes(Line::Slack), bytes(Line::LiveC)), (59_000, 1_000, 90_000));
        assert_eq!(bytes(Line::Caches), 4_064 + 30_000);
        assert_eq!(bytes(Line::Holes), 30_000 + 160_000 - 97_000);
        assert_eq!(bytes(Line::Metadata), 656 + 800 + 7_000 + 50_000);
        assert_eq!(bytes(Line::Untouched), -8_192 + 200_000 - 250_000);
        assert_eq!(ledger.unexplained(), 0);
        // While requests are held a subject cannot say what jemalloc has: no ledger rather than a wrong one.
        checkpoint.metrics.remove("jemalloc.active");
        assert_eq!(of(&checkpoint), None);
    }

    #[test]
    fn without_a_heap_that_could_be_read_the_rest_is_unexplained_and_other_probes_have_no_ledger() {
        let mut checkpoint = known();
        checkpoint.memory.as_mut().unwrap().heap = None;
        assert_eq!(of(&checkpoint).expect("a ledger").unexplained(), 163_840 - 90_000);
        checkpoint.memory = None;
        assert_eq!(of(&checkpoint), None);
    }

    fn any_bytes() -> impl Strategy<Value = u64> {
        prop_oneof![0_u64..1 << 33, Just(0), Just(u64::from(u32::MAX))]
    }

    fn any_blocks() -> impl Strategy<Value = Blocks> {
        (0_u64..1 << 20, any_bytes(), any_bytes()).prop_map(|(n, bytes, resident)| blocks(n, bytes, resident))
    }

    fn any_heap() -> impl Strategy<Value = Option<Heap>> {
        let some = proptest::collection::vec(any_blocks(), 7).prop_map(|b| Heap {
            used: b[0],
            cached: b[1],
            fast: b[2],
            free: b[3],
            top: b[4],
            tables: b[5],
            mapped: b[6],
        });
        proptest::option::of(some)
    }

    fn any_areas() -> impl Strategy<Value = Vec<Area>> {
        let permissions = prop_oneof![Just("r-xp"), Just("r--p"), Just("rw-p"), Just("rw-s")];
        let one = (0_usize..KINDS.len(), permissions, any_bytes(), any_bytes())
            .prop_map(|(kind, permissions, rss, anon)| area(KINDS[kind], permissions, rss, anon.min(rss)));
        proptest::collection::vec(one, 0..40)
    }

    proptest! {
        #[test]
        fn lines_add_up_to_the_rss_whatever_was_read(
            areas in any_areas(),
            heap in any_heap(),
            rust in proptest::option::of((0_i64..1 << 40, 0_i64..1 << 40)),
            figures in proptest::collection::vec(0_i64..1 << 40, 8),
        ) {
            let names = [
                "proc.rss", "heap.live", "jemalloc.allocated", "jemalloc.active", "jemalloc.cached", "jemalloc.dirty",
                "jemalloc.muzzy", "jemalloc.internal",
            ];
            let mut metrics: Vec<(&str, i64)> = names.into_iter().zip(figures).collect();
            metrics.extend(rust.into_iter().flat_map(|(asked, usable)| [("rust.live", asked), ("rust.usable", usable)]));
            let ledger = of(&checkpoint(&metrics, areas, heap)).expect("a ledger");
            prop_assert_eq!(ledger.lines.iter().map(|(_, bytes)| bytes).sum::<i64>(), ledger.rss);
            prop_assert_eq!(ledger.lines.last().map(|(line, _)| *line), Some(Line::Unexplained));
        }
    }
}
