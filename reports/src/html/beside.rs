//! Subjects that have other processes do their work, beside those processes.

use maud::{Markup, html};

use super::{not_measured, table};
use crate::view::{Scenario, View};

/// A table for each scenario in which a subject had a process beside it.
pub(super) fn section(view: &View) -> Markup {
    let shown: Vec<Markup> = view.scenarios.iter().enumerate().filter_map(|(at, s)| beside_of(view, s, at)).collect();
    if shown.is_empty() {
        return not_measured("no subject had a helper or a proxy.");
    }
    html! {
        p { "What a subject has done by another process it does not save: everywhere else on this page its figures are its own alone, here they stand beside those of its helpers and of the proxy that was started for it. For the same reason the verdict passes it over, and it is marked as lowest of nothing but time." }
        @for part in &shown { (part) }
    }
}

fn beside_of(view: &View, scenario: &Scenario, at: usize) -> Option<Markup> {
    let blocks = view.beside(scenario);
    let about = format!("Subjects with helpers or a proxy, {}", scenario.info.id);
    (!blocks.is_empty()).then(|| html! {
        h3 { (scenario.info.id) }
        @for (number, block) in blocks.iter().enumerate() { (table::one(block, &format!("beside-{}-{}", at + 1, number + 1), &about)) }
    })
}
