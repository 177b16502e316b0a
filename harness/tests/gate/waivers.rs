//! The waiver that a verdict suggests, pasted into a `plimsoll.toml`: it lets the row pass that it is for, and no other.

use jiff::civil::Date;
use plimsoll::config::Config;
use plimsoll::gate::idle;
use plimsoll_reports::gate::show::{self, Context};
use plimsoll_reports::gate::{Rules, Settings, Verdict, waivers};
use plimsoll_reports::record::Cell;
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

#[test]
fn a_waiver_of_nothing_is_told_with_what_it_may_have_been_meant_for_and_passes_nothing() {
    let verdict = failing();
    let mut cells: Vec<&Cell> = verdict.rows.iter().map(|row| &row.cell).collect();
    cells.dedup();
    let waiver = |cell: &str, metric: &str| {
        format!("[[waiver]]\ncell = \"{cell}\"\n{metric}reason = \"r\"\nowner = \"o\"\nexpires = 2027-01-31\n")
    };
    let told = |text: &str| idle::told(&Settings::new(rules(text)), &cells, &verdict);
    let allocs = "metric = \"heap.allocs\"\n";
    for good in [waiver("ultra", ""), waiver("ultra/chat/count", allocs), waiver("large", allocs)] {
        assert_eq!(told(&good), [""; 0], "{good}");
    }
    assert_eq!(
        told(&waiver("ulra/chat", "")),
        ["the waiver of \"ulra/chat\" matches no cell that is gated; nearest: ultra/chat"]
    );
    assert_eq!(told(&waiver("nobody-at-all", "")), ["the waiver of \"nobody-at-all\" matches no cell that is gated"]);
    let [figure] = &told(&waiver("ultra/chat", "metric = \"growth proc.anon\"\n"))[..] else { panic!("one") };
    assert!(
        figure.contains("growth proc.anon is not judged there; what is: ") && figure.contains("slope heap.live"),
        "{figure}"
    );

    // The head's file is what is mended: what it takes out is nobody's trouble, what it adds is told before it is merged.
    let (none, odd) = (Rules::default(), rules(&waiver("ulra", "")));
    let proposing =
        |base: &Rules, head: &Rules| Settings { proposed: Some(head.clone()), ..Settings::new(base.clone()) };
    assert_eq!(idle::told(&proposing(&odd, &none), &cells, &verdict), [""; 0]);
    assert_eq!(idle::told(&proposing(&none, &odd), &cells, &verdict).len(), 1);
}
