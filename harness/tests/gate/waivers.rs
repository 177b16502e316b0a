//! The waiver that a verdict suggests, pasted into a `plimsoll.toml`: it lets the row pass that it is for, and no other.

use jiff::civil::Date;
use plimsoll::config::Config;
use plimsoll_reports::gate::show::{self, Context};
use plimsoll_reports::gate::{Rules, Verdict, waivers};
use serde_json::{Value, json};

const FIGURES: [(&str, &str); 5] = [
    ("heap.live at steady@256", "bytes"),
    ("heap.peak at steady@256", "bytes"),
    ("slope heap.live", "bytes"),
    ("heap.allocs per request", "count"),
    ("heap.bytes per request", "bytes"),
];

/// Every exact figure of two cells fails, and a cell is missing.
fn failing() -> Verdict {
    let side =
        json!({ "run": "20260101-000000-0001", "started": "2026-01-01T00:00:00Z", "git": "0123abc", "dirty": false });
    let row = |scenario: &str, figure: Value, unit: Value, state: &str| {
        json!({
            "cell": "", "subject": "ultra", "scenario": scenario, "probe": "count", "factors": { "protocol": "h1" },
            "figure": figure, "unit": unit, "rule": "exact", "state": state, "processes": 10, "again": true,
        })
    };
    let of = |scenario| FIGURES.map(|(figure, unit)| row(scenario, figure.into(), unit.into(), "fails"));
    let mut rows = [of("chat"), of("stream")].concat();
    rows.push(row("large", Value::Null, Value::Null, "missing"));
    let verdict = json!({
        "schema": "plimsoll.verdict/1", "outcome": "FAIL", "exit_code": 1, "headline": "", "strict": false,
        "base": side, "head": side, "notices": [], "invalid": [], "misconfigured": [], "next": [],
        "family": { "size": 0, "pairs": 20, "alpha": 0.05 }, "rows": rows, "lockfile": [], "crates": [], "profiled": 0,
    });
    show::read(verdict.to_string().as_bytes()).expect("a verdict")
}

/// The waivers in a text, with a reason and an owner filled in.
fn suggested(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let begins = lines.iter().enumerate().filter(|(_, line)| **line == "[[waiver]]").map(|(at, _)| at);
    let block = |at: usize| {
        let length = lines[at..].iter().position(|line| line.starts_with("expires = ")).expect("a day") + 1;
        lines[at..at + length]
            .join("\n")
            .replace("reason = \"…\"", "reason = \"r\"")
            .replace("owner = \"…\"", "owner = \"o\"")
    };
    begins.map(block).collect()
}

fn rules(waiver: &str) -> Rules {
    let config = Config::read("plimsoll.toml".as_ref(), &format!("version = 1\n{waiver}\n")).expect(waiver);
    config.rules().expect(waiver)
}

/// Which rows a pasted waiver lets pass.
fn waived(verdict: &Verdict, waiver: &str) -> Vec<usize> {
    let (rules, today) = (rules(waiver), Date::constant(2026, 1, 2));
    let is_waived = |at: &usize| {
        let row = &verdict.rows[*at];
        waivers::find(&rules, &row.cell, row.figure.as_ref(), today).is_some()
    };
    (0..verdict.rows.len()).filter(is_waived).collect()
}

#[test]
fn a_pasted_waiver_lets_its_own_row_pass_and_no_other() {
    let mut verdict = failing();
    let all = suggested(&show::comment(&verdict, &Context::default(), false));
    assert_eq!(all.len(), 10, "as many as a comment has room for");
    for (at, waiver) in all.iter().enumerate() {
        assert_eq!(waived(&verdict, waiver), [at], "{waiver}");
    }
    // The terminal has the first of what fails.
    while !verdict.rows.is_empty() {
        let first = suggested(&show::terminal(&verdict, &Context::default(), Some(80), false, false));
        assert_eq!(first.len(), 1);
        assert_eq!(waived(&verdict, &first[0]), [0], "{}", first[0]);
        verdict.rows.remove(0);
    }
}

#[test]
fn of_a_figure_that_cannot_be_written_the_metric_is_left_to_fill_in() {
    let mut verdict = failing();
    verdict.rows[0].figure = Some("heap.live at steady@somebody".parse().expect("a figure"));
    let waiver = suggested(&show::comment(&verdict, &Context::default(), false)).swap_remove(0);
    assert!(waiver.contains("metric = \"…\""), "{waiver}");
    let refused = Config::read("plimsoll.toml".as_ref(), &format!("version = 1\n{waiver}\n")).map(drop);
    assert!(refused.is_err_and(|error| error.to_string().contains("metric")), "{waiver}");
}
