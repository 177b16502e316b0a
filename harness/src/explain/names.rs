//! Every name that there is, and what it means.

use std::collections::BTreeSet;

use clap::ValueEnum;
use plimsoll_reports::gate::{NoticeKind, Outcome, Rule, Rules, State, Wanted};
use plimsoll_reports::line::IN_FLIGHT;
use plimsoll_reports::metric::{self, Kind, METRICS, Metric};
use plimsoll_reports::units::Quantity;
use schemars::JsonSchema;

use super::Meaning;
use super::documents::{self, Row};
use crate::config::{Allocator, Crypto, Probe, Project, Protocol, Runtime, Streams};
use crate::plan::{self, Narrow, scenario};

/// All that has a name; of a project, also its own. Of one sort after the other, in the order of reports.
#[must_use]
pub fn all(project: Option<&Project>) -> Vec<Meaning> {
    let rules = project.and_then(|project| project.config.rules().ok());
    let mut all: Vec<Meaning> = METRICS.iter().map(|metric| of_metric(metric, rules.as_ref())).collect();
    all.extend(figures());
    all.extend(documents::checkpoints().into_iter().map(|row| of("checkpoint", row, &["why there"])));
    all.extend(probes());
    all.extend(factors());
    all.extend(scenarios());
    all.extend(project.into_iter().flat_map(of_project));
    all.extend(documents::statuses().into_iter().map(|row| of("outcome of a sample", row, &[])));
    all.extend(State::ALL.map(|state| short("outcome of a figure, by the gate", state.name(), state.meaning())));
    all.extend(Outcome::ALL.map(|outcome| short("verdict of the gate", outcome.name(), outcome.meaning())));
    all.extend(Rule::ALL.map(|rule| short("rule of the gate", rule.name(), rule.meaning())));
    all.extend(NoticeKind::ALL.map(|kind| short("notice of the gate", kind.name(), kind.meaning())));
    all.extend(documents::words().into_iter().map(|row| of("word", row, &[])));
    all
}

fn short(sort: &'static str, name: &str, meaning: &str) -> Meaning {
    Meaning { sort, names: vec![name.to_owned()], meaning: meaning.to_owned(), facts: Vec::new() }
}

/// A row of a document: its second cell is the meaning, and the further ones are `facts`.
fn of(sort: &'static str, row: Row, facts: &[&'static str]) -> Meaning {
    let mut cells = row.cells.into_iter();
    let meaning = cells.next().unwrap_or_default();
    Meaning { sort, names: row.names, meaning, facts: facts.iter().copied().zip(cells).collect() }
}

fn of_metric(metric: &Metric, rules: Option<&Rules>) -> Meaning {
    let forms = match metric.kind {
        Kind::Counter => vec![format!("{} per request", metric.id), format!("growth {}", metric.id)],
        Kind::Level | Kind::Peak => {
            let mut forms: Vec<String> =
                ["growth", "slope", "step", "residue"].iter().map(|form| format!("{form} {}", metric.id)).collect();
            forms.extend((metric.kind == Kind::Level).then(|| format!("{} per request in flight", metric.id)));
            forms
        }
    };
    let mut facts = vec![
        ("called", metric.label.to_owned()),
        ("unit", metric.unit.name().to_owned()),
        ("behaves", metric.kind.meaning().to_owned()),
        ("figures", format!("{}, {} at CHECKPOINT", forms.join(", "), metric.id)),
    ];
    facts.extend(documents::group(metric.id).map(|group| ("of", group)));
    facts.extend(rules.and_then(|rules| gated(metric.id, rules)).map(|gated| ("gate", gated)));
    Meaning { sort: "metric", names: vec![metric.id.to_owned()], meaning: metric.definition.to_owned(), facts }
}

/// What the project's gate makes of a metric, if it is told of it.
fn gated(id: &str, rules: &Rules) -> Option<String> {
    let told = |wanted: &Wanted| wanted.metric() == id;
    let family = rules.family.iter().filter(|wanted| told(wanted)).map(|wanted| format!("{wanted} is in the family"));
    let floors =
        rules.floors.iter().filter(|(wanted, floor)| told(wanted) && **floor > 0.0).filter_map(|(wanted, floor)| {
            let floor = Quantity::new(*floor, metric::unit(id))?;
            Some(format!("an increase of {wanted} of {floor} is let pass"))
        });
    let all: Vec<String> = family.chain(floors).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Forms of figures, by the glossary, with their formula. What a level at a checkpoint is, its formula says.
fn figures() -> Vec<Meaning> {
    let mut formulas = documents::formulas();
    let mut all: Vec<Meaning> = documents::figures()
        .into_iter()
        .map(|row| {
            let is = |formula: &Row| row.names.iter().any(|name| name.replace('-', " ").starts_with(&formula.names[0]));
            let formula = formulas.iter().position(is).map(|at| formulas.remove(at));
            let mut meaning = of("figure", row, &[]);
            let facts = formula.into_iter().flat_map(|row| ["formula", "made of"].into_iter().zip(row.cells));
            meaning.facts = facts.filter(|(_, text)| *text != meaning.meaning).collect();
            meaning
        })
        .collect();
    all.extend(formulas.into_iter().map(|row| of("figure", row, &["made of"])));
    all
}

fn probes() -> Vec<Meaning> {
    let rows = documents::probes();
    let one = |probe: &Probe| {
        let row = rows.iter().find(|row| row.names.iter().any(|name| name == probe.as_str()));
        let mut facts: Vec<(&'static str, String)> = Vec::new();
        facts.extend(
            row.into_iter().flat_map(|row| ["in the process", "cannot see"].into_iter().zip(row.cells.clone())),
        );
        Meaning { facts, ..short("probe", probe.as_str(), &help(*probe)) }
    };
    Probe::ALL.iter().map(one).collect()
}

/// Factors of cells and their values; what the words of the glossary say of is said there.
fn factors() -> Vec<Meaning> {
    let mut all = Vec::new();
    factor::<Allocator>(&mut all, "allocator");
    factor::<Runtime>(&mut all, "runtime");
    factor::<Protocol>(&mut all, "protocol");
    factor::<Crypto>(&mut all, "crypto");
    factor::<Streams>(&mut all, "streams");
    let held = "how many requests a cell of `plimsoll line` holds open at once";
    all.push(short("factor", IN_FLIGHT, held));
    all
}

fn factor<T: ValueEnum + JsonSchema>(all: &mut Vec<Meaning>, name: &'static str) {
    let values = || T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let schema = schemars::schema_for!(T);
    let meaning = schema.get("description").and_then(|text| text.as_str()).unwrap_or_default();
    let names: Vec<String> = values().map(|value| value.get_name().to_owned()).collect();
    let facts = vec![("values", names.join(", "))];
    all.push(Meaning { facts, ..short("factor", name, meaning) });
    let one = |value: clap::builder::PossibleValue| {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        Meaning { facts: vec![("factor", name.to_owned())], ..short("value of a factor", value.get_name(), &help) }
    };
    all.extend(values().map(one));
}

/// What clap's help says of a value.
fn help(value: impl ValueEnum) -> String {
    value.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
}

fn scenarios() -> impl Iterator<Item = Meaning> {
    let list = |numbers: &[u64]| numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    scenario::ALL.iter().map(move |scenario| {
        let mut facts = vec![("deterministic", if scenario.deterministic { "yes" } else { "no" }.to_owned())];
        if !scenario.steps.is_empty() {
            facts.push(("read after", format!("{} requests, {} at a time", list(scenario.steps), scenario.in_flight)));
        }
        if !scenario.held.is_empty() {
            facts.push(("read with", format!("{} requests held open", list(scenario.held))));
        }
        Meaning { facts, ..short("scenario", scenario.id, scenario.description) }
    })
}

fn of_project(project: &Project) -> Vec<Meaning> {
    let config = &project.config;
    let mut all = Vec::new();
    for subject in &config.subject {
        let info = plan::subject_info(subject);
        let or_id =
            |text: String| if text.is_empty() { format!("a subject of {}", project.path().display()) } else { text };
        let mut facts = vec![
            ("kind", info.kind),
            ("probes", subject.probes.iter().map(|probe| probe.as_str()).collect::<Vec<_>>().join(", ")),
        ];
        facts.extend(info.below.map(|below| ("above", format!("{below}, which has one component less"))));
        if !subject.techniques.is_empty() {
            facts.push(("techniques", subject.techniques.join(", ")));
        }
        let has = |(_, suite): &(&String, &crate::config::Suite)| suite.subjects.contains(&subject.id);
        let suites: Vec<&str> = config.suite.iter().filter(has).map(|(name, _)| name.as_str()).collect();
        if !suites.is_empty() {
            facts.push(("suites", suites.join(", ")));
        }
        all.push(Meaning { facts, ..short("subject", &subject.id, &or_id(subject.description.clone())) });
    }
    for (name, suite) in &config.suite {
        let cells =
            plan::select(project, name, &Narrow::default()).map(|selection| selection.cells.len()).unwrap_or_default();
        let meaning =
            if suite.description.is_empty() { "cells that are measured together" } else { suite.description.as_str() };
        let facts = vec![
            ("subjects", suite.subjects.join(", ")),
            ("scenarios", suite.scenarios.join(", ")),
            ("cells", format!("{cells}: plimsoll list cells --suite {name}")),
        ];
        all.push(Meaning { facts, ..short("suite", name, meaning) });
    }
    let techniques: BTreeSet<&String> = config.subject.iter().flat_map(|subject| &subject.techniques).collect();
    for technique in techniques {
        let of: Vec<&str> = config
            .subject
            .iter()
            .filter(|subject| subject.techniques.contains(technique))
            .map(|subject| subject.id.as_str())
            .collect();
        let meaning = format!("a way to save memory that {} can turn on or off (PLIMSOLL_SWITCHES)", of.join(", "));
        let facts = vec![(
            "measured by",
            "a suite whose `switches` have `each` and `without-each`: plimsoll run --ablate".to_owned(),
        )];
        all.push(Meaning { facts, ..short("technique", technique, &meaning) });
    }
    all
}
