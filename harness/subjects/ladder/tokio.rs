//! The rung `tokio`: a runtime on the main thread.

use plimsoll_worker::{about, allocator::System, steps};
use tokio::runtime::Builder;

fn main() {
    steps::<System, _, _>(about!("tokio"), || Ok(Builder::new_current_thread().enable_all().build()?), |_| Ok(()))
}
