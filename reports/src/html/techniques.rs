//! The technique ledger: what each technique saves or costs.

use maud::{Markup, html};

use super::differences::{self, Bar};
use super::not_measured;
use crate::techniques::{self, Effect, Measure, Place, Row, Sign};
use crate::view::View;

/// The table, and a chart for each measure.
pub(super) fn section(view: &View) -> Markup {
    let rows = techniques::ledger(view);
    if rows.is_empty() {
        return not_measured("no technique was switched on its own; `plimsoll run --ablate` does it.");
    }
    let charts = Measure::ALL.into_iter().enumerate().filter_map(|(at, measure)| chart(view, &rows, at, measure));
    html! {
        p { "Each technique alone, on a client with none of the others, and on top of all the others: always what having it adds. Differences are taken in pairs of processes of one round, with their 95 % interval. Of those that are not exact, a sign is given where chance is ruled out for the whole column (Holm, 5 %); otherwise the table says that so many pairs saw nothing, which is not that there is nothing." }
        div.scroll id="table-techniques" tabindex="0" role="region" aria-label="What each technique saves or costs" {
            table.wide {
                thead { tr {
                    th scope="col" { "technique" }
                    th scope="col" { "where" }
                    @for measure in Measure::ALL { th.num scope="col" title=(measure.meaning()) { (measure.heading()) } }
                } }
                tbody { @for (at, row) in rows.iter().enumerate() { tr.apart[at > 0 && rows[at - 1].subject != row.subject] {
                    th scope="row" { (row.technique) span.d { (row.subject) } }
                    td { (row.place.label()) }
                    @for effect in &row.effects { (cell(effect.as_ref())) }
                } } }
            }
        }
        @for chart in charts { (chart.frame(true)) }
    }
}

fn cell(effect: Option<&Effect>) -> Markup {
    let Some(effect) = effect else { return html! { td.num { span.soft title="not measured" { "—" } } } };
    let class = match effect.sign {
        Sign::Saves => "tag ok",
        Sign::Costs => "tag bad",
        Sign::Nothing | Sign::TooFew => "tag",
    };
    html! {
        td.num {
            span.v { (effect.contrast.difference().signed()) }
            span.d { "(" (effect.contrast.range()) ")" }
            span class=(class) { (effect.told()) }
        }
    }
}

fn chart(view: &View, rows: &[Row], at: usize, measure: Measure) -> Option<super::chart::Chart> {
    let place = |row: &Row| view.record.plan.subjects.iter().position(|info| info.id == row.subject).unwrap_or(0);
    let bar = |row: &Row| {
        let effect = row.effects[at]?;
        let name = match row.place {
            Place::Together => format!("{} · {}", row.subject, row.technique),
            place => format!("{} · {} · {}", row.subject, row.technique, place.label()),
        };
        Some(Bar { name, place: place(row), contrast: effect.contrast, told: effect.told() })
    };
    let bars: Vec<Bar> = rows.iter().filter_map(bar).collect();
    let about = format!(
        "What each technique adds to {}: to the left it saves, to the right it costs; whiskers are 95 % intervals.",
        measure.meaning()
    );
    differences::chart(
        format!("techniques-{}", at + 1),
        format!("Effect of each technique: {}", measure.heading()),
        about,
        &bars,
    )
}
