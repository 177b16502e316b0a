//! What Rust code has asked for and holds, told apart from what C code has: for the probe `ledger`, and for no other.
//!
//! Every program has this in front of its allocator, because which of its memory is Rust's shows nowhere else. Its first block decides whether
//! it counts; where the ledger is not wanted, it costs a look at a flag from then on.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicIsize, AtomicU8, Ordering};

use super::Line;

/// An allocator that knows how much room it has given a block.
pub trait Usable: GlobalAlloc {
    /// Bytes that the block has room for, at least those that were asked for.
    ///
    /// # Safety
    /// The block must be this allocator's, and live.
    unsafe fn usable(&self, block: *const u8, asked: usize) -> usize;
}

impl Usable for std::alloc::System {
    #[inline]
    unsafe fn usable(&self, block: *const u8, asked: usize) -> usize {
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        {
            let _ = asked;
            // SAFETY: the standard library's allocator takes its blocks from the C library's `malloc` and its kin.
            unsafe { libc::malloc_usable_size(block.cast_mut().cast()) }
        }
        #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
        {
            let _ = block;
            asked
        }
    }
}

#[cfg(feature = "jemalloc")]
impl Usable for tikv_jemallocator::Jemalloc {
    #[inline]
    unsafe fn usable(&self, block: *const u8, _: usize) -> usize {
        // SAFETY: forwarded as the caller vouches for it.
        unsafe { tikv_jemallocator::usable_size(block) }
    }
}

/// Whether it counts: not yet asked, or one of the two below.
static STATE: AtomicU8 = AtomicU8::new(0);
const COUNTS: u8 = 1;
const FORWARDS: u8 = 2;
/// Bytes asked for in blocks that are live.
static ASKED: AtomicIsize = AtomicIsize::new(0);
/// Bytes that these blocks have room for.
static USABLE: AtomicIsize = AtomicIsize::new(0);

/// An allocator with the count of what it has given out.
#[derive(Debug)]
pub struct Counted<A>(pub A);

#[inline]
fn counts() -> bool {
    match STATE.load(Ordering::Relaxed) {
        FORWARDS => false,
        COUNTS => true,
        _ => decide(),
    }
}

/// Asks the environment, which costs no memory in C. The first block is made before `main`, while there is one thread.
#[cold]
fn decide() -> bool {
    // SAFETY: the name ends with a zero; nobody changes the environment before `main`, and the result is not kept.
    let wanted = !unsafe { libc::getenv(c"PLIMSOLL_LEDGER".as_ptr()) }.is_null();
    STATE.store(if wanted { COUNTS } else { FORWARDS }, Ordering::Relaxed);
    wanted
}

/// Writes what is live, if it was counted. A program whose allocator is another has made no block here that could have decided: it says
/// nothing, where zero would be taken for what it holds.
pub(super) fn figures(line: &mut Line) -> fmt::Result {
    if STATE.load(Ordering::Relaxed) != COUNTS {
        return Ok(());
    }
    write!(line, " rust.live={} rust.usable={}", ASKED.load(Ordering::Relaxed), USABLE.load(Ordering::Relaxed))
}

impl<A: Usable> Counted<A> {
    /// Takes a block onto the books.
    ///
    /// # Safety
    /// The block must be this allocator's and live, or null.
    #[inline]
    unsafe fn add(&self, block: *mut u8, asked: usize) -> *mut u8 {
        if counts() && !block.is_null() {
            ASKED.fetch_add(asked as isize, Ordering::Relaxed);
            // SAFETY: as the caller vouches for it.
            USABLE.fetch_add(unsafe { self.0.usable(block, asked) } as isize, Ordering::Relaxed);
        }
        block
    }
}

// SAFETY: every call is handed on as it came; what is done besides is arithmetic.
unsafe impl<A: Usable> GlobalAlloc for Counted<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: forwarded as the caller vouches for it.
        unsafe { self.add(self.0.alloc(layout), layout.size()) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: forwarded as the caller vouches for it.
        unsafe { self.add(self.0.alloc_zeroed(layout), layout.size()) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if counts() {
            ASKED.fetch_sub(layout.size() as isize, Ordering::Relaxed);
            // SAFETY: the block is live until the next line.
            USABLE.fetch_sub(unsafe { self.0.usable(block, layout.size()) } as isize, Ordering::Relaxed);
        }
        // SAFETY: forwarded as the caller vouches for it.
        unsafe { self.0.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !counts() {
            // SAFETY: forwarded as the caller vouches for it.
            return unsafe { self.0.realloc(block, layout, size) };
        }
        // SAFETY: the block is live until the next line; forwarded as the caller vouches for it.
        let (before, moved) = unsafe { (self.0.usable(block, layout.size()), self.0.realloc(block, layout, size)) };
        if !moved.is_null() {
            ASKED.fetch_add(size as isize - layout.size() as isize, Ordering::Relaxed);
            // SAFETY: `moved` was given out just now.
            USABLE.fetch_add(unsafe { self.0.usable(moved, size) } as isize - before as isize, Ordering::Relaxed);
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_on_the_books_from_alloc_to_dealloc_at_the_size_asked_for_and_at_the_room_it_has() {
        let heap = Counted(std::alloc::System);
        STATE.store(COUNTS, Ordering::Relaxed);
        let layout = Layout::from_size_align(1_001, 8).unwrap();
        let books = || (ASKED.load(Ordering::Relaxed), USABLE.load(Ordering::Relaxed));
        // Nothing else counts here: this program's own allocator is not this one.
        let start = books();
        // SAFETY: blocks are given back once, with the layout that they have.
        unsafe {
            let block = heap.alloc(layout);
            assert_eq!(books().0 - start.0, 1_001);
            assert!((1_001..1_001 + 32).contains(&(books().1 - start.1)), "{:?}", books());
            let block = heap.realloc(block, layout, 5_003);
            assert_eq!(books().0 - start.0, 5_003);
            let layout = Layout::from_size_align(5_003, 8).unwrap();
            heap.dealloc(block, layout);
            let zeroed = heap.alloc_zeroed(layout);
            assert_eq!(books().0 - start.0, 5_003);
            heap.dealloc(zeroed, layout);
        }
        assert_eq!(books(), start);
    }
}
