//! What a subject's memory depends on: `fixed + slope·N + inflight·C`, with N requests answered and C in flight.
//!
//! `slope` is that of the longest sequential scenario; `fixed` and `inflight` are the straight line through the readings with requests
//! held, less what the slope explains. Each is fitted within one process first, like every figure, and then taken over the samples. How far
//! the readings lie from the model is its residual: a model is worth what its residual says.

use std::collections::BTreeMap;

use crate::derive::{CellFigures, Figure, Measured};
use crate::metric;
use crate::record::{Cell, Checkpoint, Record, Sample, Status};
use crate::units::{Quantity, Unit, whole};

/// The metrics that are modelled, each of its probe.
pub const METRICS: [&str; 4] = ["proc.rss", "proc.anon", "cgroup.kernel", "heap.live"];

/// A straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Where it begins.
    pub fixed: f64,
    /// What each step adds.
    pub each: f64,
}

impl Line {
    /// Its height at a place.
    #[must_use]
    pub fn at(&self, place: f64) -> f64 {
        self.each.mul_add(place, self.fixed)
    }

    /// The line through these places and heights from which their distances, each as a share of its height, are least in squares: a
    /// tenth too much is as wrong for ten requests as for a thousand. `None` for fewer than two places, or heights not above zero.
    #[must_use]
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        let mut sum = [0.0; 5];
        for (place, height) in points {
            if !place.is_finite() || !height.is_finite() || *height <= 0.0 {
                return None;
            }
            let weight = height.powi(-2);
            let terms = [weight, weight * place, weight * place * place, weight * height, weight * place * height];
            for (sum, term) in sum.iter_mut().zip(terms) {
                *sum += term;
            }
        }
        let [weights, places, squares, heights, products] = sum;
        let spread = weights.mul_add(squares, -(places * places));
        // All in one place, but for rounding.
        if spread <= weights * squares * 1e-12 {
            return None;
        }
        let each = weights.mul_add(products, -(places * heights)) / spread;
        Some(Self { fixed: each.mul_add(-places, heights) / weights, each })
    }
}

/// How far readings lie from their model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Residual {
    /// The largest distance, in the metric's unit.
    pub max: f64,
    /// The root of the mean square of all.
    pub rms: f64,
    /// The largest as a share of its reading.
    pub share: f64,
}

impl Residual {
    /// Of readings and what the model has in their place; `None` without any.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let far = || pairs.iter().map(|(reading, model)| (reading - model).abs());
        let share = pairs.iter().filter(|(reading, _)| *reading > 0.0).map(|(r, m)| (r - m).abs() / r);
        (!pairs.is_empty()).then(|| Self {
            max: far().fold(0.0, f64::max),
            rms: (far().map(|far| far * far).sum::<f64>() / whole(pairs.len() as i64)).sqrt(),
            share: share.fold(0.0, f64::max),
        })
    }
}

/// A reading, and what the model has in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Requests answered before it.
    pub requests: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// The readings of the samples.
    pub measured: Measured,
    /// The model's.
    pub modelled: f64,
}

/// The model of one metric of a subject under given factors.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The cell whose readings with requests held it was fitted to.
    pub cell: Cell,
    /// The metric.
    pub metric: String,
    /// With nothing asked and nothing in flight.
    pub fixed: Measured,
    /// What each request in flight takes.
    pub in_flight: Measured,
    /// What each request leaves, and the scenario that says so; `None` where no sequential scenario was measured.
    pub slope: Option<(Measured, String)>,
    /// With requests held: ascending C.
    pub held: Vec<Point>,
    /// The sequential scenario's warm checkpoints: ascending N, of the model with that scenario's own `fixed`.
    pub answered: Vec<Point>,
    /// How far the readings of all samples lie from it.
    pub residual: Residual,
}

impl Model {
    /// The model's value.
    #[must_use]
    pub fn at(&self, requests: u64, in_flight: u64) -> f64 {
        let slope = self.slope.as_ref().map_or(0.0, |(slope, _)| slope.stats.median);
        let held = self.in_flight.stats.median.mul_add(number(in_flight), self.fixed.stats.median);
        slope.mul_add(number(requests), held)
    }
}

impl Model {
    /// Its figures as tables show them: fixed, slope per 1,000 requests, in flight, largest residual with its share, root mean square.
    #[must_use]
    pub fn texts(&self) -> [String; 5] {
        let told = |measured: &Measured, times: u32| {
            let spread = if measured.stats.mad > 0.0 {
                format!(" ± {}", measured.spread().times(times))
            } else {
                String::new()
            };
            format!("{}{spread}", measured.median().times(times))
        };
        let distance = |value: f64| Quantity::new(value, self.fixed.unit).map_or_else(String::new, |q| q.to_string());
        [
            told(&self.fixed, 1),
            self.slope.as_ref().map_or_else(|| "—".to_owned(), |(slope, _)| told(slope, 1_000)),
            told(&self.in_flight, 1),
            format!("{} ({:.1} %)", distance(self.residual.max), self.residual.share * 100.0),
            distance(self.residual.rms),
        ]
    }
}

/// The models of a record, in the order of its cells.
#[must_use]
pub fn models(record: &Record, cells: &[CellFigures]) -> Vec<Model> {
    let held = cells.iter().filter(|cell| cell.checkpoints.iter().filter(|name| name.starts_with("held@")).count() > 1);
    held.flat_map(|cell| METRICS.iter().filter_map(|metric| model(record, cells, cell, metric))).collect()
}

/// The model of one metric, from a cell with requests held.
fn model(record: &Record, cells: &[CellFigures], cell: &CellFigures, metric: &str) -> Option<Model> {
    let sequence = sequence(record, cells, &cell.cell, metric);
    let slope = sequence.and_then(|sequence| Some((*sequence.figure(&Figure::slope(metric))?, sequence)));
    let each = slope.map_or(0.0, |(slope, _)| slope.stats.median);
    let samples: Vec<Vec<Reading>> =
        valid(record, &cell.cell).map(|sample| readings(sample, metric, "held@")).filter(|r| r.len() > 1).collect();
    let lines: Vec<Line> = samples
        .iter()
        .filter_map(|readings| {
            let less: Vec<_> =
                readings.iter().map(|r| (number(r.count), each.mul_add(-number(r.requests), r.value))).collect();
            Line::through(&less)
        })
        .collect();
    let unit = metric::unit(metric);
    let fixed = Measured::of(&lines.iter().map(|line| line.fixed).collect::<Vec<_>>(), unit)?;
    let in_flight = Measured::of(&lines.iter().map(|line| line.each).collect::<Vec<_>>(), unit)?;
    let line = Line { fixed: fixed.stats.median, each: in_flight.stats.median };
    let mut pairs = Vec::new();
    let held =
        points(&samples, unit, true, &mut pairs, |_, r| each.mul_add(number(r.requests), line.at(number(r.count))));
    let answered = slope.map_or_else(Vec::new, |(_, sequence)| {
        let samples: Vec<Vec<Reading>> = valid(record, &sequence.cell).map(|s| warm(s, metric)).collect();
        points(&samples, unit, false, &mut pairs, |sample, r| {
            // Other answers need other buffers: this scenario's own beginning, as far as the slope does not explain it.
            let rest: f64 = sample.iter().map(|r| each.mul_add(-number(r.requests), r.value)).sum();
            each.mul_add(number(r.requests), rest / whole(sample.len() as i64))
        })
    });
    Some(Model {
        cell: cell.cell.clone(),
        metric: metric.to_owned(),
        fixed,
        in_flight,
        slope: slope.map(|(slope, sequence)| (slope, sequence.cell.scenario.clone())),
        held,
        answered,
        residual: Residual::of(&pairs)?,
    })
}

/// The longest sequential scenario of the same subject, probe and factors that has a slope; of several, the first.
fn sequence<'a>(record: &Record, cells: &'a [CellFigures], held: &Cell, metric: &str) -> Option<&'a CellFigures> {
    let sequential = |cell: &&CellFigures| {
        record.plan.scenarios.iter().any(|scenario| scenario.id == cell.cell.scenario && scenario.in_flight <= 1)
    };
    let alike = |cell: &&CellFigures| {
        let cell = &cell.cell;
        (&cell.subject, &cell.probe, &cell.factors) == (&held.subject, &held.probe, &held.factors)
    };
    let longest = |cell: &&CellFigures| cell.checkpoints.iter().filter_map(|name| steady(name)).max();
    let fits = cells.iter().filter(alike).filter(sequential);
    // Of the greatest, `max_by_key` takes the last.
    fits.filter(|cell| cell.figure(&Figure::slope(metric)).is_some()).rev().max_by_key(longest)
}

/// A metric at a checkpoint.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// The number in the checkpoint's name.
    count: u64,
    requests: u64,
    value: f64,
}

/// The requests of a `steady` checkpoint's name.
fn steady(name: &str) -> Option<u64> {
    name.strip_prefix("steady@")?.parse().ok()
}

fn readings(sample: &Sample, metric: &str, prefix: &str) -> Vec<Reading> {
    let reading = |checkpoint: &Checkpoint| {
        let count = checkpoint.name.strip_prefix(prefix)?.parse().ok()?;
        let value = whole(checkpoint.in_use(metric)?);
        Some(Reading { count, requests: checkpoint.requests, value })
    };
    sample.checkpoints.iter().filter_map(reading).collect()
}

/// From the 64th request on, like the slope; of a soak from its second thousand.
fn warm(sample: &Sample, metric: &str) -> Vec<Reading> {
    let mut all = readings(sample, metric, "steady@");
    let from = if all.last().is_some_and(|last| last.count > 1_000) { 2_000 } else { 64 };
    all.retain(|reading| reading.count >= from);
    all
}

fn valid<'a>(record: &'a Record, cell: &'a Cell) -> impl Iterator<Item = &'a Sample> {
    record.samples.iter().filter(move |sample| sample.status == Status::Ok && sample.cell == *cell)
}

/// One point for each number in the checkpoints' names; every sample's reading and its model go into `pairs`.
fn points(
    samples: &[Vec<Reading>],
    unit: Unit,
    held: bool,
    pairs: &mut Vec<(f64, f64)>,
    model: impl Fn(&[Reading], &Reading) -> f64,
) -> Vec<Point> {
    let mut by_count: BTreeMap<u64, Vec<(Reading, f64)>> = BTreeMap::new();
    for sample in samples {
        for reading in sample {
            let modelled = model(sample, reading);
            pairs.push((reading.value, modelled));
            by_count.entry(reading.count).or_default().push((*reading, modelled));
        }
    }
    let point = |(count, readings): (u64, Vec<(Reading, f64)>)| {
        let values: Vec<f64> = readings.iter().map(|(reading, _)| reading.value).collect();
        let (first, modelled) = readings.first()?;
        let in_flight = if held { count } else { 0 };
        Some(Point { requests: first.requests, in_flight, measured: Measured::of(&values, unit)?, modelled: *modelled })
    };
    by_count.into_iter().filter_map(point).collect()
}

fn number(count: u64) -> f64 {
    whole(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACES: [f64; 4] = [1.0, 10.0, 100.0, 1_000.0];

    #[test]
    fn no_line_goes_through_one_place_or_through_nothing() {
        assert_eq!(Line::through(&[]), None);
        assert_eq!(Line::through(&[(5.0, 7.0), (5.0, 9.0)]), None);
        assert_eq!(Line::through(&[(5.0, 7.0), (6.0, f64::NAN)]), None);
        assert_eq!(Line::through(&[(5.0, 7.0), (6.0, 0.0)]), None);
    }

    #[test]
    fn a_residual_names_the_worst_and_the_usual() {
        let residual = Residual::of(&[(10.0, 10.0), (20.0, 16.0)]).unwrap();
        assert_eq!((residual.max, residual.rms, residual.share), (4.0, 8.0_f64.sqrt(), 0.2));
        assert_eq!(Residual::of(&[]), None);
    }

    proptest! {
        #[test]
        fn a_fit_recovers_what_it_was_made_of(fixed in 1e5f64..1e8, each in 0f64..1e5) {
            let made = Line { fixed, each };
            let found = Line::through(&PLACES.map(|place| (place, made.at(place)))).unwrap();
            prop_assert!((found.fixed - fixed).abs() <= fixed * 1e-9);
            prop_assert!((found.each - each).abs() <= fixed * 1e-9);
        }

        #[test]
        fn noise_of_a_few_per_cent_moves_what_is_predicted_by_no_more(
            fixed in 1e6f64..1e7, each in 1e3f64..5e4, noise in prop::array::uniform4(-0.02f64..0.02),
        ) {
            let made = Line { fixed, each };
            let points: Vec<_> = PLACES.iter().zip(noise).map(|(place, noise)| (*place, made.at(*place) * (1.0 + noise))).collect();
            let found = Line::through(&points).unwrap();
            for place in PLACES {
                prop_assert!((found.at(place) - made.at(place)).abs() <= made.at(place) * 0.1, "{place}");
            }
        }
    }
}
