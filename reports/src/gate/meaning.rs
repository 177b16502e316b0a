//! The words of a verdict: all of each kind, and what each means in one sentence.

use super::verdict::{NoticeKind, Outcome, Rule, State};

impl Outcome {
    /// All of them, from the best to what is not final.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::Undecided, Self::Fail, Self::Misconfigured, Self::Invalid, Self::Unfinished];

    /// What it means, and what a gate then ends with.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Pass => "nothing grew beyond its limit: the gate ends with 0",
            Self::Undecided => {
                "nothing did as far as could be decided, and some could not: 0 with a warning, 3 with --strict"
            }
            Self::Fail => "something grew beyond its limit, or a cell is missing: 1, or 0 if the result is advisory",
            Self::Misconfigured => "the rules cannot be applied: 2",
            Self::Invalid => "there is no valid measurement, so nothing can be said: 3",
            Self::Unfinished => "something has to be measured again before it is final: 3",
        }
    }
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Exact, Self::Noisy, Self::Budget, Self::Presence];

    /// What is judged by it, and how.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Exact => {
                "the processes of each side agree, so that any difference beyond the floor is one of the code"
            }
            Self::Noisy => {
                "they do not: statistics over pairs of processes, and what is found must be found again in fresh ones"
            }
            Self::Budget => "the head's median must not be over a limit, whatever the base's is",
            Self::Presence => "the cell, or the figure, is there on one side only",
        }
    }
}

impl State {
    /// All of them, the worst first.
    pub const ALL: [Self; 12] = [
        Self::Fails,
        Self::Missing,
        Self::Suspect,
        Self::Inconclusive,
        Self::TooFew,
        Self::ExactOnOneSide,
        Self::Waived,
        Self::Improved,
        Self::NotRepeated,
        Self::New,
        Self::Pass,
        Self::Unjudged,
    ];

    /// What was found, and what may follow from it.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Fails => "higher than its limit allows, in fresh processes too; or a budget is broken",
            Self::Missing => "the head has it no more; a waiver removes a cell",
            Self::Suspect => "higher once: to be measured again",
            Self::Inconclusive => "an increase over the limit cannot be excluded: too much noise",
            Self::TooFew => "fewer processes of a side than its rule asks for: too few to judge",
            Self::ExactOnOneSide => "identical in all processes of one side only",
            Self::Waived => "it would fail, and is let pass on purpose by a [[waiver]] until its day",
            Self::Improved => "lower, by as much as an increase would have to be to fail",
            Self::NotRepeated => "higher once, and not in fresh processes",
            Self::New => "the base does not have it: judged by budgets only",
            Self::Pass => "within its limit",
            Self::Unjudged => "it varies on both sides, which overlap, and is not in the family",
        }
    }
}

impl NoticeKind {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 5] = [Self::Weakened, Self::Rules, Self::Sides, Self::Dirty, Self::Other];

    /// Its name in `verdict.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Weakened => "weakened",
            Self::Rules => "rules",
            Self::Sides => "sides",
            Self::Dirty => "dirty",
            Self::Other => "other",
        }
    }

    /// What such a notice is of.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Weakened => "the head would loosen a rule that it is judged by; the base's holds",
            Self::Rules => "the head changes a rule, and does not loosen it",
            Self::Sides => "the sides were not built, served or measured alike, in what does not bar a comparison",
            Self::Dirty => "a side has uncommitted changes, so that no commit brings it back",
            Self::Other => "anything else that is to be read before the figures, such as a waiver that matches nothing",
        }
    }
}
