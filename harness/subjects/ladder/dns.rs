//! The rung `dns`: the C library is asked where the server is.

mod server;

use plimsoll_worker::{
    Env, about,
    allocator::{GLOBAL_SYSTEM, GlobalSystem, System},
    runtime, steps,
};

#[global_allocator]
static GLOBAL: GlobalSystem = GLOBAL_SYSTEM;

fn main() {
    steps::<System, _, _>(about!("dns"), runtime, |_| server::Server::of(&Env::read()?.base_url)?.address())
}
