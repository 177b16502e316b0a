//! The rung `main`: a program that does nothing but speak the protocol.

use plimsoll_worker::{about, allocator::System, steps};

fn main() {
    steps::<System, _, _>(about!("main"), || Ok(()), |()| Ok(()))
}
