//! The steps of an answer: what goes into one TLS record, and what happens between two.

use std::time::Duration;

use bytes::Bytes;

use super::faults;
use super::plan::{Special, Step, StreamReset, TakeOver, Write};
use super::script::{CutAt, Ending, Fault, HoldPoint, Modifier, ResetAt, Script};

/// The largest body that goes into one record with its head, in bytes.
const SMALL: usize = 14_000;

/// The steps that send `pieces`, `length` bytes in all, as the script has it.
pub(super) fn steps(pieces: Vec<Bytes>, stream: bool, length: usize, script: &Script) -> Vec<Step> {
    let parted = stream || script.faults().any(Fault::is_behind_the_first_piece);
    let mut steps = writes(pieces, parted, script.hold());
    let pace = script.find(|m| if let Modifier::Pace(time) = m { Some(*time) } else { None });
    if let Some(time) = pace {
        steps = paced(steps, time);
    }
    let cut = script.find(|m| if let Modifier::Cut { at, ending } = m { Some((*at, *ending)) } else { None });
    if let Some((at, ending)) = cut {
        steps = cut_at(steps, at, length, ending);
    }
    let mut before = Vec::new();
    if let Some(time) = script.find(|m| if let Modifier::Delay(time) = m { Some(*time) } else { None }) {
        before.push(Step::Pause(time));
    }
    if script.hold() == Some(HoldPoint::BeforeHead) {
        before.push(Step::Hold);
    }
    if script.has(&Modifier::Silence) {
        before.push(Step::Silence);
    }
    for fault in script.faults() {
        match fault {
            Fault::Reset(ResetAt::Before) => before.push(Step::Abort(Ending::Reset)),
            Fault::Reset(ResetAt::Behind) => steps.push(Step::Abort(Ending::Reset)),
            Fault::BadChunk => behind_first(&mut steps, [Step::Special(Special::Raw(BAD_CHUNK)), Step::Silence], true),
            Fault::GoAway { graceful: true } => {
                behind_first(&mut steps, [Step::Special(Special::GoAwayGracefully)], false);
            }
            Fault::GoAway { graceful: false } => behind_first(&mut steps, [Step::TakeOver(TakeOver::GoAway)], true),
            Fault::ResetStream => behind_first(&mut steps, [Step::ResetStream(StreamReset::Internal)], true),
            Fault::Refused => before.push(Step::ResetStream(StreamReset::Refused)),
            Fault::StreamLimit(limit) => before.push(Step::Special(Special::LowerStreams(*limit))),
            Fault::ZeroWindow => before.push(Step::Special(Special::ShutWindow)),
            Fault::Continuations => before.push(Step::TakeOver(TakeOver::Continuations)),
            Fault::NoPing => before.push(Step::TakeOver(TakeOver::Deaf)),
            // These change the body, its framing or the connection's end.
            Fault::ErrorEvent { .. }
            | Fault::EarlyFinish
            | Fault::NoFinish
            | Fault::Pad(_)
            | Fault::Bomb(_)
            | Fault::Redirect(_)
            | Fault::Informational
            | Fault::ChunkExtensions
            | Fault::Trailers
            | Fault::Reuse(_) => {}
        }
    }
    before.append(&mut steps);
    before
}

/// What stands where a chunk's size should.
const BAD_CHUNK: Bytes = Bytes::from_static(b"no size\r\nno chunk\r\n");

/// Puts `more` behind the first step that sends something of the body, and drops what follows if `instead`.
fn behind_first<const N: usize>(steps: &mut Vec<Step>, more: [Step; N], instead: bool) {
    let first = steps.iter().position(|step| matches!(step, Step::Write(write) if !write.data.is_empty()));
    let at = first.map_or(steps.len(), |at| at + 1);
    let rest = steps.split_off(at);
    steps.extend(more);
    if !instead {
        steps.extend(rest);
    }
}

/// A small answer goes in one record. A stream's head, each event and the end go in one record each, as they would when a
/// model thinks in between.
fn writes(mut pieces: Vec<Bytes>, stream: bool, hold: Option<HoldPoint>) -> Vec<Step> {
    let held = hold == Some(HoldPoint::AfterFirstEvent);
    if !stream && held && pieces.len() == 1 {
        let half = pieces[0].len() / 2;
        pieces = vec![pieces[0].slice(..half), pieces[0].slice(half..)];
    }
    let small = !stream && pieces.len() == 1 && pieces[0].len() <= SMALL;
    if small || pieces.is_empty() {
        let data = pieces.pop().unwrap_or_default();
        return vec![Step::Write(Write { head: true, data, end: true })];
    }
    let mut steps = vec![Step::Write(Write { head: true, ..Write::default() })];
    let last = pieces.len() - 1;
    for (index, data) in pieces.into_iter().enumerate() {
        steps.push(Step::Write(Write { head: false, data, end: !stream && index == last }));
        if index == 0 && held {
            steps.push(Step::Hold);
        }
    }
    if stream {
        steps.push(Step::Write(Write { end: true, ..Write::default() }));
    }
    steps
}

fn paced(steps: Vec<Step>, time: Duration) -> Vec<Step> {
    let mut first = true;
    steps
        .into_iter()
        .flat_map(|step| {
            let pause = matches!(step, Step::Write(_)) && !std::mem::take(&mut first);
            pause.then_some(Step::Pause(time)).into_iter().chain([step])
        })
        .collect()
}

fn cut_at(steps: Vec<Step>, at: CutAt, length: usize, ending: Ending) -> Vec<Step> {
    faults::cut(steps, at.of(length), ending)
}
