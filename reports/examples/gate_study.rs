//! How often the gate is wrong, on a record of processes without any change between them:
//! `gate_study RECORD [SPLITS] [TRIALS] [SEED] [METRIC=FLOOR]…`, as Markdown to standard output.
//!
//! `SPLITS` (10,000) random splits into two sides and two rounds tell the share of false alarms; `TRIALS` (1,000) draws per figure, with twice its
//! floor added to the head, the share that is caught. Floors are in bytes or counts; the rest is the gate's own.

use std::io::{Error, Write};

use plimsoll_reports::Record;
use plimsoll_reports::gate::{Rules, Settings, Wanted, study};

fn main() -> Result<(), Error> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let mut rules = Rules::default();
    let floors: Vec<String> = args.extract_if(.., |arg| arg.contains('=')).collect();
    for (metric, floor) in floors.iter().filter_map(|floor| floor.split_once('=')) {
        let wanted: Wanted = metric.parse().map_err(Error::other)?;
        rules.floors.insert(wanted, floor.parse().map_err(Error::other)?);
    }
    let path = args
        .first()
        .ok_or_else(|| Error::other("usage: gate_study RECORD [SPLITS] [TRIALS] [SEED] [METRIC=FLOOR]…"))?;
    let number = |at: usize, default: u64| args.get(at).map_or(Ok(default), |arg| arg.parse().map_err(Error::other));
    let count = |at: usize, default: u64| number(at, default).and_then(|n| u32::try_from(n).map_err(Error::other));
    let (splits, trials, seed) = (count(1, 10_000)?, count(2, 1_000)?, number(3, 1)?);
    let record = Record::read(&std::fs::read(path)?).map_err(Error::other)?;
    let settings = Settings::new(rules);
    let alike = study::alike(&record, &settings, splits, seed).map_err(Error::other)?;
    let caught = study::power(&record, &settings, trials, 2.0, seed).map_err(Error::other)?;
    std::io::stdout().write_all(study::markdown(&alike, &caught).as_bytes())
}
