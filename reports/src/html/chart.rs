//! The frame of every chart: caption, legend, the SVG with title and description, and its data as a table.
//!
//! Charts have no viewBox: horizontal places are percentages and vertical ones pixels, so text keeps its size from a telephone to a wide screen.

use maud::{Markup, html};

use crate::units::{Quantity, Unit};

/// A chart, ready to be framed.
pub(super) struct Chart {
    /// Its anchor, unique in the page.
    pub(super) id: String,
    pub(super) title: String,
    /// What it shows, one sentence: for those who see it and those who do not.
    pub(super) about: String,
    pub(super) legend: Vec<Key>,
    /// What the script may do with it, as a class; empty where nothing.
    pub(super) class: &'static str,
    /// Height of the drawing, pixels.
    pub(super) height: f64,
    pub(super) drawing: Markup,
    pub(super) data: Data,
}

/// An entry of a legend.
pub(super) struct Key {
    pub(super) class: String,
    pub(super) label: String,
}

/// The data of a chart, as text.
pub(super) struct Data {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Chart {
    /// The chart in its frame; `lone` when it does not stand in a grid of charts.
    pub(super) fn frame(&self, lone: bool) -> Markup {
        let (title, about) = (format!("{}-t", self.id), format!("{}-d", self.id));
        html! {
            figure.lone[lone] id=(self.id) {
                figcaption {
                    a href={ "#" (self.id) } { (self.title) }
                    p { (self.about) }
                }
                @if !self.legend.is_empty() {
                    ul.legend { @for key in &self.legend { li { span class={ "sw " (key.class) } {} (key.label) } } }
                }
                svg class=[Some(self.class).filter(|class| !class.is_empty())] role="img" aria-labelledby={ (title) " " (about) } height=(px(self.height)) {
                    title id=(title) { (self.title) }
                    desc id=(about) { (self.about) }
                    (self.drawing)
                }
                details {
                    summary { "Data of this chart" }
                    div.scroll tabindex="0" role="region" aria-label={ "Data: " (self.title) } {
                        table.wide.plain {
                            thead { tr {
                                @for (at, head) in self.data.head.iter().enumerate() { th scope="col" .num[at > 0] { (head) } }
                            } }
                            tbody { @for row in &self.data.rows { tr {
                                @for (at, text) in row.iter().enumerate() {
                                    @if at == 0 { th scope="row" { (text) } } @else { td { (text) } }
                                }
                            } } }
                        }
                    }
                }
            }
        }
    }
}

/// Lines through points, of which the first number is a percentage of the chart's width and the second pixels: the class of each, and its points. They
/// stretch with the chart, their strokes do not.
pub(super) fn paths(height: f64, lines: &[(String, Vec<(f64, f64)>)]) -> Markup {
    let number = |value: f64, decimals: usize| {
        let text = format!("{value:.decimals$}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let points = |line: &[(f64, f64)]| {
        line.iter().map(|(x, y)| format!("{},{}", number(*x, 2), number(*y, 1))).collect::<Vec<_>>().join(" ")
    };
    html! {
        svg height=(px(height)) viewBox={ "0 0 100 " (px(height)) } preserveAspectRatio="none" {
            @for (class, line) in lines { polyline class={ "path " (class) } points=(points(line)) {} }
        }
    }
}

/// A length in pixels, without needless digits: the same on every machine.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A place across the chart.
pub(super) fn pc(value: f64) -> String {
    let text = format!("{value:.2}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Characters of a name that fit the narrowest chart, a telephone's.
pub(super) const NAME_LENGTH: usize = 36;

/// A name short enough for the narrowest chart; the data table has the whole.
pub(super) fn short(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let head: String = text.chars().take(longest - 1).collect();
    format!("{head}…")
}

/// Round marks over zero, from at most `lowest` (or zero) to at least `largest`, four or so, round in the unit in which they will be written.
pub(super) fn ticks(lowest: f64, largest: f64, unit: Unit) -> Vec<Quantity> {
    let span = largest.max(0.0) - lowest.min(0.0);
    let worth = match unit {
        Unit::Bytes if span >= 1_048_576.0 => 1_048_576.0,
        Unit::Bytes if span >= 1024.0 => 1024.0,
        Unit::Micros if span >= 1e3 => 1e3,
        _ => 1.0,
    };
    let rough = (span / worth / 4.0).max(0.25);
    let power = 10f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= rough * 0.999);
    let step = round.unwrap_or(rough) * worth;
    // The step is at least a quarter of the span: there are few enough marks for any input.
    let mark = |at: i32| Quantity::new(step * f64::from(at), unit);
    let below = (1..=8).take_while(|at| step * f64::from(at - 1) < -lowest).filter_map(|at| mark(-at));
    let above = (0..=8).take_while(|at| *at == 0 || step * f64::from(at - 1) < largest).filter_map(mark);
    let mut all: Vec<Quantity> = below.collect();
    all.reverse();
    all.extend(above);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_largest() {
        let shown = |largest, unit| ticks(0.0, largest, unit).into_iter().map(|q| q.to_string()).collect::<Vec<_>>();
        assert_eq!(shown(4.4 * 1_048_576.0, Unit::Bytes), ["0 B", "2.00 MiB", "4.00 MiB", "6.00 MiB"]);
        assert_eq!(shown(119.0, Unit::Count), ["0", "50", "100", "150"]);
        assert_eq!(shown(0.0, Unit::Count), ["0"]);
        let below: Vec<String> = ticks(-100.0, 400.0, Unit::Count).into_iter().map(|q| q.to_string()).collect();
        assert_eq!(below, ["−200", "0", "200", "400"]);
    }

    #[test]
    fn lengths_are_short() {
        assert_eq!(
            (px(12.0), px(12.34), pc(50.0), pc(33.333)),
            ("12".into(), "12.3".into(), "50%".into(), "33.33%".into())
        );
        assert_eq!(short("abcdef", 4), "abc…");
    }
}
