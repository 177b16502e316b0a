//! Times per request in buckets: no memory per request, at most 1.6 % off.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::line::Line;

/// Buckets to each doubling: a bucket is at most 1/64 of its value wide, and its middle is given.
const STEPS_LOG2: u32 = 6;
const STEPS: usize = 1 << STEPS_LOG2;
/// Times up to 2^32 µs, over an hour; longer ones count as that.
const BUCKETS: usize = STEPS * (32 - STEPS_LOG2 as usize + 1);

/// The histogram of the command at hand. Its pages are written before `start`, so that they are in nobody's growth.
static HISTOGRAM: Histogram = Histogram::new();

/// Forgets all times.
pub(crate) fn reset() {
    HISTOGRAM.reset();
}

/// Records the time of one request.
pub(crate) fn record(time: Duration) {
    HISTOGRAM.record(time.as_micros().try_into().unwrap_or(u32::MAX));
}

/// Writes ` p50_us=… p90_us=… p99_us=… max_us=…`, or nothing when no request was made.
pub(crate) fn write(line: &mut Line) -> fmt::Result {
    let Some([p50, p90, p99, max]) = HISTOGRAM.summary() else { return Ok(()) };
    write!(line, " p50_us={p50} p90_us={p90} p99_us={p99} max_us={max}")
}

struct Histogram {
    buckets: [AtomicU32; BUCKETS],
    count: AtomicU64,
    max: AtomicU32,
}

impl Histogram {
    const fn new() -> Self {
        Self { buckets: [const { AtomicU32::new(0) }; BUCKETS], count: AtomicU64::new(0), max: AtomicU32::new(0) }
    }

    fn reset(&self) {
        for bucket in &self.buckets {
            bucket.store(0, Ordering::Relaxed);
        }
        self.count.store(0, Ordering::Relaxed);
        self.max.store(0, Ordering::Relaxed);
    }

    fn record(&self, micros: u32) {
        self.buckets[bucket(micros)].fetch_add(1, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.max.fetch_max(micros, Ordering::Relaxed);
    }

    /// Median, 90th and 99th percentile (nearest rank) and maximum, microseconds.
    fn summary(&self) -> Option<[u32; 4]> {
        let count = self.count.load(Ordering::Relaxed);
        let max = self.max.load(Ordering::Relaxed);
        let quantile = |percent: u64| {
            let rank = (count * percent).div_ceil(100).max(1);
            let mut seen = 0;
            let reached = self.buckets.iter().position(|bucket| {
                seen += u64::from(bucket.load(Ordering::Relaxed));
                seen >= rank
            });
            reached.map_or(max, |index| middle(index).min(max))
        };
        (count > 0).then(|| [quantile(50), quantile(90), quantile(99), max])
    }
}

fn bucket(micros: u32) -> usize {
    let doublings = (u32::BITS - micros.leading_zeros()).saturating_sub(STEPS_LOG2 + 1);
    doublings as usize * STEPS + (micros >> doublings) as usize
}

fn middle(bucket: usize) -> u32 {
    let doublings = (bucket / STEPS).saturating_sub(1);
    let low = ((bucket - doublings * STEPS) as u64) << doublings;
    (low + (1 << doublings >> 1)).try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_off_by_more_than_two_percent() {
        let mut micros = 0_u32;
        while micros < u32::MAX - micros / 97 - 1 {
            let error = f64::from(middle(bucket(micros))) - f64::from(micros);
            assert!(error.abs() <= f64::from(micros) * 0.02, "{micros} is given as {}", middle(bucket(micros)));
            assert!(bucket(micros) < BUCKETS);
            micros += 1 + micros / 97;
        }
        assert_eq!(bucket(u32::MAX), BUCKETS - 1);
    }

    #[test]
    fn small_times_are_exact_and_none_is_over_the_largest() {
        let histogram = Histogram::new();
        assert_eq!(histogram.summary(), None);
        for micros in 1..=100 {
            histogram.record(micros);
        }
        assert_eq!(histogram.summary(), Some([50, 90, 99, 100]));
        histogram.reset();
        histogram.record(1_000_000);
        assert_eq!(histogram.summary().map(|[.., p99, max]| (p99 <= max, max)), Some((true, 1_000_000)));
    }
}
