//! Records and samples are read back as written; what is wrong with one is said in one clear line.

mod common;

use plimsoll_reports::record::{Record, Status};
use plimsoll_reports::{RecordError, Samples};

fn error(bytes: &[u8]) -> String {
    Record::read(bytes).unwrap_err().to_string()
}

#[test]
fn a_record_is_read_as_it_was_written() {
    for record in [common::quick(), common::hostile()] {
        let bytes = record.write().unwrap();
        assert_eq!(Record::read(&bytes).unwrap(), record);
        assert_eq!(bytes, record.write().unwrap());
    }
}

#[test]
fn nothing_is_an_empty_record() {
    assert!(matches!(Record::read(b"").unwrap_err(), RecordError::Empty));
    assert!(matches!(Record::read(b" \n").unwrap_err(), RecordError::Empty));
}

#[test]
fn a_record_cut_anywhere_is_an_error_and_never_a_panic() {
    let bytes = common::quick().write().unwrap();
    let whole = bytes.len() - 1;
    for at in (1..whole).step_by(997) {
        assert!(matches!(Record::read(&bytes[..at]).unwrap_err(), RecordError::Truncated { .. }), "cut at {at}");
    }
    assert!(error(&bytes[..bytes.len() / 2]).contains("truncated: it ends at line"));
}

#[test]
fn what_is_no_json_names_the_place() {
    let text = error(b"{\n  \"schema\": nonsense }");
    assert!(text.starts_with("the record is not JSON at line 2, column 14"), "{text}");
}

#[test]
fn another_version_is_named_with_what_to_do() {
    let with = |schema: &str| error(format!("{{\"schema\":{schema},\"anything\":[1]}}").as_bytes());
    assert_eq!(
        with("\"plimsoll.record/2\""),
        "the record's schema is `plimsoll.record/2` and this version reads `plimsoll.record/1`: a newer plimsoll wrote it; update plimsoll"
    );
    assert!(with("\"plimsoll.record/0\"").contains("an older plimsoll wrote it"));
    assert!(with("\"cargo.lock\"").contains("give the record.json of a run"));
    assert!(with("7").contains("`7`"));
    assert!(error(b"{}").contains("not a Plimsoll record"));
}

#[test]
fn a_wrong_value_is_named_by_its_path() {
    let text = String::from_utf8(common::quick().write().unwrap()).unwrap();
    let broken = text.replacen("\"status\": \"ok\"", "\"status\": \"fine\"", 1);
    let text = error(broken.as_bytes());
    assert!(text.starts_with("the record is wrong at `samples[0].status`: unknown variant `fine`"), "{text}");
}

#[test]
fn an_unknown_key_is_an_error() {
    let text = String::from_utf8(common::quick().write().unwrap()).unwrap();
    let text = error(text.replacen("\"order\"", "\"odrer\"", 1).as_bytes());
    assert!(text.contains("samples[0]") && text.contains("odrer"), "{text}");
    let planned = common::quick();
    let text = String::from_utf8(planned.write().unwrap()).unwrap().replacen("\"samples\": 5", "\"samlpes\": 5", 1);
    assert!(error(text.as_bytes()).contains("plan.cells[0]"), "{}", error(text.as_bytes()));
}

#[test]
fn a_number_that_is_not_finite_is_neither_written_nor_read() {
    for bad in [f64::NAN, f64::INFINITY] {
        let mut record = common::quick();
        record.samples[3].checkpoints[2].at_ms = bad;
        assert_eq!(
            record.write().unwrap_err().to_string(),
            "the record holds a number that is not finite at `samples[3].checkpoints[2].at_ms`: that reading is broken, leave it out"
        );
        assert!(record.samples[3].write_line().is_err());
    }
    let text = String::from_utf8(common::quick().write().unwrap()).unwrap();
    for bad in ["NaN", "Infinity", "1e999", "null"] {
        assert!(
            Record::read(text.replacen("\"at_ms\": 12.5", &format!("\"at_ms\": {bad}"), 1).as_bytes()).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn a_half_written_last_line_costs_only_itself() {
    let record = common::quick();
    let lines: Vec<Vec<u8>> = record.samples.iter().take(3).map(|sample| sample.write_line().unwrap()).collect();
    let whole = lines.concat();
    let start = whole.len() - lines[2].len();
    for at in start..whole.len() {
        let read = Samples::read(&whole[..at]).unwrap();
        assert_eq!(read.samples, record.samples[..2]);
        match read.torn {
            None => assert_eq!(at, start),
            Some(torn) => assert_eq!((torn.line, torn.offset, torn.bytes), (3, start, at - start)),
        }
    }
    let read = Samples::read(&whole).unwrap();
    assert_eq!((read.samples.as_slice(), read.torn), (&record.samples[..3], None));
}

#[test]
fn a_broken_line_in_the_middle_is_damage() {
    let line = common::quick().samples[0].write_line().unwrap();
    let broken = String::from_utf8(line.clone()).unwrap().replace("\"ok\"", "\"okay\"");
    let text = Samples::read(&[line.as_slice(), broken.as_bytes(), line.as_slice()].concat()).unwrap_err().to_string();
    assert!(text.starts_with("samples.jsonl, line 2, is wrong at `status`"), "{text}");
    let two = Samples::read(b"{} {}\n").unwrap_err().to_string();
    assert!(two.starts_with("samples.jsonl, line 1"), "{two}");
}

#[test]
fn no_samples_are_no_error() {
    let read = Samples::read(b"").unwrap();
    assert!(read.samples.is_empty() && read.torn.is_none());
    let torn = Samples::read(b"{\"cell\"").unwrap().torn.unwrap();
    assert_eq!((torn.line, torn.offset, torn.bytes), (1, 0, 7));
}

#[test]
fn statuses_are_spelled_as_in_the_schema() {
    for status in
        [Status::Ok, Status::Failed, Status::Timeout, Status::Killed, Status::WrongAnswer, Status::Unavailable]
    {
        let json = serde_json::to_string(&status).unwrap();
        assert_eq!(json, format!("\"{}\"", plimsoll_reports::summary::status_name(status)));
    }
}
