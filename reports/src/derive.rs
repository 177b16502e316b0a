//! What is made of samples: per cell, each figure with its spread and the samples it comes from.
//!
//! Only samples whose every answer was right enter a figure. Growth can be gamed (by growing before `start`, or by giving pages back just
//! before a reading), so the absolute level at each checkpoint, the peak included, is a figure of its own beside it.

use std::collections::BTreeMap;
use std::fmt;

use crate::beside;
use crate::metric::{self, Kind};
use crate::record::{Cell, Checkpoint, Latency, Record, Sample, Status};
use crate::stats::{Exactness, Stats};
use crate::units::{Quantity, Unit, whole};

/// The checkpoint at which growth is read: 20 requests, like the claim that it answers.
pub const GROWTH_AT: &str = "steady@20";

/// The checkpoints between which slopes and rates are taken: after the client is warm.
pub const SLOPE_AT: [&str; 3] = ["steady@64", "steady@128", "steady@256"];

/// The same of a soak, whose first two thousand requests are its warming up.
pub const SOAK_SLOPE_AT: [&str; 3] = ["steady@2000", "steady@6000", "steady@10000"];

/// The checkpoints between which the cost of a request in flight is taken: with 100 and with 1,000 held.
pub const IN_FLIGHT_AT: [&str; 2] = ["held@100", "held@1000"];

/// Requests that the second of them has more in flight.
const IN_FLIGHT_MORE: f64 = 900.0;

/// Metrics whose growth is drawn from checkpoint to checkpoint.
pub const OVER_CHECKPOINTS: [&str; 3] = ["proc.anon", "proc.rss", "heap.live"];

/// What a figure says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// The metric itself at a checkpoint.
    At {
        /// The checkpoint's name.
        checkpoint: String,
        /// The metric's name.
        metric: String,
    },
    /// What came since `start`, up to a checkpoint; of what is drawn over checkpoints only.
    Since {
        /// The checkpoint's name.
        checkpoint: String,
        /// The metric's name.
        metric: String,
    },
    /// `steady@20` − `start`.
    Growth(String),
    /// What each further request adds, over 64, 128 and 256 requests, or 2,000, 6,000 and 10,000: the smaller of the two segments.
    Slope(String),
    /// What the other segment has beyond that slope: something that grew once.
    Step(String),
    /// `dropped` − `start`.
    Residue(String),
    /// What one request costs: (`steady@128` − `steady@64`) / 64, or (`steady@6000` − `steady@2000`) / 4,000.
    PerRequest(String),
    /// What one more request in flight takes: (`held@1000` − `held@100`) / 900.
    InFlight(String),
    /// Time per request, in the last batch of work.
    Latency(Percentile),
}

/// A point of the distribution of times per request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Percentile {
    /// Median.
    P50,
    /// 90th percentile.
    P90,
    /// 99th percentile.
    P99,
    /// Largest.
    Max,
}

impl Figure {
    /// The metric at a checkpoint.
    #[must_use]
    pub fn at(checkpoint: &str, metric: &str) -> Self {
        Self::At { checkpoint: checkpoint.to_owned(), metric: metric.to_owned() }
    }

    /// The metric at a checkpoint minus that at start.
    #[must_use]
    pub fn since(checkpoint: &str, metric: &str) -> Self {
        Self::Since { checkpoint: checkpoint.to_owned(), metric: metric.to_owned() }
    }

    /// Growth of a metric.
    #[must_use]
    pub fn growth(metric: &str) -> Self {
        Self::Growth(metric.to_owned())
    }

    /// Slope of a metric.
    #[must_use]
    pub fn slope(metric: &str) -> Self {
        Self::Slope(metric.to_owned())
    }

    /// Step of a metric.
    #[must_use]
    pub fn step(metric: &str) -> Self {
        Self::Step(metric.to_owned())
    }

    /// Residue of a metric.
    #[must_use]
    pub fn residue(metric: &str) -> Self {
        Self::Residue(metric.to_owned())
    }

    /// A counter per request.
    #[must_use]
    pub fn per_request(metric: &str) -> Self {
        Self::PerRequest(metric.to_owned())
    }

    /// A level per request in flight.
    #[must_use]
    pub fn in_flight(metric: &str) -> Self {
        Self::InFlight(metric.to_owned())
    }

    /// Its name without the metric's: `growth`, `at steady@20`, `slope`, …
    #[must_use]
    pub fn form(&self) -> &'static str {
        match self {
            Self::At { .. } => "at",
            Self::Since { .. } => "since-start",
            Self::Growth(_) => "growth",
            Self::Slope(_) => "slope",
            Self::Step(_) => "step",
            Self::Residue(_) => "residue",
            Self::PerRequest(_) => "per-request",
            Self::InFlight(_) => "in-flight",
            Self::Latency(_) => "latency",
        }
    }

    /// The checkpoint it is read at, if it is of one.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&str> {
        match self {
            Self::At { checkpoint, .. } | Self::Since { checkpoint, .. } => Some(checkpoint),
            _ => None,
        }
    }

    /// The metric it is made of; for a time, its percentile's name.
    #[must_use]
    pub fn metric(&self) -> &str {
        match self {
            Self::At { metric, .. } | Self::Since { metric, .. } => metric,
            Self::Growth(m)
            | Self::Slope(m)
            | Self::Step(m)
            | Self::Residue(m)
            | Self::PerRequest(m)
            | Self::InFlight(m) => m,
            Self::Latency(percentile) => percentile.name(),
        }
    }

    /// The unit that it is in.
    #[must_use]
    pub fn unit(&self) -> Unit {
        if matches!(self, Self::Latency(_)) { Unit::Micros } else { metric::unit(self.metric()) }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At { checkpoint, metric } => write!(f, "{metric} at {checkpoint}"),
            Self::Since { checkpoint, metric } => write!(f, "{metric} since start at {checkpoint}"),
            Self::PerRequest(metric) => write!(f, "{metric} per request"),
            Self::InFlight(metric) => write!(f, "{metric} per request in flight"),
            Self::Latency(percentile) => write!(f, "latency {}", percentile.name()),
            other => write!(f, "{} {}", other.form(), other.metric()),
        }
    }
}

impl Percentile {
    /// All of them, from the middle outwards.
    pub const ALL: [Self; 4] = [Self::P50, Self::P90, Self::P99, Self::Max];

    /// Its name: `p50`, …, `max`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::Max => "max",
        }
    }

    fn of(self, latency: &Latency) -> u64 {
        match self {
            Self::P50 => latency.p50_us,
            Self::P90 => latency.p90_us,
            Self::P99 => latency.p99_us,
            Self::Max => latency.max_us,
        }
    }
}

/// A figure over the samples of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The samples' statistics, in `unit`.
    pub stats: Stats,
    /// The unit.
    pub unit: Unit,
}

impl Measured {
    pub(crate) fn of(values: &[f64], unit: Unit) -> Option<Self> {
        Some(Self { stats: Stats::of(values)?, unit })
    }

    /// The median, which stands for the figure.
    #[must_use]
    pub fn median(&self) -> Quantity {
        self.quantity(self.stats.median)
    }

    /// The smallest sample.
    #[must_use]
    pub fn min(&self) -> Quantity {
        self.quantity(self.stats.min)
    }

    /// The largest sample.
    #[must_use]
    pub fn max(&self) -> Quantity {
        self.quantity(self.stats.max)
    }

    /// The median absolute deviation.
    #[must_use]
    pub fn spread(&self) -> Quantity {
        self.quantity(self.stats.mad)
    }

    /// Whether two or more samples gave the identical figure.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.stats.exactness == Exactness::Identical
    }

    fn quantity(&self, value: f64) -> Quantity {
        // `Stats` holds finite numbers only.
        Quantity::new(value, self.unit).unwrap_or(crate::units::Bytes(0).into())
    }
}

/// A sample that does not count, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which of the cell's samples.
    pub index: u32,
    /// How it ended.
    pub status: Status,
    /// Why, with what to do.
    pub error: String,
}

/// All that is known of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellFigures {
    /// The cell.
    pub cell: Cell,
    /// Samples that were planned; 0 if it was not in the plan.
    pub planned: u32,
    /// Samples that count.
    pub ok: u32,
    /// Those that do not.
    pub failures: Vec<Failure>,
    /// Names of the checkpoints that its valid samples reached, in order.
    pub checkpoints: Vec<String>,
    /// The figures that could be made.
    pub figures: BTreeMap<Figure, Measured>,
}

impl CellFigures {
    /// A figure, if the cell's samples hold what it is made of.
    #[must_use]
    pub fn figure(&self, figure: &Figure) -> Option<&Measured> {
        self.figures.get(figure)
    }

    /// Names of the metrics of which there is any figure.
    #[must_use]
    pub fn metrics(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.figures.keys().filter(|f| matches!(f, Figure::At { .. })).map(Figure::metric).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// The figures of every cell of a record: those of the plan in its order, then those that are not in the plan.
#[must_use]
pub fn cells(record: &Record) -> Vec<CellFigures> {
    let mut order: Vec<(&Cell, u32)> = Vec::new();
    for planned in &record.plan.cells {
        if !order.iter().any(|(cell, _)| **cell == planned.cell) {
            order.push((&planned.cell, planned.samples));
        }
    }
    let mut by_cell: BTreeMap<&Cell, Vec<&Sample>> = BTreeMap::new();
    for sample in &record.samples {
        by_cell.entry(&sample.cell).or_default().push(sample);
    }
    let known: std::collections::BTreeSet<&Cell> = order.iter().map(|(cell, _)| *cell).collect();
    order.extend(by_cell.keys().filter(|cell| !known.contains(*cell)).map(|cell| (*cell, 0)));
    order.into_iter().map(|(cell, planned)| one(cell, planned, by_cell.get(cell).map_or(&[], Vec::as_slice))).collect()
}

/// The figures of some samples of one cell, one value for each sample that counts, in their order.
pub(crate) fn values(samples: &[&Sample]) -> BTreeMap<Figure, Vec<f64>> {
    let mut values: BTreeMap<Figure, Vec<f64>> = BTreeMap::new();
    for (figure, value) in samples.iter().filter(|sample| sample.status == Status::Ok).flat_map(|s| of_sample(s)) {
        values.entry(figure).or_default().push(value);
    }
    values
}

fn one(cell: &Cell, planned: u32, samples: &[&Sample]) -> CellFigures {
    let valid: Vec<&Sample> = samples.iter().copied().filter(|sample| sample.status == Status::Ok).collect();
    let failures = samples
        .iter()
        .filter(|sample| sample.status != Status::Ok)
        .map(|sample| Failure {
            index: sample.index,
            status: sample.status,
            error: sample.error.clone().unwrap_or_else(|| "no reason was recorded".to_owned()),
        })
        .collect();
    let longest = valid.iter().max_by_key(|sample| sample.checkpoints.len());
    CellFigures {
        cell: cell.clone(),
        planned,
        ok: u32::try_from(valid.len()).unwrap_or(u32::MAX),
        failures,
        checkpoints: longest.map_or_else(Vec::new, |s| s.checkpoints.iter().map(|c| c.name.clone()).collect()),
        figures: values(samples)
            .into_iter()
            .filter_map(|(figure, values)| {
                let measured = Measured::of(&values, figure.unit())?;
                Some((figure, measured))
            })
            .collect(),
    }
}

/// The figures of one process, those of all its processes together included.
pub(crate) fn of_sample(sample: &Sample) -> Vec<(Figure, f64)> {
    figures(&beside::completed(sample))
}

/// The figures of one process. Each is taken within the process, so that what differs between processes cancels before any statistic.
fn figures(sample: &Sample) -> Vec<(Figure, f64)> {
    let mut all = Vec::new();
    for checkpoint in &sample.checkpoints {
        for metric in checkpoint.metrics.keys() {
            all.extend(checkpoint.in_use(metric).map(|value| (Figure::at(&checkpoint.name, metric), whole(value))));
        }
    }
    let slope_at = if find(sample, SOAK_SLOPE_AT[2]).is_some() { SOAK_SLOPE_AT } else { SLOPE_AT };
    let mut metrics: Vec<&str> = sample.checkpoints.iter().flat_map(|c| c.metrics.keys()).map(String::as_str).collect();
    metrics.sort_unstable();
    metrics.dedup();
    for metric in metrics {
        let counter = metric::find(metric).is_some_and(|m| m.kind == Kind::Counter);
        if let Some(growth) = difference(sample, "start", GROWTH_AT, metric) {
            all.push((Figure::growth(metric), growth));
        }
        if OVER_CHECKPOINTS.contains(&metric) {
            for checkpoint in &sample.checkpoints {
                let since = difference(sample, "start", &checkpoint.name, metric);
                all.extend(since.map(|since| (Figure::since(&checkpoint.name, metric), since)));
            }
        }
        let segments =
            (segment(sample, slope_at[0], slope_at[1], metric), segment(sample, slope_at[1], slope_at[2], metric));
        if counter {
            if let Some(first) = &segments.0 {
                all.push((Figure::per_request(metric), first.slope));
            }
            continue;
        }
        // A peak is of the whole past: what was highest with 1,000 held may be of before.
        if metric::find(metric).is_none_or(|m| m.kind == Kind::Level)
            && let Some(more) = difference(sample, IN_FLIGHT_AT[0], IN_FLIGHT_AT[1], metric)
        {
            all.push((Figure::in_flight(metric), more / IN_FLIGHT_MORE));
        }
        if let Some(residue) = difference(sample, "start", "dropped", metric) {
            all.push((Figure::residue(metric), residue));
        }
        if let (Some(first), Some(second)) = segments {
            let (low, high) = if first.slope <= second.slope { (first, second) } else { (second, first) };
            all.push((Figure::slope(metric), low.slope));
            all.push((Figure::step(metric), (high.slope - low.slope) * high.requests));
        }
    }
    if let Some(latency) = &sample.latency {
        for percentile in Percentile::ALL {
            let micros = i64::try_from(percentile.of(latency)).unwrap_or(i64::MAX);
            all.push((Figure::Latency(percentile), whole(micros)));
        }
    }
    all
}

/// What was added between two checkpoints.
struct Segment {
    slope: f64,
    requests: f64,
}

/// The requests are those that the checkpoints state, not those of their names: a subject that answers fewer is not flattered.
fn segment(sample: &Sample, from: &str, to: &str, metric: &str) -> Option<Segment> {
    let requests =
        i64::try_from(find(sample, to)?.requests).ok()? - i64::try_from(find(sample, from)?.requests).ok()?;
    let added = difference(sample, from, to, metric)?;
    (requests > 0).then(|| Segment { slope: added / whole(requests), requests: whole(requests) })
}

fn difference(sample: &Sample, from: &str, to: &str, metric: &str) -> Option<f64> {
    let (from, to) = (find(sample, from)?.in_use(metric)?, find(sample, to)?.in_use(metric)?);
    to.checked_sub(from).map(whole)
}

fn find<'a>(sample: &'a Sample, name: &str) -> Option<&'a Checkpoint> {
    sample.checkpoints.iter().find(|checkpoint| checkpoint.name == name)
}
