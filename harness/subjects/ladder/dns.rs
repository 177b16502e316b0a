//! The rung `dns`: the C library is asked where the server is.

mod server;

use plimsoll_worker::{Env, about, allocator::System, runtime, steps};

fn main() {
    steps::<System, _, _>(about!("dns"), runtime, |_| server::Server::of(&Env::read()?.base_url)?.address())
}
