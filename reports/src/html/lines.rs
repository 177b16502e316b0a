//! Lines over checkpoints, one for each subject: colour, dashes and the shape of the points tell them apart, so colour alone need not.

use maud::{Markup, html};

use super::chart::{Chart, Data, Key, paths, pc, px, ticks};
use super::colour;
use crate::derive::Measured;
use crate::units::Quantity;

const HEIGHT: f64 = 210.0;
/// Room above the plot for the highest mark's label, and below it for two rows of checkpoints.
const TOP: f64 = 18.0;
const FOOT: f64 = 38.0;
/// Where the first and the last checkpoint stand, percent of the width.
const FROM: f64 = 14.0;
const TO: f64 = 96.0;

/// A subject's line.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) place: usize,
    /// Whether another line of the chart has the same colour.
    pub(super) dashed: bool,
    /// Whether it is drawn: what would flatten all others is in the data only.
    pub(super) drawn: bool,
    /// One for each checkpoint.
    pub(super) points: Vec<Option<Measured>>,
}

/// Lines over `checkpoints`. `range`, lowest and largest, sets the scale, so that charts side by side can share it. `None` when nothing was measured.
pub(super) fn chart(
    id: String,
    title: String,
    about: String,
    checkpoints: &[String],
    lines: &[Line],
    (lowest, largest): (f64, f64),
) -> Option<Chart> {
    let unit = lines.iter().flat_map(|line| line.points.iter().flatten()).next()?.unit;
    let marks = ticks(lowest, largest, unit);
    let end = |mark: Option<&Quantity>| mark.map_or(0.0, |mark| mark.value());
    let (bottom, top) = (end(marks.first()), end(marks.last()));
    let y = |value: f64| TOP + (top - value) / (top - bottom).max(1.0) * (HEIGHT - TOP);
    let x = |at: usize| {
        let last = checkpoints.len().saturating_sub(1).max(1);
        FROM + (TO - FROM) * count(at) / count(last)
    };
    let drawing = html! {
        @for mark in &marks {
            line class=(if mark.value() == 0.0 { "grid zero" } else { "grid" }) x1="0" x2="100%" y1=(px(y(mark.value()))) y2=(px(y(mark.value()))) {}
            text.axis x="0" y=(px(y(mark.value()) - 4.0)) { (mark) }
        }
        @for (at, name) in checkpoints.iter().enumerate() {
            text.axis x=(pc(x(at))) y=(px(HEIGHT + if at % 2 == 0 { 16.0 } else { 31.0 })) text-anchor="middle" { (tick_name(name)) }
        }
        (paths(HEIGHT, &lines.iter().filter(|line| line.drawn).map(|line| path(line, x, y)).collect::<Vec<_>>()))
        @for line in lines.iter().filter(|line| line.drawn) { (draw(line, x, y)) }
    };
    Some(Chart {
        id,
        title,
        about,
        legend: lines
            .iter()
            .filter(|line| line.drawn)
            .map(|line| Key { class: colour(line.place), label: line.name.clone() })
            .collect(),
        class: "",
        height: HEIGHT + FOOT,
        drawing,
        data: data(checkpoints, lines),
    })
}

/// The lowest and the largest value that is drawn, zero included.
pub(super) fn range<'a>(lines: impl Iterator<Item = &'a Line>) -> (f64, f64) {
    let all = lines.filter(|line| line.drawn).flat_map(|line| line.points.iter().flatten()).map(|m| m.stats.median);
    all.fold((0.0, 0.0), |(low, high), value| (f64::min(low, value), f64::max(high, value)))
}

/// The places at which a line has a point.
fn points(line: &Line) -> impl Iterator<Item = (usize, &Measured)> {
    line.points.iter().enumerate().filter_map(|(at, measured)| Some((at, measured.as_ref()?)))
}

fn path(line: &Line, x: impl Fn(usize) -> f64, y: impl Fn(f64) -> f64) -> (String, Vec<(f64, f64)>) {
    let dash = if line.dashed { " dash" } else { "" };
    (format!("{}{dash}", colour(line.place)), points(line).map(|(at, m)| (x(at), y(m.stats.median))).collect())
}

fn draw(line: &Line, x: impl Fn(usize) -> f64, y: impl Fn(f64) -> f64) -> Markup {
    html! {
        g class=(colour(line.place)) {
            @for (at, measured) in points(line) {
                @let told = format!("{}: {}", line.name, measured.median());
                (point(line.place, x(at), y(measured.stats.median), &told))
            }
        }
    }
}

/// A point with its value as a tooltip. Its shape goes with the subject.
fn point(place: usize, x: f64, y: f64, told: &str) -> Markup {
    let hollow = place % 4 >= 2;
    html! {
        @match place % 3 {
            0 => circle.dot.hollow[hollow] cx=(pc(x)) cy=(px(y)) r="4" { title { (told) } },
            shape => rect.dot.hollow[hollow].diamond[shape == 2] x=(pc(x)) y=(px(y - 3.5)) width="7" height="7" style="translate:-3.5px 0" { title { (told) } },
        }
    }
}

fn data(checkpoints: &[String], lines: &[Line]) -> Data {
    let head = std::iter::once("subject".to_owned()).chain(checkpoints.iter().cloned()).collect();
    let value = |m: &Option<Measured>| m.as_ref().map_or_else(|| "—".to_owned(), |m| m.median().to_string());
    let rows = lines
        .iter()
        .map(|line| std::iter::once(line.name.clone()).chain(line.points.iter().map(value)).collect())
        .collect();
    Data { head, rows }
}

/// `steady@128` as it fits an axis; `held@100` as the number that an axis of held requests counts.
fn tick_name(name: &str) -> String {
    super::chart::short(&name.replace("steady@", "@").replace("held@", ""), 9)
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
