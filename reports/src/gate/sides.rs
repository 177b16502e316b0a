//! Whether two records can be compared at all: where, by what and of what they were made.

use std::fmt;

use super::settings::Base;
use crate::circumstances::{Bars, brief, differing};
use crate::record::{Record, ScenarioInfo};

/// Something that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What: `compiler`, `trusted roots`.
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

/// What differs between the sides. Sides that were measured in turns must agree in everything but the lockfile; a base that was recorded some
/// other time in all that can move a count.
#[must_use]
pub fn differences(base: &Record, head: &Record, kind: Base) -> Vec<Difference> {
    let bars = |bars: Bars| match bars {
        Bars::Counts => true,
        Bars::Measured => kind == Base::Measured,
        Bars::Recorded => kind == Base::Recorded,
        Bars::Never => false,
    };
    let mut found: Vec<Difference> = differing(base, head)
        .into_iter()
        .map(|(base, head)| Difference { what: base.name, bars: bars(base.bars), base: base.value, head: head.value })
        .collect();
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
