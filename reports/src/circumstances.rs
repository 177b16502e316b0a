//! Where, by what and of what a record was made: the one list by which two records are held against each other, and what each thing on it can move
//! without a change of code.

use crate::record::Record;
use crate::units::{Bytes, Quantity};

/// One thing of a record's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Circumstance {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// The figures that it can move.
    pub(crate) moves: &'static str,
    pub(crate) bars: Bars,
}

/// Where a difference of it keeps figures from being judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bars {
    /// Always: it can move a count.
    Counts,
    /// Of sides that were measured in turns, which must agree in it.
    Measured,
    /// Of a base that was recorded some other time; of sides that were measured together it is what is compared.
    Recorded,
    /// Nowhere.
    Never,
}

/// What moves with what is compared.
pub(crate) const CODE: &str = "what is compared: this may be the change";
/// What moves with the work.
pub(crate) const ALL: &str = "every figure: the work is not the same";
const RUST: &str = "every figure of a Rust program";
const PAGES: &str = "resident memory";
const MACHINE: &str = "resident memory and time; not allocations";

/// These are read back by a sample with jemalloc: a record without one, such as a second round's, says nothing of them.
const JEMALLOC: &str = "jemalloc’s options";

/// What two records do not have in common, each thing of the first beside that of the second.
pub(crate) fn differing(a: &Record, b: &Record) -> Vec<(Circumstance, Circumstance)> {
    let unsaid = |one: &Circumstance, other: &Circumstance| {
        one.name == JEMALLOC && (one.value.is_empty() || other.value.is_empty())
    };
    let pairs = of(a).into_iter().zip(of(b));
    pairs.filter(|(one, other)| one.value != other.value && !unsaid(one, other)).collect()
}

fn of(record: &Record) -> Vec<Circumstance> {
    use Bars::{Counts, Measured, Never, Recorded};
    let e = &record.environment;
    let map = |map: &std::collections::BTreeMap<String, String>| {
        map.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    let bytes = |bytes: u64| Quantity::from(Bytes(i64::try_from(bytes).unwrap_or(i64::MAX))).in_full();
    let lockfile = e.lockfile.clone().unwrap_or_else(|| "none".to_owned());
    let files = e.open_files.map_or_else(|| "unknown".to_owned(), |files| files.to_string());
    let all = [
        ("Cargo.lock", lockfile, CODE, Recorded),
        ("compiler", e.rustc.clone(), RUST, Counts),
        ("profile", e.profile.clone(), RUST, Counts),
        ("plimsoll", record.tool.version.clone(), "nothing by itself", Never),
        ("target", e.target.clone(), ALL, Counts),
        ("replies", e.corpus.clone(), ALL, Counts),
        (
            "trusted roots",
            format!("{}, {}", e.trust.roots, e.trust.digest),
            "memory and allocations until the first request",
            Counts,
        ),
        ("kernel", e.kernel.clone(), MACHINE, Measured),
        ("architecture", e.arch.clone(), "every figure: it is another program", Counts),
        ("processor", e.cpu.clone(), MACHINE, Measured),
        ("cores", e.cores.to_string(), MACHINE, Measured),
        ("memory", bytes(e.memory), "time; with several threads also memory", Measured),
        ("page size", bytes(e.page_size), "every figure: allocators work by pages", Counts),
        ("C library", e.libc.clone(), "every figure: the allocator is its", Counts),
        ("huge pages", e.thp.clone(), PAGES, Measured),
        ("address randomisation", if e.aslr_off { "off" } else { "on" }.to_owned(), PAGES, Measured),
        ("open files", files, "how many requests can be in flight", Measured),
        ("given to subjects", map(&e.subject_env), PAGES, Counts),
        (JEMALLOC, map(&e.jemalloc), "what is measured on jemalloc", Measured),
    ];
    all.into_iter().map(|(name, value, moves, bars)| Circumstance { name, value, moves, bars }).collect()
}

/// A value as it is shown: digests by their beginnings, which tell two apart.
pub(crate) fn brief(value: &str) -> String {
    let is_digest = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    value.split(' ').map(|word| if is_digest(word) { &word[..12] } else { word }).collect::<Vec<_>>().join(" ")
}
