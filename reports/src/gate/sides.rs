//! Whether two records can be compared at all: where, by what and of what they were made.

use std::fmt;

use super::settings::Base;
use crate::record::{Record, ScenarioInfo};

/// These are read back by a sample with jemalloc: a record without one, such as a second round's, says nothing of them.
const JEMALLOC: &str = "jemalloc options";

/// Something that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What: `rustc`, `trust bundle`.
    pub what: &'static str,
    /// The base's.
    pub base: String,
    /// The head's.
    pub head: String,
    /// Whether no figure can be compared because of it.
    pub bars: bool,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} on the base, {} on the head", self.what, brief(&self.base), brief(&self.head))
    }
}

/// A digest by its beginning, which tells two apart; anything else as it is.
fn brief(text: &str) -> &str {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { &text[..12] } else { text }
}

/// What differs between the sides. Sides that were measured in turns must agree in everything but the lockfile; a base that was recorded some
/// other time in all that can move a count.
#[must_use]
pub fn differences(base: &Record, head: &Record, kind: Base) -> Vec<Difference> {
    let (b, h) = (&base.environment, &head.environment);
    let map = |map: &std::collections::BTreeMap<String, String>| {
        map.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let number = |number: Option<u64>| number.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
    let trust =
        |record: &Record| format!("{} roots, {}", record.environment.trust.roots, record.environment.trust.digest);
    let aslr = |off: bool| if off { "off" } else { "on" }.to_owned();
    // Each with whether it can move a count, too.
    let all = [
        ("target", b.target.clone(), h.target.clone(), true),
        ("architecture", b.arch.clone(), h.arch.clone(), true),
        ("rustc", b.rustc.clone(), h.rustc.clone(), true),
        ("profile", b.profile.clone(), h.profile.clone(), true),
        ("C library", b.libc.clone(), h.libc.clone(), true),
        ("page size", b.page_size.to_string(), h.page_size.to_string(), true),
        ("replies (corpus)", b.corpus.clone(), h.corpus.clone(), true),
        ("trust bundle", trust(base), trust(head), true),
        ("environment of subjects", map(&b.subject_env), map(&h.subject_env), true),
        (JEMALLOC, map(&b.jemalloc), map(&h.jemalloc), false),
        ("kernel", b.kernel.clone(), h.kernel.clone(), false),
        ("processor", b.cpu.clone(), h.cpu.clone(), false),
        ("cores", b.cores.to_string(), h.cores.to_string(), false),
        ("memory", b.memory.to_string(), h.memory.to_string(), false),
        ("huge pages", b.thp.clone(), h.thp.clone(), false),
        ("address randomisation", aslr(b.aslr_off), aslr(h.aslr_off), false),
        ("open files", number(b.open_files), number(h.open_files), false),
    ];
    let mut found: Vec<Difference> = all
        .into_iter()
        .filter(|(what, base, head, _)| base != head && !(*what == JEMALLOC && (base.is_empty() || head.is_empty())))
        .map(|(what, base, head, counts)| Difference { what, base, head, bars: counts || kind == Base::Measured })
        .collect();
    if b.lockfile != h.lockfile {
        let (base, head) = (text(&b.lockfile), text(&h.lockfile));
        found.push(Difference { what: "Cargo.lock", base, head, bars: kind == Base::Recorded });
    }
    if base.tool.version != head.tool.version {
        let (base, head) = (base.tool.version.clone(), head.tool.version.clone());
        found.push(Difference { what: "plimsoll", base, head, bars: false });
    }
    found.extend(head.plan.scenarios.iter().filter_map(|scenario| {
        let before = base.plan.scenarios.iter().find(|before| before.id == scenario.id)?;
        (work(before) != work(scenario)).then(|| Difference {
            what: "work of a scenario",
            base: described(before),
            head: described(scenario),
            bars: true,
        })
    }));
    found
}

/// What a scenario does, without the words for it.
fn work(scenario: &ScenarioInfo) -> ScenarioInfo {
    ScenarioInfo { description: String::new(), ..scenario.clone() }
}

fn described(scenario: &ScenarioInfo) -> String {
    let size = |size: Option<u64>| size.map_or_else(|| "unknown".to_owned(), |size| size.to_string());
    let list = |list: &[u64]| list.iter().map(u64::to_string).collect::<Vec<_>>().join("/");
    format!(
        "{} ({}, {} in flight, {} B in {} events, steady at {}, held {}{})",
        scenario.id,
        scenario.method,
        scenario.in_flight,
        size(scenario.body_bytes),
        size(scenario.events),
        list(&scenario.steps),
        if scenario.held.is_empty() { "none".to_owned() } else { list(&scenario.held) },
        if scenario.deterministic { ", deterministic" } else { "" },
    )
}
