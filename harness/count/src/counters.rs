//! Where a process counts: into a static until the file is mapped, then into its slot of the file.

use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU64, Ordering};

use crate::layout::WORDS;

/// One slot of the file, or the static that stands in for it. The order of the fields is that of `layout::WORD_*`.
#[repr(C)]
pub(crate) struct Counters {
    pub(crate) pid: AtomicU64,
    allocs: AtomicU64,
    bytes: AtomicU64,
    reallocs: AtomicU64,
    frees: AtomicU64,
    live: AtomicI64,
    peak: AtomicI64,
    inherited: AtomicI64,
    spare: [AtomicU64; WORDS - 8],
}

/// Counts of the time before the file is mapped: the loader and other libraries' constructors allocate too.
static EARLY: Counters = Counters::zero();

/// Where to count. Null: nowhere, the library only forwards.
static CURRENT: AtomicPtr<Counters> = AtomicPtr::new((&raw const EARLY).cast_mut());

/// Counts a block of `requested` bytes of which `usable` were handed out.
#[inline]
pub(crate) fn allocated(requested: usize, usable: usize) {
    count(|counters| counters.allocated(requested, usable));
}

/// Counts a `realloc` of a block of `old` usable bytes.
#[inline]
pub(crate) fn reallocated(old: usize, requested: usize, usable: usize) {
    count(|counters| counters.reallocated(old, requested, usable));
}

/// Counts a block given back.
#[inline]
pub(crate) fn freed(usable: usize) {
    count(|counters| counters.freed(usable));
}

/// Counts into `slot` from now on, and carries over what was counted before there was a slot; `None`: stops counting.
pub(crate) fn switch(slot: Option<&'static Counters>) {
    CURRENT.store(slot.map_or(std::ptr::null_mut(), |slot| std::ptr::from_ref(slot).cast_mut()), Ordering::SeqCst);
    carry_over();
}

/// Where this process counts, once it has a slot.
pub(crate) fn current() -> Option<&'static Counters> {
    let current = CURRENT.load(Ordering::Relaxed);
    // SAFETY: `CURRENT` is null, or points to `EARLY` or to a slot of the mapping, neither of which ever goes away.
    unsafe { current.as_ref() }
}

#[inline]
fn count(add: impl Fn(&Counters)) {
    let Some(counters) = current() else { return };
    add(counters);
    // Whoever read `CURRENT` just before the switch has now added to `EARLY` after it was carried over: carry over again. One of
    // the two sees the other, because both go through `SeqCst` on `CURRENT`; so nothing is lost.
    if std::ptr::eq(counters, &raw const EARLY) && !std::ptr::eq(CURRENT.load(Ordering::SeqCst), &raw const EARLY) {
        carry_over();
    }
}

fn carry_over() {
    let early = EARLY.take();
    if let Some(counters) = current() {
        counters.add(&early);
    }
}

/// Counts on their way from one place to the other.
struct Taken {
    allocs: u64,
    bytes: u64,
    reallocs: u64,
    frees: u64,
    live: i64,
    peak: i64,
}

impl Counters {
    const fn zero() -> Self {
        Self {
            pid: AtomicU64::new(0),
            allocs: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            reallocs: AtomicU64::new(0),
            frees: AtomicU64::new(0),
            live: AtomicI64::new(0),
            peak: AtomicI64::new(0),
            inherited: AtomicI64::new(0),
            spare: [const { AtomicU64::new(0) }; WORDS - 8],
        }
    }

    /// Bytes live now.
    pub(crate) fn live(&self) -> i64 {
        self.live.load(Ordering::Relaxed)
    }

    /// Starts a forked process's slot: its heap is a copy of its parent's.
    pub(crate) fn inherit(&self, live: i64) {
        self.inherited.store(live, Ordering::Relaxed);
        self.grow(live);
    }

    #[inline]
    fn allocated(&self, requested: usize, usable: usize) {
        self.allocs.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(requested as u64, Ordering::Relaxed);
        self.grow(usable as i64);
    }

    #[inline]
    fn reallocated(&self, old: usize, requested: usize, usable: usize) {
        self.allocs.fetch_add(1, Ordering::Relaxed);
        self.reallocs.fetch_add(1, Ordering::Relaxed);
        self.frees.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(requested as u64, Ordering::Relaxed);
        self.grow(usable as i64 - old as i64);
    }

    #[inline]
    fn freed(&self, usable: usize) {
        self.frees.fetch_add(1, Ordering::Relaxed);
        self.live.fetch_sub(usable as i64, Ordering::Relaxed);
    }

    #[inline]
    fn grow(&self, by: i64) {
        let live = self.live.fetch_add(by, Ordering::Relaxed) + by;
        if live > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(live, Ordering::Relaxed);
        }
    }

    fn take(&self) -> Taken {
        Taken {
            allocs: self.allocs.swap(0, Ordering::SeqCst),
            bytes: self.bytes.swap(0, Ordering::SeqCst),
            reallocs: self.reallocs.swap(0, Ordering::SeqCst),
            frees: self.frees.swap(0, Ordering::SeqCst),
            live: self.live.swap(0, Ordering::SeqCst),
            peak: self.peak.swap(0, Ordering::SeqCst),
        }
    }

    fn add(&self, taken: &Taken) {
        self.allocs.fetch_add(taken.allocs, Ordering::Relaxed);
        self.bytes.fetch_add(taken.bytes, Ordering::Relaxed);
        self.reallocs.fetch_add(taken.reallocs, Ordering::Relaxed);
        self.frees.fetch_add(taken.frees, Ordering::Relaxed);
        self.grow(taken.live);
        self.peak.fetch_max(taken.peak, Ordering::Relaxed);
    }
}
