//! What Rust code asks of the allocator, as a measurement of criterion's.
//!
//! Counted as the probe `count` counts: a realloc is one more call, and asks for its whole new size. What C code asks for (AWS-LC's handshakes)
//! is not in it, and what other threads ask for meanwhile is. A count is exact, no estimate: criterion's interval around it is as wide as
//! the iterations differ, and mostly nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter};

static BYTES: AtomicU64 = AtomicU64::new(0);
static CALLS: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counted: the global one of a bench that measures by [`Allocated`].
#[derive(Debug)]
pub struct Counting;

fn count(size: usize) {
    BYTES.fetch_add(size as u64, Ordering::Relaxed);
    CALLS.fetch_add(1, Ordering::Relaxed);
}

// SAFETY: every call is handed on as it came; what is done besides is arithmetic.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: forwarded as the caller vouches for it.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: forwarded as the caller vouches for it.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: forwarded as the caller vouches for it.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: forwarded as the caller vouches for it.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocated {
    /// Bytes asked for.
    Bytes,
    /// Calls that asked for them.
    Calls,
}

impl Allocated {
    /// What the names of its benches begin with, by which who reads the results knows their unit.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Bytes => "bytes/",
            Self::Calls => "allocations/",
        }
    }

    fn total(self) -> u64 {
        match self {
            Self::Bytes => BYTES.load(Ordering::Relaxed),
            Self::Calls => CALLS.load(Ordering::Relaxed),
        }
    }
}

/// What stands for nothing: criterion takes a measurement of zero for a mistake, and leaves the bench out. The smallest number that it takes
/// rounds to zero wherever it is shown.
pub const NOTHING: f64 = f64::MIN_POSITIVE;

impl Measurement for Allocated {
    type Intermediate = u64;
    type Value = u64;

    fn start(&self) -> u64 {
        self.total()
    }

    fn end(&self, start: u64) -> u64 {
        self.total() - start
    }

    fn add(&self, one: &u64, other: &u64) -> u64 {
        one + other
    }

    fn zero(&self) -> u64 {
        0
    }

    #[expect(clippy::cast_precision_loss, reason = "no bench asks for 2^53 bytes")]
    fn to_f64(&self, value: &u64) -> f64 {
        if *value == 0 { NOTHING } else { *value as f64 }
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self
    }
}

impl ValueFormatter for Allocated {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        let (unit, factor) = match self {
            Self::Bytes => binary(typical),
            Self::Calls => ("allocations", 1.0),
        };
        values.iter_mut().for_each(|value| *value = if *value < 1e-300 { 0.0 } else { *value / factor });
        unit
    }

    #[expect(clippy::cast_precision_loss, reason = "no input has 2^53 bytes")]
    fn scale_throughputs(&self, _: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let (amount, unit) = match (throughput, self) {
            (Throughput::Bytes(amount) | Throughput::BytesDecimal(amount), Self::Bytes) => (amount, "B/B read"),
            (Throughput::Bytes(amount) | Throughput::BytesDecimal(amount), Self::Calls) => (amount, "/B read"),
            (Throughput::Elements(amount), Self::Bytes) => (amount, "B each"),
            (Throughput::Elements(amount), Self::Calls) => (amount, "each"),
            _ => return self.scale_values(values.first().copied().unwrap_or_default(), values),
        };
        let amount = (*amount).max(1) as f64;
        values.iter_mut().for_each(|value| *value = if *value < 1e-300 { 0.0 } else { *value / amount });
        unit
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        match self {
            Self::Bytes => "B",
            Self::Calls => "allocations",
        }
    }
}

fn binary(bytes: f64) -> (&'static str, f64) {
    match bytes {
        ..1_024.0 => ("B", 1.0),
        ..1_048_576.0 => ("KiB", 1_024.0),
        _ => ("MiB", 1_048_576.0),
    }
}
