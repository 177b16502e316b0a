//! Reads jemalloc's figures, and has the C library's allocator: a program that was put together wrongly. It must say so and greet nobody.
use plimsoll_worker::allocator::Jemalloc;

fn main() {
    plimsoll_worker::steps::<Jemalloc, _, _>(
        plimsoll_worker::about!("jemalloc-unused"),
        || Ok(()),
        |_| Ok(vec![1_u8; 1 << 20]),
    )
}
