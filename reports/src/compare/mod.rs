//! Two records side by side: every figure that both have of the same cell, with the direction spelled out. It judges nothing; the gate does.
//!
//! Lower is better of everything that is compared. Whether two figures differ is said by their samples: where those of one side reach into the
//! other's, there is no difference that noise would not make; where they do not, but so few would lie apart by chance too, it is said that they are too few.
//!
//! - `conditions`: what was not alike where and with what the two were measured, and what that can move.
//! - `figures`: what is compared.

mod conditions;
mod figures;

pub use conditions::Condition;
pub use figures::Asked;

use crate::derive::{CellFigures, Figure, Measured};
use crate::record::{Cell, Record};
use crate::summary::is_live;
use crate::units::{Count, Quantity, percent};
use crate::view::{Labels, View};

/// How the second stands to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The second has less.
    Less,
    /// The second has more.
    More,
    /// Both are the same to the last digit.
    Same,
    /// The samples of the one reach into the other's.
    Noise,
    /// They do not, but so few samples would lie apart by chance more often than [`CHANCE`].
    TooFew,
}

/// How often, at most, samples of two figures that do not differ lie wholly apart where that is called a difference.
pub const CHANCE: f64 = 0.05;

/// A figure that both records have of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The cell.
    pub cell: Cell,
    /// The figure, and how it is shown.
    pub asked: Asked,
    /// In the first record and in the second.
    pub sides: (Measured, Measured),
}

/// Two records, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What the two are called: `A` and `B`, or `mock` and `live`.
    pub sides: [&'static str; 2],
    /// The records' ids, dates and targets, as they are named.
    pub names: (String, String),
    /// What was not alike besides. A difference of figures may be a difference of these.
    pub conditions: Vec<Condition>,
    /// Every figure that both have, cells in the first record's order.
    pub rows: Vec<Compared>,
    /// Cells that only the first has, and those that only the second has.
    pub alone: (Vec<Cell>, Vec<Cell>),
    /// Whether either was measured against the live service.
    pub advisory: bool,
}

/// What is compared of a subject in a scenario.
#[derive(Debug)]
pub struct Group<'a> {
    /// The subject.
    pub subject: &'a str,
    /// The scenario.
    pub scenario: &'a str,
    /// The factors that all of its cells have in common.
    pub common: String,
    /// Those that differ, largest share first; then the others. Beside each the factors that set its cell apart.
    pub rows: Vec<(&'a Compared, String)>,
    /// How many of them differ.
    pub differ: usize,
}

impl Compared {
    /// How the second stands to the first.
    #[must_use]
    pub fn direction(&self) -> Direction {
        let (a, b) = (&self.sides.0.stats, &self.sides.1.stats);
        let less = b.median < a.median;
        if a.median == b.median && a.min == b.min && a.max == b.max {
            Direction::Same
        } else if a.overlaps(b) {
            Direction::Noise
        } else if !self.repeats() && apart_by_chance(a.samples, b.samples) > CHANCE {
            Direction::TooFew
        } else if less {
            Direction::Less
        } else {
            Direction::More
        }
    }

    /// Whether a difference is called one.
    #[must_use]
    pub fn differs(&self) -> bool {
        matches!(self.direction(), Direction::Less | Direction::More)
    }

    /// Whether all samples of either side are the same: then noise has no part in it.
    fn repeats(&self) -> bool {
        self.sides.0.is_exact() && self.sides.1.is_exact()
    }

    /// The direction in words: `B takes 12.3 KiB more than A (+4 %)`.
    #[must_use]
    pub fn told(&self, [a, b]: [&str; 2]) -> String {
        let amount = self.apart().map_or_else(String::new, |apart| self.asked.text(apart));
        let share = self.share().map_or_else(String::new, |share| format!(" ({share})"));
        match self.direction() {
            Direction::Less => format!("{b} takes {amount} less than {a}{share}"),
            Direction::More => format!("{b} takes {amount} more than {a}{share}"),
            Direction::Same => "the same".to_owned(),
            Direction::Noise => "no difference that noise would not make".to_owned(),
            Direction::TooFew => format!(
                "{} and {} processes are too few to say",
                self.sides.0.stats.samples, self.sides.1.stats.samples
            ),
        }
    }

    /// The second less the first, with its sign.
    #[must_use]
    pub fn difference(&self) -> String {
        let difference = self.sides.1.median().minus(self.sides.0.median());
        difference.map_or_else(String::new, |difference| self.asked.signed(difference))
    }

    /// How far the two are apart.
    fn apart(&self) -> Option<Quantity> {
        let (a, b) = (self.sides.0.median(), self.sides.1.median());
        if b < a { a.minus(b) } else { b.minus(a) }
    }

    /// The difference as a share of the first, with its sign; `None` where that is nothing.
    fn share(&self) -> Option<String> {
        let share = self.relative()?;
        let sign = if share < 0.0 { "−" } else { "+" };
        let shown = percent(share.abs());
        Some(if shown == "0 %" { format!("{sign}<1 %") } else { format!("{sign}{shown}") })
    }

    fn relative(&self) -> Option<f64> {
        let (a, b) = (self.sides.0.stats.median, self.sides.1.stats.median);
        (a > 0.0).then(|| (b - a) / a)
    }

    /// By how much it is worth a reader's attention: the share, whatever its sign; what came of nothing is worth most, and time, which is the
    /// machine's as much as the client's, less than any memory.
    fn weight(&self) -> f64 {
        let share = self.relative().map_or(f64::INFINITY, f64::abs);
        if matches!(self.asked.figure, Figure::Latency(_)) { share.min(1e3) - 1e6 } else { share }
    }
}

/// How often samples of two figures that do not differ lie wholly apart: 2 in as many ways as there are to deal them.
fn apart_by_chance(a: usize, b: usize) -> f64 {
    let float = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let ways = (1..=a.min(b)).fold(1.0, |ways, at| ways * (float(a.max(b)) + float(at)) / float(at));
    (2.0 / ways).min(1.0)
}

/// Compares two records, the second against the first.
#[must_use]
pub fn compare(a: &Record, b: &Record) -> Comparison {
    let (first, second) = (View::new(a), View::new(b));
    let find = |cells: &[CellFigures], cell: &Cell| cells.iter().position(|other| other.cell == *cell);
    let mut rows = Vec::new();
    for own in &first.cells {
        let Some(at) = find(&second.cells, &own.cell) else { continue };
        let other = &second.cells[at];
        for asked in figures::of(own) {
            let sides = own.figure(&asked.figure).zip(other.figure(&asked.figure));
            rows.extend(sides.map(|(x, y)| Compared { cell: own.cell.clone(), asked, sides: (*x, *y) }));
        }
    }
    let missing = |from: &View, other: &View| {
        let cells = from.cells.iter().map(|figures| &figures.cell);
        cells.filter(|cell| find(&other.cells, cell).is_none()).cloned().collect()
    };
    Comparison {
        sides: ["A", "B"],
        names: (name(&first.record), name(&second.record)),
        conditions: conditions::of(&first, &second),
        rows,
        alone: (missing(&first, &second), missing(&second, &first)),
        advisory: [a, b].iter().any(|record| is_live(&record.environment.target)),
    }
}

/// The live service beside the mock, whichever of the two is which; `None` where both are of the same kind.
#[must_use]
pub fn mock_and_live(one: &Record, other: &Record) -> Option<Comparison> {
    let live = |record: &Record| is_live(&record.environment.target);
    let compared = match (live(one), live(other)) {
        (false, true) => compare(one, other),
        (true, false) => compare(other, one),
        _ => return None,
    };
    Some(Comparison { sides: ["mock", "live"], ..compared })
}

fn name(record: &Record) -> String {
    format!(
        "{}, {}, suite {}, target {}",
        record.id,
        record.started.strftime("%Y-%m-%d %H:%M UTC"),
        record.plan.suite,
        record.environment.target
    )
}

impl Comparison {
    /// The same of the cells that a pattern means (`cell::is_meant`).
    #[must_use]
    pub fn only(mut self, pattern: &str) -> Self {
        let is_meant = |cell: &Cell| crate::cell::is_meant(pattern, cell);
        self.rows.retain(|row| is_meant(&row.cell));
        self.alone.0.retain(is_meant);
        self.alone.1.retain(is_meant);
        self
    }

    /// As Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        crate::markdown::compare::render(self)
    }

    /// As one HTML page.
    #[must_use]
    pub fn html(&self) -> String {
        crate::html::compare::render(self)
    }

    /// How many figures go in a direction.
    fn count(&self, direction: Direction) -> usize {
        self.rows.iter().filter(|row| row.direction() == direction).count()
    }

    /// How many figures are less, more, the same and without a difference shown, in a sentence or two.
    #[must_use]
    pub fn verdict(&self) -> String {
        let [a, b] = self.sides;
        if self.rows.is_empty() {
            return format!("{a} and {b} have no figure of the same cell: nothing can be compared.");
        }
        let told = |count: usize| Count(i64::try_from(count).unwrap_or(i64::MAX));
        let few = match self.count(Direction::TooFew) {
            0 => String::new(),
            few => format!(", of {} there are too few processes to say", told(few)),
        };
        format!(
            "Of {} figures that both have, {b} takes less in {} and more in {}; {} are the same, {} differ by no more than noise makes{few}.",
            told(self.rows.len()),
            told(self.count(Direction::Less)),
            told(self.count(Direction::More)),
            told(self.count(Direction::Same)),
            told(self.count(Direction::Noise))
        )
    }

    /// How many of the figures chance alone would set apart, were there no difference at all; a sentence, where it is half a figure or more.
    #[must_use]
    pub fn by_chance(&self) -> Option<String> {
        let varies = self.rows.iter().filter(|row| !row.repeats());
        let each = varies.map(|row| apart_by_chance(row.sides.0.stats.samples, row.sides.1.stats.samples));
        let by_chance: f64 = each.filter(|chance| *chance <= CHANCE).sum();
        (by_chance >= 0.5).then(|| {
            format!(
                "Were there no difference at all, samples of so many figures would lie apart by chance in about {by_chance:.0}: a single difference says little, several of a kind say more."
            )
        })
    }

    /// What is compared of each subject in each scenario: those with the largest differences first.
    #[must_use]
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut all: Vec<(&str, &str, Vec<&Compared>)> = Vec::new();
        for row in &self.rows {
            let (subject, scenario) = (row.cell.subject.as_str(), row.cell.scenario.as_str());
            match all.iter_mut().find(|(s, c, _)| (*s, *c) == (subject, scenario)) {
                Some((_, _, rows)) => rows.push(row),
                None => all.push((subject, scenario, vec![row])),
            }
        }
        let mut groups: Vec<Group<'_>> =
            all.into_iter().map(|(subject, scenario, rows)| group(subject, scenario, rows)).collect();
        let weight = |group: &Group<'_>| {
            group.rows.iter().take(group.differ).map(|(row, _)| row.weight()).fold(f64::NEG_INFINITY, f64::max)
        };
        groups.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
        groups
    }

    /// The figures that differ, largest share first.
    #[must_use]
    pub fn differences(&self) -> Vec<&Compared> {
        let mut all: Vec<&Compared> = self.rows.iter().filter(|row| row.differs()).collect();
        all.sort_by(|one, other| other.weight().total_cmp(&one.weight()));
        all
    }
}

fn group<'a>(subject: &'a str, scenario: &'a str, mut rows: Vec<&'a Compared>) -> Group<'a> {
    rows.sort_by(|one, other| {
        let key = |row: &Compared| (row.differs(), row.weight());
        let ((a, x), (b, y)) = (key(one), key(other));
        // Where nothing differs, the order of cells and figures stays.
        b.cmp(&a).then_with(|| if a { y.total_cmp(&x) } else { std::cmp::Ordering::Equal })
    });
    let labels = Labels::of(&rows.iter().map(|row| (subject, &row.cell.factors)).collect::<Vec<_>>());
    let under = |name: &String| name.strip_prefix(subject).unwrap_or(name).trim_start_matches(" · ").to_owned();
    Group {
        subject,
        scenario,
        common: labels.common.clone(),
        differ: rows.iter().filter(|row| row.differs()).count(),
        rows: rows.into_iter().zip(labels.names.iter().map(under)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_few_samples_lie_apart_by_chance() {
        let shown = |a, b| format!("{:.4}", apart_by_chance(a, b));
        // 2 of C(2, 1), C(6, 3), C(8, 4), C(12, 6).
        assert_eq!([shown(1, 1), shown(3, 3), shown(4, 4), shown(6, 6)], ["1.0000", "0.1000", "0.0286", "0.0022"]);
        assert_eq!(shown(1, 5), shown(5, 1));
    }
}
