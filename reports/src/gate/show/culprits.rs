//! Who is to blame, all failing rows together: a function once, with the figures and the cells that it moves.

use std::collections::{BTreeMap, BTreeSet};

use super::failing;
use crate::derive::Figure;
use crate::gate::blame::{Blame, Part};
use crate::gate::verdict::{Row, Verdict};
use crate::record::Cell;
use crate::units::{Quantity, percent};

/// A function, a named root or a mapping that a failing row's difference cannot be made up without.
pub(super) struct Culprit<'a> {
    /// As the first of its rows has it.
    pub(super) part: &'a Part,
    /// The rows, each with this one's part of the difference.
    moved: Vec<(&'a Row, Quantity)>,
}

/// How much of a difference must be explained before anybody is named for it.
const ENOUGH: f64 = 0.5;

/// All of them, those that move the most rows first. Of a difference that its parts explain by less than half, the largest part may be anybody's.
pub(super) fn culprits(verdict: &Verdict) -> Vec<Culprit<'_>> {
    let mut all: Vec<Culprit<'_>> = Vec::new();
    let mut known: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
    for (row, blame) in blamed(verdict).filter(|(_, blame)| blame.coverage >= ENOUGH) {
        for part in needed(blame) {
            let at = *known.entry((&part.name, part.file.as_deref())).or_insert(all.len());
            match all.get_mut(at) {
                Some(culprit) => culprit.moved.push((row, part.difference)),
                None => all.push(Culprit { part, moved: vec![(row, part.difference)] }),
            }
        }
    }
    all.sort_by_key(|culprit| std::cmp::Reverse(culprit.moved.len()));
    all
}

/// The failing rows whose difference is told in parts.
pub(super) fn blamed(verdict: &Verdict) -> impl Iterator<Item = (&Row, &Blame)> {
    failing(verdict).filter_map(|row| Some((row, row.blame.as_ref()?)))
}

/// `92 % to 100 % of each difference is explained by call site (dhat)`: how much of the failing rows' differences their parts explain.
pub(super) fn explained(verdict: &Verdict) -> Option<String> {
    let shares = || blamed(verdict).map(|(_, blame)| blame.coverage);
    let (lowest, highest) = (shares().min_by(f64::total_cmp)?, shares().max_by(f64::total_cmp)?);
    let range = match (percent(lowest), percent(highest)) {
        (low, high) if low == high => high,
        (low, high) => format!("{low} to {high}"),
    };
    let ways: BTreeSet<&str> = blamed(verdict).map(|(_, blame)| blame.by).collect();
    Some(format!("{range} of each difference is explained {}", ways.into_iter().collect::<Vec<_>>().join(" or ")))
}

/// The largest parts, as many as it takes to make up what all of them come to.
fn needed(blame: &Blame) -> impl Iterator<Item = &Part> {
    let mut left = blame.explained.value().min(blame.counted.value());
    blame.parts.iter().take_while(move |part| {
        let wanted = left > 0.0 && part.difference.value() > 0.0;
        left -= part.difference.value();
        wanted
    })
}

impl<'a> Culprit<'a> {
    /// The rows that it is behind.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'a Row> {
        self.moved.iter().map(|(row, _)| *row)
    }

    /// Their cells, each once.
    pub(super) fn cells(&self) -> Vec<&'a Cell> {
        let mut known = BTreeSet::new();
        self.rows().map(|row| &row.cell).filter(|cell| known.insert(*cell)).collect()
    }

    /// `+1 heap.allocs per request`, `+64 B to +96 B heap.bytes per request`: of each figure the range over the cells, what is asked for per
    /// request first.
    pub(super) fn amounts(&self) -> Vec<String> {
        let mut known = BTreeSet::new();
        let figures = self.rows().filter_map(|row| row.figure.as_ref());
        let mut figures: Vec<&Figure> = figures.filter(|figure| known.insert(*figure)).collect();
        figures.sort_by_key(|figure| !matches!(figure, Figure::PerRequest(_)));
        let amount = |figure: &Figure| {
            let of = |row: &Row| row.figure.as_ref() == Some(figure);
            let mut all: Vec<Quantity> =
                self.moved.iter().filter(|(row, _)| of(row)).map(|(_, amount)| *amount).collect();
            all.sort_by(|a, b| a.value().total_cmp(&b.value()));
            match (all.first().map(|least| least.signed()), all.last().map(|most| most.signed())) {
                (Some(least), Some(most)) if least != most => format!("{least} to {most} {figure}"),
                (_, most) => format!("{} {figure}", most.unwrap_or_default()),
            }
        };
        figures.into_iter().map(amount).collect()
    }
}
