//! The verdict for programs, schema `plimsoll.verdict/1`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cell;
use crate::gate::blame;
use crate::gate::verdict::{Next, NoticeKind, Smallest, Verdict, Why};
use crate::units::Quantity;

/// The schema's name, as it stands in every verdict.
pub const SCHEMA: &str = "plimsoll.verdict/1";

/// The verdict as indented JSON. The same verdict gives the same bytes.
#[must_use]
pub fn json(verdict: &Verdict) -> String {
    // Strings, whole and finite numbers: none that JSON cannot hold.
    serde_json::to_string_pretty(&document(verdict)).map(|text| text + "\n").unwrap_or_default()
}

/// The JSON Schema of it.
#[must_use]
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), json!("plimsoll.verdict/1: whether a head's memory is worse than a base's"));
    let mut schema = schema.to_value();
    if let Some(name) = schema.pointer_mut("/properties/schema") {
        name["const"] = json!(SCHEMA);
    }
    schema
}

/// A verdict. Quantities are in the unit of their row.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Document {
    /// The schema's name, always `plimsoll.verdict/1`.
    schema: String,
    /// `PASS`, `UNDECIDED`, `FAIL`, `MISCONFIGURED`, `INVALID` or `UNFINISHED`.
    outcome: String,
    /// What `plimsoll gate` ends with.
    exit_code: u8,
    /// The verdict in one sentence.
    headline: String,
    /// Why it is not enforced, if so.
    advisory: Option<String>,
    /// Whether what is undecided ends with 3.
    strict: bool,
    /// The base.
    base: Side,
    /// The head.
    head: Side,
    /// What is to be read before any figure.
    notices: Vec<Notice>,
    /// Why there is no valid measurement.
    invalid: Vec<String>,
    /// What is wrong with the rules.
    misconfigured: Vec<String>,
    /// What has to be measured again before it is final.
    next: Vec<Again>,
    /// The noisy figures that are judged together.
    family: Family,
    /// Every figure that was judged.
    rows: Vec<Row>,
    /// Crates whose versions differ.
    lockfile: Vec<CrateChange>,
    /// Bytes per request by crate, where they differ.
    crates: Vec<CrateBytes>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Side {
    /// The run's id.
    run: String,
    /// When it was started (UTC).
    started: String,
    /// Its commit.
    git: Option<String>,
    /// Whether there were uncommitted changes.
    dirty: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Notice {
    /// `weakened`, `rules`, `sides`, `dirty` or `other`.
    kind: String,
    /// One sentence.
    text: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Again {
    /// The cell's name.
    cell: String,
    /// Processes of each side.
    processes: usize,
    /// `rerun` or `confirm`.
    why: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Family {
    /// Members.
    size: usize,
    /// Pairs in each round.
    pairs: usize,
    /// How often, at most, a round calls one grown that is not.
    alpha: f64,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The cell's name.
    cell: String,
    /// The subject's id.
    subject: String,
    /// The scenario's id.
    scenario: String,
    /// The probe.
    probe: String,
    /// The cell's factors.
    factors: BTreeMap<String, String>,
    /// The figure; null for the whole cell.
    figure: Option<String>,
    /// `bytes`, `count` or `micros`.
    unit: Option<String>,
    /// `exact`, `noisy`, `budget` or `presence`.
    rule: String,
    /// What was decided.
    state: String,
    /// The base's median.
    base: Option<f64>,
    /// The head's.
    head: Option<f64>,
    /// What the head has more.
    difference: Option<f64>,
    /// The 95 % interval of a noisy difference.
    interval: Option<[f64; 2]>,
    /// The p-value of an increase, by Holm.
    p: Option<f64>,
    /// The increase that is let pass, or the budget.
    limit: Option<f64>,
    /// The smallest change that would have been seen.
    smallest: Option<Seen>,
    /// Processes of a side.
    processes: usize,
    /// Whether fresh processes of a second round decided.
    again: bool,
    /// By what it is waived.
    waived: Option<Waived>,
    /// Where the difference comes from.
    blame: Option<Blame>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// `over`: any that is over the value; `about`: the value; `none`: no change at all.
    kind: String,
    /// In the row's unit.
    value: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Waived {
    /// Why.
    reason: String,
    /// Who answers for it.
    owner: String,
    /// The last day on which it holds.
    expires: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Blame {
    /// `by call site (dhat)` or `by mapping`.
    by: String,
    /// The difference to be explained.
    counted: f64,
    /// What the parts add up to.
    explained: f64,
    /// How much of it the parts explain, from 0 to 1.
    coverage: f64,
    /// The parts, the largest increase first.
    parts: Vec<Part>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    /// A function, a named root, or a mapping.
    name: String,
    /// The function's file.
    file: Option<String>,
    /// The line in it.
    line: Option<u32>,
    /// Whether it is a function of the project's own.
    own: bool,
    /// The base's.
    base: f64,
    /// The head's.
    head: f64,
    /// What the head has more.
    difference: f64,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CrateChange {
    /// The crate.
    name: String,
    /// The base's versions.
    base: Vec<String>,
    /// The head's.
    head: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CrateBytes {
    /// The crate.
    #[serde(rename = "crate")]
    krate: String,
    /// Bytes per request on the base.
    base: f64,
    /// On the head.
    head: f64,
}

fn document(verdict: &Verdict) -> Document {
    let side = |side: &crate::gate::Side| Side {
        run: side.run.clone(),
        started: side.started.to_string(),
        git: side.git.clone(),
        dirty: side.dirty,
    };
    let next = match &verdict.next {
        Next::Done => Vec::new(),
        Next::Again(again) => again.iter().map(one_again).collect(),
    };
    Document {
        schema: SCHEMA.to_owned(),
        outcome: verdict.outcome.name().to_owned(),
        exit_code: verdict.exit_code(),
        headline: verdict.headline(),
        advisory: verdict.advisory.clone(),
        strict: verdict.strict,
        base: side(&verdict.base),
        head: side(&verdict.head),
        notices: verdict
            .notices
            .iter()
            .map(|n| Notice { kind: kind(n.kind).to_owned(), text: n.text.clone() })
            .collect(),
        invalid: verdict.invalid.clone(),
        misconfigured: verdict.misconfigured.clone(),
        next,
        family: Family { size: verdict.family.size, pairs: verdict.family.pairs, alpha: verdict.family.alpha },
        rows: verdict.rows.iter().map(row).collect(),
        lockfile: verdict
            .lockfile
            .iter()
            .map(|c| CrateChange { name: c.name.clone(), base: c.base.clone(), head: c.head.clone() })
            .collect(),
        crates: verdict
            .crates
            .iter()
            .map(|c| CrateBytes { krate: c.krate.clone(), base: c.base.value(), head: c.head.value() })
            .collect(),
    }
}

fn one_again(again: &crate::gate::Again) -> Again {
    let why = match again.why {
        Why::Rerun => "rerun",
        Why::Confirm => "confirm",
    };
    Again { cell: cell::name(&again.cell), processes: again.processes, why: why.to_owned() }
}

fn kind(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Weakened => "weakened",
        NoticeKind::Rules => "rules",
        NoticeKind::Sides => "sides",
        NoticeKind::Dirty => "dirty",
        NoticeKind::Other => "other",
    }
}

fn row(row: &crate::gate::Row) -> Row {
    let value = |quantity: Option<Quantity>| quantity.map(Quantity::value);
    let seen = |kind: &str, value: Option<f64>| Seen { kind: kind.to_owned(), value };
    Row {
        cell: cell::name(&row.cell),
        subject: row.cell.subject.clone(),
        scenario: row.cell.scenario.clone(),
        probe: row.cell.probe.clone(),
        factors: row.cell.factors.clone(),
        figure: row.figure.as_ref().map(ToString::to_string),
        unit: row.figure.as_ref().map(|figure| figure.unit().name().to_owned()),
        rule: row.rule.name().to_owned(),
        state: row.state.name().to_owned(),
        base: value(row.base),
        head: value(row.head),
        difference: value(row.difference),
        interval: row.interval.map(|(low, high)| [low.value(), high.value()]),
        p: row.p,
        limit: value(row.limit),
        smallest: row.smallest.map(|smallest| match smallest {
            Smallest::Over(floor) => seen("over", Some(floor.value())),
            Smallest::About(change) => seen("about", Some(change.value())),
            Smallest::Nothing => seen("none", None),
        }),
        processes: row.processes,
        again: row.again,
        waived: row.waived.as_ref().map(|waived| Waived {
            reason: waived.reason.clone(),
            owner: waived.owner.clone(),
            expires: waived.expires.to_string(),
        }),
        blame: row.blame.as_ref().map(blamed),
    }
}

fn blamed(blame: &blame::Blame) -> Blame {
    let part = |part: &blame::Part| Part {
        name: part.name.clone(),
        file: part.file.clone(),
        line: part.line,
        own: part.own,
        base: part.base.value(),
        head: part.head.value(),
        difference: part.difference.value(),
    };
    Blame {
        by: blame.by.to_owned(),
        counted: blame.counted.value(),
        explained: blame.explained.value(),
        coverage: blame.coverage,
        parts: blame.parts.iter().map(part).collect(),
    }
}
