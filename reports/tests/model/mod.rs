//! The model and the line, from a record to what people read.

use plimsoll_reports::line::{self, NoLine};
use plimsoll_reports::record::{Cell, Checkpoint, Record, Status};
use plimsoll_reports::view::View;
use plimsoll_reports::{Format, render};

use crate::common::{Builder, PLAIN, Shape, cell, factors, grow, held};

const UNDER: [(&str, &str); 3] = [("allocator", "system"), ("protocol", "h1"), ("runtime", "multi_thread")];
const EACH: i64 = 6_000;
const LEAK: i64 = 64;

/// A subject that takes [`EACH`] bytes for a request in flight and leaks [`LEAK`] of each that is answered.
fn measured() -> Record {
    let mut record = Builder::new()
        .subject("s", "level", "")
        .scenario("chat", 1)
        .scenario("inflight-event", 1)
        .measured(&cell("s", "chat", "rss", &UNDER), &[Shape { leak: LEAK, ..PLAIN }; 2])
        .measured(&cell("s", "inflight-event", "rss", &UNDER), &[PLAIN])
        .build();
    held(&mut record, "inflight-event", EACH);
    let held = record.samples.iter_mut().filter(|sample| sample.cell.scenario == "inflight-event");
    for point in held.flat_map(|sample| &mut sample.checkpoints).filter(|point| point.name.starts_with("held@")) {
        let leaked = LEAK * i64::try_from(point.requests).unwrap();
        grow(point, leaked);
    }
    record
}

/// The cell that proves a number of requests in a mebibyte times `memory`.
fn proof(memory: u64, count: u64) -> Cell {
    let mut proof = cell("s", line::SCENARIO, "rss", &UNDER);
    proof.factors.extend(factors(&[
        (line::IN_FLIGHT, &count.to_string()),
        (line::MEMORY, &(memory << 20).to_string()),
        (line::LIMIT, &(memory << 19).to_string()),
    ]));
    proof
}

#[test]
fn the_model_recovers_what_a_record_was_made_of() {
    let models = View::new(&measured()).models();
    let anon = models.iter().find(|model| model.metric == "proc.anon").unwrap();
    let close = |value: f64, wanted: i32| assert!((value - f64::from(wanted)).abs() < 0.01, "{value} {wanted}");
    close(anon.fixed.stats.median, 200_704);
    close(anon.in_flight.stats.median, 6_000);
    let (slope, scenario) = anon.slope.as_ref().unwrap();
    close(slope.stats.median, 64);
    assert_eq!((scenario.as_str(), slope.stats.samples), ("chat", 2));
    close(anon.residual.max, 0);
    close(anon.at(1_000, 10), 200_704 + 64_000 + 60_000);
    let counts = |points: &[plimsoll_reports::model::Point]| -> Vec<(u64, u64)> {
        points.iter().map(|point| (point.requests, point.in_flight)).collect()
    };
    assert_eq!(counts(&anon.held), [(0, 1), (1, 10), (11, 100), (111, 1_000)]);
    assert_eq!(counts(&anon.answered), [(64, 0), (128, 0), (256, 0)]);
}

#[test]
fn the_slope_is_of_work_that_was_done_one_by_one_and_of_several_as_long_the_first() {
    let leaking = |scenario: &str, leak: i64| (cell("s", scenario, "rss", &UNDER), Shape { leak, ..PLAIN });
    let mut builder = Builder::new().subject("s", "level", "").scenario("inflight-event", 1);
    for (scenario, in_flight, leak) in [("chat", 1, LEAK), ("chat-20x", 20, 900), ("large", 1, 300)] {
        let (cell, shape) = leaking(scenario, leak);
        builder = builder.scenario(scenario, in_flight).measured(&cell, &[shape; 2]);
    }
    let mut record = builder.measured(&cell("s", "inflight-event", "rss", &UNDER), &[PLAIN]).build();
    held(&mut record, "inflight-event", EACH);
    let models = View::new(&record).models();
    let anon = models.iter().find(|model| model.metric == "proc.anon").unwrap();
    let (slope, scenario) = anon.slope.as_ref().unwrap();
    assert_eq!((slope.stats.median, scenario.as_str()), (64.0, "chat"));
}

#[test]
fn a_reading_off_the_line_is_in_the_residual() {
    let mut record = measured();
    let sample = record.samples.iter_mut().find(|sample| sample.cell.scenario == "inflight-event").unwrap();
    let point = sample.checkpoints.iter_mut().find(|point| point.name == "held@100").unwrap();
    *point.metrics.get_mut("proc.anon").unwrap() += 80_000;
    let models = View::new(&record).models();
    let anon = models.iter().find(|model| model.metric == "proc.anon").unwrap();
    assert!(anon.residual.max > 20_000.0 && anon.residual.rms < anon.residual.max && anon.residual.share > 0.02);
}

/// With a line of two cells: what fits, and a tenth more that was killed.
fn lined() -> Record {
    let mut record = measured();
    record.plan.suite = "line".to_owned();
    let (at, above) = (proof(8, 900), proof(8, 990));
    let built = Builder::new()
        .scenario(line::SCENARIO, 1)
        .measured(&at, &[PLAIN])
        .failed(&above, Status::Killed, "it was ended by signal 9; out of memory")
        .build();
    record.plan.scenarios.extend(built.plan.scenarios);
    record.plan.cells.extend(built.plan.cells);
    record.samples.extend(built.samples);
    let sample = record.samples.iter_mut().find(|sample| sample.cell == at).unwrap();
    let start = sample.checkpoints[0].clone();
    let point = |name: &str, peak: i64| {
        let mut metrics = start.metrics.clone();
        metrics.insert("cgroup.peak".to_owned(), peak);
        Checkpoint { name: name.to_owned(), metrics, ..start.clone() }
    };
    sample.checkpoints.extend([point("held@900", 5_000_000), point("after@900", 6_000_000)]);
    record
}

#[test]
fn a_line_is_what_was_needed_until_the_last_answer_and_a_tenth_more_does_not_fit() {
    let record = lined();
    let memory = line::memory(&record).unwrap();
    assert_eq!(memory, 8_388_608.0);
    let lines = line::lines(&record, memory);
    let [only] = lines.as_slice() else { panic!("{lines:?}") };
    let at = only.at.as_ref().unwrap();
    // The group's peak, and the file pages that it was not charged with.
    assert_eq!((at.in_flight, at.need, at.fits), (900, Some(6_000_000.0 + 1_921_024.0), true));
    assert!(only.holds() && !only.above.as_ref().unwrap().fits);
    assert_eq!(only.prediction.as_ref().map(|p| p.kernel), Ok(false));
    for format in [Format::Html, Format::Markdown] {
        let page = String::from_utf8(render(&record, format)).unwrap();
        for told in ["What a given memory holds", "What memory depends on", "990: killed, out of memory", "7.55 MiB"] {
            assert!(page.contains(told), "{told}: {page}");
        }
    }
    let json: serde_json::Value = serde_json::from_str(&line::json(&record, memory)).unwrap();
    assert_eq!((&json["lines"][0]["holds"], &json["lines"][0]["above"]["fits"]), (&true.into(), &false.into()));
}

#[test]
fn curves_have_their_points_and_their_model_as_data() {
    let page = String::from_utf8(render(&lined(), Format::Html)).unwrap();
    let html = scraper::Html::parse_document(&page);
    let cells = |selector: &str| -> Vec<String> {
        let selector = scraper::Selector::parse(selector).unwrap();
        html.select(&selector).map(|cell| cell.text().collect::<String>()).collect()
    };
    assert_eq!(cells("#model-1-proc-anon tbody th"), ["1", "10", "100", "1,000"]);
    assert_eq!(cells("#model-1-proc-anon tbody tr:first-child td"), ["201.9 KiB", "201.9 KiB"]);
    assert_eq!(cells("#model-n-proc-anon tbody th"), ["64", "128", "256"]);
    assert_eq!(cells("#line-table tbody th"), ["s"]);
}

#[test]
fn who_was_not_measured_has_no_line_and_it_says_why() {
    let record =
        Builder::new().failed(&cell("s", line::MODEL, "rss", &UNDER), Status::Failed, "100 of 1000 were held").build();
    let lines = line::lines(&record, 1e6);
    assert_eq!(lines[0].prediction, Err(NoLine::NotMeasured("100 of 1000 were held".to_owned())));
    assert_eq!(line::row(&lines[0])[0], "no model: 100 of 1000 were held");
}
