//! What memory depends on, as the figures say it: of programs whose every block is known, through `plimsoll run` and `plimsoll line`.

use crate::common::{Project, assert_code, ok, said};
use plimsoll_reports::derive::{CellFigures, Figure};
use plimsoll_reports::{Format, line, render};

const KEEPS: &str = r#"
version = 1
[[subject]]
id = "keeps"
command = ["{target}/probe-keeps"]
runtimes = ["current_thread", "multi_thread"]
"#;

/// What a figure of live heap is in every sample, bytes.
fn exactly(cells: &[CellFigures], habit: &str, figure: fn(&str) -> Figure) -> f64 {
    let of = |cell: &&CellFigures| cell.cell.factors.get("switches").map_or("default", String::as_str) == habit;
    let cell = cells.iter().find(of).unwrap_or_else(|| panic!("no cell {habit}"));
    let measured = cell.figure(&figure("heap.live")).unwrap_or_else(|| panic!("{habit}: {:?}", cell.failures));
    assert!(measured.is_exact(), "{habit}: {measured:?}");
    measured.stats.median
}

#[test]
fn a_leak_a_cache_a_pool_and_a_cycle_each_show_as_what_they_are() {
    let suite = r#"
[suite.s]
subjects = ["keeps"]
scenarios = ["chat"]
samples = { count = 2 }
[[suite.s.matrix]]
probes = ["count"]
switches = ["default", "leak", "cache", "pool", "cycle"]
"#;
    let project = Project::with_subjects(KEEPS, suite);
    assert_code(&project.plimsoll(&["run", "--suite", "s", "--out", "out"]), 0);
    let record = project.record("out");
    assert_eq!(ok(&record).count(), 10);
    let cells = plimsoll_reports::derive::cells(&record);
    // The process itself keeps something of its runtime: what a habit adds is told from that.
    let itself = exactly(&cells, "default", Figure::residue);
    let of = |habit: &str| {
        let residue = exactly(&cells, habit, Figure::residue) - itself;
        (exactly(&cells, habit, Figure::slope), exactly(&cells, habit, Figure::step), residue)
    };
    assert_eq!(of("default"), (0.0, 0.0, 0.0));
    // glibc hands out 72 bytes for 64, and 104 for the link: two counts, a lock, the pointer, and 64.
    assert_eq!(of("leak"), (72.0, 0.0, 256.0 * 72.0));
    assert_eq!(of("cycle"), (104.0, 0.0, 256.0 * 104.0));
    let (slope, step, residue) = of("cache");
    assert_eq!((slope, residue), (0.0, 0.0));
    // 200,000 B and a header of 16 are 49 pages.
    assert_eq!(step, 49.0 * 4_096.0 - 16.0);
    assert_eq!(of("pool"), (0.0, 0.0, 0.0));
    // The report says it too: a leak is a slope of the live heap.
    let page = String::from_utf8(render(&record, Format::Html)).expect("text");
    assert!(page.contains("70.3 KiB"), "72 B a request are 70.3 KiB for a thousand");
}

#[test]
fn the_line_of_a_program_with_a_known_block_for_each_request_is_predicted_and_proved() {
    let buffer = KEEPS.replace("probe-keeps\"", "probe-keeps\", \"buffer\"");
    let another = buffer.replace("version = 1", "").replace("\"keeps\"", "\"another\"");
    let project = Project::with_subjects(&buffer, &another);
    let lined =
        ["line", "--memory", "32MiB", "--samples", "1", "--out", "out", "--format", "json", "--subject", "keeps"];
    let run = project.plimsoll(&lined);
    assert_code(&run, 0);
    let told: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let record = project.record("out");
    let lines = line::lines(&record, f64::from(32 << 20));
    assert_eq!(lines.len(), 1);
    let (at, above) = (lines[0].at.as_ref().expect("run"), lines[0].above.as_ref().expect("run"));
    let prediction = lines[0].prediction.as_ref().expect("a model");
    // The block, and a connection's own.
    assert!((65_536.0..90_000.0).contains(&prediction.model.each), "{prediction:?}");
    assert!(at.fits, "{at:?}");
    assert!(lines[0].difference().is_some_and(|share| share.abs() < 0.1), "{:?}", lines[0]);
    assert_eq!(above.in_flight, line::above(at.in_flight));
    // Into what was left free for the model's own error, which is that of one process here, a tenth more may go; into no more than that.
    let free = prediction.memory * prediction.margin;
    assert!(!above.fits || prediction.need(above.in_flight) <= prediction.memory + free, "{above:?} {prediction:?}");
    assert!(above.need.is_none_or(|need| !above.fits || need <= prediction.memory), "{above:?}");
    assert_eq!(told["lines"][0]["proved"]["in_flight"], at.in_flight);
    assert_eq!(line::memory(&record), Some(f64::from(32 << 20)));
    // From the record of that run, without measuring for the model again.
    let again = ["line", "--memory", "24MiB", "--samples", "1", "--record", "out", "--out", "again"];
    let run = project.plimsoll(&again);
    assert_code(&run, 0);
    assert!(said(&run).contains("What 24.00 MiB hold"), "{}", said(&run));
    assert!(said(&run).contains("left out: out has no sample of another/"), "{}", said(&run));
    assert_eq!(ok(&project.record("again")).filter(|sample| sample.cell.scenario == line::MODEL).count(), 1);
}

#[test]
fn a_memory_that_holds_nothing_is_said_in_one_line() {
    let project = Project::with_subjects(KEEPS, "");
    let run = project.plimsoll(&["line", "--memory", "64KiB", "--samples", "1", "--out", "out"]);
    assert_code(&run, 1);
    assert!(said(&run).contains("never fits: it takes"), "{}", said(&run));
    for wrong in [["--memory", "32MB"], ["--memory", "0"]] {
        assert_code(&project.plimsoll(&[&["line"], &wrong[..]].concat()), 2);
    }
    assert_code(&project.plimsoll(&["line", "--memory", "32MiB", "--subject", "nobody"]), 2);
}
