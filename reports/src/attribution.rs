//! Which code asked for memory: the call sites of a cell, held to what was counted under it.
//!
//! dhat sees what Rust asks for; `count` sees that and C. What the second has more is a root of its own, [`roots::C`]: with it, the parts add up to
//! every byte counted. Only what no root is known for is not attributed.

use std::collections::BTreeMap;

use crate::cell;
use crate::derive::SLOPE_AT;
use crate::record::{Cell, Checkpoint, Frame, Record, Sample, SiteTotals, Status};
use crate::roots::{self, Root};

/// The checkpoints between which a figure per request is taken, as for every counter.
pub const BETWEEN: [&str; 2] = [SLOPE_AT[0], SLOPE_AT[1]];
/// The checkpoint up to which a whole life is told.
pub const WHOLE: &str = "dropped";

/// What the call sites of a cell asked for, over some part of its life.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution<'a> {
    /// The cell, of the probe `dhat`.
    pub cell: &'a Cell,
    /// The profile of the sample that it is of, relative to the record.
    pub profile: Option<&'a str>,
    /// Requests that it is divided by: those between the two checkpoints; 1 for a whole life.
    pub requests: u64,
    /// Whether it is of a whole life, from the start of the process.
    pub whole: bool,
    /// What each site asked for, largest first, in all. Sites that asked for nothing here are left out.
    pub sites: Vec<Asked<'a>>,
    /// Bytes and blocks that Rust asked for, by the sum of the sites.
    pub rust: Sum,
    /// Bytes and blocks that were counted, C included, in a process of its own; `None` where the same cell was not measured with `count`.
    pub counted: Option<Sum>,
}

/// What a call site asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked<'a> {
    /// Its place in the record's sites.
    pub site: u32,
    /// Its frames, from the function that asked outwards.
    pub stack: Vec<&'a Frame>,
    /// Whether these are several sites together, each too small to be told apart.
    pub rest: bool,
    /// To whom it is charged.
    pub root: Root<'a>,
    /// What it asked for.
    pub asked: Sum,
    /// Bytes not given back at the end, or that became more; `None` where it is not known.
    pub live: Option<i64>,
}

/// Bytes and blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Bytes.
    pub bytes: i64,
    /// Blocks.
    pub blocks: i64,
}

impl Sum {
    fn minus(self, other: Self) -> Self {
        Self { bytes: self.bytes.saturating_sub(other.bytes), blocks: self.blocks.saturating_sub(other.blocks) }
    }

    fn plus(self, other: Self) -> Self {
        Self { bytes: self.bytes.saturating_add(other.bytes), blocks: self.blocks.saturating_add(other.blocks) }
    }
}

/// The attributions of a record: of each cell under dhat that has call sites, per request where that is known, and of the whole life.
#[must_use]
pub fn of(record: &Record) -> Vec<Attribution<'_>> {
    let mut done: Vec<&Cell> = Vec::new();
    let mut all = Vec::new();
    let has_sites = |sample: &&Sample| sample.checkpoints.iter().any(|point| !point.sites.is_empty());
    for sample in valid(record).filter(has_sites) {
        if done.contains(&&sample.cell) {
            continue;
        }
        done.push(&sample.cell);
        all.extend(between(record, sample));
        all.extend(whole(record, sample));
    }
    let place = |cell: &Cell| record.plan.cells.iter().position(|planned| planned.cell == *cell).unwrap_or(usize::MAX);
    all.sort_by_key(|attribution| (place(attribution.cell), attribution.whole));
    all
}

fn valid(record: &Record) -> impl Iterator<Item = &Sample> {
    record.samples.iter().filter(|sample| sample.status == Status::Ok)
}

fn between<'a>(record: &'a Record, sample: &'a Sample) -> Option<Attribution<'a>> {
    let [from, to] = BETWEEN.map(|name| point(sample, name));
    let (from, to) = (from?, to?);
    if from.sites.is_empty() || to.sites.is_empty() {
        return None;
    }
    let requests = to.requests.checked_sub(from.requests).filter(|requests| *requests > 0)?;
    let counted = counted(record, &sample.cell, |sample| {
        let [from, to] = BETWEEN.map(|name| point(sample, name).and_then(heap));
        Some(to?.minus(from?))
    });
    Some(Attribution { requests, counted, ..asked(record, sample, &from.sites, &to.sites) })
}

fn whole<'a>(record: &'a Record, sample: &'a Sample) -> Option<Attribution<'a>> {
    let end = point(sample, WHOLE).filter(|end| !end.sites.is_empty())?;
    let counted = counted(record, &sample.cell, |sample| point(sample, WHOLE).and_then(heap));
    Some(Attribution { whole: true, counted, ..asked(record, sample, &[], &end.sites) })
}

fn point<'a>(sample: &'a Sample, name: &str) -> Option<&'a Checkpoint> {
    sample.checkpoints.iter().find(|point| point.name == name)
}

fn heap(point: &Checkpoint) -> Option<Sum> {
    let metric = |name| point.metrics.get(name).copied();
    Some(Sum { bytes: metric("heap.bytes")?, blocks: metric("heap.allocs")? })
}

/// What was counted under the same cell but for its allocator: the median by bytes of the samples that say it.
fn counted(record: &Record, cell: &Cell, sum: impl Fn(&Sample) -> Option<Sum>) -> Option<Sum> {
    let is_same = |other: &Cell| other.probe == "count" && cell::is_same_work(other, cell);
    let mut all: Vec<Sum> = valid(record).filter(|sample| is_same(&sample.cell)).filter_map(sum).collect();
    all.sort_by_key(|sum| (sum.bytes, sum.blocks));
    all.get(all.len().saturating_sub(1) / 2).copied()
}

fn asked<'a>(record: &'a Record, sample: &'a Sample, from: &[SiteTotals], to: &[SiteTotals]) -> Attribution<'a> {
    let mut totals: BTreeMap<u32, (Sum, Option<i64>)> = BTreeMap::new();
    for (sign, all) in [(-1, from), (1, to)] {
        for site in all {
            let signed = |value: u64| sign * i64::try_from(value).unwrap_or(i64::MAX);
            let (sum, live) = totals.entry(site.site).or_insert((Sum::default(), Some(0)));
            *sum = sum.plus(Sum { bytes: signed(site.bytes), blocks: signed(site.blocks) });
            *live = live.zip(site.live).map(|(live, more)| live + signed(more));
        }
    }
    let rust = totals.values().fold(Sum::default(), |all, (sum, _)| all.plus(*sum));
    let mut sites: Vec<Asked<'a>> = totals
        .into_iter()
        .filter(|(_, (sum, live))| *sum != Sum::default() || live.is_some_and(|live| live != 0))
        .map(|(site, (asked, live))| {
            let stack: Vec<&Frame> = record.stack(site).collect();
            let rest = record.sites.get(site as usize).is_some_and(|site| site.rest);
            Asked { site, root: Root::of(stack.iter().copied()).0, stack, rest, asked, live }
        })
        .collect();
    sites.sort_by(|a, b| (b.asked.bytes, b.asked.blocks, a.site).cmp(&(a.asked.bytes, a.asked.blocks, b.site)));
    let profile = sample.profile.as_deref();
    Attribution { cell: &sample.cell, profile, requests: 1, whole: false, sites, rust, counted: None }
}

impl Asked<'_> {
    /// The function that asked: the innermost that is not the standard library's, or the innermost of all.
    #[must_use]
    pub fn asker(&self) -> Option<&Frame> {
        roots::asker(&self.stack)
    }
}

/// A part of what was asked for, under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The root, or the crate.
    pub name: String,
    /// What it asked for.
    pub asked: Sum,
}

impl Attribution<'_> {
    /// What C asked for: what was counted beyond Rust's. `None` where it was not counted.
    #[must_use]
    pub fn c(&self) -> Option<Sum> {
        self.counted.map(|counted| counted.minus(self.rust))
    }

    /// All that was asked for: what was counted, or Rust's alone.
    #[must_use]
    pub fn all(&self) -> Sum {
        self.counted.unwrap_or(self.rust)
    }

    /// The share of all bytes that is charged to a root with a name, 0 to 1. `None` when nothing was asked for.
    #[must_use]
    pub fn coverage(&self) -> Option<f64> {
        let other = self.sites.iter().filter(|site| site.root == Root::Other).map(|site| site.asked.bytes).sum::<i64>();
        self.share(self.all().bytes.saturating_sub(other))
    }

    /// What share of all bytes some of them are.
    #[must_use]
    pub fn share(&self, bytes: i64) -> Option<f64> {
        let all = self.all().bytes;
        (all > 0).then(|| crate::units::whole(bytes) / crate::units::whole(all))
    }

    /// By root, largest first; C among them.
    #[must_use]
    pub fn by_root(&self) -> Vec<Part> {
        self.parts(|site| site.root.name().to_owned())
    }

    /// By the crate whose code asked, with its version, largest first; C among them.
    #[must_use]
    pub fn by_crate(&self) -> Vec<Part> {
        self.parts(|site| site.asker().map_or_else(|| roots::OTHER.to_owned(), crate_name))
    }

    fn parts(&self, name: impl Fn(&Asked<'_>) -> String) -> Vec<Part> {
        let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
        for site in &self.sites {
            let sum = sums.entry(name(site)).or_default();
            *sum = sum.plus(site.asked);
        }
        let c = self.c().filter(|c| *c != Sum::default()).map(|c| (roots::C.to_owned(), c));
        let mut parts: Vec<Part> = sums.into_iter().chain(c).map(|(name, asked)| Part { name, asked }).collect();
        parts.sort_by(|a, b| (b.asked.bytes, &a.name).cmp(&(a.asked.bytes, &b.name)));
        parts
    }
}

/// A frame's crate, with its version.
pub(crate) fn crate_name(frame: &Frame) -> String {
    match (&frame.krate, &frame.version) {
        (Some(krate), Some(version)) => format!("{krate} {version}"),
        (Some(krate), None) => krate.clone(),
        (None, _) => roots::OTHER.to_owned(),
    }
}
