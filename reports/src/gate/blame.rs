//! Blame: which code a difference comes from.
//!
//! Heap figures by call site, from dhat's profiles of both sides: what each site asks for between two warm checkpoints, head less base. The
//! differences must add up to what was counted by another instrument; how nearly they do is the coverage. A site belongs to the innermost
//! function of the project's own on its stack. A stack without one goes to a named root, by the crates that are on it, and never to a function
//! that was guessed. Resident memory by mapping.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell;
use crate::derive::{Figure, SLOPE_AT};
use crate::record::{Cell, Checkpoint, Frame, Record, Sample, SiteTotals, Status};
use crate::roots::{self, C, Root};
use crate::stats::Stats;
use crate::units::{Quantity, Unit, whole};

/// The probe that reads call sites.
pub(super) const PROFILER: &str = "dhat";

/// In what a difference is told: of what is asked for, of what is held, of resident memory.
pub(super) const WAYS: [&str; 3] = [BY_SITE, BY_SITE_IN_BLOCKS, BY_MAPPING];
const BY_SITE: &str = "by call site (dhat)";
const BY_SITE_IN_BLOCKS: &str = "by call site (dhat), in whole blocks";
const BY_MAPPING: &str = "by mapping";

/// The frames of a site, from the function that asked outwards.
type Stack<'a> = Vec<&'a Frame>;

/// Where a difference comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Blame {
    /// In what the parts are told: `by call site (dhat)`, the same `in whole blocks`, `by mapping`.
    pub by: &'static str,
    /// The checkpoint that the parts are of, where it is not the figure's own.
    pub as_of: Option<String>,
    /// The difference to be explained: at that checkpoint, or the figure's.
    pub counted: Quantity,
    /// What the parts add up to.
    pub explained: Quantity,
    /// How much of the counted difference the parts explain, from 0 to 1; what they have too much counts against it as well.
    pub coverage: f64,
    /// The parts, the largest increase first.
    pub parts: Vec<Part>,
}

impl Blame {
    /// The culprit: the largest part, if it is an increase.
    #[must_use]
    pub fn culprit(&self) -> Option<&Part> {
        self.parts.first().filter(|part| part.difference.value() > 0.0)
    }
}

/// A part of a difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// A function of the project's own, a named root, or a mapping.
    pub name: String,
    /// The function's file, from the project's folder.
    pub file: Option<String>,
    /// The head's line in it that contributes most.
    pub line: Option<u32>,
    /// Whether it is a function of the project's own.
    pub own: bool,
    /// The base's.
    pub base: Quantity,
    /// The head's.
    pub head: Quantity,
    /// What the head has more.
    pub difference: Quantity,
}

/// What a crate asks for with each request, before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct CrateBytes {
    /// The crate, as in paths.
    pub krate: String,
    /// Bytes per request on the base.
    pub base: Quantity,
    /// On the head.
    pub head: Quantity,
}

/// Explains a difference of `counted` in a figure of a cell; `None` where nothing that was recorded can.
#[must_use]
pub fn blame(
    base: &Record,
    head: &Record,
    cell: &Cell,
    figure: &Figure,
    counted: f64,
    own: &BTreeSet<String>,
) -> Option<Blame> {
    if figure.metric().starts_with("heap.") {
        by_site(base, head, cell, figure, counted, own)
    } else {
        by_mapping(base, head, cell, figure, counted)
    }
}

/// Bytes per request by crate, of everything that was profiled on both sides, summed over the cells; those that differ, the largest increase
/// first; and of how many cells that is. A site belongs to the innermost crate that does not merely pass its request on.
#[must_use]
pub fn crates(base: &Record, head: &Record) -> (Vec<CrateBytes>, usize) {
    let mut all: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let mut cells: Vec<&Cell> =
        head.samples.iter().map(|sample| &sample.cell).filter(|c| c.probe == PROFILER).collect();
    cells.sort_unstable();
    cells.dedup();
    let figure = Figure::per_request("heap.bytes");
    let mut profiled = 0;
    for cell in cells {
        let read = |record| totals(record, cell, &figure, Size::Asked);
        let (Some(b), Some(h)) = (read(base), read(head)) else { continue };
        profiled += 1;
        for asked in b.sites {
            all.entry(innermost(&asked.stack)).or_default().0 += asked.bytes;
        }
        for asked in h.sites {
            all.entry(innermost(&asked.stack)).or_default().1 += asked.bytes;
        }
    }
    let bytes = |value: f64| quantity(value, Unit::Bytes);
    let mut rows: Vec<CrateBytes> = all
        .into_iter()
        .map(|(krate, (base, head))| CrateBytes { krate, base: bytes(base), head: bytes(head) })
        .filter(|row| row.base != row.head)
        .collect();
    rows.sort_by(|a, b| (b.head.value() - b.base.value()).total_cmp(&(a.head.value() - a.base.value())));
    (rows, profiled)
}

fn by_site(
    base: &Record,
    head: &Record,
    cell: &Cell,
    figure: &Figure,
    counted: f64,
    own: &BTreeSet<String>,
) -> Option<Blame> {
    let (profiled_base, profiled_head) = (profiled(base, cell)?, profiled(head, cell)?);
    let read =
        |size: Size| Some((totals(base, &profiled_base, figure, size)?, totals(head, &profiled_head, figure, size)?));
    let (by, (b, h)) = match read(Size::Handed) {
        Some(both) => (BY_SITE_IN_BLOCKS, both),
        None => (BY_SITE, read(Size::Asked)?),
    };
    // What is held is told of the last checkpoint that was profiled, and has to add up to what was counted there.
    let earlier = b.as_of.filter(|point| b.as_of == h.as_of && figure.checkpoint() != Some(point));
    let then = earlier.and_then(|point| Some((point, more_at(base, head, cell, point, figure.metric())?)));
    let (as_of, counted) = match then.filter(|(_, more)| more * counted > 0.0) {
        Some((point, more)) => (Some(point.to_owned()), more),
        None => (None, counted),
    };
    let mut parts: BTreeMap<Key, Sum> = BTreeMap::new();
    let line = |stack: &Stack<'_>| match root(stack, own) {
        Root::Own(frame) => frame.line,
        _ => None,
    };
    for asked in b.sites {
        let sum = parts.entry(Key::of(&asked.stack, own)).or_default();
        sum.base += asked.value;
        sum.base_lines.entry(line(&asked.stack)).or_default().add(&asked);
    }
    for asked in h.sites {
        let sum = parts.entry(Key::of(&asked.stack, own)).or_default();
        sum.head += asked.value;
        sum.head_lines.entry(line(&asked.stack)).or_default().add(&asked);
    }
    Some(Blame { as_of, ..explain(by, counted, figure.unit(), parts) })
}

fn by_mapping(base: &Record, head: &Record, cell: &Cell, figure: &Figure, counted: f64) -> Option<Blame> {
    let of = |mapping: &crate::record::Mapping| match figure.metric() {
        "proc.anon" => Some(mapping.anon),
        "proc.rss" | "proc.hwm" => Some(mapping.rss),
        "proc.file" => Some(mapping.rss.saturating_sub(mapping.anon)),
        _ => None,
    };
    let medians = |record: &Record| {
        let samples: Vec<&Sample> = record
            .samples
            .iter()
            .filter(|s| s.cell == *cell && s.status == Status::Ok && !s.mappings.is_empty())
            .collect();
        let names: BTreeSet<&str> =
            samples.iter().flat_map(|s| &s.mappings).map(|mapping| mapping.name.as_str()).collect();
        let median = |name: &str| {
            let value = |sample: &&Sample| {
                let named = sample.mappings.iter().filter(|mapping| mapping.name == name);
                named.filter_map(of).map(|bytes| whole(i64::try_from(bytes).unwrap_or(i64::MAX))).sum::<f64>()
            };
            Stats::of(&samples.iter().map(value).collect::<Vec<_>>()).map(|stats| stats.median)
        };
        names.into_iter().filter_map(|name| Some((name.to_owned(), median(name)?))).collect::<BTreeMap<String, f64>>()
    };
    let (b, h) = (medians(base), medians(head));
    if b.is_empty() || h.is_empty() || !matches!(figure.metric(), "proc.anon" | "proc.rss" | "proc.hwm" | "proc.file") {
        return None;
    }
    let mut parts: BTreeMap<Key, Sum> = BTreeMap::new();
    let key = |name: String| Key { name, file: None, own: false };
    for (name, value) in b {
        parts.entry(key(name)).or_default().base += value;
    }
    for (name, value) in h {
        parts.entry(key(name)).or_default().head += value;
    }
    Some(explain(BY_MAPPING, counted, Unit::Bytes, parts))
}

/// What is blamed together: a function, wherever in it the line is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: String,
    file: Option<String>,
    own: bool,
}

impl Key {
    fn of(stack: &Stack<'_>, own: &BTreeSet<String>) -> Self {
        let named = |name: String| Self { name, file: None, own: false };
        match root(stack, own) {
            Root::Own(frame) => Self { name: frame.function.clone(), file: frame.file.clone(), own: true },
            Root::Named(name) => named(name.to_owned()),
            Root::Other => named(match innermost(stack) {
                krate if krate == C => krate,
                krate => format!("crate {krate}"),
            }),
        }
    }
}

#[derive(Debug, Default)]
struct Sum {
    base: f64,
    head: f64,
    base_lines: BTreeMap<Option<u32>, Line>,
    head_lines: BTreeMap<Option<u32>, Line>,
}

/// What a line asks for. Where two ask for as much of the figure, the bytes tell them apart.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Line {
    value: f64,
    bytes: f64,
}

impl Line {
    fn add(&mut self, asked: &Asked<'_>) {
        self.value += asked.value;
        self.bytes += asked.bytes;
    }
}

impl Sum {
    /// The head's line that is new or has more. A change moves the lines below it, so lines are told by what they ask for, in their order: what is
    /// alike at either end is left out, and of what is left the largest is meant.
    fn line(&self) -> Option<u32> {
        let base: Vec<Line> = self.base_lines.values().copied().collect();
        let head: Vec<(Option<u32>, Line)> = self.head_lines.iter().map(|(line, asks)| (*line, *asks)).collect();
        let room = base.len().min(head.len());
        let before = (0..room).take_while(|at| base[*at] == head[*at].1).count();
        let from_end = |at: &usize| base[base.len() - 1 - at] == head[head.len() - 1 - at].1;
        let after = (0..room - before).take_while(from_end).count();
        let left = &head[before..head.len() - after];
        let left = if left.is_empty() { head.as_slice() } else { left };
        left.iter().max_by(|a, b| a.1.value.total_cmp(&b.1.value)).and_then(|(line, _)| *line)
    }
}

fn explain(by: &'static str, counted: f64, unit: Unit, sums: BTreeMap<Key, Sum>) -> Blame {
    let explained: f64 = sums.values().map(|sum| sum.head - sum.base).sum();
    let coverage =
        if counted == 0.0 { f64::from(explained == 0.0) } else { 1.0 - ((counted - explained) / counted).abs() };
    let part = |(key, sum): (Key, Sum)| Part {
        line: sum.line(),
        name: key.name,
        file: key.file,
        own: key.own,
        base: quantity(sum.base, unit),
        head: quantity(sum.head, unit),
        difference: quantity(sum.head - sum.base, unit),
    };
    let mut parts: Vec<Part> = sums.into_iter().map(part).filter(|part| part.difference.value() != 0.0).collect();
    parts.sort_by(|a, b| b.difference.value().total_cmp(&a.difference.value()));
    Blame {
        by,
        as_of: None,
        counted: quantity(counted, unit),
        explained: quantity(explained, unit),
        coverage: coverage.max(0.0),
        parts,
    }
}

/// The cell in which the same work was profiled: the same but for the probe, and the allocator that this probe implies.
fn profiled(record: &Record, cell: &Cell) -> Option<Cell> {
    let mut profiled = record.samples.iter().map(|sample| &sample.cell).filter(|cell| cell.probe == PROFILER);
    profiled.find(|profiled| cell::is_same_work(profiled, cell)).cloned()
}

/// What a call site asks for.
struct Asked<'a> {
    stack: Stack<'a>,
    /// In the unit of the figure.
    value: f64,
    /// Bytes, over the same requests, or until the same checkpoint.
    bytes: f64,
}

/// How large a block is that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// What was asked for.
    Asked,
    /// What the allocator handed out, which is what is counted.
    Handed,
}

/// The call sites of a profiled cell.
struct Totals<'a> {
    sites: Vec<Asked<'a>>,
    /// The checkpoint at which they were read; of what is asked for per request, none.
    as_of: Option<&'a str>,
}

type Of = fn(&SiteTotals) -> Option<u64>;

/// What each call site of a profiled cell asks for; of the first valid process that has it.
fn totals<'a>(record: &'a Record, cell: &Cell, figure: &Figure, size: Size) -> Option<Totals<'a>> {
    let of: Of = match (figure, figure.metric(), size) {
        (Figure::PerRequest(_), "heap.allocs", Size::Asked) => |total| Some(total.blocks),
        (Figure::PerRequest(_), "heap.bytes", Size::Asked) => |total| Some(total.bytes),
        (Figure::Slope(_) | Figure::At { .. }, "heap.live", Size::Asked) => |total| total.live,
        (Figure::Slope(_) | Figure::At { .. }, "heap.live", Size::Handed) => |total| total.live_usable,
        (Figure::At { .. }, "heap.peak", Size::Asked) => |total| total.peak,
        (Figure::At { .. }, "heap.peak", Size::Handed) => |total| total.peak_usable,
        _ => return None,
    };
    let of_sample = |sample: &'a Sample| {
        let point = figure.checkpoint().map(|checkpoint| last_read(sample, checkpoint));
        let read = |of: Of| match point {
            Some(point) => held(point?, of),
            None => per_request(sample, of),
        };
        Some((read(of)?, read(|total| Some(total.bytes))?, point.flatten().map(|point| point.name.as_str())))
    };
    let valid = record.samples.iter().filter(|sample| sample.cell == *cell && sample.status == Status::Ok);
    let (values, bytes, as_of) = valid.filter_map(of_sample).next()?;
    let asked = |(site, value): (u32, f64)| {
        let bytes = bytes.get(&site).copied().unwrap_or_default();
        Asked { stack: record.stack(site).collect(), value, bytes }
    };
    let sites: Vec<_> = values.into_iter().map(asked).collect();
    (!sites.is_empty()).then_some(Totals { sites, as_of })
}

/// How much more the head has of a metric at a checkpoint, median from median.
fn more_at(base: &Record, head: &Record, cell: &Cell, checkpoint: &str, metric: &str) -> Option<f64> {
    let median = |record: &Record| {
        let valid = record.samples.iter().filter(|sample| sample.cell == *cell && sample.status == Status::Ok);
        let value = |sample: &Sample| {
            let point = sample.checkpoints.iter().find(|point| point.name == checkpoint)?;
            point.metrics.get(metric).map(|value| whole(*value))
        };
        Stats::of(&valid.filter_map(value).collect::<Vec<_>>()).map(|stats| stats.median)
    };
    Some(median(head)? - median(base)?)
}

/// The checkpoint, or the last one before it of which sites were read.
fn last_read<'a>(sample: &'a Sample, checkpoint: &str) -> Option<&'a Checkpoint> {
    let at = sample.checkpoints.iter().position(|point| point.name == checkpoint)?;
    sample.checkpoints[..=at].iter().rfind(|point| !point.sites.is_empty())
}

/// What each site holds there.
fn held(point: &Checkpoint, of: Of) -> Option<BTreeMap<u32, f64>> {
    point.sites.iter().map(|total| Some((total.site, number(of(total)?)))).collect()
}

/// What each site adds with a request, between the two warm checkpoints that rates are taken from.
fn per_request(sample: &Sample, of: Of) -> Option<BTreeMap<u32, f64>> {
    let (from, to) = (point(sample, SLOPE_AT[0])?, point(sample, SLOPE_AT[1])?);
    let requests = to.requests.checked_sub(from.requests).filter(|requests| *requests > 0)?;
    let mut sums: BTreeMap<u32, f64> = BTreeMap::new();
    for total in &to.sites {
        *sums.entry(total.site).or_default() += number(of(total)?);
    }
    for total in &from.sites {
        *sums.entry(total.site).or_default() -= number(of(total)?);
    }
    sums.values_mut().for_each(|value| *value /= number(requests));
    Some(sums)
}

fn point<'a>(sample: &'a Sample, name: &str) -> Option<&'a Checkpoint> {
    sample.checkpoints.iter().find(|point| point.name == name && !point.sites.is_empty())
}

/// To whom a stack is charged: own are the functions of the crates named, or if none is, what lies in the project.
fn root<'a>(stack: &Stack<'a>, own: &BTreeSet<String>) -> Root<'a> {
    let named = |krate: &String| own.iter().any(|own| same_crate(own, krate));
    let is_own =
        |frame: &Frame| if own.is_empty() { roots::is_own(frame) } else { frame.krate.as_ref().is_some_and(named) };
    Root::by(stack.iter().copied(), is_own).0
}

/// Whether two names are of one crate, with `-` or with `_`.
pub(in crate::gate) fn same_crate(one: &str, other: &str) -> bool {
    let letters = |name: &str| name.replace('-', "_");
    letters(one) == letters(other)
}

/// The crate that asked. Libraries are `C`.
fn innermost(stack: &Stack<'_>) -> String {
    let krate = roots::asker(stack).and_then(|frame| frame.krate.as_deref());
    krate.filter(|krate| !krate.contains(".so")).unwrap_or(C).to_owned()
}

fn number(value: u64) -> f64 {
    whole(i64::try_from(value).unwrap_or(i64::MAX))
}

fn quantity(value: f64, unit: Unit) -> Quantity {
    // Sums of whole numbers over a number of requests that is not 0: finite.
    Quantity::new(value, unit).unwrap_or(crate::units::Bytes(0).into())
}
