//! What a head changes of the rules that it is judged by. The base's hold; what the head would loosen is said before anything else.

use std::fmt;

use super::settings::{Rules, Wanted};
use crate::derive::Figure;
use crate::units::{Quantity, Unit, plain};

/// A rule that the head has otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which: `floor of proc.anon`, `budget of ultra/chat: growth proc.rss`.
    pub what: String,
    /// The base's; none where the head adds it.
    pub from: Option<String>,
    /// The head's; none where it takes it out.
    pub to: Option<String>,
    /// Whether less would be caught by it.
    pub weaker: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = if self.weaker { "weakened" } else { "changed" };
        let none = "none".to_owned();
        let (from, to) = (self.from.as_ref().unwrap_or(&none), self.to.as_ref().unwrap_or(&none));
        write!(f, "{} {effect} by the head: {from} → {to} (judged by the base's)", self.what)
    }
}

/// Every rule that differs, those that would be weaker first.
#[must_use]
pub fn changes(base: &Rules, head: &Rules) -> Vec<Change> {
    let mut all = numbers(base, head);
    all.extend(measured(base, head));
    all.extend(family(base, head));
    all.extend(floors(base, head));
    all.extend(budgets(base, head));
    all.extend(waivers(base, head));
    all.sort_by_key(|change| !change.weaker);
    all
}

fn numbers(base: &Rules, head: &Rules) -> Vec<Change> {
    let count = |count: usize| crate::units::whole(i64::try_from(count).unwrap_or(i64::MAX));
    let all = [
        ("pairs", count(base.pairs), count(head.pairs)),
        ("processes of exact figures", count(base.exact), count(head.exact)),
        ("alpha", base.alpha, head.alpha),
    ];
    let differ = all.into_iter().filter(|(_, from, to)| from != to);
    let text = |number: f64| if number < 1.0 { number.to_string() } else { plain(number) };
    // Fewer processes see less, and so does a smaller share of false alarms.
    let one = |(what, from, to): (&str, f64, f64)| Change {
        what: what.to_owned(),
        from: Some(text(from)),
        to: Some(text(to)),
        weaker: to < from,
    };
    differ.map(one).collect()
}

/// Where the base's side is all the base's, and where a path of it would be the head's, a change in it would be on both sides and show in no figure.
fn measured(base: &Rules, head: &Rules) -> Option<Change> {
    let text = |paths: &[String]| if paths.is_empty() { "the whole checkout".to_owned() } else { paths.join(", ") };
    let gone = |path: &String| !head.measured.contains(path);
    (base.measured != head.measured).then(|| Change {
        what: "what is measured".to_owned(),
        from: Some(text(&base.measured)),
        to: Some(text(&head.measured)),
        weaker: !head.measured.is_empty() && (base.measured.is_empty() || base.measured.iter().any(gone)),
    })
}

fn family(base: &Rules, head: &Rules) -> Vec<Change> {
    let of = |wanted: &Wanted, from: bool| {
        let name = Some("judged".to_owned());
        let (from, to) = if from { (name, None) } else { (None, name) };
        Change { what: format!("{wanted} in the family"), weaker: to.is_none(), from, to }
    };
    let gone = base.family.iter().filter(|wanted| !head.family.contains(wanted)).map(|wanted| of(wanted, true));
    let new = head.family.iter().filter(|wanted| !base.family.contains(wanted)).map(|wanted| of(wanted, false));
    gone.chain(new).collect()
}

fn floors(base: &Rules, head: &Rules) -> Vec<Change> {
    let mut names: Vec<&Wanted> = base.floors.keys().chain(head.floors.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let mut all = Vec::new();
    for name in names {
        let (from, to) = (base.floors.get(name).copied(), head.floors.get(name).copied());
        if from == to {
            continue;
        }
        let unit = match name {
            Wanted::Figure(figure) => figure.unit(),
            Wanted::Metric(metric) => crate::metric::unit(metric),
        };
        let text = |floor: Option<f64>| floor.map(|floor| shown(floor, unit));
        all.push(Change {
            what: format!("floor of {name}"),
            from: text(from),
            to: text(to),
            weaker: to.unwrap_or(0.0) > from.unwrap_or(0.0),
        });
    }
    all
}

fn budgets(base: &Rules, head: &Rules) -> Vec<Change> {
    let mut names: Vec<(&str, &Figure)> =
        base.budgets.iter().chain(&head.budgets).map(|budget| (budget.cell.as_str(), &budget.figure)).collect();
    names.sort_unstable();
    names.dedup();
    let find = |rules: &Rules, (cell, figure): (&str, &Figure)| {
        rules.budgets.iter().find(|b| b.cell == cell && b.figure == *figure).map(|budget| budget.max)
    };
    let mut all = Vec::new();
    for name in names {
        let (from, to) = (find(base, name), find(head, name));
        if from == to {
            continue;
        }
        let text = |max: Option<f64>| max.map(|max| shown(max, name.1.unit()));
        all.push(Change {
            what: format!("budget of {}: {}", name.0, name.1),
            from: text(from),
            to: text(to),
            weaker: to.unwrap_or(f64::INFINITY) > from.unwrap_or(f64::INFINITY),
        });
    }
    all
}

/// A waiver that was moved to another day is one that is gone and one that came.
fn waivers(base: &Rules, head: &Rules) -> Vec<Change> {
    let what = |waiver: &super::settings::Waiver| match &waiver.figure {
        Some(figure) => format!("waiver of {}: {figure}", waiver.cell),
        None => format!("waiver of {}", waiver.cell),
    };
    let text =
        |waiver: &super::settings::Waiver| format!("until {}, {} ({})", waiver.expires, waiver.reason, waiver.owner);
    let new = head.waivers.iter().filter(|waiver| !base.waivers.contains(waiver)).map(|waiver| Change {
        what: what(waiver),
        from: None,
        to: Some(text(waiver)),
        weaker: true,
    });
    let gone = base.waivers.iter().filter(|waiver| !head.waivers.contains(waiver)).map(|waiver| Change {
        what: what(waiver),
        from: Some(text(waiver)),
        to: None,
        weaker: false,
    });
    new.chain(gone).collect()
}

fn shown(value: f64, unit: Unit) -> String {
    Quantity::new(value, unit).map_or_else(|| value.to_string(), |quantity| quantity.to_string())
}
