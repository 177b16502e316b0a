//! The rung `main`: a program that does nothing but speak the protocol.

use plimsoll_worker::{
    about,
    allocator::{GLOBAL_SYSTEM, GlobalSystem, System},
    steps,
};

#[global_allocator]
static GLOBAL: GlobalSystem = GLOBAL_SYSTEM;

fn main() {
    steps::<System, _, _>(about!("main"), || Ok(()), |()| Ok(()))
}
