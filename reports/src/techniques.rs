//! The technique ledger: what each way to save memory takes or saves, alone and on top of all the others.
//!
//! Which cells are held against each other follows from their factors alone: two cells that differ in nothing but one technique (`switches`), the
//! allocator, or the crypto provider. A difference is always that of having the technique, so a negative one is a saving in either place.

use crate::contrast::{Contrast, Side};
use crate::derive::{CellFigures, Figure, Percentile};
use crate::record::Cell;
use crate::stats::family::holm;
use crate::view::View;

/// The scenario of all but requests in flight.
const SCENARIO: &str = "chat";

/// How often, at most, a ledger of techniques without any effect names one, in all rows of a measure together.
const ALPHA: f64 = 0.05;

/// What a technique may have an effect on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Growth of anonymous memory over 20 requests.
    Growth,
    /// Allocations for each request.
    Allocs,
    /// Anonymous memory that one more request in flight takes.
    InFlight,
    /// Median time per request.
    Time,
}

impl Measure {
    /// All, in the order of columns.
    pub const ALL: [Self; 4] = [Self::Growth, Self::Allocs, Self::InFlight, Self::Time];

    /// Its column's heading.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Growth => "anon growth",
            Self::Allocs => "allocs/request",
            Self::InFlight => "anon/in flight",
            Self::Time => "p50",
        }
    }

    /// What it means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Growth => "anonymous memory at steady@20 minus that at start",
            Self::Allocs => "calls of malloc and realloc per request, over requests 64 to 128",
            Self::InFlight => "anonymous memory that one more request in flight takes: (held@1000 − held@100) / 900",
            Self::Time => "median time per request in the last batch",
        }
    }

    /// Whether a cell is one that it is read of.
    fn reads(self, cell: &Cell) -> bool {
        let probe = if self == Self::Allocs { "count" } else { "rss" };
        cell.probe == probe && (self == Self::InFlight || cell.scenario == SCENARIO)
    }

    fn figure(self) -> Figure {
        match self {
            Self::Growth => Figure::growth("proc.anon"),
            Self::Allocs => Figure::per_request("heap.allocs"),
            Self::InFlight => Figure::in_flight("proc.anon"),
            Self::Time => Figure::Latency(Percentile::P50),
        }
    }
}

/// On what a technique was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On none of the others.
    Alone,
    /// On all of the others.
    OnTop,
    /// All of a subject's techniques together, on none.
    Together,
}

impl Place {
    /// Its name in tables.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::OnTop => "on top of the others",
            Self::Together => "all together",
        }
    }
}

/// What a difference is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// There is less with the technique.
    Saves,
    /// There is more.
    Costs,
    /// Nothing that so many pairs could see.
    Nothing,
    /// Not to be said: with so few pairs among so many questions, no difference at all would be certain.
    TooFew,
}

/// A technique's effect on a measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// The difference of having it.
    pub contrast: Contrast,
    /// What that is called.
    pub sign: Sign,
}

impl Effect {
    /// The sign in words: `saves`, `costs`, `no effect that 20 pairs could see`, `no effect, exactly`,
    /// `8 pairs are too few to say`.
    #[must_use]
    pub fn told(&self) -> String {
        match self.sign {
            Sign::Saves => "saves".to_owned(),
            Sign::Costs => "costs".to_owned(),
            Sign::Nothing if self.contrast.is_exact() => "no effect, exactly".to_owned(),
            Sign::Nothing => format!("no effect that {} pairs could see", self.contrast.pairs),
            Sign::TooFew if self.contrast.pairs == 1 => "1 pair is too few to say".to_owned(),
            Sign::TooFew => format!("{} pairs are too few to say", self.contrast.pairs),
        }
    }
}

/// A technique of a subject, in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The subject.
    pub subject: String,
    /// The technique, or what else is in the place of one: jemalloc, ring, `all of its own`.
    pub technique: String,
    /// What it was put on.
    pub place: Place,
    /// Its effect on each of [`Measure::ALL`]; `None` where that was not measured.
    pub effects: [Option<Effect>; 4],
}

/// The ledger of a record: subjects in the plan's order, of each its techniques in the order of their first cells, each alone and then on top.
#[must_use]
pub fn ledger(view: &View) -> Vec<Row> {
    let mut found: Vec<(Question, [Option<Contrast>; 4])> = Vec::new();
    for (at, measure) in Measure::ALL.into_iter().enumerate() {
        let figure = measure.figure();
        let has = |cell: &&CellFigures| measure.reads(&cell.cell) && cell.figure(&figure).is_some();
        let find = |wanted: &Cell| view.cells.iter().find(|cell| cell.cell == *wanted).filter(has);
        let side = |cell| Side { cell, figure: &figure };
        for Pair { question, head, base } in view.cells.iter().filter(has).flat_map(|cell| pairs(view, &cell.cell)) {
            let (Some(head), Some(base)) = (find(&head), find(&base)) else { continue };
            let known = found.iter().position(|(known, _)| *known == question).unwrap_or_else(|| {
                found.push((question, [None; 4]));
                found.len() - 1
            });
            // Measured under several conditions it stands for the first of them.
            if found[known].1[at].is_none() {
                found[known].1[at] = Contrast::of(&view.record, side(&head.cell), side(&base.cell));
            }
        }
    }
    let found = in_order(view, found);
    let effects: Vec<Vec<Option<Effect>>> =
        (0..4).map(|at| judge(&found.iter().map(|(_, contrasts)| contrasts[at]).collect::<Vec<_>>())).collect();
    let row = |(number, (question, _)): (usize, (Question, _))| Row {
        subject: question.subject,
        technique: question.technique,
        place: question.place,
        effects: std::array::from_fn(|at| effects[at][number]),
    };
    found.into_iter().enumerate().map(row).collect()
}

fn in_order(view: &View, found: Vec<(Question, [Option<Contrast>; 4])>) -> Vec<(Question, [Option<Contrast>; 4])> {
    let subjects: Vec<&str> = view.record.plan.subjects.iter().map(|subject| subject.id.as_str()).collect();
    let names: Vec<String> = found.iter().map(|(question, _)| question.technique.clone()).collect();
    let key = |question: &Question| {
        (
            subjects.iter().position(|id| *id == question.subject),
            question.place == Place::Together,
            names.iter().position(|name| *name == question.technique),
            question.place,
        )
    };
    let mut found = found;
    found.sort_by_key(|(question, _)| key(question));
    found
}

/// Gives each difference its sign. An exact one is what it is. The others are one family of questions (Holm): so many of them would find
/// something by chance alone, were each judged as if it were the only one. One with so few pairs that even if all of them agreed it could not be
/// told from chance is no finding of "no effect".
#[must_use]
pub fn judge(contrasts: &[Option<Contrast>]) -> Vec<Option<Effect>> {
    let chances: Vec<f64> = contrasts.iter().flatten().filter_map(|contrast| contrast.chance).collect();
    let adjusted = holm(&chances);
    let sign = |contrast: &Contrast, question: Option<usize>| match contrast.difference().value() {
        _ if question.is_some_and(|at| adjusted[at] > ALPHA) => {
            let at = question.unwrap_or_default();
            if is_answerable(&chances, at, contrast.pairs) { Sign::Nothing } else { Sign::TooFew }
        }
        difference if difference < 0.0 => Sign::Saves,
        difference if difference > 0.0 => Sign::Costs,
        _ => Sign::Nothing,
    };
    let mut questions = 0..chances.len();
    let mut effect = |contrast: &Contrast| {
        let question = contrast.chance.and_then(|_| questions.next());
        Effect { contrast: *contrast, sign: sign(contrast, question) }
    };
    contrasts.iter().map(|contrast| contrast.as_ref().map(&mut effect)).collect()
}

/// Whether a question among `chances` would be answered if all of its pairs agreed: the exact signed-rank test then gives 2^(1 − pairs).
fn is_answerable(chances: &[f64], at: usize, pairs: usize) -> bool {
    let mut best = chances.to_vec();
    best[at] = (1.0 - pairs as f64).exp2();
    holm(&best)[at] <= ALPHA
}

/// Which technique of which subject, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    subject: String,
    technique: String,
    place: Place,
}

/// Two cells that differ by what is asked about.
struct Pair {
    question: Question,
    head: Cell,
    base: Cell,
}

/// The pairs that a cell is the telling side of: what it has in its name is what is asked about.
fn pairs(view: &View, cell: &Cell) -> Vec<Pair> {
    let factor = |key: &str| cell.factors.get(key).map(String::as_str);
    let pair = |technique: &str, place, head: Cell, base: Cell| {
        let question = Question { subject: cell.subject.clone(), technique: technique.to_owned(), place };
        Pair { question, head, base }
    };
    let none = || with(cell, "switches", Some("none"));
    // One technique alone, or all but one.
    match factor("switches") {
        None | Some("none") => {}
        Some(set) => {
            return match set.strip_prefix('-') {
                Some(left_out) => vec![pair(left_out, Place::OnTop, with(cell, "switches", None), cell.clone())],
                None if set.contains(',') => Vec::new(),
                None => vec![pair(set, Place::Alone, cell.clone(), none())],
            };
        }
    }
    // None of them, or all: of a subject of which a part was measured, too.
    let is_ablated =
        |other: &CellFigures| other.cell.subject == cell.subject && other.cell.factors.contains_key("switches");
    if !view.cells.iter().any(is_ablated) {
        return Vec::new();
    }
    let all = factor("switches").is_none();
    let place = if all { Place::OnTop } else { Place::Alone };
    let mut pairs = Vec::new();
    if all {
        pairs.push(pair("all of its own", Place::Together, cell.clone(), none()));
    }
    if factor("allocator") == Some("jemalloc") {
        pairs.push(pair("jemalloc", place, cell.clone(), with(cell, "allocator", Some("system"))));
        if all {
            let neither = with(&none(), "allocator", Some("system"));
            pairs.push(pair("all of its own and jemalloc", Place::Together, cell.clone(), neither));
        }
    }
    if factor("crypto") == Some("ring") {
        pairs.push(pair("ring in place of AWS-LC", place, cell.clone(), with(cell, "crypto", Some("aws-lc"))));
    }
    pairs
}

/// The cell with another value of a factor, or without it.
fn with(cell: &Cell, key: &str, value: Option<&str>) -> Cell {
    let mut other = cell.clone();
    match value {
        Some(value) => other.factors.insert(key.to_owned(), value.to_owned()),
        None => other.factors.remove(key),
    };
    other
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::Unit;

    /// `pairs` pairs of sides that vary, `more` apart.
    fn noisy(pairs: u32, more: f64) -> Contrast {
        let pair = |at: u32| (f64::from(at * 37 % 11) + more, f64::from(at * 53 % 13));
        Contrast::of_pairs(&(0..pairs).map(pair).collect::<Vec<_>>(), Unit::Bytes).expect("there are pairs")
    }

    fn exact(more: f64) -> Contrast {
        Contrast::of_pairs(&[(more, 0.0); 3], Unit::Count).expect("there are pairs")
    }

    fn signs(contrasts: &[Option<Contrast>]) -> Vec<Option<Sign>> {
        judge(contrasts).into_iter().map(|effect| effect.map(|effect| effect.sign)).collect()
    }

    #[test]
    fn a_difference_is_called_by_its_sign_and_nothing_is_said_of_what_was_not_measured() {
        let contrasts = [
            Some(noisy(20, 50.0)),
            None,
            Some(noisy(20, -50.0)),
            Some(noisy(20, 0.0)),
            Some(exact(-7.0)),
            Some(exact(0.0)),
        ];
        use Sign::{Costs, Nothing, Saves};
        assert_eq!(signs(&contrasts), [Some(Costs), None, Some(Saves), Some(Nothing), Some(Saves), Some(Nothing)]);
        let told: Vec<String> = judge(&contrasts).iter().flatten().map(Effect::told).collect();
        assert_eq!(told, ["costs", "saves", "no effect that 20 pairs could see", "saves", "no effect, exactly"]);
    }

    #[test]
    fn what_is_certain_alone_is_not_so_among_many() {
        // All eight grew: 2 of 256 by chance, which is little for one question and usual among twenty.
        let clear = Some(noisy(8, 50.0));
        assert_eq!(signs(&[clear]), [Some(Sign::Costs)]);
        let mut many = vec![clear];
        many.extend((0..19).map(|_| Some(noisy(8, 0.0))));
        assert_eq!(signs(&many)[0], Some(Sign::TooFew));
        assert_eq!(judge(&many)[0].map(|effect| effect.told()).as_deref(), Some("8 pairs are too few to say"));
        // Twelve could have told it: 2 of 4,096 by chance, twenty times over.
        many[0] = Some(noisy(12, 0.0));
        assert_eq!(signs(&many)[0], Some(Sign::Nothing));
        // Exact differences are no questions of chance and take nothing from the others.
        let mut exactly = vec![clear];
        exactly.extend((0..19).map(|_| Some(exact(1.0))));
        assert_eq!(signs(&exactly)[0], Some(Sign::Costs));
    }

    proptest! {
        #[test]
        fn turning_the_sides_turns_every_sign(sides in prop::collection::vec(prop::collection::vec((0i32..50, 0i32..50), 1..12), 1..8)) {
            let side = |turn: bool| -> Vec<Option<Contrast>> {
                let pair = |&(a, b): &(i32, i32)| if turn { (f64::from(b), f64::from(a)) } else { (f64::from(a), f64::from(b)) };
                sides.iter().map(|pairs| Contrast::of_pairs(&pairs.iter().map(pair).collect::<Vec<_>>(), Unit::Bytes)).collect()
            };
            for (there, back) in signs(&side(false)).into_iter().zip(signs(&side(true))) {
                let turned = there.map(|sign| match sign {
                    Sign::Saves => Sign::Costs,
                    Sign::Costs => Sign::Saves,
                    same => same,
                });
                prop_assert_eq!(turned, back);
            }
        }

        #[test]
        fn no_sign_goes_against_its_difference_and_none_depends_on_the_order(
            sides in prop::collection::vec(prop::collection::vec((0i32..50, 0i32..50), 1..12), 1..8), turn in 0usize..8
        ) {
            let of = |pairs: &Vec<(i32, i32)>| {
                Contrast::of_pairs(&pairs.iter().map(|(a, b)| (f64::from(*a), f64::from(*b))).collect::<Vec<_>>(), Unit::Bytes)
            };
            let mut contrasts: Vec<Option<Contrast>> = sides.iter().map(of).collect();
            let effects = judge(&contrasts);
            for effect in effects.iter().flatten() {
                let difference = effect.contrast.difference().value();
                match effect.sign {
                    Sign::Saves => prop_assert!(difference < 0.0),
                    Sign::Costs => prop_assert!(difference > 0.0),
                    Sign::Nothing | Sign::TooFew => prop_assert!(!effect.contrast.is_exact() || difference == 0.0),
                }
            }
            let turn = turn % contrasts.len();
            contrasts.rotate_left(turn);
            let mut turned = effects;
            turned.rotate_left(turn);
            // Two equal chances may change places; their signs are the same.
            prop_assert_eq!(judge(&contrasts), turned);
        }
    }
}
