//! What was not alike where and with what two records were measured, and what that can move.

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

const CODE: &str = "what is compared: this may be the change";
const ALL: &str = "every figure: the work is not the same";
const PAGES: &str = "resident memory";
const MACHINE: &str = "resident memory and time; not allocations";
const TIME: &str = "time; with several threads also memory";
const START: &str = "memory and allocations until the first request";
const NONE: &str = "nothing by itself";

/// All conditions that differ.
pub(super) fn of(a: &View, b: &View) -> Vec<Condition> {
    let pairs = environment(&a.record).into_iter().zip(environment(&b.record));
    let mut all: Vec<Condition> = pairs
        .filter(|((_, x, _), (_, y, _))| x != y)
        .map(|((name, x, moves), (_, y, _))| Condition { name: name.to_owned(), sides: (x, y), moves })
        .collect();
    all.extend(answers(a, b));
    all.extend(protocols(a, b));
    all
}

fn environment(record: &Record) -> Vec<(&'static str, String, &'static str)> {
    let e = &record.environment;
    let dirty = if record.tool.dirty { " with changes" } else { "" };
    let named = |map: &std::collections::BTreeMap<String, String>| {
        map.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    let git = record.tool.git.as_deref().map_or_else(|| "not a git checkout".to_owned(), short);
    let commit = format!("{git}{dirty}");
    vec![
        ("commit", commit, CODE),
        ("Cargo.lock", e.lockfile.as_deref().map_or_else(|| "none".to_owned(), short), CODE),
        ("compiler", e.rustc.clone(), "every figure of a Rust program"),
        ("profile", e.profile.clone(), "every figure of a Rust program"),
        ("plimsoll", record.tool.version.clone(), NONE),
        ("target", e.target.clone(), ALL),
        ("replies", short(&e.corpus), ALL),
        ("trusted roots", format!("{}, {}", e.trust.roots, short(&e.trust.digest)), START),
        ("kernel", e.kernel.clone(), MACHINE),
        ("processor", format!("{}, {}, {} cores", e.cpu, e.arch, e.cores), MACHINE),
        ("memory", crate::units::Bytes(i64::try_from(e.memory).unwrap_or(i64::MAX)).to_string(), TIME),
        ("C library", e.libc.clone(), "every figure: the allocator is its"),
        ("huge pages", e.thp.clone(), PAGES),
        ("address randomisation", if e.aslr_off { "off" } else { "on" }.to_owned(), PAGES),
        ("given to subjects", named(&e.subject_env), PAGES),
        ("jemalloc’s options", named(&e.jemalloc), "what is measured on jemalloc"),
    ]
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
