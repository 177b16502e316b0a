//! Bars to either side of nothing: how much higher one side is than another, with the interval as a whisker.

use maud::{Markup, html};

use super::chart::{Chart, Data, NAME_LENGTH, pc, px, short};
use super::colour;
use crate::contrast::Contrast;

/// Where bars may lie, percent of the width; the rest is for their values.
const FROM: f64 = 2.0;
const SPAN: f64 = 66.0;
const ROW: f64 = 44.0;

/// A bar.
pub(super) struct Bar {
    pub(super) name: String,
    /// For its colour.
    pub(super) place: usize,
    pub(super) contrast: Contrast,
    /// What the difference is called, beside its number.
    pub(super) told: String,
}

/// The bars, in their order. `None` when there is none.
pub(super) fn chart(id: String, title: String, about: String, bars: &[Bar]) -> Option<Chart> {
    if bars.is_empty() {
        return None;
    }
    let ends = |bar: &Bar| {
        let (low, high) = bar.contrast.interval();
        [low.value(), high.value(), bar.contrast.difference().value(), 0.0]
    };
    let low = bars.iter().flat_map(ends).fold(0.0, f64::min);
    let high = bars.iter().flat_map(ends).fold(0.0, f64::max);
    let scale = |value: f64| FROM + if high > low { (value - low) / (high - low) * SPAN } else { 0.0 };
    let rows = || bars.iter().zip(0_u32..).map(|(bar, at)| (bar, ROW * f64::from(at)));
    Some(Chart {
        id,
        title,
        about,
        legend: Vec::new(),
        class: "",
        height: rows().map(|(_, top)| top + ROW).fold(0.0, f64::max),
        drawing: html! {
            line.grid.zero x1=(pc(scale(0.0))) x2=(pc(scale(0.0))) y1="0" y2=(px(rows().map(|(_, top)| top + ROW - 8.0).fold(0.0, f64::max))) {}
            @for (bar, top) in rows() { (draw(bar, top, scale)) }
        },
        data: Data {
            head: ["", "difference", "95 % interval", "pairs", "in words"].map(str::to_owned).into(),
            rows: bars
                .iter()
                .map(|bar| {
                    let contrast = &bar.contrast;
                    vec![
                        bar.name.clone(),
                        contrast.difference().signed(),
                        contrast.range(),
                        contrast.pairs.to_string(),
                        bar.told.clone(),
                    ]
                })
                .collect(),
        },
    })
}

fn draw(bar: &Bar, top: f64, scale: impl Fn(f64) -> f64) -> Markup {
    let difference = bar.contrast.difference();
    let (low, high) = bar.contrast.interval();
    let (from, to) = (scale(difference.value().min(0.0)), scale(difference.value().max(0.0)));
    let end = scale(high.value().max(difference.value()).max(0.0));
    html! {
        text.name x="0" y=(px(top + 12.0)) { (short(&bar.name, NAME_LENGTH)) }
        rect class={ (colour(bar.place)) " bar" } x=(pc(from)) y=(px(top + 18.0)) width=(pc(to - from)) height="14" rx="2" {}
        @if high.value() > low.value() {
            line.whisker x1=(pc(scale(low.value()))) x2=(pc(scale(high.value()))) y1=(px(top + 25.0)) y2=(px(top + 25.0)) {}
        }
        text x=(pc(end)) dx="6" y=(px(top + 29.0)) { (difference.signed()) @if bar.contrast.is_exact() { " =" } }
    }
}
