//! Call sites: from the profiles that dhat's samples leave to the stacks of a record.
//!
//! - `profile`: dhat's file, as numbers and addresses
//! - `size_class`: how large the blocks are that were asked for
//! - `modules`: what was mapped where, so that an address means a place in a file
//! - `symbolise`: from a place in a program's file to functions and lines
//! - `source`: which crate a source file is of
//! - `fold`: which frames of a stack say something
//! - `small`: what is too small to stand alone
//! - `interned`: functions and stacks, each once
//!
//! It is done when a record is assembled, a program at a time: debug information is large. A profile that cannot be read costs its sample its
//! call sites, and nothing else.

pub mod fold;
pub mod interned;
pub mod modules;
pub mod profile;
pub mod size_class;
pub mod small;
pub mod source;
pub mod symbolise;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plimsoll_reports::record::{Cell, Frame, Record, Sample, SiteTotals, Status};

use interned::Interned;
use modules::{Modules, Place};
use profile::Profile;
use size_class::in_whole_blocks;
use small::Stacks;
use source::Sources;
use symbolise::{Program, Symbol};

/// Requests after which a life is profiled besides the whole one: those between which a figure per request is taken.
pub const PROFILED_AT: [u64; 2] = [64, 128];

/// What a whole life's profile is called, relative to a run's folder.
pub fn profile_name(cell: &Cell, order: u32) -> String {
    format!("profiles/{}-{}-{order}{PROFILE}", cell.subject, cell.scenario)
}

/// What the profile is called of a life that ended after so many requests, beside that of the whole one.
pub fn profile_at(whole: &str, requests: u64) -> String {
    format!("{}.at-{requests}{PROFILE}", whole.strip_suffix(PROFILE).unwrap_or(whole))
}

/// Where it is noted what was mapped where in the process of a profile.
pub fn modules_of(profile: &Path) -> PathBuf {
    profile.with_extension("modules.json")
}

const PROFILE: &str = ".dhat.json";

/// Reads the profiles of a record's samples, and fills in its call sites. `dir` is the run's
/// folder, `root` the project's, and `program` finds the program of a cell.
pub fn fill(record: &mut Record, dir: &Path, root: &Path, program: &dyn Fn(&Cell) -> Option<PathBuf>) {
    let mut by_program: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (at, sample) in record.samples.iter_mut().enumerate() {
        if sample.status != Status::Ok || sample.profile.is_none() || sample.unattributed.is_some() {
            continue;
        }
        match program(&sample.cell) {
            Some(path) => by_program.entry(path).or_default().push(at),
            None => {
                sample.unattributed = Some("its program is not there any more: build it, and measure again".to_owned())
            }
        }
    }
    let mut interned = Interned::default();
    let sources = Sources::of(root);
    for (path, places) in by_program {
        let mut lives: Vec<(usize, Vec<Life>)> = Vec::new();
        for at in places {
            match lives_of(&record.samples[at], dir) {
                Ok(all) => lives.push((at, all)),
                Err(why) => record.samples[at].unattributed = Some(why),
            }
        }
        let offsets = lives.iter().flat_map(|(_, lives)| lives).flat_map(Life::offsets).collect();
        let symbols = Program::read(&path).and_then(|program| Ok((program.build_id(), program.symbolise(&offsets)?)));
        for (at, lives) in lives {
            let sample = &mut record.samples[at];
            match &symbols {
                Ok((id, _)) if !is_same_build(sample, id.as_deref()) => {
                    let why =
                        "its program was built anew since, so that its addresses mean something else: measure again";
                    sample.unattributed = Some(why.to_owned());
                }
                Ok((_, symbols)) => attribute(sample, &lives, symbols, &sources, &mut interned),
                Err(error) => sample.unattributed = Some(error.to_string()),
            }
        }
    }
    interned.into_record(record);
}

/// A profile, of which checkpoint it is, and what was mapped where.
struct Life {
    checkpoint: usize,
    profile: Profile,
    modules: Modules,
}

impl Life {
    fn offsets(&self) -> impl Iterator<Item = u64> {
        let places =
            self.profile.points.iter().flat_map(|point| &point.stack).map(|address| self.modules.place(*address));
        places.filter_map(|place| if let Place::Program(offset) = place { Some(offset) } else { None })
    }
}

/// The profiles of a sample: of its whole life, and of those that ended earlier.
fn lives_of(sample: &Sample, dir: &Path) -> Result<Vec<Life>, String> {
    let whole = sample.profile.as_deref().unwrap_or_default();
    let mut lives = Vec::new();
    for (checkpoint, point) in sample.checkpoints.iter().enumerate() {
        let last = checkpoint + 1 == sample.checkpoints.len();
        let name = if last { whole.to_owned() } else { profile_at(whole, point.requests) };
        let path = dir.join(&name);
        let is_of_it = last || PROFILED_AT.iter().any(|at| point.name == format!("steady@{at}"));
        if !is_of_it || (!last && !path.exists()) {
            continue;
        }
        let fail = |file: &str, why: &dyn std::fmt::Display| format!("{file}: {why}");
        let read = |path: &Path| std::fs::read(path).map_err(|e| fail(&name, &format!("{e}; measure again")));
        let profile = Profile::read(&read(&path)?).map_err(|e| fail(&name, &e))?;
        let modules = serde_json::from_slice(&read(&modules_of(&path))?);
        let modules =
            modules.map_err(|e| fail(&name, &format!("what was mapped where cannot be read ({e}); measure again")))?;
        let (found, said) = (profile.bytes(), point.metrics.get("dhat.total").copied().unwrap_or_default());
        if last && i64::try_from(found) != Ok(said) {
            let why = format!(
                "it has {found} B, and its process had asked for {said}: it is of another process; measure again"
            );
            return Err(fail(&name, &why));
        }
        lives.push(Life { checkpoint, profile, modules });
    }
    Ok(lives)
}

/// Whether a program is the one that a sample was taken with, as far as both say: subjects give the beginning of their build id after a `+`.
fn is_same_build(sample: &Sample, id: Option<&str>) -> bool {
    let said = sample.greeting.get("build").and_then(|build| build.rsplit_once('+')).map(|(_, id)| id);
    let is_id = |said: &&str| said.len() >= 8 && said.bytes().all(|b| b.is_ascii_hexdigit());
    match (said.filter(is_id), id) {
        (Some(said), Some(id)) => id.starts_with(said),
        _ => true,
    }
}

fn attribute(
    sample: &mut Sample,
    lives: &[Life],
    symbols: &BTreeMap<u64, Vec<Symbol>>,
    sources: &Sources,
    interned: &mut Interned,
) {
    let mut stacks = Stacks::new();
    for life in lives {
        for point in &life.profile.points {
            let frames = point.stack.iter().flat_map(|address| frames(&life.modules.place(*address), symbols, sources));
            let folded = fold::stack(frames.collect());
            let stack: Vec<u32> = folded.into_iter().map(|frame| interned.frame(frame)).collect();
            let totals = SiteTotals {
                site: 0,
                blocks: point.blocks,
                bytes: point.bytes,
                live: Some(point.live.bytes),
                peak: Some(point.peak.bytes),
                live_usable: Some(in_whole_blocks(point.live)),
                peak_usable: Some(in_whole_blocks(point.peak)),
            };
            small::add(stacks.entry(stack).or_default().entry(life.checkpoint).or_default(), &totals);
        }
    }
    let requests = sample.checkpoints.last().map_or(0, |point| point.requests);
    for (checkpoint, totals) in small::sites(stacks, requests, interned) {
        sample.checkpoints[checkpoint].sites = totals;
    }
}

/// The functions at a place, from the innermost outwards.
fn frames(place: &Place, symbols: &BTreeMap<u64, Vec<Symbol>>, sources: &Sources) -> Vec<Frame> {
    let nameless = |krate: Option<&str>| Frame {
        function: krate.unwrap_or("?").to_owned(),
        krate: krate.map(str::to_owned),
        ..Frame::default()
    };
    match place {
        Place::Library(name) => vec![nameless(Some(name))],
        Place::Nowhere => vec![nameless(None)],
        Place::Program(offset) => match symbols.get(offset).map_or(&[][..], Vec::as_slice) {
            [] => vec![nameless(None)],
            symbols => symbols.iter().map(|symbol| frame(symbol, sources)).collect(),
        },
    }
}

fn frame(symbol: &Symbol, sources: &Sources) -> Frame {
    let source = symbol.file.as_deref().map(|file| sources.place(file)).unwrap_or_default();
    Frame {
        function: symbol.function.clone(),
        krate: source.krate,
        version: source.version,
        file: Some(source.file).filter(|file| !file.is_empty()),
        line: symbol.line,
        own: source.own,
        inlined: symbol.inlined,
    }
}
