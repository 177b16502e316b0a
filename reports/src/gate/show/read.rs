//! A verdict read back from its JSON, from whoever wrote it: a pull request's comment is made of a file that the pull request's own code could have
//! written.
//!
//! Nothing is taken over that is not of the schema's shape, every number is finite, every text is cleaned as those of a record are, and what
//! follows from something else (the sentence, the exit status) is worked out again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use thiserror::Error;

use super::json::{self, Document, SCHEMA};
use crate::clean::{name, text_within};
use crate::derive::Figure;
use crate::gate::blame::{self, Blame, Part};
use crate::gate::lock::CrateChange;
use crate::gate::verdict::{
    Family, Next, Notice, NoticeKind, Outcome, Row, Rule, Side, Smallest, State, Verdict, Waived,
};
use crate::record::Cell;
use crate::units::{Quantity, Unit};

/// The most bytes that a verdict may have: some 8,000 rows.
pub const MOST: usize = 8 << 20;

/// The largest figure that is read: below it every whole number is exact.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// Why bytes are not a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerdictError {
    /// There is too much of it.
    #[error("the verdict has {0} bytes, and more than {MOST} are not read")]
    TooLarge(usize),
    /// It is no JSON, or not of the schema's shape.
    #[error("the verdict is wrong at `{path}`: {detail}; `plimsoll gate` writes it, run it again")]
    Shape {
        /// Path of the value in the document.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// It has another version than this program reads.
    #[error(
        "the verdict's schema is `{0}` and this version reads `{SCHEMA}`: render it with the plimsoll that wrote it"
    )]
    OtherSchema(String),
    /// The gate did not come to an end.
    #[error("the verdict is unfinished: the gate was ended before it had measured everything; run it again")]
    Unfinished,
}

/// Whether bytes say of themselves that they are a verdict, of whatever version.
#[must_use]
pub fn is_verdict(bytes: &[u8]) -> bool {
    head(bytes).is_some_and(|schema| schema.starts_with("plimsoll.verdict/"))
}

/// Reads a verdict.
///
/// # Errors
/// When the bytes are no finished verdict of this schema version; the error names the place.
pub fn read(bytes: &[u8]) -> Result<Verdict, VerdictError> {
    if bytes.len() > MOST {
        return Err(VerdictError::TooLarge(bytes.len()));
    }
    // The version first: another one is wrong at many places, and none of them is the cause.
    if let Some(schema) = head(bytes).filter(|schema| schema != SCHEMA) {
        return Err(VerdictError::OtherSchema(name(&schema)));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let document: Document = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| wrong(&error.path().to_string(), &error.inner().to_string()))?;
    reader.end().map_err(|error| wrong(".", &error.to_string()))?;
    verdict(document)
}

#[derive(Deserialize)]
struct Head {
    schema: String,
}

fn head(bytes: &[u8]) -> Option<String> {
    serde_json::from_slice::<Head>(bytes).ok().map(|head| head.schema)
}

/// A text of a verdict: a sentence of ours around what was cut to its length already, with a name or two.
fn text(raw: &str) -> String {
    text_within(raw, 2_000)
}

fn wrong(path: &str, detail: &str) -> VerdictError {
    VerdictError::Shape { path: text_within(path, 200), detail: text_within(detail, 600) }
}

type Read<T> = Result<T, VerdictError>;

fn verdict(document: Document) -> Read<Verdict> {
    let d = document;
    let outcome = named("outcome", &d.outcome, &Outcome::ALL, Outcome::name)?;
    if outcome == Outcome::Unfinished || !d.next.is_empty() {
        return Err(VerdictError::Unfinished);
    }
    let texts = |texts: Vec<String>| texts.iter().map(|one| text(one)).collect();
    let notice = |(at, n): (usize, &json::Notice)| {
        let kind = named(&format!("notices[{at}].kind"), &n.kind, &NoticeKind::ALL, NoticeKind::name)?;
        Ok(Notice { kind, text: text(&n.text) })
    };
    let krate = |(at, c): (usize, &json::CrateBytes)| {
        let bytes = |value| quantity(&format!("crates[{at}]"), value, Unit::Bytes);
        Ok(blame::CrateBytes { krate: name(&c.krate), base: bytes(c.base)?, head: bytes(c.head)? })
    };
    let versions = |versions: &[String]| versions.iter().map(|version| name(version)).collect();
    let read = Verdict {
        outcome,
        next: Next::Done,
        strict: d.strict,
        advisory: d.advisory.as_deref().map(text),
        base: side("base", &d.base)?,
        head: side("head", &d.head)?,
        notices: d.notices.iter().enumerate().map(notice).collect::<Read<_>>()?,
        invalid: texts(d.invalid),
        misconfigured: texts(d.misconfigured),
        family: Family { size: d.family.size, pairs: d.family.pairs, alpha: number("family.alpha", d.family.alpha)? },
        rows: d.rows.iter().enumerate().map(|(at, one)| row(&format!("rows[{at}]"), one)).collect::<Read<_>>()?,
        lockfile: d
            .lockfile
            .iter()
            .map(|c| CrateChange { name: name(&c.name), base: versions(&c.base), head: versions(&c.head) })
            .collect(),
        crates: d.crates.iter().enumerate().map(krate).collect::<Read<_>>()?,
        profiled: d.profiled,
    };
    let code = read.exit_code();
    if d.exit_code != code {
        return Err(wrong("exit_code", &format!("is {}, and its outcome {} ends with {code}", d.exit_code, d.outcome)));
    }
    Ok(read)
}

fn side(path: &str, side: &json::Side) -> Read<Side> {
    let started: Timestamp =
        side.started.parse().map_err(|_| wrong(&format!("{path}.started"), "is no point in time"))?;
    Ok(Side { run: name(&side.run), started, git: side.git.as_deref().map(name), dirty: side.dirty })
}

fn row(path: &str, row: &json::Row) -> Read<Row> {
    let at = |field: &str| format!("{path}.{field}");
    let figure = row.figure.as_deref().map(|figure| name(figure).parse::<Figure>());
    let figure = figure.transpose().map_err(|error| wrong(&at("figure"), &error.to_string()))?;
    let unit = figure.as_ref().map(Figure::unit);
    if row.unit.as_deref() != unit.map(Unit::name) {
        return Err(wrong(&at("unit"), "is not that of the figure"));
    }
    // A row of a whole cell has no quantities; should it say one all the same, it is a number of something.
    let unit = unit.unwrap_or(Unit::Count);
    let value = |field: &str, value: Option<f64>| value.map(|v| quantity(&at(field), v, unit)).transpose();
    Ok(Row {
        cell: Cell {
            subject: name(&row.subject),
            scenario: name(&row.scenario),
            probe: name(&row.probe),
            factors: row.factors.iter().map(|(key, value)| (name(key), name(value))).collect::<BTreeMap<_, _>>(),
        },
        rule: named(&at("rule"), &row.rule, &Rule::ALL, Rule::name)?,
        state: named(&at("state"), &row.state, &State::ALL, State::name)?,
        base: value("base", row.base)?,
        head: value("head", row.head)?,
        difference: value("difference", row.difference)?,
        interval: match row.interval {
            None => None,
            Some([low, high]) => Some((quantity(&at("interval"), low, unit)?, quantity(&at("interval"), high, unit)?)),
        },
        p: row.p.map(|p| number(&at("p"), p)).transpose()?,
        limit: value("limit", row.limit)?,
        smallest: row.smallest.as_ref().map(|seen| smallest(&at("smallest"), seen, unit)).transpose()?,
        processes: row.processes,
        again: row.again,
        waived: row.waived.as_ref().map(|waived| by(&at("waived"), waived)).transpose()?,
        blame: row.blame.as_ref().map(|blame| blamed(&at("blame"), blame, unit)).transpose()?,
        figure,
    })
}

fn smallest(path: &str, seen: &json::Seen, unit: Unit) -> Read<Smallest> {
    match (seen.kind.as_str(), seen.value) {
        ("over", Some(value)) => Ok(Smallest::Over(quantity(path, value, unit)?)),
        ("about", Some(value)) => Ok(Smallest::About(quantity(path, value, unit)?)),
        ("none", None) => Ok(Smallest::Nothing),
        _ => Err(wrong(path, "is neither `over` nor `about` with a value, nor `none` without one")),
    }
}

fn by(path: &str, waived: &json::Waived) -> Read<Waived> {
    let expires: Date =
        waived.expires.parse().map_err(|_| wrong(&format!("{path}.expires"), "is no day, as 2027-01-31 is"))?;
    Ok(Waived { reason: text(&waived.reason), owner: text(&waived.owner), expires })
}

fn blamed(path: &str, told: &json::Blame, unit: Unit) -> Read<Blame> {
    let by = blame::WAYS.into_iter().find(|way| *way == told.by);
    let by = by.ok_or_else(|| wrong(&format!("{path}.by"), &format!("is none of: {}", blame::WAYS.join(", "))))?;
    let value = |field: &str, value: f64| quantity(&format!("{path}.{field}"), value, unit);
    let part = |part: &json::Part| {
        Ok(Part {
            name: text(&part.name),
            file: part.file.as_deref().map(text),
            line: part.line,
            own: part.own,
            base: value("parts", part.base)?,
            head: value("parts", part.head)?,
            difference: value("parts", part.difference)?,
        })
    };
    Ok(Blame {
        by,
        as_of: told.as_of.as_deref().map(name),
        counted: value("counted", told.counted)?,
        explained: value("explained", told.explained)?,
        coverage: number(&format!("{path}.coverage"), told.coverage)?,
        parts: told.parts.iter().map(part).collect::<Read<_>>()?,
    })
}

/// JSON has no infinity, but a number beyond all bounds would be written out in full.
fn number(path: &str, value: f64) -> Read<f64> {
    if value.abs() <= LARGEST { Ok(value) } else { Err(wrong(path, "is beyond 2^53")) }
}

fn quantity(path: &str, value: f64, unit: Unit) -> Read<Quantity> {
    Quantity::new(number(path, value)?, unit).ok_or_else(|| wrong(path, "is not a finite number"))
}

fn named<T: Copy>(path: &str, given: &str, all: &[T], name_of: impl Fn(T) -> &'static str) -> Read<T> {
    all.iter().copied().find(|one| name_of(*one) == given).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|one| name_of(*one)).collect();
        wrong(path, &format!("is {:?}, and none of: {}", name(given), known.join(", ")))
    })
}
