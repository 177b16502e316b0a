//! Stacked bars: parts of a whole for each subject.

use maud::{Markup, html};

use super::chart::{Chart, Data, Key, NAME_LENGTH, pc, px, short};
use crate::units::{Quantity, Unit};

const SPAN: f64 = 76.0;
const ROW: f64 = 52.0;

/// A subject's parts, in the order of the chart's series.
pub(super) struct Stack {
    pub(super) name: String,
    pub(super) parts: Vec<f64>,
}

/// Stacked bars of bytes. `None` when there is nothing in them.
pub(super) fn chart(id: String, title: String, about: String, series: &[&str], stacks: &[Stack]) -> Option<Chart> {
    let total = |stack: &Stack| stack.parts.iter().sum::<f64>();
    let largest = stacks.iter().map(total).fold(0.0, f64::max);
    if largest <= 0.0 {
        return None;
    }
    let row = |at: usize, stack: &Stack| -> Markup {
        let top = ROW * f64::from(u32::try_from(at).unwrap_or(0));
        let mut from = 0.0;
        let segments: Vec<(usize, f64, f64)> = stack
            .parts
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let width = part / largest * SPAN;
                from += width;
                (at, from - width, width)
            })
            .collect();
        html! {
            text.name x="0" y=(px(top + 14.0)) { (short(&stack.name, NAME_LENGTH)) }
            @for (at, left, width) in segments.into_iter().filter(|(_, _, width)| *width > 0.0) {
                rect class={ "bar seg s" (at % 8) } x=(pc(left)) y=(px(top + 21.0)) width=(pc(width)) height="20" {
                    title { (series[at]) ": " (bytes(stack.parts[at])) }
                }
            }
            text x=(pc(total(stack) / largest * SPAN)) dx="6" y=(px(top + 35.5)) { (bytes(total(stack))) }
        }
    };
    Some(Chart {
        id,
        title,
        about,
        legend: series
            .iter()
            .enumerate()
            .map(|(at, label)| Key { class: format!("s{}", at % 8), label: (*label).to_owned() })
            .collect(),
        class: "",
        height: ROW * f64::from(u32::try_from(stacks.len()).unwrap_or(0)),
        drawing: html! { @for (at, stack) in stacks.iter().enumerate() { (row(at, stack)) } },
        data: Data {
            head: std::iter::once("subject")
                .chain(series.iter().copied())
                .chain(["in all"])
                .map(str::to_owned)
                .collect(),
            rows: stacks
                .iter()
                .map(|stack| {
                    let parts = stack.parts.iter().copied().chain([total(stack)]);
                    std::iter::once(stack.name.clone()).chain(parts.map(bytes)).collect()
                })
                .collect(),
        },
    })
}

fn bytes(value: f64) -> String {
    Quantity::new(value, Unit::Bytes).map_or_else(String::new, |q| q.to_string())
}
