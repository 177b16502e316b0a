//! What was not alike where and with what two records were measured, and what that can move.

use crate::circumstances::{ALL, CODE, brief, differing};
use crate::record::{Record, ScenarioInfo, Status};
use crate::view::View;

/// A condition that was not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// In the first record, and in the second.
    pub sides: (String, String),
    /// The figures that it can move without a change of code.
    pub moves: &'static str,
}

/// All conditions that differ.
pub(super) fn of(a: &View, b: &View) -> Vec<Condition> {
    let told = |name: &str, moves, (one, other): (&str, &str)| Condition {
        name: name.to_owned(),
        sides: (brief(one), brief(other)),
        moves,
    };
    let mut all: Vec<Condition> = Vec::new();
    let commits = (commit(&a.record), commit(&b.record));
    if commits.0 != commits.1 {
        all.push(told("commit", CODE, (&commits.0, &commits.1)));
    }
    let differing = differing(&a.record, &b.record).into_iter();
    all.extend(differing.map(|(one, other)| told(one.name, one.moves, (&one.value, &other.value))));
    all.extend(answers(a, b));
    all.extend(protocols(a, b));
    all
}

fn commit(record: &Record) -> String {
    let dirty = if record.tool.dirty { " with changes" } else { "" };
    let short = |git: &str| git.chars().take(12).collect::<String>();
    format!("{}{dirty}", record.tool.git.as_deref().map_or_else(|| "not a git checkout".to_owned(), short))
}

/// Scenarios of one name whose answers or steps are not the same.
fn answers(a: &View, b: &View) -> Vec<Condition> {
    let told = |info: &ScenarioInfo| {
        let size = info.body_bytes.map_or_else(|| "size not known".to_owned(), |bytes| format!("{bytes} B"));
        let events = info.events.map_or_else(String::new, |events| format!(" in {events} events"));
        let steps: Vec<String> = info.steps.iter().chain(&info.held).map(u64::to_string).collect();
        format!("{size}{events}, {} at a time, read at {}", info.in_flight, steps.join(" "))
    };
    let of = |info: &ScenarioInfo| {
        let other = &b.scenario(&info.id)?.info;
        let sides = (told(info), told(other));
        (sides.0 != sides.1).then(|| Condition { name: format!("answers of {}", info.id), sides, moves: ALL })
    };
    a.scenarios.iter().filter_map(|scenario| of(&scenario.info)).collect()
}

/// Cells of both that did not speak the same protocol.
fn protocols(a: &View, b: &View) -> Vec<Condition> {
    let spoken = |view: &View, cell: &crate::record::Cell| {
        let mut valid = view.record.samples.iter().filter(|s| s.status == Status::Ok && s.cell == *cell);
        valid.find_map(|sample| Some(sample.answers.protocol.clone()).filter(|protocol| !protocol.is_empty()))
    };
    let mut all: Vec<Condition> = Vec::new();
    for cell in a.cells.iter().map(|figures| &figures.cell) {
        let (Some(x), Some(y)) = (spoken(a, cell), spoken(b, cell)) else { continue };
        let name = format!("protocol of {}, {}", cell.subject, cell.scenario);
        if x != y && !all.iter().any(|condition| condition.name == name) {
            all.push(Condition { name, sides: (x, y), moves: ALL });
        }
    }
    all
}
