//! The five components by attribution: what the code of each asked for in `original`, by the call sites of a dhat profile.
//!
//! The ladder says what a component takes by the difference of two programs; this says it from within one. They do not measure the same: here
//! are blocks that Rust code asked for, there are pages, those of the program file among them.

use std::collections::BTreeMap;

use crate::attribution::{self, BETWEEN, Sum};
use crate::cell;
use crate::ledger::{self, Line};
use crate::record::{Cell, Frame, Record, Sample, SiteTotals, Status};
use crate::roots;
use crate::units::Bytes;

/// The level that is taken apart, and the scenario.
const OF: (&str, &str) = ("original", "chat");

/// What the figures are, to whoever reads them.
pub const ABOUT: &str = "What each component’s crates asked for in one process, by the call sites of a dhat profile: the first crate on the stack, from the one that asked \
     outwards, that is of a component or is the level’s own. Blocks at the size asked for, no pages and nothing of the program file, which the ladder’s differences have. C code is what was counted beyond Rust’s.";

/// Who asked for memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asker {
    /// A component, by the claim about it.
    Component(&'static str),
    /// The level's own code, with the types of its answers.
    Own,
    /// The worker that every measured program has.
    Worker,
    /// C code: what was counted beyond Rust's.
    C,
    /// Another crate.
    Other,
    /// Sites too small to be told apart.
    Small,
}

/// Each component: the claim's id, its name, its crates. A crate that is in none (`bytes`, `hashbrown`) works for whoever called it.
const CRATES: [(&str, &str, &[&str]); 5] = [
    (
        "tls-cost",
        "TLS",
        &[
            "rustls",
            "tokio-rustls",
            "hyper-rustls",
            "rustls-webpki",
            "rustls-pki-types",
            "rustls-platform-verifier",
            "rustls-native-certs",
            "webpki-root-certs",
            "aws-lc-rs",
            "ring",
        ],
    ),
    (
        "reqwest-cost",
        "reqwest, hyper, h2",
        &[
            "reqwest",
            "hyper",
            "hyper-util",
            "h2",
            "http",
            "http-body",
            "http-body-util",
            "httparse",
            "tower",
            "tower-http",
            "tower-service",
            "url",
            "async-compression",
        ],
    ),
    ("json-cost", "JSON", &["serde_json", "serde", "serde_core"]),
    ("tokio-cost", "tokio", &["tokio", "mio", "tokio-util"]),
    ("dns-cost", "DNS, by the standard library", &[]),
];

/// The standard library's module that asks the resolver of the C library.
const RESOLVER: &str = "std::sys::net";

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Who.
    pub asker: Asker,
    /// In all, since the start of the process.
    pub total: Sum,
    /// Bytes of it that were not given back; `None` where that was not measured.
    pub live: Option<i64>,
    /// The same by crate, the most live bytes first: name, bytes in all, bytes live.
    pub crates: Vec<(String, i64, Option<i64>)>,
}

/// A level taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Components<'a> {
    /// The cell that was profiled.
    pub cell: &'a Cell,
    /// Requests that were answered by then.
    pub requests: u64,
    /// Who asked, in the order of the claims, then the others that asked for anything.
    pub parts: Vec<Asked>,
}

impl Asker {
    /// Its name in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Component(claim) => CRATES.iter().find(|(own, ..)| *own == claim).map_or(claim, |(_, name, _)| name),
            Self::Own => "the level’s own code",
            Self::Worker => "Plimsoll’s worker",
            Self::C => "C code",
            Self::Other => "other crates",
            Self::Small => "sites too small to tell apart",
        }
    }
}

impl Asked {
    /// Bytes that are live and bytes in all, in words.
    #[must_use]
    pub fn told(&self) -> String {
        let live =
            self.live.map_or_else(|| "live bytes not measured".to_owned(), |live| format!("{} live", Bytes(live)));
        format!("{live}, {} asked for", Bytes(self.total.bytes))
    }

    /// The same by crate, in words.
    #[must_use]
    pub fn by_crate(&self) -> String {
        let one = |(name, total, live): &(String, i64, Option<i64>)| match live {
            Some(live) => format!("{name} {} of {}", Bytes(*live), Bytes(*total)),
            None => format!("{name} {}", Bytes(*total)),
        };
        self.crates.iter().map(one).collect::<Vec<_>>().join(" · ")
    }
}

impl Components<'_> {
    /// What the component of a claim asked for.
    #[must_use]
    pub fn of(&self, claim: &str) -> Option<&Asked> {
        self.parts.iter().find(|part| matches!(part.asker, Asker::Component(own) if own == claim))
    }
}

/// `original` taken apart when 64 requests are answered; `None` where the record has no call sites of it.
#[must_use]
pub fn of(record: &Record) -> Option<Components<'_>> {
    let is_it = |sample: &&Sample| {
        let cell = &sample.cell;
        sample.status == Status::Ok
            && (cell.subject.as_str(), cell.scenario.as_str(), cell.probe.as_str()) == (OF.0, OF.1, "dhat")
    };
    let (sample, point) = record.samples.iter().filter(is_it).find_map(|sample| {
        let point = sample.checkpoints.iter().find(|point| point.name == BETWEEN[0] && !point.sites.is_empty())?;
        Some((sample, point))
    })?;
    let mut sums: BTreeMap<Asker, (Sum, Option<i64>)> = BTreeMap::new();
    let mut crates: BTreeMap<(Asker, String), (i64, Option<i64>)> = BTreeMap::new();
    // A component that asked for nothing has asked for nothing, and says so.
    for (claim, ..) in CRATES {
        sums.insert(Asker::Component(claim), (Sum::default(), Some(0)));
    }
    for site in &point.sites {
        let (asker, name) = asker(record, site);
        let (bytes, live) = (signed(site.bytes), site.live.map(signed));
        let (sum, all) = sums.entry(asker).or_insert((Sum::default(), Some(0)));
        *sum = Sum { bytes: sum.bytes + bytes, blocks: sum.blocks + signed(site.blocks) };
        *all = all.zip(live).map(|(all, live)| all + live);
        let (total, all) = crates.entry((asker, name)).or_insert((0, Some(0)));
        *total += bytes;
        *all = all.zip(live).map(|(all, live)| all + live);
    }
    if let Some(c) = c(record, sample, &point.sites) {
        sums.insert(Asker::C, (c, live_c(record, &sample.cell)));
    }
    let part = |(asker, (total, live)): (Asker, (Sum, Option<i64>))| {
        let own = crates.iter().filter(|((other, _), _)| *other == asker);
        let mut own: Vec<_> = own.map(|((_, name), (total, live))| (name.clone(), *total, *live)).collect();
        own.sort_by(|a, b| (b.2, b.1, &a.0).cmp(&(a.2, a.1, &b.0)));
        Asked { asker, total, live, crates: own }
    };
    let place = |asker: Asker| CRATES.iter().position(|(claim, ..)| asker == Asker::Component(claim));
    let mut parts: Vec<Asked> = sums.into_iter().map(part).collect();
    parts.sort_by_key(|part| (place(part.asker).unwrap_or(CRATES.len()), part.asker));
    Some(Components { cell: &sample.cell, requests: point.requests, parts })
}

/// Who asked at a site, and the crate that did: from the frame that asked outwards, the first that is of a component or nobody's but the
/// level's own.
fn asker(record: &Record, site: &SiteTotals) -> (Asker, String) {
    let stack: Vec<&Frame> = record.stack(site.site).collect();
    let innermost = || roots::asker(&stack).map_or_else(|| roots::OTHER.to_owned(), attribution::crate_name);
    if record.sites.get(site.site as usize).is_some_and(|site| site.rest) {
        return (Asker::Small, innermost());
    }
    for frame in &stack {
        let krate = frame.krate.as_deref().unwrap_or_default();
        let of = CRATES.iter().find(|(.., crates)| crates.contains(&krate));
        if let Some((claim, ..)) = of {
            return (Asker::Component(claim), attribution::crate_name(frame));
        }
        if krate == "std" && frame.function.contains(RESOLVER) {
            return (Asker::Component("dns-cost"), krate.to_owned());
        }
        if krate == roots::WORKER {
            return (Asker::Worker, krate.to_owned());
        }
        if frame.own {
            return (Asker::Own, krate.to_owned());
        }
    }
    (Asker::Other, innermost())
}

/// What C code asked for by then: what was counted in a process of its own beyond what Rust asked for here.
fn c(record: &Record, sample: &Sample, sites: &[SiteTotals]) -> Option<Sum> {
    let counted = record.samples.iter().find_map(|other| {
        let same =
            other.status == Status::Ok && other.cell.probe == "count" && cell::is_same_work(&other.cell, &sample.cell);
        let point = other.checkpoints.iter().find(|point| same && point.name == BETWEEN[0])?;
        Some(Sum { bytes: *point.metrics.get("heap.bytes")?, blocks: *point.metrics.get("heap.allocs")? })
    })?;
    let rust = sites.iter().fold(Sum::default(), |sum, site| Sum {
        bytes: sum.bytes + signed(site.bytes),
        blocks: sum.blocks + signed(site.blocks),
    });
    Some(Sum { bytes: counted.bytes - rust.bytes, blocks: counted.blocks - rust.blocks })
}

/// What C code holds, where the record has a byte ledger of the same work.
fn live_c(record: &Record, profiled: &Cell) -> Option<i64> {
    let of_it = |cell: &Cell| {
        cell.factors.get("allocator").is_none_or(|own| own == "system") && cell::is_same_work(cell, profiled)
    };
    ledger::accounts(record, OF.1).into_iter().find(|account| of_it(&account.cell))?.ledger.bytes(Line::LiveC)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
