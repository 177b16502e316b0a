//! From two records to a verdict.

use std::collections::BTreeMap;

use super::judge::{By, Decision, Judged, judge};
use super::question::{Question, cells, planned, questions};
use super::settings::{Base, Budget, Settings};
use super::sides::differences;
use super::verdict::{
    Again, Family, Next, Notice, NoticeKind, Outcome, Row, Rule, Side, Smallest, State, Verdict, Waived, Why, count,
};
use super::{blame, budgets, changes, lock, waivers};
use crate::cell::name;
use crate::noise;
use crate::record::{Cell, Record, Status};
use crate::stats::{Stats, power};
use crate::summary::{is_live, status_name};
use crate::units::Quantity;

/// How far the measurement has come.
#[derive(Debug, Clone, Copy)]
pub enum Stage<'a> {
    /// Nothing but the two records.
    First,
    /// What [`Next::Again`] asked for was measured afresh: the cells it named, the sides in pairs as before.
    Second {
        /// The base's fresh processes; of a base that was recorded some other time, its record again.
        base: &'a Record,
        /// The head's.
        head: &'a Record,
    },
}

/// Decides whether the head's memory is worse than the base's.
///
/// Samples of one index are a pair. Call it with [`Stage::First`]; if [`Verdict::next`] asks for more, measure that and call it with the same
/// records and [`Stage::Second`]. The plan of each record says how many processes were wanted of each cell: fewer valid ones are no
/// valid measurement. The same records give the same verdict.
#[must_use]
pub fn decide(base: &Record, head: &Record, settings: &Settings, stage: Stage<'_>) -> Verdict {
    let (base, head) = (crate::clean::record(base), crate::clean::record(head));
    let again = match stage {
        Stage::First => None,
        Stage::Second { base, head } => Some((crate::clean::record(base), crate::clean::record(head))),
    };
    Case { base: &base, head: &head, again: again.as_ref(), settings }.verdict()
}

struct Case<'a> {
    base: &'a Record,
    head: &'a Record,
    again: Option<&'a (Record, Record)>,
    settings: &'a Settings,
}

impl Case<'_> {
    fn verdict(&self) -> Verdict {
        let mut invalid = self.bars();
        let comparable = invalid.is_empty();
        invalid.extend(self.failures());
        let questions = if comparable { self.questions() } else { Vec::new() };
        let family = questions.iter().filter(|question| question.family).count();
        let mut rows = self.judged(&questions);
        if comparable {
            rows.extend(self.presence());
        }
        let (spent, mut notices) = self.budgets();
        rows.extend(spent);
        self.waive(&mut rows);
        let next = self.next(&rows);
        if next == Next::Done {
            self.explain(&mut rows, &questions, family);
        }
        let misconfigured = self.expired();
        notices.extend(self.notices());
        notices.extend(self.unread(&rows));
        notices.sort_by_key(|notice| notice.kind);
        if rows.is_empty() && invalid.is_empty() {
            invalid
                .push("there is no figure to judge: the records have no cell in common that the gate reads".to_owned());
        }
        let lockfiles = self.settings.lockfiles.as_ref();
        let (crates, profiled) = blame::crates(self.base, self.head);
        let rules = &self.settings.rules;
        Verdict {
            outcome: outcome(&rows, &invalid, &misconfigured, &next),
            next,
            strict: self.settings.strict,
            advisory: self.advisory(),
            base: Side::of(self.base),
            head: Side::of(self.head),
            notices,
            invalid,
            misconfigured,
            family: Family { size: family, pairs: rules.pairs, alpha: rules.alpha },
            rows,
            lockfile: lockfiles.map(|(base, head)| lock::changes(base, head)).unwrap_or_default(),
            crates,
            profiled,
        }
    }

    /// Why the records cannot be compared at all.
    fn bars(&self) -> Vec<String> {
        let kind = self.settings.base;
        let bars = |base: &Record, head: &Record, kind: Base, what: &str| {
            let barring = differences(base, head, kind).into_iter().filter(|difference| difference.bars);
            barring.map(|d| format!("{what} were not measured alike: {d}")).collect::<Vec<_>>()
        };
        let mut all = bars(self.base, self.head, kind, "base and head");
        if let Some((base, head)) = self.again {
            all.extend(bars(base, head, kind, "base and head of the second round"));
            all.extend(bars(self.head, head, Base::Measured, "the head's first and second round"));
        }
        all
    }

    /// Samples that were planned and are not there or do not count, of cells that are not waived as a whole.
    fn failures(&self) -> Vec<String> {
        let mut records = vec![("base", self.base), ("head", self.head)];
        if let Some((base, head)) = self.again {
            records.extend([("base, second round", base), ("head, second round", head)]);
        }
        records.into_iter().flat_map(|(side, record)| self.failures_of(side, record)).collect()
    }

    fn failures_of(&self, side: &str, record: &Record) -> Vec<String> {
        let today = waivers::day(self.head);
        let mut all = Vec::new();
        for cell in cells(record, record, self.settings) {
            if waivers::find(&self.settings.rules, cell, None, today).is_some() {
                continue;
            }
            let samples = record.samples.iter().filter(|sample| sample.cell == *cell);
            let wanted = record.plan.cells.iter().find(|planned| planned.cell == *cell);
            let wanted = wanted.map_or(0, |planned| usize::try_from(planned.samples).unwrap_or(usize::MAX));
            let (valid, bad): (Vec<_>, Vec<_>) = samples.partition(|sample| sample.status == Status::Ok);
            if let Some(first) = bad.first() {
                let error = first.error.as_deref().unwrap_or("no reason was recorded");
                let (samples, status) = (count(bad.len(), "sample"), status_name(first.status));
                all.push(format!("{side}: {samples} of `{}` {status}: {error}", name(cell)));
            } else if valid.len() < wanted {
                let missing = count(wanted - valid.len(), "sample");
                all.push(format!(
                    "{side}: {missing} of `{}` not measured: the run was not finished, `plimsoll run --resume` goes on",
                    name(cell)
                ));
            }
        }
        all
    }

    fn questions(&self) -> Vec<Question> {
        let today = waivers::day(self.head);
        let mut all = questions(self.base, self.head, self.settings);
        all.retain(|question| waivers::find(&self.settings.rules, &question.cell, None, today).is_none());
        all
    }

    /// The rows of what both sides have, and of figures that one lacks in a cell that both have.
    fn judged(&self, questions: &[Question]) -> Vec<Row> {
        let again = self.again.map(|(base, head)| self::questions(base, head, self.settings));
        let judged = judge(questions, again.as_deref(), &self.settings.rules);
        let fresh = |question: &Question| {
            again.iter().flatten().find(|q| q.cell == question.cell && q.figure == question.figure).cloned()
        };
        let mut rows = Vec::new();
        for (question, judged) in questions.iter().zip(judged) {
            if !has(self.base, &question.cell) || !has(self.head, &question.cell) {
                continue;
            }
            let place = |state| Row::new(&question.cell, Some(question.figure.clone()), Rule::Presence, state);
            rows.push(match (question.base.is_empty(), question.head.is_empty()) {
                (false, true) => place(State::Missing),
                (true, false) => place(State::New),
                _ => {
                    let shown = if judged.again { fresh(question) } else { None };
                    self.row(shown.as_ref().unwrap_or(question), &judged)
                }
            });
        }
        rows
    }

    fn row(&self, question: &Question, judged: &Judged) -> Row {
        let figure = &question.figure;
        let quantity = |value: f64| Quantity::new(value, figure.unit());
        let median = |side: &[f64]| Stats::of(side).and_then(|stats| quantity(stats.median));
        let (base, head) = (median(&question.base), median(&question.head));
        let paired = judged.look.map(|look| look.paired);
        Row {
            base,
            head,
            difference: match &paired {
                Some(paired) => quantity(paired.estimate),
                None => head.zip(base).and_then(|(head, base)| head.minus(base)),
            },
            interval: paired.and_then(|paired| quantity(paired.interval.0).zip(quantity(paired.interval.1))),
            p: judged.look.map(|look| look.adjusted),
            limit: quantity(self.settings.rules.floor(figure)),
            processes: question.base.len().min(question.head.len()),
            again: judged.again,
            ..Row::new(&question.cell, Some(figure.clone()), rule(judged.by), state(judged.decision))
        }
    }

    /// Cells that one side's plan has and the other's has not.
    fn presence(&self) -> Vec<Row> {
        let lacking = |cell: &&Cell| !(has(self.base, cell) && has(self.head, cell));
        let row = |cell: &Cell| {
            let state = if has(self.base, cell) { State::Missing } else { State::New };
            Row::new(cell, None, Rule::Presence, state)
        };
        cells(self.base, self.head, self.settings).into_iter().filter(lacking).map(row).collect()
    }

    fn budgets(&self) -> (Vec<Row>, Vec<Notice>) {
        let in_force = budgets::in_force(&self.settings.rules, self.settings.proposed.as_ref());
        let cells = cells(self.head, self.head, self.settings);
        let (spent, unused) = budgets::spent(&in_force, self.head, &cells);
        let row = |spent: budgets::Spent| {
            let quantity = |value: f64| Quantity::new(value, spent.budget.figure.unit());
            let state = if spent.is_over() { State::Fails } else { State::Pass };
            Row {
                head: quantity(spent.median),
                limit: quantity(spent.budget.max),
                difference: quantity(spent.median - spent.budget.max),
                processes: spent.processes,
                ..Row::new(&spent.cell, Some(spent.budget.figure.clone()), Rule::Budget, state)
            }
        };
        let notice = |budget: Budget| Notice {
            kind: NoticeKind::Other,
            text: format!("the budget of {}: {} is of no figure that was measured", budget.cell, budget.figure),
        };
        (spent.into_iter().map(row).collect(), unused.into_iter().map(notice).collect())
    }

    /// Takes what a waiver covers out of what fails and what is undecided.
    fn waive(&self, rows: &mut [Row]) {
        let today = waivers::day(self.head);
        let open = |state: State| state.fails() || state.is_undecided() || state == State::Suspect;
        for row in rows.iter_mut().filter(|row| open(row.state)) {
            if let Some(waiver) = waivers::find(&self.settings.rules, &row.cell, row.figure.as_ref(), today) {
                row.state = State::Waived;
                row.waived = Some(Waived {
                    reason: crate::clean::text(&waiver.reason),
                    owner: crate::clean::text(&waiver.owner),
                    expires: waiver.expires,
                });
            }
        }
    }

    fn next(&self, rows: &[Row]) -> Next {
        let rules = &self.settings.rules;
        let mut again: BTreeMap<&Cell, (usize, Why)> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.state == State::Suspect) {
            let wanted = match row.rule {
                Rule::Noisy => (rules.pairs, Why::Confirm),
                Rule::Exact | Rule::Budget | Rule::Presence => (rules.exact, Why::Rerun),
            };
            let so_far = again.entry(&row.cell).or_insert(wanted);
            *so_far = (so_far.0.max(wanted.0), so_far.1.max(wanted.1));
        }
        if again.is_empty() {
            return Next::Done;
        }
        let one = |(cell, (processes, why)): (&Cell, (usize, Why))| Again { cell: cell.clone(), processes, why };
        Next::Again(again.into_iter().map(one).collect())
    }

    /// The smallest change that would have been seen, and the culprits.
    fn explain(&self, rows: &mut [Row], questions: &[Question], family: usize) {
        let rules = &self.settings.rules;
        for row in rows.iter_mut() {
            let Some(figure) = row.figure.clone() else { continue };
            if row.rule == Rule::Exact && row.state != State::Unjudged {
                row.smallest = row.limit.map(Smallest::Over);
            }
            let asked = questions.iter().find(|question| question.cell == row.cell && question.figure == figure);
            if let (Rule::Noisy, Some(asked)) = (row.rule, asked) {
                let rule = power::Rule { pairs: rules.pairs, family, alpha: rules.alpha, floor: rules.floor(&figure) };
                let grain = noise::grain(self.base, &figure);
                let change = rule.smallest_change(&asked.base, noise::POWER).map(|change| change.max(grain));
                let change = change.and_then(|change| Quantity::new(change, figure.unit()));
                row.smallest = Some(change.map_or(Smallest::Nothing, Smallest::About));
            }
            if row.state == State::Fails
                && matches!(row.rule, Rule::Exact | Rule::Noisy)
                && let Some(difference) = row.difference
            {
                let own = &self.settings.own;
                row.blame = blame::blame(self.base, self.head, &row.cell, &figure, difference.value(), own);
            }
        }
    }

    fn expired(&self) -> Vec<String> {
        let (rules, proposed) = (&self.settings.rules, self.settings.proposed.as_ref());
        let expired = waivers::expired(rules, proposed, waivers::day(self.head));
        expired
            .into_iter()
            .map(|waiver| {
                let figure = waiver.figure.as_ref().map(|figure| format!(": {figure}")).unwrap_or_default();
                crate::clean::text(&format!(
                    "the waiver of {}{figure} expired on {}: mend what it covers and take it out, or have {} set another day",
                    waiver.cell, waiver.expires, waiver.owner
                ))
            })
            .collect()
    }

    fn notices(&self) -> Vec<Notice> {
        let settings = self.settings;
        let changed = settings.proposed.iter().flat_map(|proposed| changes::changes(&settings.rules, proposed));
        let mut all: Vec<Notice> = changed
            .map(|change| Notice {
                kind: if change.weaker { NoticeKind::Weakened } else { NoticeKind::Rules },
                text: crate::clean::text(&change.to_string()),
            })
            .collect();
        let sides = differences(self.base, self.head, settings.base).into_iter().filter(|difference| !difference.bars);
        all.extend(sides.map(|difference| Notice { kind: NoticeKind::Sides, text: difference.to_string() }));
        for (side, record) in [("base", self.base), ("head", self.head)] {
            if record.tool.dirty {
                let text = format!("the {side} has uncommitted changes");
                all.push(Notice { kind: NoticeKind::Dirty, text });
            }
        }
        if settings.base == Base::Recorded {
            let text = "the base was recorded some other time: only exact figures are compared".to_owned();
            all.push(Notice { kind: NoticeKind::Other, text });
        }
        all
    }

    /// Cells of which no figure is judged; profiles are for blame and not meant.
    fn unread(&self, rows: &[Row]) -> Option<Notice> {
        if rows.is_empty() || self.settings.base == Base::Recorded {
            return None;
        }
        let judged = |cell: &Cell| rows.iter().any(|row| row.cell == *cell);
        let unread: Vec<String> = cells(self.base, self.head, self.settings)
            .into_iter()
            .filter(|cell| cell.probe != blame::PROFILER && !judged(cell))
            .map(|cell| format!("`{}`", name(cell)))
            .collect();
        let (first, figures) = (unread.first()?, count(unread.len(), "cell"));
        let text =
            format!("no figure of {figures} is judged, of {first} first: its probe reads none of the family's metrics");
        Some(Notice { kind: NoticeKind::Other, text })
    }

    fn advisory(&self) -> Option<String> {
        let live = [self.base, self.head].iter().any(|record| is_live(&record.environment.target));
        let live = live.then(|| "the live service's answers differ from day to day".to_owned());
        self.settings.advisory.as_deref().map(crate::clean::text).or(live)
    }
}

fn outcome(rows: &[Row], invalid: &[String], misconfigured: &[String], next: &Next) -> Outcome {
    let any = |state: fn(State) -> bool| rows.iter().any(|row| state(row.state));
    if !invalid.is_empty() {
        Outcome::Invalid
    } else if *next != Next::Done {
        Outcome::Unfinished
    } else if any(State::fails) {
        Outcome::Fail
    } else if !misconfigured.is_empty() {
        Outcome::Misconfigured
    } else if any(State::is_undecided) {
        Outcome::Undecided
    } else {
        Outcome::Pass
    }
}

fn has(record: &Record, cell: &Cell) -> bool {
    planned(record).any(|known| known == cell)
}

fn rule(by: By) -> Rule {
    match by {
        By::Exact => Rule::Exact,
        By::Noisy => Rule::Noisy,
    }
}

fn state(decision: Decision) -> State {
    match decision {
        Decision::Pass => State::Pass,
        Decision::Improved => State::Improved,
        Decision::Suspect => State::Suspect,
        Decision::Fails => State::Fails,
        Decision::NotRepeated => State::NotRepeated,
        Decision::Inconclusive => State::Inconclusive,
        Decision::TooFew => State::TooFew,
        Decision::ExactOnOneSide => State::ExactOnOneSide,
        Decision::Unjudged => State::Unjudged,
    }
}
