//! Benches side by side: of each function and input its time, and what it asks the allocator for.

use super::View;
use crate::bench::{Bench, Measure};
use crate::derive::Measured;
use crate::units::{Quantity, Unit, whole};

/// The benches of a group on one input.
#[derive(Debug)]
pub struct Benches<'a> {
    /// The group: `sse`, `levels/chat`.
    pub group: &'a str,
    /// What they were run on; empty where there is no choice.
    pub input: &'a str,
    /// The functions, in the order in which they were run.
    pub rows: Vec<Benched<'a>>,
}

/// What was measured of a function on an input.
#[derive(Debug)]
pub struct Benched<'a> {
    /// The function.
    pub function: &'a str,
    /// By [`Measure::ALL`]; `None` is not measured.
    pub figures: [Option<Measured>; 3],
    /// Bytes read in a second.
    pub throughput: Option<Quantity>,
    /// Whether no other is quicker, of more than one.
    pub quickest: bool,
}

impl Benches<'_> {
    /// The group, and what it was run on.
    #[must_use]
    pub fn title(&self) -> String {
        if self.input.is_empty() { self.group.to_owned() } else { format!("{} · {}", self.group, self.input) }
    }

    /// Whether any of them reads so many bytes.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.rows.iter().any(|row| row.throughput.is_some())
    }
}

impl View {
    /// All benches of the record, in the order in which they were run.
    #[must_use]
    pub fn benches(&self) -> Vec<Benches<'_>> {
        let mut all: Vec<Benches<'_>> = Vec::new();
        for bench in &self.record.benches {
            let (group, input) = (bench.group.as_str(), bench.input.as_deref().unwrap_or_default());
            let place = all.iter().position(|benches| (benches.group, benches.input) == (group, input));
            let benches = match place {
                Some(place) => &mut all[place],
                None => {
                    all.push(Benches { group, input, rows: Vec::new() });
                    let last = all.len() - 1;
                    &mut all[last]
                }
            };
            add(&mut benches.rows, bench);
        }
        all.iter_mut().for_each(|benches| mark(&mut benches.rows));
        all
    }
}

fn add<'a>(rows: &mut Vec<Benched<'a>>, bench: &'a Bench) {
    let place = rows.iter().position(|row| row.function == bench.function).unwrap_or_else(|| {
        rows.push(Benched { function: &bench.function, figures: [None; 3], throughput: None, quickest: false });
        rows.len() - 1
    });
    let at = Measure::ALL.iter().position(|measure| *measure == bench.measure).unwrap_or_default();
    rows[place].figures[at] = bench.measured();
    if let (Measure::Time, Some(reads)) = (bench.measure, bench.reads) {
        let reads = whole(i64::try_from(reads).unwrap_or(i64::MAX));
        rows[place].throughput = Quantity::new(reads * 1e9 / bench.median, Unit::Bytes);
    }
}

/// The quickest is one whose interval no other's lies below.
fn mark(rows: &mut [Benched<'_>]) {
    let highest = rows.iter().filter_map(|row| Some(row.figures[0]?.stats.max)).fold(f64::INFINITY, f64::min);
    let several = rows.len() > 1;
    for row in rows {
        row.quickest = several && row.figures[0].is_some_and(|time| time.stats.min <= highest);
    }
}
