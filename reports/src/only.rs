//! A part of a record: what was measured of some subjects.

use thiserror::Error;

use crate::record::Record;

/// A name that is no subject of the record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the record has no subject `{given}`: it has {known}")]
pub struct NoSubject {
    given: String,
    known: String,
}

/// The record of these subjects alone, in the record's own order; the whole record where none is named.
///
/// # Errors
/// A name that is no subject of the plan.
pub fn subjects(record: Record, names: &[String]) -> Result<Record, NoSubject> {
    let is_known = |name: &String| record.plan.subjects.iter().any(|subject| subject.id == *name);
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        let known: Vec<&str> = record.plan.subjects.iter().map(|subject| subject.id.as_str()).collect();
        return Err(NoSubject { given: unknown.chars().take(64).collect(), known: known.join(", ") });
    }
    if names.is_empty() {
        return Ok(record);
    }
    let mut record = record;
    let is_meant = |id: &str| names.iter().any(|name| name == id);
    record.plan.subjects.retain(|subject| is_meant(&subject.id));
    record.plan.cells.retain(|planned| is_meant(&planned.cell.subject));
    record.samples.retain(|sample| is_meant(&sample.cell.subject));
    Ok(record)
}
