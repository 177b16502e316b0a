//! How long: wall-clock time, on the system's allocator.

use std::cell::RefCell;
use std::error::Error;
use std::time::Duration;

use criterion::Criterion;
use plimsoll_benches::corpus::Corpus;
use plimsoll_benches::levels::Pace;
use plimsoll_benches::mock::Mock;
use plimsoll_benches::{levels, once, readers};

fn main() -> Result<(), Box<dyn Error>> {
    if once::listed() {
        return Ok(());
    }
    let mock = RefCell::new(Mock::start()?);
    let corpus = Corpus::of(&mock.borrow())?;
    // About a second a bench: what is compared differs by more than the interval that this leaves.
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(40)
        .nresamples(10_000)
        .without_plots();
    let mut criterion = once::configured(criterion);
    readers::bench(&mut criterion, "", &corpus);
    levels::bench(&mut criterion, "", &mock, Pace::Free);
    criterion.final_summary();
    Ok(())
}
