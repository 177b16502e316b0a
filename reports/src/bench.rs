//! Benches: what was measured of a function, or of a client, many times over within one process, beside the samples, which are of whole
//! processes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::derive::Measured;
use crate::stats::{Exactness, Stats};
use crate::units::Unit;

/// A bench that was run in this run: the median of one iteration and the interval around it, as criterion estimates both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bench {
    /// What belongs together: `sse`, `levels/chat`.
    pub group: String,
    /// What was run: `SseReader`.
    pub function: String,
    /// What it was run on: `stream`; absent where there is no choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// What was measured.
    pub measure: Measure,
    /// The median of one iteration: nanoseconds, bytes, or a count.
    pub median: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
    /// The share of such intervals that hold the true median, e.g. 0.95. A count that was the same in every sample has no width.
    pub confidence: f64,
    /// Samples that it is of, each of many iterations.
    pub samples: u32,
    /// Bytes that one iteration reads; absent where that is no measure of its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
}

/// What a bench measures of one iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Wall-clock time, nanoseconds.
    Time,
    /// Bytes that Rust code asked its allocator for; a realloc asks for its whole new size.
    Bytes,
    /// Calls of the allocator that asked for them, realloc included.
    Allocations,
}

impl Measure {
    /// All of them, in the order of columns.
    pub const ALL: [Self; 3] = [Self::Time, Self::Bytes, Self::Allocations];

    /// Its unit.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::Time => Unit::Nanos,
            Self::Bytes => Unit::Bytes,
            Self::Allocations => Unit::Count,
        }
    }

    /// Its column's heading.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Bytes => "bytes allocated",
            Self::Allocations => "allocations",
        }
    }
}

impl Bench {
    /// The figure as any other: the ends of its interval stand where the smallest and the largest sample do. `None` when it is no number.
    #[must_use]
    pub fn measured(&self) -> Option<Measured> {
        let is_number = [self.low, self.median, self.high].iter().all(|value| value.is_finite());
        let exactness = if self.low == self.high { Exactness::Identical } else { Exactness::Varies };
        let stats = Stats {
            samples: self.samples as usize,
            min: self.low,
            median: self.median,
            max: self.high,
            mad: 0.0,
            exactness,
        };
        is_number.then_some(Measured { stats, unit: self.measure.unit() })
    }
}
