//! A differential flame graph: what one level asks for beside another, box by box.
//!
//! Functions of two levels are the same where they have the same name within their types (`post` of each provider), crates where they have
//! the same name whatever their version. A box is as wide as the larger of the two sides, and its colour says which that is.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::chart::{Chart, Data, Key, pc, px};
use super::flame::{self, Box, ROW};
use crate::attribution::Attribution;
use crate::units::{Quantity, Unit, whole};

/// Boxes narrower than this share of the whole are not drawn.
const NARROWEST: f64 = 0.005;
/// A difference below this share of a box is none that a colour should shout.
const ALIKE: f64 = 0.02;

/// A box of both, bytes per request of the first and of the second.
#[derive(Default)]
struct Both {
    sides: (f64, f64),
    inside: BTreeMap<(bool, String), Both>,
}

/// What the second asks for beside the first; `None` where either asks for nothing.
pub(super) fn chart(
    a: (&str, &Attribution<'_>),
    b: (&str, &Attribution<'_>),
    id: String,
    title: String,
) -> Option<Chart> {
    let mut root = Both::default();
    for (attribution, first) in [(a.1, true), (b.1, false)] {
        let tree = flame::boxes(attribution);
        put(&mut root, tree.bytes, per_request(attribution), first);
        add(&mut root, &tree, per_request(attribution), first, &mut Vec::new());
    }
    if root.sides.0 <= 0.0 || root.sides.1 <= 0.0 {
        return None;
    }
    let all = root.width();
    let mut rows = Vec::new();
    let depth = list(&root, 0, all, &mut rows);
    Some(Chart {
        id,
        title,
        about: format!(
            "{} asks for {} a request, {} for {}. Each box is as wide as the larger side’s bytes; callers stand above what they call.",
            a.0,
            bytes(root.sides.0),
            b.0,
            bytes(root.sides.1)
        ),
        legend: [
            ("less", format!("less in {}", b.0)),
            ("more", format!("more in {}", b.0)),
            ("s7 pale", "alike".to_owned()),
        ]
        .map(|(class, label)| Key { class: class.to_owned(), label })
        .into(),
        class: "flame",
        height: ROW * whole(i64::try_from(depth).unwrap_or(0)),
        drawing: draw(&root, 0.0, 0, all),
        data: Data { head: vec!["called".to_owned(), a.0.to_owned(), b.0.to_owned(), "difference".to_owned()], rows },
    })
}

fn per_request(attribution: &Attribution<'_>) -> f64 {
    whole(i64::try_from(attribution.requests).unwrap_or(1)).max(1.0)
}

fn put(to: &mut Both, bytes: i64, requests: f64, first: bool) {
    let bytes = whole(bytes) / requests;
    if first { to.sides.0 += bytes } else { to.sides.1 += bytes }
}

fn add(to: &mut Both, from: &Box<'_>, requests: f64, first: bool, path: &mut Vec<(bool, String)>) {
    for (key, inner) in &from.inside {
        let key = alike(key);
        // Names without their types may come again on the way down.
        if path.contains(&key) {
            add(to, inner, requests, first, path);
            continue;
        }
        path.push(key.clone());
        let same = to.inside.entry(key).or_default();
        put(same, inner.bytes, requests, first);
        add(same, inner, requests, first, path);
        path.pop();
    }
}

/// What makes two boxes the same: of an own function its name within its type, of a crate its name without the version.
fn alike((own, name): &(bool, String)) -> (bool, String) {
    if *own {
        let short = crate::function_name::short(name);
        (true, short.rsplit("::").next().unwrap_or(&short).to_owned())
    } else {
        (false, name.split(' ').next().unwrap_or(name).to_owned())
    }
}

impl Both {
    /// The larger side, or what is inside of it where the sides spend differently.
    fn width(&self) -> f64 {
        let inside: f64 = self.inside.values().map(Self::width).sum();
        self.sides.0.max(self.sides.1).max(inside)
    }

    fn class(&self) -> &'static str {
        let (a, b) = self.sides;
        match b - a {
            apart if apart.abs() <= ALIKE * a.max(b) => "s7 pale",
            apart if apart < 0.0 => "less",
            _ => "more",
        }
    }

    fn difference(&self) -> String {
        Quantity::new(self.sides.1 - self.sides.0, Unit::Bytes).map_or_else(String::new, Quantity::signed)
    }

    fn widest_first(&self) -> Vec<(&(bool, String), &Self)> {
        let mut all: Vec<_> = self.inside.iter().collect();
        all.sort_by(|a, b| b.1.width().total_cmp(&a.1.width()).then_with(|| a.0.cmp(b.0)));
        all
    }
}

fn draw(parent: &Both, left: f64, depth: usize, all: f64) -> Markup {
    let mut left = left;
    let mut placed = Vec::new();
    for (key, inner) in parent.widest_first() {
        let share = inner.width() / all;
        if share >= NARROWEST {
            placed.push((key, inner, left, share));
        }
        left += share;
    }
    let top = px(ROW * whole(i64::try_from(depth).unwrap_or(0)));
    html! {
        @for (key, inner, at, share) in placed {
            svg.box x=(pc(at * 100.0)) y=(top) width=(pc(share * 100.0)) height=(px(ROW - 1.0)) {
                title { (key.1) ": " (bytes(inner.sides.0)) " → " (bytes(inner.sides.1)) ", " (inner.difference()) }
                rect class={ "bar seg " (inner.class()) } width="100%" height="100%" {}
                @if share > 0.04 { text x="5" y="15" { (key.1) " " (inner.difference()) } }
            }
            (draw(inner, at, depth + 1, all))
        }
    }
}

/// Lists the boxes that are worth it, and gives how deep they are drawn.
fn list(parent: &Both, depth: usize, all: f64, rows: &mut Vec<Vec<String>>) -> usize {
    let mut deepest = depth;
    for (key, inner) in parent.widest_first() {
        let share = inner.width() / all;
        if share < NARROWEST {
            continue;
        }
        if share >= 0.02 {
            let name = format!("{}{}", "· ".repeat(depth), key.1);
            rows.push(vec![name, bytes(inner.sides.0), bytes(inner.sides.1), inner.difference()]);
        }
        deepest = deepest.max(list(inner, depth + 1, all, rows));
    }
    deepest
}

fn bytes(value: f64) -> String {
    Quantity::new(value, Unit::Bytes).map_or_else(String::new, |quantity| quantity.to_string())
}
