//! jemalloc's book-keeping. It lies in blocks of its own, each with a head that gives its size and the next (`base_block_s`); what jemalloc
//! says of it (`stats.metadata`) counts tables of megabytes of which a few pages are ever touched.

use std::collections::BTreeSet;
use std::ops::Range;

use plimsoll_reports::record::AreaKind;

use super::areas::{Areas, JEMALLOC_UNIT};
use super::image::Image;

/// Finds the blocks of jemalloc's book-keeping and sets them apart from its pages for others' blocks.
pub(super) fn read(image: &Image, areas: &mut Areas) {
    let mut blocks: Vec<(Range<u64>, u64)> = Vec::new();
    for part in areas.iter().filter(|part| part.kind == AreaKind::Jemalloc) {
        let mut at = part.range.start;
        while at < part.range.end {
            let size = head(image, at, part.range.end);
            blocks.extend(size.map(|(size, next)| (at..at + size, next)));
            at += size.map_or(JEMALLOC_UNIT, |(size, _)| size);
        }
    }
    // Each names the next, or is the last of its arena.
    let starts: BTreeSet<u64> = blocks.iter().map(|(block, _)| block.start).collect();
    let blocks: Vec<Range<u64>> =
        blocks.into_iter().filter(|(_, next)| *next == 0 || starts.contains(next)).map(|(block, _)| block).collect();
    areas.cut(image, &blocks, AreaKind::JemallocBase);
}

/// The size of a block of book-keeping, and the address of the next, if one begins here.
fn head(image: &Image, at: u64, end: u64) -> Option<(u64, u64)> {
    let (size, next) = (image.word(at)?, image.word(at + 8)?);
    let whole = size > 0 && size.is_multiple_of(JEMALLOC_UNIT) && size <= end - at;
    (whole && next.is_multiple_of(JEMALLOC_UNIT)).then_some((size, next))
}
