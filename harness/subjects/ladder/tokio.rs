//! The rung `tokio`: a runtime on the main thread.

use plimsoll_worker::{
    about,
    allocator::{GLOBAL_SYSTEM, GlobalSystem, System},
    steps,
};
use tokio::runtime::Builder;

#[global_allocator]
static GLOBAL: GlobalSystem = GLOBAL_SYSTEM;

fn main() {
    steps::<System, _, _>(about!("tokio"), || Ok(Builder::new_current_thread().enable_all().build()?), |_| Ok(()))
}
