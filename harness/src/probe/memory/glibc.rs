//! The C library's heap, glibc's main arena: its blocks one after the other, by their headers.
//!
//! A block begins with 16 bytes of header, of which the first eight are the previous block's own unless that one is free. The other eight are
//! its size with three flags in the lowest bits. Whether a block is free is a flag of the next one. So it has been since the allocator's
//! beginnings (`malloc/malloc.c`, "malloc_chunk details"). Blocks that were given back and are kept for a thread, or in a fast bin, look like
//! blocks in use: they are found by the lists that they are in, whose links are mangled with their place since glibc 2.32.

use std::collections::BTreeSet;
use std::ops::Range;

use plimsoll_reports::record::{AreaKind, Blocks, Heap};

use super::areas::Areas;
use super::image::{Image, Resident, page_size};

const WORD: u64 = 8;
/// The header, and what blocks are aligned to.
const HEADER: u64 = 16;
/// The smallest block.
const SMALLEST: u64 = 32;
/// The flags of a size.
const FLAGS: u64 = 7;
/// The flag: the previous block is in use.
const PREVIOUS_IN_USE: u64 = 1;
/// The flag: it was mapped by itself.
const IS_MAPPED: u64 = 2;
/// Smaller blocks are not mapped by themselves, unless glibc is told otherwise (`M_MMAP_THRESHOLD`).
const SMALLEST_MAPPED: u64 = 128 * 1024;
/// Lists of a thread's cache, each of blocks of one size.
const LISTS: u64 = 64;
/// The block that holds a thread's cache (`tcache_perthread_struct`): a count of 16 bits and a pointer for each list.
const TABLE: u64 = HEADER + LISTS * (2 + WORD);
/// Where the arena has the pointer to its top, its fast bins, and its other bins, from its beginning (`malloc_state`).
const TOP: u64 = 96;
const FAST_BINS: u64 = 16;
const BINS: u64 = 112;

/// A block of the heap.
#[derive(Debug, Clone, Copy)]
struct Block {
    at: u64,
    size: u64,
    used: bool,
}

/// Reads the heap, and sets blocks that were mapped by themselves apart from the mappings that they lie in. `None` where there is no heap that
/// can be read from its first block to its last.
pub(super) fn read(image: &Image, areas: &mut Areas) -> Option<Heap> {
    let mapped = mapped_blocks(image, areas);
    let range = areas.iter().find(|part| part.kind == AreaKind::Heap)?.range.clone();
    let blocks = walk(image, &range)?;
    let arena = arena(image, areas, &range, blocks.last()?.at);
    areas.cut(image, &mapped, AreaKind::MappedBlock);
    let lists = Lists { image, range: &range };
    let mut cached = BTreeSet::new();
    let mut tables = BTreeSet::new();
    // The main thread's is the heap's first block, also while it is empty.
    tables.extend(blocks.first().filter(|block| block.used && block.size == TABLE).map(|block| block.at));
    for block in blocks.iter().filter(|block| block.used && block.size == TABLE) {
        if let Some(kept) = lists.table(block.at) {
            tables.insert(block.at);
            cached.extend(kept);
        }
    }
    let fast: BTreeSet<u64> = arena.map(|arena| lists.fast_bins(arena)).unwrap_or_default().into_iter().collect();

    let resident = Resident::of(image, &range);
    let mut heap = Heap::default();
    let end = blocks.len() - 1;
    for (number, block) in blocks.iter().enumerate() {
        let sum = match block {
            _ if number == end => &mut heap.top,
            block if !block.used => &mut heap.free,
            block if tables.contains(&block.at) => &mut heap.tables,
            block if cached.contains(&block.at) => &mut heap.cached,
            block if fast.contains(&block.at) => &mut heap.fast,
            _ => &mut heap.used,
        };
        add(sum, block.size, resident.bytes(&(block.at..block.at + block.size)));
    }
    for block in &mapped {
        add(&mut heap.mapped, block.end - block.start, Resident::of(image, block).bytes(block));
    }
    Some(heap)
}

fn add(sum: &mut Blocks, bytes: u64, resident: u64) {
    sum.blocks += 1;
    sum.bytes += bytes;
    sum.resident += resident;
}

/// Every block from the heap's first byte to its last; the last is its top, which no other follows.
fn walk(image: &Image, range: &Range<u64>) -> Option<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut at = range.start;
    let mut size = image.word(at + WORD)?;
    loop {
        let bytes = size & !FLAGS;
        let whole = bytes >= SMALLEST && bytes.is_multiple_of(HEADER) && bytes <= range.end - at;
        if !whole || size & IS_MAPPED != 0 {
            return None;
        }
        let next = at + bytes;
        if next == range.end {
            blocks.push(Block { at, size: bytes, used: false });
            return Some(blocks);
        }
        let following = image.word(next + WORD)?;
        blocks.push(Block { at, size: bytes, used: following & PREVIOUS_IN_USE != 0 });
        (at, size) = (next, following);
    }
}

/// Lists of blocks that were given back.
struct Lists<'a> {
    image: &'a Image,
    range: &'a Range<u64>,
}

impl Lists<'_> {
    /// The blocks in a thread's cache, if this block holds one: lists as long as their counts say, of blocks of the size that each is for.
    fn table(&self, at: u64) -> Option<Vec<u64>> {
        let (counts, heads) = (at + HEADER, at + HEADER + LISTS * 2);
        let mut blocks = Vec::new();
        for list in 0..LISTS {
            let word = self.image.word(counts + list / 4 * WORD)?;
            let count = word >> (list % 4 * 16) & 0xffff;
            let size = SMALLEST + list * HEADER;
            let mut memory = self.image.word(heads + list * WORD)?;
            for _ in 0..count {
                blocks.push(self.block(memory.checked_sub(HEADER)?, size)?);
                memory = self.link(memory)?;
            }
            if memory != 0 {
                return None;
            }
        }
        // A block of zeros looks like a cache that is empty.
        (!blocks.is_empty()).then_some(blocks)
    }

    /// The blocks in the arena's fast bins.
    fn fast_bins(&self, arena: u64) -> Vec<u64> {
        let mut blocks = Vec::new();
        for bin in 0..10 {
            let Some(mut at) = self.image.word(arena + FAST_BINS + bin * WORD) else { break };
            while at != 0 {
                // No list of a heap is longer than the heap has room for.
                let room = (self.range.end - self.range.start) / SMALLEST;
                let Some(block) = self.block(at, SMALLEST + bin * HEADER).filter(|_| (blocks.len() as u64) < room)
                else {
                    return blocks;
                };
                blocks.push(block);
                let Some(next) = self.link(at + HEADER) else { return blocks };
                at = next;
            }
        }
        blocks
    }

    /// The block at an address, if there is one of that size.
    fn block(&self, at: u64, size: u64) -> Option<u64> {
        let inside = self.range.contains(&at) && at.is_multiple_of(HEADER);
        (inside && self.image.word(at + WORD)? & !FLAGS == size).then_some(at)
    }

    /// What a link at an address leads to.
    fn link(&self, at: u64) -> Option<u64> {
        Some(self.image.word(at)? ^ (at >> 12))
    }
}

/// The arena: in the C library's data, where the pointer to the heap's top stands, and behind it bins each of which leads into the heap or to
/// itself.
fn arena(image: &Image, areas: &Areas, heap: &Range<u64>, top: u64) -> Option<u64> {
    let data = areas.iter().filter(|part| part.kind == AreaKind::CLibrary && part.is_data_of_a_file());
    let mut places = data.flat_map(|part| part.range.clone().step_by(WORD as usize));
    places.find_map(|place| {
        let arena = (image.word(place)? == top).then_some(place.checked_sub(TOP)?)?;
        let own = arena..arena + BINS + 256 * WORD;
        let leads = |bin: u64| {
            let pointer = image.word(arena + BINS + bin * WORD);
            pointer.is_some_and(|pointer| own.contains(&pointer) || heap.contains(&pointer))
        };
        (0..254).all(leads).then_some(arena)
    })
}

/// Blocks that were mapped by themselves, in whatever mappings they lie: each begins with a page, and its header says how many pages it has.
fn mapped_blocks(image: &Image, areas: &Areas) -> Vec<Range<u64>> {
    let page = page_size();
    let mut blocks = Vec::new();
    for part in areas.iter().filter(|part| part.is_anonymous() && part.kind != AreaKind::Jemalloc) {
        let present = image.present(&part.range);
        let mut at = part.range.start;
        while at < part.range.end {
            let there = present.get(((at - part.range.start) / page) as usize).is_some_and(|present| *present);
            let size = if there { mapped_block(image, at, part.range.end) } else { None };
            blocks.extend(size.map(|size| at..at + size));
            at += size.unwrap_or(page);
        }
    }
    blocks
}

fn mapped_block(image: &Image, at: u64, end: u64) -> Option<u64> {
    let (before, size) = (image.word(at)?, image.word(at + WORD)?);
    let bytes = size & !FLAGS;
    let whole = bytes >= SMALLEST_MAPPED && bytes.is_multiple_of(page_size()) && bytes <= end - at;
    (before == 0 && size & FLAGS == IS_MAPPED && whole).then_some(bytes)
}
