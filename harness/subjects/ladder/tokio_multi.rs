//! The rung `tokio-multi`: the runtime that subjects get, which can have worker threads.

use plimsoll_worker::{
    about,
    allocator::{GLOBAL_SYSTEM, GlobalSystem, System},
    runtime, steps,
};

#[global_allocator]
static GLOBAL: GlobalSystem = GLOBAL_SYSTEM;

fn main() {
    steps::<System, _, _>(about!("tokio-multi"), runtime, |_| Ok(()))
}
