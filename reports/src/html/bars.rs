//! Horizontal bars, grouped: a name above each group, a value at the end of each bar, a whisker from the smallest to the largest sample.

use maud::{Markup, html};

use super::chart::{Chart, Data, Key, NAME_LENGTH, pc, px, short};
use super::colour;
use crate::derive::{Figure, Measured};
use crate::view::{Row, View};

/// Share of the width that bars may take; the rest is for their values.
const SPAN: f64 = 62.0;
const NAME: f64 = 22.0;
const BAR: f64 = 18.0;
const GAP: f64 = 10.0;

/// The bars of one subject.
struct Group {
    name: String,
    /// The subject's place in the plan, for its colour.
    place: usize,
    /// One for each series; `None` is not measured.
    bars: Vec<Option<Measured>>,
}

/// What a chart of a scenario shows.
pub(super) struct Spec<'a> {
    /// The rows that are drawn, where they have a figure.
    pub(super) rows: &'a [&'a Row],
    pub(super) id: String,
    pub(super) title: String,
    pub(super) about: &'a str,
    /// The probe, and of each series its name and figure.
    pub(super) probe: &'a str,
    pub(super) series: &'a [(&'a str, Figure)],
}

/// Bars of some rows; those without any figure are left out. `None` when nothing was measured.
pub(super) fn of(view: &View, spec: Spec<'_>) -> Option<Chart> {
    let bars = |row: &Row| -> Vec<Option<Measured>> {
        spec.series.iter().map(|(_, figure)| view.figure(row, spec.probe, figure).copied()).collect()
    };
    let rows: Vec<&Row> = spec.rows.iter().copied().filter(|row| bars(row).iter().any(Option::is_some)).collect();
    let labels = view.labels(&rows, spec.probe);
    let groups: Vec<Group> =
        rows.iter().zip(labels.names).map(|(row, name)| Group { name, place: row.place, bars: bars(row) }).collect();
    let about = if labels.common.is_empty() {
        spec.about.to_owned()
    } else {
        format!("{} All: {}.", spec.about, labels.common)
    };
    let series: Vec<&str> = spec.series.iter().map(|(name, _)| *name).collect();
    chart(spec.id, spec.title, about, &series, &groups)
}

/// Bars of `series` for each group. The first series is solid, further ones are pale. `None` when nothing was measured.
fn chart(id: String, title: String, about: String, series: &[&str], groups: &[Group]) -> Option<Chart> {
    let all = || groups.iter().flat_map(|group| group.bars.iter().flatten());
    all().next()?;
    let low = all().map(|m| m.stats.min).fold(0.0, f64::min);
    let high = all().map(|m| m.stats.max).fold(0.0, f64::max);
    let scale = |value: f64| if high > low { (value - low) / (high - low) * SPAN } else { 0.0 };
    let mut top = 0.0;
    let mut drawn: Vec<Markup> = Vec::new();
    for group in groups {
        drawn.push(html! { text.name x="0" y=(px(top + 14.0)) { (short(&group.name, NAME_LENGTH)) } });
        top += NAME;
        for (at, measured) in group.bars.iter().enumerate() {
            drawn.push(match measured {
                Some(measured) => bar(group, at, measured, top, scale),
                None => html! { text.axis x="0" y=(px(top + 13.0)) { "not measured" } },
            });
            top += BAR;
        }
        top += GAP;
    }
    let zero = pc(scale(0.0));
    let legend = match series.len() {
        0 | 1 => Vec::new(),
        _ => series
            .iter()
            .enumerate()
            .map(|(at, label)| Key {
                class: if at == 0 { "s7" } else { "s7 pale" }.to_owned(),
                label: (*label).to_owned(),
            })
            .collect(),
    };
    Some(Chart {
        id,
        title,
        about,
        legend,
        class: "",
        height: top,
        drawing: html! {
            @if low < 0.0 { line.grid.zero x1=(zero) x2=(zero) y1="0" y2=(px(top - GAP)) {} }
            @for part in drawn { (part) }
        },
        data: data(series, groups),
    })
}

fn bar(group: &Group, at: usize, measured: &Measured, top: f64, scale: impl Fn(f64) -> f64) -> Markup {
    let stats = &measured.stats;
    let (from, to) = (scale(stats.median.min(0.0)), scale(stats.median.max(0.0)));
    let end = scale(stats.max.max(0.0));
    let class = format!("{} bar{}", colour(group.place), if at == 0 { "" } else { " pale" });
    let middle = px(top + BAR / 2.0 - 1.0);
    html! {
        rect class=(class) x=(pc(from)) y=(px(top)) width=(pc(to - from)) height=(px(BAR - 4.0)) rx="2" {}
        @if stats.max > stats.min {
            line.whisker x1=(pc(scale(stats.min))) x2=(pc(scale(stats.max))) y1=(middle) y2=(middle) {}
        }
        text x=(pc(end)) dx="6" y=(px(top + BAR / 2.0 + 2.5)) {
            (measured.median()) @if measured.is_exact() { " =" }
        }
    }
}

fn data(series: &[&str], groups: &[Group]) -> Data {
    let mut head = vec!["subject".to_owned()];
    for name in series {
        head.extend([(*name).to_owned(), "smallest".to_owned(), "largest".to_owned(), "samples".to_owned()]);
    }
    let row = |group: &Group| {
        let mut row = vec![group.name.clone()];
        for measured in &group.bars {
            match measured {
                Some(m) => row.extend([
                    m.median().to_string(),
                    m.min().to_string(),
                    m.max().to_string(),
                    m.stats.samples.to_string(),
                ]),
                None => row.extend(["not measured".to_owned(), String::new(), String::new(), String::new()]),
            }
        }
        row
    };
    Data { head, rows: groups.iter().map(row).collect() }
}
