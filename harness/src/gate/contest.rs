//! From sides to verdicts: measured, decided, measured again where the decision asks for it, and profiled where something grew.

use plimsoll_reports::gate::{self, Next, Notice, NoticeKind, Settings, Stage, State, Verdict, decide};
use plimsoll_reports::record::{Cell, PlannedCell, Record, Sample, Status};

use super::cells::{self, Planned};
use super::measure::Measuring;
use super::side::Side;
use crate::config::Probe;
use crate::run::RunError;
use crate::run::store;

/// What heads are compared with.
#[derive(Debug)]
pub enum Against {
    /// A side that is measured in turns with them.
    Side(Box<Side>),
    /// A record.
    Record(Box<Record>),
}

/// A head's verdict and what it rests on.
#[derive(Debug)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// The base's record, with its profiles.
    pub base: Record,
    /// The head's.
    pub head: Record,
}

/// Folders of what is measured besides the first round.
const AGAIN: &str = "again";
const PROFILES: &str = "profiles";

/// Judges each head against the base. `planned` says what is measured, on the base first if it is a side.
///
/// # Errors
/// When the mock or the disk fails, or when interrupted: what was measured is kept.
pub fn judge(
    measuring: &mut Measuring<'_>,
    against: Against,
    heads: Vec<Side>,
    planned: &[Planned],
    settings: &Settings,
) -> Result<Vec<Judged>, RunError> {
    let mut contest = Contest { measuring, sides: Vec::new(), recorded: None };
    match against {
        Against::Side(base) => contest.sides.push(*base),
        Against::Record(base) => contest.recorded = Some(*base),
    }
    contest.sides.extend(heads);
    let first = contest.round("", planned)?;
    let verdicts: Vec<Verdict> =
        first.heads.iter().map(|head| decide(&first.base, head, settings, Stage::First)).collect();
    let wanted: Vec<Vec<(Cell, usize)>> = verdicts.iter().map(wanted).collect();
    let again = contest.again(AGAIN, &wanted)?;
    let verdict = |at: usize, base: &Record, head: &Record| match &again {
        Some(again) if !wanted[at].is_empty() => {
            let (fresh_base, fresh_head) =
                (of_cells(&again.base, &wanted[at]), of_cells(&again.heads[at], &wanted[at]));
            decide(base, head, settings, Stage::Second { base: &fresh_base, head: &fresh_head })
        }
        _ => decide(base, head, settings, Stage::First),
    };
    let grown: Vec<Vec<(Cell, usize)>> =
        first.heads.iter().enumerate().map(|(at, head)| contest.to_profile(&verdict(at, &first.base, head))).collect();
    let profiles = contest.again(PROFILES, &grown)?;
    let mut all = Vec::new();
    for (at, head) in first.heads.into_iter().enumerate() {
        let (mut base, mut head) = (first.base.clone(), head);
        let mut notices = Vec::new();
        if let Some(profiles) = profiles.as_ref().filter(|_| !grown[at].is_empty()) {
            let sides = [("base", &profiles.base), ("head", &profiles.heads[at])];
            notices.extend(sides.iter().flat_map(|(side, record)| unprofiled(record, side)));
            // One side alone explains nothing.
            let both: Vec<Cell> = grown[at].iter().map(|(cell, _)| cell.clone()).collect();
            let both: Vec<Cell> = both.into_iter().filter(|cell| sides.iter().all(|(_, r)| is_ok(r, cell))).collect();
            take_in(&mut base, &profiles.base, &both, contest.folder_of_profiles(0));
            take_in(&mut head, &profiles.heads[at], &both, contest.folder_of_profiles(1 + at));
        }
        let mut verdict = verdict(at, &base, &head);
        verdict.notices.extend(notices);
        all.push(Judged { verdict, base, head });
    }
    contest.keep(&all)?;
    Ok(all)
}

struct Contest<'a, 'b> {
    measuring: &'a mut Measuring<'b>,
    /// The base, if it is one, and the heads.
    sides: Vec<Side>,
    recorded: Option<Record>,
}

struct Round {
    base: Record,
    heads: Vec<Record>,
}

impl Contest<'_, '_> {
    fn round(&mut self, name: &str, planned: &[Planned]) -> Result<Round, RunError> {
        let mut records = self.measuring.round(name, &self.sides, planned)?.into_iter();
        let base = match &self.recorded {
            Some(record) => Some(recorded(record, name == PROFILES)),
            None => records.next(),
        };
        // There is a record for each side.
        base.map(|base| Round { base, heads: records.collect() }).ok_or(RunError::Debug)
    }

    /// Where profiles lie from the record of a side: the base is 0, the first head 1. Those of a record lie where they lay.
    fn folder_of_profiles(&self, at: usize) -> Option<String> {
        let at = if self.recorded.is_some() { at.checked_sub(1)? } else { at };
        self.sides.get(at).map(|side| format!("../{PROFILES}/{}", side.name))
    }

    /// Measures what each head asks for, the base all of it; `None` if nobody asks.
    fn again(&mut self, name: &str, wanted: &[Vec<(Cell, usize)>]) -> Result<Option<Round>, RunError> {
        let mut cells: Vec<Cell> = wanted.iter().flatten().map(|(cell, _)| cell.clone()).collect();
        cells.sort_unstable();
        cells.dedup();
        if cells.is_empty() {
            return Ok(None);
        }
        let of = |cell: &Cell, wanted: &[(Cell, usize)]| {
            let found = wanted.iter().find(|(other, _)| other == cell)?;
            Some(u32::try_from(found.1).unwrap_or(u32::MAX))
        };
        let planned = |cell: &Cell| {
            let heads = wanted.iter().map(|wanted| of(cell, wanted));
            let most = heads.clone().max().flatten();
            let base = self.recorded.is_none().then_some(most);
            Planned { cell: cell.clone(), samples: base.into_iter().chain(heads).collect() }
        };
        let planned: Vec<Planned> = cells.iter().map(planned).collect();
        self.round(name, &planned).map(Some)
    }

    /// The cells to profile: those of which a heap figure grew, once each; where crates have other versions, all whose heap was judged, because
    /// what each crate asks for stands beside its version. A base that was recorded some other time has the profiles that it has.
    fn to_profile(&self, verdict: &Verdict) -> Vec<(Cell, usize)> {
        if verdict.next != Next::Done {
            return Vec::new();
        }
        let heap = |row: &&gate::Row| row.figure.as_ref().is_some_and(|figure| figure.metric().starts_with("heap."));
        let wanted = |state| state == State::Fails || !verdict.lockfile.is_empty();
        let grown: Vec<Cell> = verdict.in_state(wanted).filter(heap).map(|row| row.cell.clone()).collect();
        let recorded = |cell: &Cell| {
            self.recorded.as_ref().is_none_or(|record| record.samples.iter().any(|sample| sample.cell == *cell))
        };
        let Some(head) = self.sides.last() else { return Vec::new() };
        let cells = cells::profiled(&head.project, &grown);
        cells.into_iter().filter(recorded).map(|cell| (cell, 1)).collect()
    }

    /// Writes the sides' records again, now with their profiles.
    fn keep(&self, judged: &[Judged]) -> Result<(), RunError> {
        let heads = self.sides.iter().skip(usize::from(self.recorded.is_none()));
        for (side, judged) in heads.zip(judged) {
            write(&self.measuring.folder("", side), &judged.head)?;
        }
        // Of several heads, that of one for which the base was profiled.
        let judged = judged.iter().max_by_key(|judged| judged.base.samples.len());
        if let (Some(base), None, Some(judged)) = (self.sides.first(), &self.recorded, judged) {
            write(&self.measuring.folder("", base), &judged.base)?;
        }
        Ok(())
    }
}

fn write(dir: &std::path::Path, record: &Record) -> Result<(), RunError> {
    Ok(store::write_record(dir, record)?)
}

/// What a verdict asks for.
fn wanted(verdict: &Verdict) -> Vec<(Cell, usize)> {
    match &verdict.next {
        Next::Done => Vec::new(),
        // Without a valid measurement nothing can be decided, whatever is measured besides.
        Next::Again(_) if !verdict.invalid.is_empty() => Vec::new(),
        Next::Again(again) => again.iter().map(|again| (again.cell.clone(), again.processes)).collect(),
    }
}

/// A record of some of its cells: what another head asked for is not this one's.
fn of_cells(record: &Record, wanted: &[(Cell, usize)]) -> Record {
    let is_wanted = |cell: &Cell| wanted.iter().any(|(wanted, _)| wanted == cell);
    let mut record = record.clone();
    record.plan.cells.retain(|planned| is_wanted(&planned.cell));
    record.samples.retain(|sample| is_wanted(&sample.cell));
    record
}

/// A record without its profiles, or of its profiles alone: they explain, and are not compared.
fn recorded(record: &Record, profiles: bool) -> Record {
    let keep = |cell: &Cell| (cell.probe == Probe::Dhat.as_str()) == profiles;
    let mut record = record.clone();
    record.plan.cells.retain(|planned| keep(&planned.cell));
    record.samples.retain(|sample| keep(&sample.cell));
    record
}

fn is_ok(record: &Record, cell: &Cell) -> bool {
    record.samples.iter().any(|sample| sample.cell == *cell && sample.status == Status::Ok)
}

/// What could not be profiled: it costs a name, and no verdict.
fn unprofiled(record: &Record, side: &str) -> Vec<Notice> {
    let why =
        |sample: &Sample| if sample.status == Status::Ok { sample.unattributed.clone() } else { sample.error.clone() };
    let told = record.samples.iter().filter_map(|sample| {
        let cell = plimsoll_reports::cell::name(&sample.cell);
        let text = format!("{side}: `{cell}` could not be profiled, and no code is blamed for it: {}", why(sample)?);
        Some(Notice { kind: NoticeKind::Other, text })
    });
    told.collect()
}

/// Takes the profiles of some cells into a side's record. `folder` is where they lie from there.
fn take_in(record: &mut Record, profiled: &Record, cells: &[Cell], folder: Option<String>) {
    let wanted = |sample: &&Sample| sample.status == Status::Ok && cells.contains(&sample.cell);
    let after = u32::try_from(record.samples.len()).unwrap_or_default();
    let samples: Vec<Sample> = profiled.samples.iter().filter(wanted).cloned().collect();
    for mut sample in samples {
        sample.order += after;
        if let Some(folder) = &folder {
            sample.profile = sample.profile.map(|file| format!("{folder}/{file}"));
        }
        if !record.plan.cells.iter().any(|planned| planned.cell == sample.cell) {
            record.plan.cells.push(PlannedCell { cell: sample.cell.clone(), samples: 1 });
        }
        record.samples.push(sample);
    }
    record.frames.clone_from(&profiled.frames);
    record.sites.clone_from(&profiled.sites);
}
