//! Made-up records for the gate: a side is some processes of a few cells, noisy from a seed.
#![allow(dead_code, reason = "an example uses a part of it")]

use plimsoll_reports::gate::{Again, Next, Rules, Settings, Stage, Verdict, decide};
use plimsoll_reports::record::{Cell, Frame, PlannedCell, Record, Sample, Site, SiteTotals, Status};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::common::{Builder, PLAIN, Shape, cell};

pub(crate) const FACTORS: [(&str, &str); 2] = [("allocator", "system"), ("protocol", "h1")];

pub(crate) fn count(subject: &str) -> Cell {
    cell(subject, "chat", "count", &FACTORS)
}

pub(crate) fn rss(subject: &str) -> Cell {
    cell(subject, "chat", "rss", &FACTORS)
}

/// What a side's processes do.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    pub(crate) shape: Shape,
    /// Pages that anonymous memory varies by, either way.
    pub(crate) pages: i64,
    pub(crate) processes: usize,
    pub(crate) seed: u64,
}

pub(crate) const MADE: Made = Made { shape: PLAIN, pages: 2, processes: 20, seed: 1 };

/// One side: the subject `ultra` under `count` and `rss`.
pub(crate) fn side(made: Made) -> Record {
    of(&[("ultra", made)])
}

/// One side with several subjects.
pub(crate) fn of(subjects: &[(&str, Made)]) -> Record {
    let mut builder = Builder::new().scenario("chat", 1);
    for (subject, made) in subjects {
        let mut random = ChaCha8Rng::seed_from_u64(made.seed);
        let noisy: Vec<Shape> = (0..made.processes)
            .map(|_| Shape {
                growth: made.shape.growth + 4096 * random.random_range(-made.pages..=made.pages),
                ..made.shape
            })
            .collect();
        builder = builder.subject(subject, "level", "made up");
        builder = builder.measured(&count(subject), &vec![made.shape; made.processes]);
        builder = builder.measured(&rss(subject), &noisy);
    }
    let mut record = builder.build();
    record.tool.dirty = false;
    record
}

/// The samples of a cell.
pub(crate) fn samples(record: &mut Record, cell: Cell) -> impl Iterator<Item = &mut Sample> {
    record.samples.iter_mut().filter(move |sample| sample.cell == cell)
}

pub(crate) fn fail(record: &mut Record, cell: Cell, status: Status, error: &str) {
    let sample = samples(record, cell).next().unwrap();
    (sample.status, sample.error) = (status, Some(error.to_owned()));
}

pub(crate) fn settings() -> Settings {
    Settings::new(Rules::default())
}

/// The first decision.
pub(crate) fn first(base: &Record, head: &Record) -> Verdict {
    decide(base, head, &settings(), Stage::First)
}

/// Both rounds: what is asked for after the first is answered by `again`.
pub(crate) fn both(base: &Record, head: &Record, settings: &Settings, again: (&Record, &Record)) -> Verdict {
    let first = decide(base, head, settings, Stage::First);
    if first.next == Next::Done {
        return first;
    }
    decide(base, head, settings, Stage::Second { base: again.0, head: again.1 })
}

pub(crate) fn asked(verdict: &Verdict) -> &[Again] {
    match &verdict.next {
        Next::Done => &[],
        Next::Again(again) => again,
    }
}

/// One function on a stack.
pub(crate) fn frame(krate: &str, function: &str, file: &str, line: u32) -> Frame {
    Frame {
        function: function.to_owned(),
        file: Some(file.to_owned()),
        line: Some(line),
        krate: (!krate.is_empty()).then(|| krate.to_owned()),
        own: krate == "wrapper",
        ..Frame::default()
    }
}

/// A call site, and what it asks for with each request.
#[derive(Clone)]
pub(crate) struct Asks {
    pub(crate) frames: Vec<Frame>,
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

pub(crate) fn asks(frames: &[Frame], blocks: u64, bytes: u64) -> Asks {
    Asks { frames: frames.to_vec(), blocks, bytes }
}

/// Adds a profiled process of `ultra` to a record, with these call sites.
pub(crate) fn profiled(record: &mut Record, sites: &[Asks]) {
    let factors = [("allocator", "dhat"), ("protocol", "h1")];
    let cell = cell("ultra", "chat", "dhat", &factors);
    let mut made = Builder::new().scenario("chat", 1).measured(&cell, &[PLAIN]).build();
    let mut sample = made.samples.remove(0);
    for point in &mut sample.checkpoints {
        let first = u64::from(point.requests > 0) * 1_000;
        point.sites = (0..)
            .zip(sites)
            .map(|(site, asks)| SiteTotals {
                site,
                blocks: first + point.requests * asks.blocks,
                bytes: first + point.requests * asks.bytes,
                ..SiteTotals::default()
            })
            .collect();
    }
    for asks in sites {
        let from = u32::try_from(record.frames.len()).unwrap();
        record.frames.extend(asks.frames.iter().cloned());
        let to = u32::try_from(record.frames.len()).unwrap();
        record.sites.push(Site { frames: (from..to).collect(), rest: false });
    }
    record.plan.cells.push(PlannedCell { cell, samples: 1 });
    record.samples.push(sample);
}

/// A base and a head in which `Wrapper::send` asks for one block of 32 bytes more with each request, profiled.
pub(crate) fn one_more_profiled() -> (Record, Record) {
    let more =
        |allocs| Made { shape: Shape { allocs, bytes: PLAIN.bytes + 32 * (allocs - PLAIN.allocs), ..PLAIN }, ..MADE };
    let (mut base, mut head) = (side(more(PLAIN.allocs)), side(more(PLAIN.allocs + 1)));
    let alloc = frame("std", "alloc::vec::Vec<T>::push", "alloc/src/vec/mod.rs", 1);
    let at = |line| frame("wrapper", "wrapper::Wrapper::send", "src/wrapper.rs", line);
    let hyper = [alloc.clone(), frame("hyper", "hyper::proto::h1::read", "hyper/src/proto/h1.rs", 7)];
    let sites =
        vec![asks(&[alloc.clone(), at(10)], 3, 300), asks(&[alloc.clone(), at(20)], 2, 64), asks(&hyper, 100, 12_000)];
    profiled(&mut base, &sites);
    // Two lines were added above, and one that asks.
    let mut sites = vec![
        asks(&[alloc.clone(), at(12)], 3, 300),
        asks(&[alloc.clone(), at(15)], 1, 32),
        asks(&[alloc, at(23)], 2, 64),
        asks(&hyper, 100, 12_000),
    ];
    sites.rotate_left(1);
    profiled(&mut head, &sites);
    (base, head)
}

/// So many processes of four subjects without any change between them: quiet, noisy, and with counts that are not exact.
pub(crate) fn studied(processes: usize) -> Record {
    let made = |pages, seed| Made { pages, processes, seed, ..MADE };
    let subjects = [("still", made(0, 1)), ("quiet", made(2, 2)), ("noisy", made(6, 3)), ("flaky", made(4, 4))];
    let mut record = of(&subjects);
    // One process in sixteen allocates once more, as it does where two threads race.
    for (at, sample) in samples(&mut record, count("flaky")).enumerate() {
        for point in sample.checkpoints.iter_mut().filter(|point| point.requests >= 128 && at % 16 == 3) {
            *point.metrics.get_mut("heap.allocs").unwrap() += 64;
        }
    }
    record
}
