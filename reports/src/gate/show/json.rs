//! The verdict for programs, schema `plimsoll.verdict/1`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cell;
use crate::gate::blame;
use crate::gate::verdict::{Next, Smallest, Verdict, Why};
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
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// The schema's name, always `plimsoll.verdict/1`.
    pub(super) schema: String,
    /// `PASS`, `UNDECIDED`, `FAIL`, `MISCONFIGURED`, `INVALID` or `UNFINISHED`.
    pub(super) outcome: String,
    /// What `plimsoll gate` ends with.
    pub(super) exit_code: u8,
    /// The verdict in one sentence.
    pub(super) headline: String,
    /// Why it is not enforced, if so.
    pub(super) advisory: Option<String>,
    /// Whether what is undecided ends with 3.
    pub(super) strict: bool,
    /// The base.
    pub(super) base: Side,
    /// The head.
    pub(super) head: Side,
    /// What is to be read before any figure.
    pub(super) notices: Vec<Notice>,
    /// Why there is no valid measurement.
    pub(super) invalid: Vec<String>,
    /// What is wrong with the rules.
    pub(super) misconfigured: Vec<String>,
    /// What has to be measured again before it is final.
    pub(super) next: Vec<Again>,
    /// The noisy figures that are judged together.
    pub(super) family: Family,
    /// Every figure that was judged.
    pub(super) rows: Vec<Row>,
    /// Crates whose versions differ.
    pub(super) lockfile: Vec<CrateChange>,
    /// Bytes per request by crate, where they differ.
    pub(super) crates: Vec<CrateBytes>,
    /// Cells that were profiled on both sides: of none, nothing is known of crates.
    pub(super) profiled: usize,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Side {
    /// The run's id.
    pub(super) run: String,
    /// When it was started (UTC).
    pub(super) started: String,
    /// Its commit.
    pub(super) git: Option<String>,
    /// Whether there were uncommitted changes.
    pub(super) dirty: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Notice {
    /// `weakened`, `rules`, `sides`, `dirty` or `other`.
    pub(super) kind: String,
    /// One sentence.
    pub(super) text: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    /// The cell's name.
    pub(super) cell: String,
    /// Processes of each side.
    pub(super) processes: usize,
    /// `rerun` or `confirm`.
    pub(super) why: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    /// Members.
    pub(super) size: usize,
    /// Pairs in each round.
    pub(super) pairs: usize,
    /// How often, at most, a round calls one grown that is not.
    pub(super) alpha: f64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// The cell's name.
    pub(super) cell: String,
    /// The subject's id.
    pub(super) subject: String,
    /// The scenario's id.
    pub(super) scenario: String,
    /// The probe.
    pub(super) probe: String,
    /// The cell's factors.
    pub(super) factors: BTreeMap<String, String>,
    /// The figure; null for the whole cell.
    pub(super) figure: Option<String>,
    /// `bytes`, `count` or `micros`.
    pub(super) unit: Option<String>,
    /// `exact`, `noisy`, `budget` or `presence`.
    pub(super) rule: String,
    /// What was decided.
    pub(super) state: String,
    /// The base's median.
    pub(super) base: Option<f64>,
    /// The head's.
    pub(super) head: Option<f64>,
    /// What the head has more.
    pub(super) difference: Option<f64>,
    /// The 95 % interval of a noisy difference.
    pub(super) interval: Option<[f64; 2]>,
    /// The p-value of an increase, by Holm.
    pub(super) p: Option<f64>,
    /// The increase that is let pass, or the budget.
    pub(super) limit: Option<f64>,
    /// The smallest change that would have been seen.
    pub(super) smallest: Option<Seen>,
    /// Processes of a side.
    pub(super) processes: usize,
    /// Whether fresh processes of a second round decided.
    pub(super) again: bool,
    /// By what it is waived.
    pub(super) waived: Option<Waived>,
    /// Where the difference comes from.
    pub(super) blame: Option<Blame>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    /// `over`: any that is over the value; `about`: the value; `none`: no change at all.
    pub(super) kind: String,
    /// In the row's unit.
    pub(super) value: Option<f64>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Waived {
    /// Why.
    pub(super) reason: String,
    /// Who answers for it.
    pub(super) owner: String,
    /// The last day on which it holds.
    pub(super) expires: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Blame {
    /// `by call site (dhat)`, the same with `, in whole blocks`, or `by mapping`.
    pub(super) by: String,
    /// The checkpoint that the parts and the difference are of, where it is not the figure's own.
    #[serde(default)]
    pub(super) as_of: Option<String>,
    /// The difference to be explained.
    pub(super) counted: f64,
    /// What the parts add up to.
    pub(super) explained: f64,
    /// How much of it the parts explain, from 0 to 1.
    pub(super) coverage: f64,
    /// The parts, the largest increase first.
    pub(super) parts: Vec<Part>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// A function, a named root, or a mapping.
    pub(super) name: String,
    /// The function's file.
    pub(super) file: Option<String>,
    /// The line in it.
    pub(super) line: Option<u32>,
    /// Whether it is a function of the project's own.
    pub(super) own: bool,
    /// The base's.
    pub(super) base: f64,
    /// The head's.
    pub(super) head: f64,
    /// What the head has more.
    pub(super) difference: f64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CrateChange {
    /// The crate.
    pub(super) name: String,
    /// The base's versions.
    pub(super) base: Vec<String>,
    /// The head's.
    pub(super) head: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CrateBytes {
    /// The crate.
    #[serde(rename = "crate")]
    pub(super) krate: String,
    /// Bytes per request on the base.
    pub(super) base: f64,
    /// On the head.
    pub(super) head: f64,
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
            .map(|n| Notice { kind: n.kind.name().to_owned(), text: n.text.clone() })
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
        profiled: verdict.profiled,
    }
}

fn one_again(again: &crate::gate::Again) -> Again {
    let why = match again.why {
        Why::Rerun => "rerun",
        Why::Confirm => "confirm",
    };
    Again { cell: cell::name(&again.cell), processes: again.processes, why: why.to_owned() }
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
        as_of: blame.as_of.clone(),
        counted: blame.counted.value(),
        explained: blame.explained.value(),
        coverage: blame.coverage,
        parts: blame.parts.iter().map(part).collect(),
    }
}
