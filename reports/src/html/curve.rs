//! Readings against a number, with the line that a model draws through them.

use maud::{Markup, html};

use super::chart::{Chart, Data, Key, paths, pc, px, ticks};
use super::colour;
use crate::model::Point;
use crate::units::{Count, Unit};

const HEIGHT: f64 = 210.0;
/// Room above the plot for the highest mark's label, and below it for the numbers.
const TOP: f64 = 18.0;
const FOOT: f64 = 22.0;
/// Where the first and the last number stand, percent of the width.
const FROM: f64 = 14.0;
const TO: f64 = 96.0;
/// Straight pieces of a model's line, which is bent where the numbers stand by their order of size.
const PIECES: u32 = 12;

/// A subject's readings, and its model.
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) place: usize,
    pub(super) dashed: bool,
    /// The number, and what was read and modelled there; ascending.
    pub(super) points: Vec<(u64, Point)>,
}

/// How numbers stand on the axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// By their size.
    Even,
    /// By their order of size.
    Orders,
}

/// Curves over numbers; `None` without any reading.
pub(super) fn chart(
    id: String,
    title: String,
    about: String,
    what: &str,
    scale: Scale,
    curves: &[Curve],
) -> Option<Chart> {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let unit = all().next()?.1.measured.unit;
    let mut numbers: Vec<u64> = all().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let place = |number: f64| if scale == Scale::Orders { number.max(1.0).log10() } else { number };
    let (first, last) = (place(float(*numbers.first()?)), place(float(*numbers.last()?)));
    let x = |number: f64| FROM + (TO - FROM) * (place(number) - first) / (last - first).max(f64::MIN_POSITIVE);
    let largest = all().map(|(_, point)| point.measured.stats.median.max(point.modelled)).fold(0.0, f64::max);
    let marks = ticks(0.0, largest, unit);
    let top = marks.last().map_or(0.0, |mark| mark.value());
    let y = |value: f64| TOP + (top - value) / top.max(1.0) * (HEIGHT - TOP);
    let drawing = html! {
        @for mark in &marks {
            line class=(if mark.value() == 0.0 { "grid zero" } else { "grid" }) x1="0" x2="100%" y1=(px(y(mark.value()))) y2=(px(y(mark.value()))) {}
            text.axis x="0" y=(px(y(mark.value()) - 4.0)) { (mark) }
        }
        @for number in &numbers {
            text.axis x=(pc(x(float(*number)))) y=(px(HEIGHT + 16.0)) text-anchor="middle" { (plain(*number)) }
        }
        (paths(HEIGHT, &curves.iter().map(|curve| path(curve, scale, &x, &y)).collect::<Vec<_>>()))
        @for curve in curves { (draw(curve, &x, &y)) }
    };
    Some(Chart {
        id,
        title,
        about,
        legend: curves.iter().map(|curve| Key { class: colour(curve.place), label: curve.name.clone() }).collect(),
        class: "",
        height: HEIGHT + FOOT,
        drawing,
        data: data(what, &numbers, curves, unit),
    })
}

/// The model through its points.
fn path(curve: &Curve, scale: Scale, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) -> (String, Vec<(f64, f64)>) {
    let first = curve.points.first().map(|(number, point)| (float(*number), point.modelled));
    let further = curve.points.windows(2).flat_map(|pair| pieces(scale, &pair[0], &pair[1]));
    let dash = if curve.dashed { " dash" } else { "" };
    let points = first.into_iter().chain(further).map(|(number, height)| (x(number), y(height)));
    (format!("{}{dash}", colour(curve.place)), points.collect())
}

fn draw(curve: &Curve, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) -> Markup {
    html! {
        g class=(colour(curve.place)) {
            @for (number, point) in &curve.points {
                @let told = format!("{} at {}: {}", curve.name, plain(*number), point.measured.median());
                circle.dot.hollow[curve.dashed] cx=(pc(x(float(*number)))) cy=(px(y(point.measured.stats.median))) r="4" { title { (told) } }
            }
        }
    }
}

/// The model from one of its points to the next: one straight piece, or several where the axis bends it, each by its end.
fn pieces(scale: Scale, (from, low): &(u64, Point), (to, high): &(u64, Point)) -> Vec<(f64, f64)> {
    let (from, to) = (float(*from), float(*to));
    let count = if scale == Scale::Even { 1 } else { PIECES };
    let at = |piece: u32| {
        let share = f64::from(piece) / f64::from(count);
        let number = match scale {
            Scale::Even => (to - from).mul_add(share, from),
            Scale::Orders => from.max(1.0) * (to / from.max(1.0)).powf(share),
        };
        let along = (number - from) / (to - from);
        (number, (high.modelled - low.modelled).mul_add(along, low.modelled))
    };
    (1..=count).map(at).collect()
}

fn data(what: &str, numbers: &[u64], curves: &[Curve], unit: Unit) -> Data {
    let head = std::iter::once(what.to_owned())
        .chain(curves.iter().flat_map(|curve| [curve.name.clone(), format!("{}, model", curve.name)]))
        .collect();
    let rows = numbers.iter().map(|number| {
        let cells = curves.iter().flat_map(|curve| {
            let found = curve.points.iter().find(|(at, _)| at == number).map(|(_, point)| point);
            let modelled = found.and_then(|point| crate::units::Quantity::new(point.modelled, unit));
            let text = |text: Option<String>| text.unwrap_or_else(|| "—".to_owned());
            [text(found.map(|point| point.measured.median().to_string())), text(modelled.map(|m| m.to_string()))]
        });
        std::iter::once(plain(*number)).chain(cells).collect()
    });
    Data { head, rows: rows.collect() }
}

fn plain(number: u64) -> String {
    Count(i64::try_from(number).unwrap_or(i64::MAX)).to_string()
}

fn float(number: u64) -> f64 {
    crate::units::whole(i64::try_from(number).unwrap_or(i64::MAX))
}
