//! The rules EXACT and NOISY applied to questions: the decision itself, without records, names or words.

use std::collections::BTreeMap;

use super::exact::{self, Exact};
use super::noisy::{self, Found, Look};
use super::question::Question;
use super::settings::Rules;
use crate::derive::Figure;
use crate::record::Cell;

/// Which rule decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The processes of a side agree.
    Exact,
    /// They do not: statistics over pairs.
    Noisy,
}

/// What is decided of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// No increase that counts.
    Pass,
    /// Lower, by as much as an increase would have to be to fail.
    Improved,
    /// Higher in this round: to be measured again.
    Suspect,
    /// Higher in both rounds.
    Fails,
    /// Higher in the first round, and not in the second.
    NotRepeated,
    /// An increase over the floor cannot be excluded.
    Inconclusive,
    /// Fewer processes than the rule asks for.
    TooFew,
    /// Exact on one side only.
    ExactOnOneSide,
    /// Expected to be exact, exact on neither side, not in the family, and the sides overlap.
    Unjudged,
}

/// A decision and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What was decided.
    pub decision: Decision,
    /// By which rule.
    pub by: By,
    /// The look at the pairs that decided: the second round's where there was one; `None` under EXACT.
    pub look: Option<Look>,
    /// Whether the second round decided.
    pub again: bool,
}

/// Decides every question. `again` holds the same questions of fresh processes, asked for those that were
/// [`Suspect`](Decision::Suspect) after the first round; without it they stay so.
#[must_use]
pub fn judge(first: &[Question], again: Option<&[Question]>, rules: &Rules) -> Vec<Judged> {
    let looks = looks(first.iter().map(|question| question.family.then_some(question)), rules);
    let mut judged: Vec<Judged> = first.iter().zip(looks).map(|(question, look)| one(question, look, rules)).collect();
    let Some(again) = again else { return judged };
    let fresh: BTreeMap<(&Cell, &Figure), &Question> = again.iter().map(|q| ((&q.cell, &q.figure), q)).collect();
    let of = |question: &Question| fresh.get(&(&question.cell, &question.figure)).copied();
    let suspect = |judged: &Judged, by: By| judged.decision == Decision::Suspect && judged.by == by;
    // The second family is that of the candidates.
    let noisy: Vec<usize> = (0..first.len()).filter(|at| suspect(&judged[*at], By::Noisy)).collect();
    let looks = self::looks(noisy.iter().map(|at| Some(of(&first[*at]).unwrap_or(&first[*at]))), rules);
    for (at, look) in noisy.into_iter().zip(looks) {
        if let (Some(_), Some(look)) = (of(&first[at]), look) {
            judged[at] = confirmed(look, rules.floor(&first[at].figure));
        }
    }
    for (question, judged) in first.iter().zip(&mut judged).filter(|(_, judged)| suspect(judged, By::Exact)) {
        let Some(fresh) = of(question) else { continue };
        match compare(fresh, rules) {
            Exact::TooFew => {}
            Exact::Higher | Exact::OneSide { apart: true, .. } | Exact::Neither { apart: true } => {
                *judged = Judged { decision: Decision::Fails, again: true, ..*judged };
            }
            Exact::OneSide { apart: false, .. } => {
                *judged = Judged { decision: Decision::ExactOnOneSide, again: true, ..*judged };
            }
            Exact::Same | Exact::Lower | Exact::Neither { apart: false } => {
                *judged = Judged { decision: Decision::NotRepeated, again: true, ..*judged };
            }
        }
    }
    judged
}

fn compare(question: &Question, rules: &Rules) -> Exact {
    exact::compare(&question.base, &question.head, rules.exact, rules.floor(&question.figure))
}

/// One look at a family, in the order given; a place that is `None` is no member.
fn looks<'a>(members: impl Iterator<Item = Option<&'a Question>>, rules: &Rules) -> Vec<Option<Look>> {
    let members: Vec<Option<&Question>> = members.collect();
    let family: Vec<_> = members
        .iter()
        .flatten()
        .map(|question| {
            let differences = question.differences();
            (differences.len() >= rules.pairs).then(|| (differences, rules.floor(&question.figure)))
        })
        .collect();
    let mut looks = noisy::look(&family, rules.alpha).into_iter();
    members.into_iter().map(|member| member.and_then(|_| looks.next().flatten())).collect()
}

fn one(question: &Question, look: Option<Look>, rules: &Rules) -> Judged {
    let exact = if question.exact { compare(question, rules) } else { Exact::TooFew };
    let by_exact = |decision| Judged { decision, by: By::Exact, look: None, again: false };
    let noisy = || {
        let look = look?;
        let decision = match look.found {
            Found::Increase => Decision::Suspect,
            Found::Decrease => Decision::Improved,
            Found::Nothing if noisy::is_inconclusive(&look.paired, rules.floor(&question.figure)) => {
                Decision::Inconclusive
            }
            Found::Nothing => Decision::Pass,
        };
        Some(Judged { decision, by: By::Noisy, look: Some(look), again: false })
    };
    let by = if question.exact && !question.family { By::Exact } else { By::Noisy };
    let too_few = Judged { decision: Decision::TooFew, by, look: None, again: false };
    match exact {
        Exact::Same => by_exact(Decision::Pass),
        Exact::Lower => by_exact(Decision::Improved),
        Exact::Higher | Exact::OneSide { apart: true, .. } => by_exact(Decision::Suspect),
        Exact::OneSide { apart: false, .. } => match noisy() {
            // Statistics may find what a side that varies hides; that one side varies is said in any case.
            Some(judged) if judged.decision == Decision::Suspect => judged,
            _ => by_exact(Decision::ExactOnOneSide),
        },
        Exact::Neither { .. } if question.family => noisy().unwrap_or(too_few),
        Exact::Neither { apart: true } => by_exact(Decision::Suspect),
        Exact::Neither { apart: false } => by_exact(Decision::Unjudged),
        Exact::TooFew => noisy().unwrap_or(too_few),
    }
}

fn confirmed(look: Look, floor: f64) -> Judged {
    let decision = match look.found {
        Found::Increase => Decision::Fails,
        _ if noisy::is_inconclusive(&look.paired, floor) => Decision::Inconclusive,
        Found::Decrease | Found::Nothing => Decision::NotRepeated,
    };
    Judged { decision, by: By::Noisy, look: Some(look), again: true }
}
