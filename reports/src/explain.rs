//! One cell: its figures, whether each is the same in every process and why it is not, and how the gate would judge it.

use std::collections::BTreeMap;

use crate::cell;
use crate::derive::{self, CellFigures, Figure, GROWTH_AT, Measured};
use crate::gate::{Rule, Rules, Settings, Smallest, questions};
use crate::noise;
use crate::record::{Cell, Record};
use crate::stats::{Exactness, Stats, power};
use crate::units::Quantity;

/// How a cell is gated.
#[derive(Debug, Clone, Copy)]
pub struct Gated<'a> {
    /// The limits.
    pub rules: &'a Rules,
    /// The noisy figures that are judged together: members of all cells that are gated.
    pub family: usize,
}

/// Which figures of a cell are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that code is compared by, and those that the gate judges.
    Compared,
    /// Every one.
    All,
}

/// A figure of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The figure.
    pub figure: Figure,
    /// Its samples.
    pub measured: Measured,
    /// Why it is not the same in every process; empty where it is, and where there is but one.
    pub why: &'static str,
    /// How the gate would judge it, if it does.
    pub judged: Option<Judged>,
}

/// How the gate judges a figure that is as it was measured here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// By which rule.
    pub by: Rule,
    /// The increase that is let pass.
    pub floor: Quantity,
    /// The smallest increase that it would catch in 90 of 100 runs; `None` where one sample, or a count that varies, says nothing of that.
    pub smallest: Option<Smallest>,
}

/// The cells of a record.
#[derive(Debug)]
pub struct Cells {
    /// The record, made safe to show.
    pub record: Record,
    all: Vec<CellFigures>,
}

impl Cells {
    /// The cells of a record, those of its plan first.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let record = crate::clean::record(record);
        Self { all: derive::cells(&record), record }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Cell> {
        self.all.iter().map(|figures| &figures.cell)
    }

    /// Those that a pattern means. A cell's own name means it alone, though others have the same parts and more.
    #[must_use]
    pub fn meant(&self, pattern: &str) -> Vec<&CellFigures> {
        let meant = || self.all.iter().filter(|figures| cell::is_meant(pattern, &figures.cell));
        let exactly = meant().find(|figures| cell::name(&figures.cell) == pattern);
        exactly.map_or_else(|| meant().collect(), |one| vec![one])
    }

    /// The figures of one of them. Where code is compared by none that it has, each metric's growth and its level.
    #[must_use]
    pub fn figures(&self, of: &CellFigures, gated: Option<Gated<'_>>, which: Which) -> Vec<Explained> {
        let judged = gated.map(|gated| self.judged(&of.cell, gated)).unwrap_or_default();
        let mut wanted = match which {
            Which::All => of.figures.keys().cloned().collect(),
            Which::Compared => noise::compared(&of.cell.probe),
        };
        wanted.extend(judged.keys().filter(|figure| !wanted.contains(figure)).cloned().collect::<Vec<_>>());
        if !wanted.iter().any(|figure| of.figures.contains_key(figure)) {
            let reached = |name: &str| of.checkpoints.iter().any(|point| point == name);
            let point = [GROWTH_AT, "client"].into_iter().find(|name| reached(name));
            let point = point.or(of.checkpoints.last().map(String::as_str)).unwrap_or_default();
            let of_metric = |metric: &str| [Figure::growth(metric), Figure::at(point, metric)];
            wanted = of.metrics().into_iter().flat_map(of_metric).collect();
        }
        let told = |figure: Figure| {
            let measured = *of.figure(&figure)?;
            let varies = measured.stats.exactness == Exactness::Varies;
            let why = if varies { noise::why(&self.record, &of.cell, &figure) } else { "" };
            Some(Explained { judged: judged.get(&figure).copied(), figure, measured, why })
        };
        wanted.into_iter().filter_map(told).collect()
    }

    /// The figures that the gate asks of a cell: as exact where they can be and are, by statistics where they are in the family, and else as exact.
    fn judged(&self, of: &Cell, gated: Gated<'_>) -> BTreeMap<Figure, Judged> {
        let Gated { rules, family } = gated;
        let settings = Settings { only: Some(cell::name(of)), ..Settings::new(rules.clone()) };
        let asked =
            questions(&self.record, &self.record, &settings).into_iter().filter(|question| question.cell == *of);
        let one = |question: crate::gate::Question| {
            let (figure, samples) = (question.figure, question.base);
            let unit = figure.unit();
            let floor = Quantity::new(rules.floor(&figure), unit)?;
            let exactness = Stats::of(&samples)?.exactness;
            let (by, smallest) = if question.exact && exactness != Exactness::Varies {
                (Rule::Exact, Smallest::Over(floor))
            } else if question.family {
                let rule = power::Rule { pairs: rules.pairs, family, alpha: rules.alpha, floor: floor.value() };
                let grain = noise::grain(&self.record, &figure);
                let change = rule.smallest_change(&samples, noise::POWER).map(|change| change.max(grain));
                let change = change.and_then(|change| Quantity::new(change, unit));
                (Rule::Noisy, change.map_or(Smallest::Nothing, Smallest::About))
            } else if question.exact {
                // It fails where every process of the head is above every one of the base, which says nothing of a size.
                return Some((figure, Judged { by: Rule::Exact, floor, smallest: None }));
            } else {
                return None;
            };
            let smallest = (exactness != Exactness::Single).then_some(smallest);
            Some((figure, Judged { by, floor, smallest }))
        };
        asked.filter_map(one).collect()
    }
}
