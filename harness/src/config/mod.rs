//! `plimsoll.toml`: which subjects there are and which suites measure them.
//!
//! A file is found upwards from the working directory. Flags win over environment variables, and those over the file. Unknown keys are
//! errors with a suggestion; the JSON Schema of the file is committed as `plimsoll.schema.json`.

mod gate;
mod include;
mod load;

pub(crate) use crate::spelling::suggest;
pub use gate::{Budget, Gate, Size, Waiver};
pub use load::{ConfigError, Project};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The file's name.
pub const FILE: &str = "plimsoll.toml";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Version of this file's format: 1.
    pub version: u32,
    /// What can be measured.
    #[serde(default)]
    pub subject: Vec<Subject>,
    /// What is measured together, by name.
    #[serde(default)]
    pub suite: BTreeMap<String, Suite>,
    /// Benches of criterion's, for `plimsoll run --benches`.
    #[serde(default)]
    pub benches: Option<Benches>,
    /// How a change is judged.
    #[serde(default)]
    pub gate: Option<Gate>,
    /// Limits of what is measured, whatever it was before.
    #[serde(default)]
    pub budget: Vec<Budget>,
    /// What is let pass on purpose.
    #[serde(default)]
    pub waiver: Vec<Waiver>,
}

/// Benches that are run with a run where that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Benches {
    /// The command that runs them, without a shell, in the file's folder; criterion writes where its `CRITERION_HOME` says. A group of benches
    /// whose name begins with `bytes/` or `allocations/` measures that; any other, time.
    pub command: Vec<String>,
}

/// A program that speaks the subject protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subject {
    /// Its name in commands, records and reports: lower-case letters, digits, `-` and `_`.
    pub id: String,
    /// One sentence for the reports.
    #[serde(default)]
    pub description: String,
    /// What part it plays in a report.
    #[serde(default)]
    pub kind: Kind,
    /// The program and its arguments, without a shell. A program with a `/` is looked for from the file's folder, any other in `PATH`. Of the
    /// arguments, those that name a file under that folder are made absolute. `{allocator}` stands for the cell's allocator (`jemalloc` for
    /// `jemalloc-tuned`, which is the same program), `{target}` for the folder of Cargo's release build.
    pub command: Vec<String>,
    /// A program that says what it understood, for `plimsoll verify` (PROTOCOL.md, "Saying what was understood"); filled in as `command`.
    #[serde(default)]
    pub verify: Option<Vec<String>>,
    /// A command that builds it, without a shell, run in the file's folder before a run.
    #[serde(default)]
    pub build: Option<Vec<String>>,
    /// How to get its program where that is not there, e.g. `make peers`: its samples are then unavailable and say so. Without this key a
    /// program of this project that is not there is a failure.
    #[serde(default)]
    pub install: Option<String>,
    /// Probes that it supports.
    #[serde(default = "Probe::outside")]
    pub probes: Vec<Probe>,
    /// Runtimes that it can choose from by `PLIMSOLL_RUNTIME`; without this key the factor does not apply to it.
    #[serde(default)]
    pub runtimes: Option<Vec<Runtime>>,
    /// Protocols that it can speak by `PLIMSOLL_HTTP`.
    #[serde(default = "Protocol::first")]
    pub protocols: Vec<Protocol>,
    /// Techniques that it can be switched by, by their names in `PLIMSOLL_SWITCHES`: what `each` and `without-each` of a suite stand for.
    #[serde(default)]
    pub techniques: Vec<String>,
    /// Crypto providers that it can choose from by `PLIMSOLL_CRYPTO`; without this key the factor does not apply to it.
    #[serde(default)]
    pub crypto: Option<Vec<Crypto>>,
    /// A proxy that it speaks through, as `command`: started before it for each sample, told to it by `PLIMSOLL_PROXY`, and measured beside it
    /// and apart.
    #[serde(default)]
    pub proxy: Option<Vec<String>>,
    /// The subject that has one component less, for a ladder of components: reports show what this one takes beyond it.
    #[serde(default)]
    pub below: Option<String>,
    /// Further environment variables for it. In their values `{target}` stands for what it does in `command`, and `{ca}` for the path of the
    /// roots to trust, for clients that take theirs from a variable of their own.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// What part a subject plays in a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An implementation of the provider.
    Level,
    /// Something to compare with, e.g. the Python client.
    Baseline,
    /// A program with one component more than the one `below` it.
    Rung,
    /// Somebody else's client, to compare with.
    Peer,
    /// Somebody's program.
    #[default]
    External,
}

/// Cells that are measured together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Suite {
    /// One sentence for `plimsoll list`.
    #[serde(default)]
    pub description: String,
    /// Other suites whose cells it has too, so that one report answers what they answer.
    #[serde(default)]
    pub include: Vec<String>,
    /// Subjects, by id, in the order of the report.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// Scenarios, in the order of the report.
    #[serde(default)]
    pub scenarios: Vec<String>,
    /// Processes per cell, by probe.
    #[serde(default)]
    pub samples: Samples,
    /// The cells: each entry is a product of its lists.
    #[serde(default)]
    pub matrix: Vec<Matrix>,
}

/// Processes per cell, by probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Samples {
    /// For `rss`.
    pub rss: u32,
    /// For `count`.
    pub count: u32,
    /// For `jemalloc`.
    pub jemalloc: u32,
    /// For `dhat`.
    pub dhat: u32,
    /// For `ledger`.
    pub ledger: u32,
}

impl Default for Samples {
    fn default() -> Self {
        Self { rss: 5, count: 2, jemalloc: 2, dhat: 1, ledger: 1 }
    }
}

impl Samples {
    /// Processes per cell of a probe.
    pub fn of(&self, probe: Probe) -> u32 {
        match probe {
            Probe::Rss => self.rss,
            Probe::Count => self.count,
            Probe::Jemalloc => self.jemalloc,
            Probe::Dhat => self.dhat,
            Probe::Ledger => self.ledger,
        }
    }
}

/// A product of lists: every subject of the suite with every scenario, probe and factor named here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Matrix {
    /// Probes.
    pub probes: Vec<Probe>,
    /// Only these of the suite's subjects.
    #[serde(default)]
    pub subjects: Option<Vec<String>>,
    /// Only these of the suite's scenarios.
    #[serde(default)]
    pub scenarios: Option<Vec<String>>,
    /// Runtimes, for subjects that can choose.
    #[serde(default = "Runtime::first")]
    pub runtimes: Vec<Runtime>,
    /// Protocols.
    #[serde(default = "Protocol::first")]
    pub protocols: Vec<Protocol>,
    /// How many streams the mock allows on one HTTP/2 connection; HTTP/1.1 has none.
    #[serde(default = "Streams::first")]
    pub streams: Vec<Streams>,
    /// Crypto providers, for subjects that can choose.
    #[serde(default = "Crypto::first")]
    pub crypto: Vec<Crypto>,
    /// Allocators, for the probes `rss` and `ledger`; the others imply theirs.
    #[serde(default = "Allocator::first")]
    pub allocators: Vec<Allocator>,
    /// Sets of techniques (`PLIMSOLL_SWITCHES`): `default`, as the subject sets them; `none`; names with commas between; `each`, every one of the
    /// subject's techniques alone; `without-each`, every one of them left out of all.
    #[serde(default = "default_switches")]
    pub switches: Vec<String>,
    /// Processes per cell, by probe, instead of the suite's: fewer where a sample takes long.
    #[serde(default)]
    pub samples: Option<Samples>,
}

fn default_switches() -> Vec<String> {
    vec!["default".to_owned()]
}

/// Makes an enum of words that are spelled alike in the file, on the command line and in records.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $word)] #[value(name = $word)] $variant),+ }

        impl $name {
            /// All of them, in the order of reports.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How a subject is measured.
    Probe {
        /// From outside, by `/proc`.
        Rss = "rss",
        /// By `libplimsoll_count.so`.
        Count = "count",
        /// By jemalloc's statistics, in a binary built on plimsoll-worker.
        Jemalloc = "jemalloc",
        /// By dhat, in a binary built on plimsoll-worker.
        Dhat = "dhat",
        /// By `/proc` and `libplimsoll_count.so` at once: from the live heap to the RSS, byte by byte.
        Ledger = "ledger",
    }
}

words! {
    /// The allocator that a measured binary was built with.
    Allocator {
        /// The C library's.
        System = "system",
        /// jemalloc, with its own defaults as far as they are alike on every machine.
        Jemalloc = "jemalloc",
        /// The same program with the options that keep the least memory.
        JemallocTuned = "jemalloc-tuned",
        /// dhat over the C library's.
        Dhat = "dhat",
    }
}

words! {
    /// The asynchronous runtime.
    Runtime {
        /// All on the main thread.
        CurrentThread = "current_thread",
        /// Two worker threads.
        MultiThread = "multi_thread",
    }
}

words! {
    /// The protocol that a client may speak.
    Protocol {
        /// HTTP/1.1.
        H1 = "h1",
        /// HTTP/2.
        H2 = "h2",
        /// Both are offered, and the server chooses.
        Auto = "auto",
    }
}

words! {
    /// How many streams the mock allows on one HTTP/2 connection.
    Streams {
        /// 100, as public front ends do.
        Limited = "limited",
        /// Any number, which no public front end grants: for clients that use one connection only.
        Unlimited = "unlimited",
    }
}

words! {
    /// The cryptography behind rustls.
    Crypto {
        /// aws-lc-rs.
        AwsLc = "aws-lc",
        /// ring.
        Ring = "ring",
    }
}

impl Probe {
    fn outside() -> Vec<Self> {
        vec![Self::Rss, Self::Count, Self::Ledger]
    }

    /// Whether the parent reads it, and not the subject itself with an answer.
    pub fn is_outside(self) -> bool {
        matches!(self, Self::Rss | Self::Count | Self::Ledger)
    }

    /// Whether the subject runs under `libplimsoll_count.so`.
    pub fn counts(self) -> bool {
        matches!(self, Self::Count | Self::Ledger)
    }

    /// The allocator that this probe needs, where it needs one.
    pub fn allocator(self) -> Option<Allocator> {
        match self {
            Self::Rss | Self::Ledger => None,
            Self::Count => Some(Allocator::System),
            Self::Jemalloc => Some(Allocator::Jemalloc),
            Self::Dhat => Some(Allocator::Dhat),
        }
    }
}

impl Allocator {
    fn first() -> Vec<Self> {
        vec![Self::System]
    }

    /// What `{allocator}` stands for in a command: the program that has it. jemalloc is tuned from outside.
    pub fn program(self) -> &'static str {
        if self.is_jemalloc() { Self::Jemalloc.as_str() } else { self.as_str() }
    }

    /// Whether it is jemalloc, whatever its options.
    pub fn is_jemalloc(self) -> bool {
        matches!(self, Self::Jemalloc | Self::JemallocTuned)
    }
}

impl Runtime {
    fn first() -> Vec<Self> {
        vec![Self::CurrentThread]
    }
}

impl Protocol {
    fn first() -> Vec<Self> {
        vec![Self::H1]
    }
}

impl Streams {
    fn first() -> Vec<Self> {
        vec![Self::Limited]
    }
}

impl Crypto {
    fn first() -> Vec<Self> {
        vec![Self::AwsLc]
    }
}

/// The JSON Schema of the file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Config).to_value()
}
