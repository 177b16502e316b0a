//! The claims of the old report, and the samples that do not count.

use maud::{Markup, html};

use super::prose;
use crate::claims::{self, Verdict};
use crate::record::Status;
use crate::summary::status_name;
use crate::view::View;

/// Lines of a claim that are seen at once.
const LINES: usize = 3;

/// Each claim, what was measured, the verdict.
pub(super) fn claims(view: &View) -> Markup {
    let rows = claims::ledger(view);
    html! {
        p { "A hand-written report made these claims; nobody could check them. Figures in MB are quoted as they were written and taken as 10⁶ bytes. " (claims::told(&rows)) }
        div.scroll id="table-claims" tabindex="0" role="region" aria-label="Claims and what was measured" {
            table.wide {
                thead { tr { th scope="col" { "claim" } th scope="col" { "verdict" } th scope="col" { "measured, with its range" } th scope="col" { "rule" } } }
                tbody { @for row in &rows { tr id={ "claim-" (row.id) } {
                    th scope="row" { (row.claim) }
                    td { span class={ "tag " (class(row.verdict)) } { (row.verdict.label()) } }
                    td.figures {
                        @if row.measured.is_empty() { span.soft { "not measured" } }
                        ul.lines { @for line in row.measured.iter().take(LINES) { li { (line) } } }
                        @if row.measured.len() > LINES { details {
                            summary aria-label={ (row.measured.len() - LINES) " more: " (row.claim) } { (row.measured.len() - LINES) " more" }
                            ul.lines { @for line in row.measured.iter().skip(LINES) { li { (line) } } }
                        } }
                    }
                    td.rule { (prose(row.why)) }
                } } }
            }
        }
    }
}

/// The class that gives a verdict its colour.
pub(super) fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Partly => "partly",
        Verdict::Fails => "fails",
        Verdict::NotMeasured => "none",
    }
}

/// Every sample that failed or could not be measured here, those of a cell with the same reason together.
pub(super) fn failures(view: &View) -> Markup {
    let groups = view.grouped_failures();
    if groups.is_empty() {
        return html! { p { "None: every sample of this run counts." } };
    }
    html! {
        p { "Nothing of these enters any figure above." }
        div.scroll id="table-failures" tabindex="0" role="region" aria-label="What does not count, by reason" {
            table.wide {
                thead { tr { th scope="col" { "subject" } th scope="col" { "status" } th scope="col" { "reason" } th.num scope="col" { "samples" } th scope="col" { "cells, and the samples’ numbers" } } }
                tbody { @for group in &groups { tr {
                    th scope="row" { (group.subject) }
                    td { span class=(if group.status == Status::Unavailable { "tag" } else { "tag bad" }) { (status_name(group.status)) } }
                    td.text { (group.error) }
                    td.num { (group.samples()) }
                    td.text { ul.lines { @for (cell, indices) in &group.cells { li {
                        code { (cell.scenario) } " " code { (cell.probe) }
                        @for (key, value) in &cell.factors { " " (key) "=" (value) }
                        span.d { @for (at, index) in indices.iter().enumerate() { @if at > 0 { ", " } "#" (index) } }
                    } } } }
                } } }
            }
        }
    }
}
