//! Call sites in a record: who asked for memory, by stack.
//!
//! A function stands once in [`Record::frames`], a stack once in [`Record::sites`], and a checkpoint of a sample says by its place in that
//! list what a stack had asked for until then. Both are filled in from the profiles when the record is assembled: lines of `samples.jsonl`
//! have neither list and so no totals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::Record;

/// A call stack that asked for memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its frames, by their places in the record's `frames`, from the function that asked outwards: inlined functions have frames of their own,
    /// the allocator's glue has none, and what starts every stack of a program (its runtime, its `main`) is left out.
    pub frames: Vec<u32>,
    /// Whether these are several sites, each too small to be told apart, together: the frames are the outer ones that they share.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rest: bool,
}

/// A function on a stack, at one of its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// The function's name, demangled; what is inside of an `async fn` or a closure is told of the `fn` around it.
    pub function: String,
    /// The crate whose code it is, as Cargo names it (`hyper-util`), `std`, or a library's file name (`libc.so.6`); absent where it cannot be
    /// told.
    #[serde(default, rename = "crate", skip_serializing_if = "Option::is_none")]
    pub krate: Option<String>,
    /// That crate's version; of a git dependency, its commit. Absent for the project's own crates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its source file: from the project's folder for the project's own crates, else from the crate's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Whether the file is one of the project's own, so that a link to it can be made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// Whether the function was inlined into the next one outwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inlined: bool,
}

/// What a call site had asked for at a checkpoint, since the process was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteTotals {
    /// Its place in the record's `sites`, from 0.
    pub site: u32,
    /// Blocks asked for so far, each reallocation included, as `heap.allocs` counts them.
    pub blocks: u64,
    /// Bytes asked for so far, as `heap.bytes` counts them.
    pub bytes: u64,
    /// Of these, bytes not given back; absent where the profiler does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<u64>,
    /// Of these, bytes that were in use when the process had most in use (t-gmax) until here; absent where the profiler does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<u64>,
    /// `live` in whole blocks, as the allocator hands them out and `heap.live` counts them, as far as a stack's blocks are of one size; absent where
    /// the profiler does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_usable: Option<u64>,
    /// `peak` likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_usable: Option<u64>,
}

impl Record {
    /// The frames of a site, from the function that asked outwards; none if the record has no such site.
    pub fn stack(&self, site: u32) -> impl DoubleEndedIterator<Item = &Frame> {
        let places = self.sites.get(site as usize).map_or(&[][..], |site| site.frames.as_slice());
        places.iter().filter_map(|place| self.frames.get(*place as usize))
    }
}
