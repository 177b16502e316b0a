//! The live service beside the mock: the same cells, figure by figure, where a record of either is at hand.

use maud::{Markup, html};

use super::{compared, not_measured, prose};
use crate::summary;
use crate::view::View;

/// A table for each subject in each scenario that both have; without a second record, how to come by one.
pub(super) fn section(view: &View) -> Markup {
    let suite = &view.record.plan.suite;
    let Some(comparison) = &view.beside_target else {
        return if summary::is_live(&view.record.environment.target) {
            not_measured(&format!(
                "the mock. This run is of the live service, so all of its figures are advisory. `plimsoll run --suite {suite}` measures the same cells on the mock; `plimsoll report LIVE --beside MOCK` then sets each figure beside its twin here."
            ))
        } else {
            not_measured(
                "the live service. `make live` measures the cells of the suite `live` on it and `plimsoll run --suite live` the same cells on the mock; `plimsoll report MOCK --beside LIVE` then sets each figure beside its twin here.",
            )
        };
    };
    let groups = comparison.groups();
    html! {
        p { (prose(summary::ADVISORY)) }
        p { (comparison.verdict()) }
        dl.defs { dt { "mock" } dd { (comparison.names.0) } dt { "live" } dd { (comparison.names.1) } }
        @for (at, group) in groups.iter().enumerate() {
            @let title = format!("{} · {}", group.subject, group.scenario);
            h3 { (title) }
            @if !group.common.is_empty() { p.caption { span.soft { (group.common) } } }
            (compared::table(comparison.sides, &group.rows, &format!("live-{}", at + 1), &format!("Mock against live, {title}")))
        }
        @if groups.is_empty() { (not_measured("the same cells on both; `plimsoll run --suite live` and `make live` measure the same ones.")) }
    }
}
