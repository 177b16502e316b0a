//! What is to be judged, and by which limits: the part of `plimsoll.toml` that the verdict knows, and what the harness adds to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::derive::Figure;
use crate::figure_name::{NoFigure, is_metric};
use crate::metric::{self, Kind};

/// How two records are to be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The limits, read from the *base's* `plimsoll.toml`: a change cannot loosen what it is judged by.
    pub rules: Rules,
    /// Those of the head, if its file says something else: what it would loosen is listed first.
    pub proposed: Option<Rules>,
    /// How the base came about.
    pub base: Base,
    /// Only cells that this pattern means, on both sides; as `-E` takes it.
    pub only: Option<String>,
    /// Whether what could not be decided ends with 3 and not with 0.
    pub strict: bool,
    /// Why the result is not to be enforced, if so: `the base does not build under the head's harness`.
    pub advisory: Option<String>,
    /// Crates whose functions are blamed (`plimsoll-providers`); of none, all that lie in the project.
    pub own: BTreeSet<String>,
    /// Both sides' `Cargo.lock`, base first, where they are at hand.
    pub lockfiles: Option<(String, String)>,
}

impl Settings {
    /// Comparison of two sides that were measured together, by these rules and nothing else.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            proposed: None,
            base: Base::Measured,
            only: None,
            strict: false,
            advisory: None,
            own: BTreeSet::new(),
            lockfiles: None,
        }
    }
}

/// How the base's record came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Measured in turns with the head, in pairs: everything can be judged.
    Measured,
    /// Measured some other time: exact figures only, and only if both were built and served alike.
    Recorded,
}

/// The limits of `[gate]`, `[[budget]]` and `[[waiver]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Pairs of processes in each of the two rounds that noisy figures are judged by.
    pub pairs: usize,
    /// Processes of a side that must agree before a figure counts as exact.
    pub exact: usize,
    /// How often, at most, one look at the family calls a figure grown without any change.
    pub alpha: f64,
    /// The noisy figures that are judged, in every cell whose probe reads them.
    pub family: Vec<Wanted>,
    /// Increases that are let pass, in the figure's unit; 0 where nothing is said.
    pub floors: BTreeMap<Wanted, f64>,
    /// Limits of the head alone.
    pub budgets: Vec<Budget>,
    /// What is let pass on purpose, until a day.
    pub waivers: Vec<Waiver>,
    /// Paths of which the base's side has the base's, everything else being the head's; without any all of it is the base's.
    pub measured: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        let anon = Wanted::Metric("proc.anon".to_owned());
        let peak = Wanted::Metric("proc.hwm".to_owned());
        Self {
            pairs: 20,
            exact: 10,
            alpha: 0.05,
            family: vec![anon.clone(), peak.clone()],
            floors: BTreeMap::from([(anon, 32.0 * 1024.0), (peak, 128.0 * 1024.0)]),
            budgets: Vec::new(),
            waivers: Vec::new(),
            measured: Vec::new(),
        }
    }
}

impl Rules {
    /// The increase of a figure that is let pass: what is said of the figure itself, else of its metric.
    #[must_use]
    pub fn floor(&self, figure: &Figure) -> f64 {
        let exactly = self.floors.get(&Wanted::Figure(figure.clone()));
        let metric = || self.floors.iter().find(|(wanted, _)| wanted.means(figure)).map(|(_, floor)| floor);
        exactly.or_else(metric).copied().unwrap_or(0.0)
    }
}

/// A figure that is asked for: in full, or by its metric alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// `growth proc.anon`: just that.
    Figure(Figure),
    /// `proc.anon`: the level after the scenario's last batch of work, when it stands still or holds the most requests; of a counter, per
    /// request.
    Metric(String),
}

impl Wanted {
    /// Whether it is this figure, which is one that the gate makes.
    #[must_use]
    pub fn means(&self, figure: &Figure) -> bool {
        match self {
            Self::Figure(wanted) => wanted == figure,
            Self::Metric(wanted) => {
                matches!(figure, Figure::At { metric, .. } | Figure::PerRequest(metric) if metric == wanted)
            }
        }
    }

    /// The metric that it is made of.
    #[must_use]
    pub fn metric(&self) -> &str {
        match self {
            Self::Figure(figure) => figure.metric(),
            Self::Metric(metric) => metric,
        }
    }

    /// The figure meant in a cell whose last batch of work ended at that checkpoint.
    pub(crate) fn at(&self, last: &str) -> Figure {
        match self {
            Self::Figure(figure) => figure.clone(),
            Self::Metric(name) if metric::find(name).is_some_and(|m| m.kind == Kind::Counter) => {
                Figure::per_request(name)
            }
            Self::Metric(name) => Figure::at(last, name),
        }
    }
}

impl FromStr for Wanted {
    type Err = NoFigure;

    fn from_str(text: &str) -> Result<Self, NoFigure> {
        if is_metric(text) { Ok(Self::Metric(text.to_owned())) } else { text.parse().map(Self::Figure) }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Figure(figure) => figure.fmt(f),
            Self::Metric(metric) => f.write_str(metric),
        }
    }
}

/// A limit of a figure of the head, whatever the base's is.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// The cells it is for, as a pattern.
    pub cell: String,
    /// The figure.
    pub figure: Figure,
    /// The most that its median may be, in its unit.
    pub max: f64,
}

/// What is let pass on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The cells it is for, as a pattern.
    pub cell: String,
    /// The figure; without one the cells are not judged at all, and may be missing.
    pub figure: Option<Wanted>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds (UTC).
    pub expires: Date,
}
