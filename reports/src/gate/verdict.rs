//! What comes out: the verdict, row by row, with all that an output needs and nothing that it would have to look up.

use jiff::Timestamp;
use jiff::civil::Date;

use super::blame::{Blame, CrateBytes};
use super::lock::CrateChange;
use crate::derive::Figure;
use crate::record::{Cell, Record};
use crate::units::Quantity;

/// The verdict over two records. Every text in it is safe to show; escaping is left to each output.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What it is, all in all.
    pub outcome: Outcome,
    /// What has to be measured before it is final.
    pub next: Next,
    /// Whether what could not be decided ends with 3.
    pub strict: bool,
    /// Why it is not to be enforced, if so.
    pub advisory: Option<String>,
    /// The base.
    pub base: Side,
    /// The head.
    pub head: Side,
    /// What is to be read before any figure: rules that the head loosens, what differs between the sides.
    pub notices: Vec<Notice>,
    /// Why there is no valid measurement; empty where there is.
    pub invalid: Vec<String>,
    /// What is wrong with the rules; empty where nothing is.
    pub misconfigured: Vec<String>,
    /// The noisy figures that are judged together.
    pub family: Family,
    /// Every figure that was judged, in the order of the plan.
    pub rows: Vec<Row>,
    /// Crates that came, went or changed version.
    pub lockfile: Vec<CrateChange>,
    /// What crates ask for with each request, where that differs.
    pub crates: Vec<CrateBytes>,
    /// Cells that were profiled on both sides: of none, nothing is known of crates.
    pub profiled: usize,
}

/// What the verdict is, all in all. [`Verdict::exit_code`] says what a process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing grew beyond its limit.
    Pass,
    /// Nothing did, as far as could be decided; some could not.
    Undecided,
    /// Something did, or a cell is missing.
    Fail,
    /// The rules cannot be applied.
    Misconfigured,
    /// Nothing can be said: there is no valid measurement.
    Invalid,
    /// Something has to be measured again first: [`Verdict::next`].
    Unfinished,
}

/// What has to be measured next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Done,
    /// These, with fresh processes on both sides, in pairs; then [`decide`](super::decide) with [`Stage::Second`](super::Stage::Second).
    Again(Vec<Again>),
}

/// A cell to be measured again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// The cell.
    pub cell: Cell,
    /// Processes of each side.
    pub processes: usize,
    /// What for.
    pub why: Why,
}

/// Why a cell is measured again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// An exact figure is higher: once more, before it fails.
    Rerun,
    /// A noisy figure is a candidate: to be confirmed.
    Confirm,
}

/// A side of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The run's id.
    pub run: String,
    /// When it was started.
    pub started: Timestamp,
    /// Its commit.
    pub git: Option<String>,
    /// Whether there were uncommitted changes.
    pub dirty: bool,
}

impl Side {
    pub(super) fn of(record: &Record) -> Self {
        Self { run: record.id.clone(), started: record.started, git: record.tool.git.clone(), dirty: record.tool.dirty }
    }
}

/// Something to be read before any figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Of what kind.
    pub kind: NoticeKind,
    /// One sentence.
    pub text: String,
}

/// The kinds of [`Notice`], in the order in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// The head would loosen what it is judged by.
    Weakened,
    /// The head changes the rules otherwise.
    Rules,
    /// The sides were not built, served or measured alike, in what does not bar a comparison.
    Sides,
    /// Uncommitted changes.
    Dirty,
    /// Anything else.
    Other,
}

/// The noisy figures that are judged together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    /// Members: cells × metrics.
    pub size: usize,
    /// Pairs of processes for each, in each round.
    pub pairs: usize,
    /// How often, at most, a round calls one grown that is not.
    pub alpha: f64,
}

/// A figure of a cell, judged; or a cell that is on one side only.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The cell.
    pub cell: Cell,
    /// The figure; `None` for the whole cell.
    pub figure: Option<Figure>,
    /// By which rule.
    pub rule: Rule,
    /// What was decided.
    pub state: State,
    /// The base's median.
    pub base: Option<Quantity>,
    /// The head's.
    pub head: Option<Quantity>,
    /// `head − base`: of exact figures the difference itself, of noisy ones the Hodges–Lehmann estimate.
    pub difference: Option<Quantity>,
    /// The interval of a noisy difference, at 95 %.
    pub interval: Option<(Quantity, Quantity)>,
    /// The p-value of an increase, by Holm over the round's family.
    pub p: Option<f64>,
    /// The increase that is let pass; of a budget, the most that the head may have.
    pub limit: Option<Quantity>,
    /// The smallest increase that would have been seen.
    pub smallest: Option<Smallest>,
    /// Processes of a side.
    pub processes: usize,
    /// Whether fresh processes of a second round decided.
    pub again: bool,
    /// Why it is let pass, if it is.
    pub waived: Option<Waived>,
    /// Where the difference comes from; of failing rows.
    pub blame: Option<Blame>,
}

impl Row {
    /// A row of which nothing is known but its place.
    pub(super) fn new(cell: &Cell, figure: Option<Figure>, rule: Rule, state: State) -> Self {
        Self {
            cell: cell.clone(),
            figure,
            rule,
            state,
            base: None,
            head: None,
            difference: None,
            interval: None,
            p: None,
            limit: None,
            smallest: None,
            processes: 0,
            again: false,
            waived: None,
            blame: None,
        }
    }
}

/// Which rule a row was judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The processes of a side agree.
    Exact,
    /// Statistics over pairs.
    Noisy,
    /// A limit of the head alone.
    Budget,
    /// Whether the cell, or the figure, is there at all.
    Presence,
}

impl Rule {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Noisy => "noisy",
            Self::Budget => "budget",
            Self::Presence => "presence",
        }
    }
}

/// What was decided of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Higher than its limit allows, in both rounds; or a budget broken.
    Fails,
    /// The head has it no more.
    Missing,
    /// Higher in the first round: has to be measured again.
    Suspect,
    /// An increase over the limit cannot be excluded.
    Inconclusive,
    /// Fewer processes than its rule asks for.
    TooFew,
    /// Exact on one side only.
    ExactOnOneSide,
    /// It would fail, and is waived.
    Waived,
    /// Lower.
    Improved,
    /// Higher in the first round, not in the second.
    NotRepeated,
    /// The base does not have it.
    New,
    /// Within its limit.
    Pass,
    /// Expected to be exact, exact on neither side, and not in the family.
    Unjudged,
}

impl State {
    /// Its name, one word or two.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::Missing => "missing",
            Self::Suspect => "suspect",
            Self::Inconclusive => "inconclusive",
            Self::TooFew => "too few",
            Self::ExactOnOneSide => "exact on one side",
            Self::Waived => "waived",
            Self::Improved => "improved",
            Self::NotRepeated => "not repeated",
            Self::New => "new",
            Self::Pass => "pass",
            Self::Unjudged => "not judged",
        }
    }

    /// Whether it makes the verdict fail.
    #[must_use]
    pub fn fails(self) -> bool {
        matches!(self, Self::Fails | Self::Missing)
    }

    /// Whether it was to be judged and could not be.
    #[must_use]
    pub fn is_undecided(self) -> bool {
        matches!(self, Self::Inconclusive | Self::TooFew | Self::ExactOnOneSide)
    }

    /// Whether a reader wants to see it without asking: all but what passed and what nobody asked for.
    #[must_use]
    pub fn is_told(self) -> bool {
        !matches!(self, Self::Pass | Self::Unjudged | Self::NotRepeated)
    }
}

/// The smallest increase that is caught in 90 of 100 runs, both rounds included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Smallest {
    /// Any that is over this: the figure is exact.
    Over(Quantity),
    /// This.
    About(Quantity),
    /// None, however large: too few pairs.
    Nothing,
}

/// By what a row is waived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds.
    pub expires: Date,
}

impl Verdict {
    /// What `plimsoll gate` ends with: 0 pass, 1 regression, 2 configuration, 3 no valid measurement.
    ///
    /// A regression is not enforced where the result is advisory; what could not be decided is a 3 only if that was asked for.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.outcome {
            Outcome::Invalid | Outcome::Unfinished => 3,
            Outcome::Misconfigured => 2,
            Outcome::Fail => u8::from(self.advisory.is_none()),
            Outcome::Undecided if self.strict && self.advisory.is_none() => 3,
            Outcome::Undecided | Outcome::Pass => 0,
        }
    }

    /// The rows in a state.
    pub fn in_state(&self, state: impl Fn(State) -> bool) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| state(row.state))
    }

    /// Cells that were judged.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.rows.iter().map(|row| &row.cell).collect::<std::collections::BTreeSet<_>>().len()
    }

    /// The verdict in one sentence.
    #[must_use]
    pub fn headline(&self) -> String {
        let (figures, cells) = (count(self.rows.len(), "figure"), count(self.cells(), "cell"));
        let failing = self.in_state(State::fails).count();
        let grew = self.in_state(|state| state == State::Fails).count();
        let missing = self.in_state(|state| state == State::Missing).count();
        let undecided = self.in_state(State::is_undecided).count();
        let failures = match (grew, missing) {
            (grew, 0) => format!("{} of {figures} over the limit", grew),
            (0, missing) => format!("{missing} missing in the head"),
            (grew, missing) => format!("{grew} of {figures} over the limit, {missing} missing in the head"),
        };
        let sentence = match self.outcome {
            Outcome::Pass => format!("no growth in {figures} of {cells}"),
            Outcome::Undecided => format!("no growth seen in {figures} of {cells}, {undecided} of them undecided"),
            Outcome::Fail => failures,
            Outcome::Misconfigured => count(self.misconfigured.len(), "rule") + " cannot be applied",
            Outcome::Invalid if failing > 0 => format!("no valid measurement, and {failures}"),
            Outcome::Invalid => "no valid measurement".to_owned(),
            Outcome::Unfinished => {
                format!("{} must be measured again", count(self.in_state(|s| s == State::Suspect).count(), "figure"))
            }
        };
        let advisory = if self.advisory.is_some() { " (advisory)" } else { "" };
        format!("{}{advisory}: {sentence}", self.outcome.name())
    }
}

impl Outcome {
    /// Its name, in capitals as a headline begins.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Undecided => "UNDECIDED",
            Self::Fail => "FAIL",
            Self::Misconfigured => "MISCONFIGURED",
            Self::Invalid => "INVALID",
            Self::Unfinished => "UNFINISHED",
        }
    }
}

/// `1 figure`, `2 figures`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
