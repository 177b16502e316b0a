//! Reading a subject's memory while it stands still.
//!
//! - `proc`: from outside, by `/proc` (probe `rss`)
//! - `family`: the processes that it started
//! - `count`: the counters of `libplimsoll_count.so` (probe `count`)
//! - `memory`: where its memory lies, mapping by mapping and block by block (probe `ledger`, with the other two)
//!
//! The probes `jemalloc` and `dhat` are read by the subject itself and come with its answers.

pub mod count;
pub mod family;
pub mod memory;
pub mod proc;

use std::collections::BTreeMap;

/// A reading: metrics by name, bytes or counts.
pub type Metrics = BTreeMap<String, i64>;
