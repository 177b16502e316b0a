//! The record of a run: `record.json`, schema `plimsoll.record/1`.
//!
//! A record is assembled from `samples.jsonl`, one [`Sample`] a line. A failed sample is a row with a [`Status`] and an error, never a
//! gap. Metrics are whole numbers in the unit that their name implies (see `metric.rs`): bytes, or counts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::bench::{Bench, Measure};
pub use crate::sites::{Frame, Site, SiteTotals};

/// The schema's name, as it stands in every record.
pub const SCHEMA: &str = "plimsoll.record/1";

/// One run: what was planned, where it ran, and every sample that came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The schema's name, always `plimsoll.record/1`.
    pub schema: String,
    /// The run's id: `YYYYMMDD-HHMMSS-xxxx`, also its folder's name.
    pub id: String,
    /// When the run was started (UTC).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started: Timestamp,
    /// When its last sample ended (UTC); absent while samples are still missing.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub finished: Option<Timestamp>,
    /// What measured.
    pub tool: Tool,
    /// Where it was measured.
    pub environment: Environment,
    /// What was to be measured.
    pub plan: Plan,
    /// What was measured, in the order of measurement.
    pub samples: Vec<Sample>,
    /// The functions on the stacks of `sites`, each at each of its lines once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<Frame>,
    /// The call stacks that asked for memory, each once: checkpoints name them by their place. Absent where call sites were not read, and in
    /// records from before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<Site>,
    /// The benches that were run in this run, in the order in which they were; absent where none was, and in records from before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub benches: Vec<Bench>,
}

/// The version of Plimsoll that wrote a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Plimsoll's version.
    pub version: String,
    /// The commit of the project that was measured, when it is a git checkout.
    pub git: Option<String>,
    /// Whether that checkout had uncommitted changes.
    pub dirty: bool,
}

/// Where a run was measured: everything that can move a figure without a change of code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Operating system and kernel release.
    pub kernel: String,
    /// Processor model.
    pub cpu: String,
    /// Target triple's architecture, e.g. `x86_64`.
    pub arch: String,
    /// Cores that the run could use.
    pub cores: u32,
    /// Physical memory, bytes.
    pub memory: u64,
    /// Page size, bytes.
    pub page_size: u64,
    /// Transparent huge pages: the system's setting, and that subjects run with them disabled.
    pub thp: String,
    /// The C library and its version.
    pub libc: String,
    /// The compiler that built the harness.
    pub rustc: String,
    /// The Cargo profile that the harness was built with, with LTO stated: `release (lto off)`.
    pub profile: String,
    /// Whether subjects ran without address-space randomisation.
    pub aslr_off: bool,
    /// Files that a subject may have open, and so connections; absent in records from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    /// What subjects were given besides the protocol's variables, e.g. `MALLOC_ARENA_MAX=1`.
    pub subject_env: BTreeMap<String, String>,
    /// SHA-256 of `Cargo.lock`, hexadecimal, when there is one.
    pub lockfile: Option<String>,
    /// SHA-256 of the mock's replies.
    pub corpus: String,
    /// The roots that every subject trusts.
    pub trust: Trust,
    /// jemalloc's options as a subject read them back (`opt.narenas`, …); empty without a jemalloc sample.
    pub jemalloc: BTreeMap<String, String>,
    /// What requests went to: `mock`, `live`, `live, resolved to …` where something stood in for it, or a URL.
    pub target: String,
}

/// The trust bundle: pinned public roots and the mock's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Certificates in it.
    pub roots: u32,
    /// SHA-256 of the PEM file, hexadecimal.
    pub digest: String,
}

/// What was to be measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The suite's name.
    pub suite: String,
    /// The seed of the order of samples.
    pub seed: u64,
    /// The subjects of this run, in the order in which reports name them.
    pub subjects: Vec<SubjectInfo>,
    /// The scenarios of this run, in the order in which reports name them.
    pub scenarios: Vec<ScenarioInfo>,
    /// The cells of this run, in the order in which reports name them.
    pub cells: Vec<PlannedCell>,
}

/// A subject as reports describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectInfo {
    /// Its id in `plimsoll.toml`.
    pub id: String,
    /// One sentence on what it is.
    pub description: String,
    /// `level`, `baseline`, `peer`, `rung` or `external`.
    pub kind: String,
    /// The subject that has one component less; absent where it is not of a ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
}

/// A scenario as reports describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioInfo {
    /// Its id: `chat`, `chat-20x`, `stream`, `large`.
    pub id: String,
    /// One sentence on what it does.
    pub description: String,
    /// `generateContent` or `streamGenerateContent`.
    pub method: String,
    /// Requests in flight at a time.
    pub in_flight: u64,
    /// Bytes of one answer's body before transfer coding; absent where the target is not the mock.
    pub body_bytes: Option<u64>,
    /// Events of one answer; absent where it is not a stream or the target is not the mock.
    pub events: Option<u64>,
    /// Whether the work is declared deterministic: sequential, in lock-step.
    pub deterministic: bool,
    /// Requests done in all at each of its `steady` checkpoints, ascending.
    pub steps: Vec<u64>,
    /// Requests held open at each of its `held` checkpoints, ascending; absent where it holds none, and in records from before there were such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<u64>,
}

/// One cell of the plan: a subject doing a scenario under a probe with given factors.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedCell {
    /// What the cell is.
    #[serde(flatten)]
    pub cell: Cell,
    /// Processes to be measured.
    pub samples: u32,
}

/// The name of a cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// The subject's id.
    pub subject: String,
    /// The scenario's id.
    pub scenario: String,
    /// The probe: `rss`, `count`, `jemalloc`, `dhat`, `ledger`.
    pub probe: String,
    /// `allocator`, `runtime`, `protocol`, `crypto`, `switches`: those that apply to the subject.
    pub factors: BTreeMap<String, String>,
}

/// How a sample ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every answer was right: its figures count.
    Ok,
    /// The subject reported an error or broke the protocol.
    Failed,
    /// It did not answer in time.
    Timeout,
    /// It was ended by a signal.
    Killed,
    /// It answered, but not what was served.
    WrongAnswer,
    /// It cannot be measured so on this machine, and why.
    Unavailable,
}

/// One process of a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The cell it belongs to.
    pub cell: Cell,
    /// Which of the cell's samples it is, from 0.
    pub index: u32,
    /// Its place in the order of measurement, from 0.
    pub order: u32,
    /// When it was started (UTC).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started: Timestamp,
    /// How it ended.
    pub status: Status,
    /// Why it is not `ok`: one line, with what to do.
    pub error: Option<String>,
    /// What the subject said of itself: `subject`, `allocator`, `profile`, `build`, …
    pub greeting: BTreeMap<String, String>,
    /// The readings, in order.
    pub checkpoints: Vec<Checkpoint>,
    /// Memory by mapping, read at `steady@20`, or at the last checkpoint before it, or at the last `held@C`: largest first, small ones summed under `other`.
    pub mappings: Vec<Mapping>,
    /// Further processes that did the subject's work (helpers, a proxy), read at `idle`.
    pub processes: Vec<Process>,
    /// What was asked and what came back.
    pub answers: Answers,
    /// Times per request in the last batch of work, as the subject measured them; absent where it did not.
    pub latency: Option<Latency>,
    /// Profile written by this sample, relative to the record's folder.
    pub profile: Option<String>,
    /// Why its profile gives no call sites: one line, with what to do. Its other figures count all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unattributed: Option<String>,
}

/// One reading while the subject stood still.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// `start`, `runtime`, `client`, `first`, `steady@N`, `held@C`, `after@C`, `idle`, `dropped`. `warm` is `steady@64`.
    pub name: String,
    /// Requests done so far.
    pub requests: u64,
    /// Milliseconds since the process was started.
    pub at_ms: f64,
    /// The metrics of this sample's probe, by their name: `proc.anon`, `heap.allocs`, …
    pub metrics: BTreeMap<String, i64>,
    /// Further processes that do the subject's work, as they were here: its helpers, its proxy. Their counters include those of helpers that
    /// have ended. Absent where there are none, and in records from before it was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<Process>,
    /// What each call site had asked for until here: at `steady@64`, `steady@128` and `dropped` under the probe `dhat`. They add up to
    /// `dhat.total`, or to what it is in the process that was profiled up to here (METHODOLOGY.md). Absent under other probes, and in records from
    /// before it was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<SiteTotals>,
    /// Where its memory lies, as the probe `ledger` reads it; absent under other probes, and in records from before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

impl Checkpoint {
    /// A metric as figures take it: of resident and anonymous memory without the pages that were given up with `MADV_FREE`, which stay until somebody
    /// needs them and are nobody's need.
    #[must_use]
    pub fn in_use(&self, metric: &str) -> Option<i64> {
        let given_up = match metric {
            "proc.rss" | "proc.anon" => self.metrics.get("proc.lazyfree").copied().unwrap_or_default(),
            _ => 0,
        };
        self.metrics.get(metric)?.checked_sub(given_up)
    }
}

/// Where the memory of a process lies: its mappings, and what is in the C library's heap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Every mapping, those of one name, permission and kind summed; largest first. Their resident bytes add up to `proc.rss`.
    pub areas: Vec<Area>,
    /// The C library's heap, block by block; absent where it is not one that could be read whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heap: Option<Heap>,
}

/// Mappings of one name, permission and kind, bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// File name without its folder, `[heap]`, `[stack]`, `[anon]`, …
    pub name: String,
    /// `r-xp`, `r--p`, `rw-p`, … as in `/proc/PID/smaps`.
    pub permissions: String,
    /// What it is for.
    pub kind: AreaKind,
    /// Resident bytes.
    pub rss: u64,
    /// Of these, anonymous.
    pub anon: u64,
    /// Size of the mapping.
    pub size: u64,
}

/// What a mapping is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AreaKind {
    /// The program's own file.
    Program,
    /// The C library or the loader.
    CLibrary,
    /// Another file.
    File,
    /// The trust bundle.
    Roots,
    /// Plimsoll's own: the counting library and its counters.
    Instrument,
    /// Zeroed data that belongs to a file and lies behind it.
    Bss,
    /// The C library's heap.
    Heap,
    /// A block that the C library mapped by itself, because it is large.
    MappedBlock,
    /// The main thread's stack.
    Stack,
    /// Another thread's stack, with its thread-local data.
    ThreadStack,
    /// jemalloc's: pages for blocks.
    Jemalloc,
    /// jemalloc's: its book-keeping.
    JemallocBase,
    /// Pages that the kernel lends every process: `[vdso]` and the like.
    Kernel,
    /// Anything else.
    Other,
}

/// The C library's heap (glibc's main arena), read from outside along the headers of its blocks. Bytes count whole blocks, headers included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heap {
    /// Blocks that are in use.
    pub used: Blocks,
    /// Blocks that were given back and that a thread keeps for its next request of their size.
    pub cached: Blocks,
    /// Blocks that were given back and that the library keeps for anybody's next request of their size (its fast bins).
    pub fast: Blocks,
    /// Blocks that are free.
    pub free: Blocks,
    /// What has not been handed out yet, or not again, at the heap's end.
    pub top: Blocks,
    /// The heads of its thread caches.
    pub tables: Blocks,
    /// Blocks that it mapped one by one.
    pub mapped: Blocks,
}

/// A number of blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blocks {
    /// How many.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, bytes that are in memory.
    pub resident: u64,
}

/// Memory of one file or kind of mapping, bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// File name without its folder, `[heap]`, `[stack]`, `[anon]`, `other`.
    pub name: String,
    /// Resident bytes.
    pub rss: u64,
    /// Of these, anonymous.
    pub anon: u64,
    /// Size of the mapping.
    pub size: u64,
}

/// A further process of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// `helper`: a process that the subject started. `ended`: one that has ended, with its counters. `proxy`: one that was started for it.
    pub role: String,
    /// Its metrics, as in [`Checkpoint::metrics`].
    pub metrics: BTreeMap<String, i64>,
}

/// What was asked and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Requests that the subject was told to make.
    pub asked: u64,
    /// Requests that it answered for.
    pub answered: u64,
    /// Requests that reached the mock; absent for other targets.
    pub seen: Option<u64>,
    /// Sum of the CRC-32 of the answers' texts, as the subject computed it: decimal (it may exceed 2^53).
    pub crc: String,
    /// The same, computed from the bytes served; absent for other targets.
    pub expected: Option<String>,
    /// Protocol negotiated: `h1`, `h2`; empty if unknown.
    pub protocol: String,
    /// Steps of answers that the mock sent without having seen the subject take the last one and come to rest: counts can be expected to
    /// repeat only where this is 0. Absent for other targets, and in records from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpaced: Option<u64>,
}

/// Times per request, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Median.
    pub p50_us: u64,
    /// 90th percentile.
    pub p90_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// Largest.
    pub max_us: u64,
}
