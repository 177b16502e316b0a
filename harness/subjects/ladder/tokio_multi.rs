//! The rung `tokio-multi`: the runtime that subjects get, which can have worker threads.

use plimsoll_worker::{about, allocator::System, runtime, steps};

fn main() {
    steps::<System, _, _>(about!("tokio-multi"), runtime, |_| Ok(()))
}
