//! How much: bytes that Rust code asks the allocator for, and how often.

use std::cell::RefCell;
use std::error::Error;
use std::time::Duration;

use criterion::Criterion;
use plimsoll_benches::allocated::{Allocated, Counting};
use plimsoll_benches::corpus::Corpus;
use plimsoll_benches::levels::Pace;
use plimsoll_benches::mock::Mock;
use plimsoll_benches::{levels, once, readers};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> Result<(), Box<dyn Error>> {
    if once::listed() {
        return Ok(());
    }
    let mock = RefCell::new(Mock::start()?);
    let corpus = Corpus::of(&mock.borrow())?;
    for measurement in [Allocated::Bytes, Allocated::Calls] {
        // Counts repeat: what takes long is to resample what does not differ. They are never compared with an earlier run's by a test that
        // divides by their spread, which is nothing.
        let criterion = Criterion::default()
            .with_measurement(measurement)
            .warm_up_time(Duration::from_millis(20))
            .measurement_time(Duration::from_millis(50))
            .sample_size(10)
            .nresamples(1_001)
            .without_plots()
            .retain_baseline("no earlier run".to_owned(), false);
        let mut criterion = once::configured(criterion);
        readers::bench(&mut criterion, measurement.prefix(), &corpus);
        levels::bench(&mut criterion, measurement.prefix(), &mock, Pace::LockStep);
        criterion.final_summary();
    }
    Ok(())
}
