//! Call sites for other programs to read: folded stacks, and speedscope's own form.
//!
//! Folded stacks are what flame graphs are made of (`inferno-flamegraph`, `flamegraph.pl`): a stack a line, callers first, then bytes. speedscope shows
//! the same in a browser. dhat's own file, for dhat's viewer, is the profile itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::attribution::{self, Asked, Attribution};
use crate::record::{Frame, Record};

/// The files of a record that has call sites: their names beside the profiles they are of, relative to the record, and what is in them.
#[must_use]
pub fn files(record: &Record) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut by_profile: BTreeMap<&str, Vec<Attribution<'_>>> = BTreeMap::new();
    for attribution in attribution::of(record) {
        by_profile.entry(attribution.profile.unwrap_or_default()).or_default().push(attribution);
    }
    for (profile, attributions) in &by_profile {
        // The name comes from a record, which may be anybody's: nothing is written beside the profiles' folder.
        let name = profile.strip_prefix("profiles/").and_then(|name| name.strip_suffix(".dhat.json"));
        let Some(name) = name.filter(|name| !name.contains(['/', '\\', '\0']) && !name.starts_with('.')) else {
            continue;
        };
        for attribution in attributions {
            let part = if attribution.whole { "" } else { ".per-request" };
            files.push((format!("profiles/{name}{part}.folded"), folded(attribution).into_bytes()));
        }
        files.push((format!("profiles/{name}.speedscope.json"), speedscope(name, attributions).into_bytes()));
    }
    files
}

/// Sites that asked for more, with bytes; per request in hundredths of a byte would say more than was measured, so it is all requests' bytes.
fn asked<'a, 'b>(attribution: &'b Attribution<'a>) -> impl Iterator<Item = (&'b Asked<'a>, i64)> {
    attribution.sites.iter().map(|site| (site, site.asked.bytes)).filter(|(_, bytes)| *bytes > 0)
}

fn folded(attribution: &Attribution<'_>) -> String {
    let mut out = String::new();
    let clean = |name: &str| name.replace([';', '\n', '\r'], " ");
    for (site, bytes) in asked(attribution) {
        let mut names: Vec<String> = site.stack.iter().rev().map(|frame| clean(&frame.function)).collect();
        if site.rest {
            names.push("(several sites)".to_owned());
        }
        let _ = writeln!(out, "{} {bytes}", names.join(";"));
    }
    out
}

fn speedscope(name: &str, attributions: &[Attribution<'_>]) -> String {
    let mut frames = Vec::new();
    let mut places: BTreeMap<&Frame, usize> = BTreeMap::new();
    let mut profiles = Vec::new();
    for attribution in attributions {
        let (mut samples, mut weights) = (Vec::new(), Vec::new());
        for (site, bytes) in asked(attribution) {
            let stack: Vec<usize> = site
                .stack
                .iter()
                .rev()
                .map(|frame| {
                    *places.entry(frame).or_insert_with(|| {
                        frames.push(json!({ "name": frame.function, "file": file(frame), "line": frame.line }));
                        frames.len() - 1
                    })
                })
                .collect();
            samples.push(stack);
            weights.push(bytes);
        }
        let what = if attribution.whole {
            "whole life".to_owned()
        } else {
            format!("{} requests, warm", attribution.requests)
        };
        profiles.push(json!({
            "type": "sampled", "name": what, "unit": "bytes", "startValue": 0, "endValue": weights.iter().sum::<i64>(),
            "samples": samples, "weights": weights,
        }));
    }
    let file = json!({
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": "plimsoll",
        "name": name,
        "shared": { "frames": frames },
        "profiles": profiles,
    });
    format!("{file}\n")
}

/// A file as speedscope shows it: a foreign one under its crate.
fn file(frame: &Frame) -> Option<String> {
    let file = frame.file.as_deref()?;
    Some(if frame.own { file.to_owned() } else { format!("{}/{file}", attribution::crate_name(frame)) })
}
