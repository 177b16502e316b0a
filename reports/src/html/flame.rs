//! A flame graph: callers above what they call, each as wide as what was asked for under it.
//!
//! The project's own functions are boxes of their own, each once on its way down. What is called within one foreign crate is one box: fifty frames of adapters would hide
//! what a reader looks for. The files under `profiles/` have every frame.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::chart::{Chart, Data, Key, pc, px};
use crate::attribution::{Attribution, crate_name};
use crate::function_name;
use crate::record::Frame;
use crate::units::{Quantity, Unit, percent, whole};

pub(super) const ROW: f64 = 22.0;
/// Boxes narrower than this share of the whole are not drawn.
const NARROWEST: f64 = 0.005;
/// Boxes that the data table lists.
const LISTED: f64 = 0.02;

/// A box: an own function, or all that is called within one crate.
#[derive(Debug, Default)]
pub(super) struct Box<'a> {
    pub(super) bytes: i64,
    /// What tells it from its neighbours: whether it is an own function, and its name.
    pub(super) inside: BTreeMap<(bool, String), Box<'a>>,
    frame: Option<&'a Frame>,
}

/// The flame graph of what a cell asked for. `None` when it asked for nothing.
pub(super) fn chart(attribution: &Attribution<'_>, id: String, title: String, about: String) -> Option<Chart> {
    let tree = boxes(attribution);
    if tree.bytes <= 0 {
        return None;
    }
    let classes = classes(attribution);
    let drawn = Drawn { whole: tree.bytes, requests: attribution.requests, classes: &classes };
    let mut rows = Vec::new();
    let depth = list(&tree, 0, &drawn, &mut rows);
    Some(Chart {
        id,
        title,
        about,
        legend: classes.iter().map(|(name, class)| Key { class: class.clone(), label: name.clone() }).collect(),
        class: "flame",
        height: ROW * whole(i64::try_from(depth).unwrap_or(0)),
        drawing: draw(&tree, 0.0, 0, &drawn),
        data: Data { head: ["called", "bytes", "share"].map(str::to_owned).to_vec(), rows },
    })
}

struct Drawn<'a> {
    whole: i64,
    requests: u64,
    classes: &'a [(String, String)],
}

impl Drawn<'_> {
    fn share(&self, bytes: i64) -> f64 {
        whole(bytes) / whole(self.whole)
    }

    fn bytes(&self, bytes: i64) -> String {
        let requests = whole(i64::try_from(self.requests).unwrap_or(1)).max(1.0);
        Quantity::new(whole(bytes) / requests, Unit::Bytes).map_or_else(String::new, |bytes| bytes.to_string())
    }

    /// The colour of a box: own functions have one, and the largest crates one each.
    fn class(&self, own: bool, frame: Option<&Frame>) -> &str {
        let name = if own { OWN.to_owned() } else { frame.and_then(|f| f.krate.clone()).unwrap_or_default() };
        let known = self.classes.iter().find(|(label, _)| *label == name);
        known.map_or("s7", |(_, class)| class)
    }
}

const OWN: &str = "own code";
const FURTHER: &str = "further crates";

/// The legend: own code, the crates that ask for most, and the rest.
fn classes(attribution: &Attribution<'_>) -> Vec<(String, String)> {
    let mut crates: BTreeMap<&str, i64> = BTreeMap::new();
    for site in &attribution.sites {
        for frame in site.stack.iter().filter(|frame| !frame.own) {
            let krate = frame.krate.as_deref().filter(|krate| *krate != "std");
            *crates.entry(krate.unwrap_or_default()).or_default() += site.asked.bytes;
        }
    }
    crates.remove("");
    let mut largest: Vec<(&str, i64)> = crates.into_iter().collect();
    largest.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    let named = largest.iter().take(6).map(|(name, _)| *name);
    let mut all: Vec<(String, String)> = std::iter::once(OWN)
        .chain(named)
        .enumerate()
        .map(|(at, name)| (name.to_owned(), format!("s{}", [2, 0, 1, 3, 4, 5, 6][at % 7])))
        .collect();
    if largest.len() > 6 {
        all.push((FURTHER.to_owned(), "s7".to_owned()));
    }
    all
}

/// The boxes of all that was asked for, in one that has them all.
pub(super) fn boxes<'a>(attribution: &Attribution<'a>) -> Box<'a> {
    let mut root = Box::default();
    for site in attribution.sites.iter().filter(|site| site.asked.bytes > 0) {
        root.bytes += site.asked.bytes;
        let mut at = &mut root;
        // Each function and each crate is one box on its way down, however often they call each other again.
        let mut path: Vec<(bool, String)> = Vec::new();
        for frame in site.stack.iter().copied().rev() {
            // The standard library is called for somebody, who is in a box already.
            let is_std = frame.krate.as_deref() == Some("std") && !path.is_empty();
            let key = if frame.own { (true, frame.function.clone()) } else { (false, crate_name(frame)) };
            if is_std || path.contains(&key) {
                continue;
            }
            path.push(key.clone());
            at = at.inside.entry(key).or_default();
            at.frame.get_or_insert(frame);
            at.bytes += site.asked.bytes;
        }
    }
    root
}

/// The boxes inside of one, largest first.
fn inside<'a, 'b>(parent: &'b Box<'a>) -> Vec<(&'b (bool, String), &'b Box<'a>)> {
    let mut all: Vec<_> = parent.inside.iter().collect();
    all.sort_by(|a, b| (b.1.bytes, a.0).cmp(&(a.1.bytes, b.0)));
    all
}

fn label((own, name): &(bool, String)) -> String {
    if *own { function_name::short(name) } else { name.clone() }
}

fn draw(parent: &Box<'_>, left: f64, depth: usize, drawn: &Drawn<'_>) -> Markup {
    let mut left = left;
    let placed: Vec<_> = inside(parent)
        .into_iter()
        .map(|(key, inner)| {
            let at = left;
            left += drawn.share(inner.bytes);
            (key, inner, at)
        })
        .filter(|(_, inner, _)| drawn.share(inner.bytes) >= NARROWEST)
        .collect();
    let top = ROW * whole(i64::try_from(depth).unwrap_or(0));
    html! {
        @for (key, inner, at) in placed {
            @let (from, width) = (pc(at * 100.0), pc(drawn.share(inner.bytes) * 100.0));
            svg.box x=(from) y=(px(top)) width=(width) height=(px(ROW - 1.0)) {
                title { (label(key)) ": " (drawn.bytes(inner.bytes)) ", " (percent(drawn.share(inner.bytes))) }
                rect class={ "bar seg " (drawn.class(key.0, inner.frame)) (if key.0 { "" } else { " pale" }) } width="100%" height="100%" {}
                @if drawn.share(inner.bytes) > 0.03 { text.on[key.0] x="5" y="15" { (label(key)) } }
            }
            (draw(inner, at, depth + 1, drawn))
        }
    }
}

/// Lists the boxes that are worth it, and gives how deep they are drawn.
fn list(parent: &Box<'_>, depth: usize, drawn: &Drawn<'_>, rows: &mut Vec<Vec<String>>) -> usize {
    let mut deepest = depth;
    for (key, inner) in inside(parent) {
        let share = drawn.share(inner.bytes);
        if share < NARROWEST {
            continue;
        }
        if share >= LISTED {
            rows.push(vec![format!("{}{}", "· ".repeat(depth), label(key)), drawn.bytes(inner.bytes), percent(share)]);
        }
        deepest = deepest.max(list(inner, depth + 1, drawn, rows));
    }
    deepest
}
