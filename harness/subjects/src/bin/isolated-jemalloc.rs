//! The level `isolated` on jemalloc.
use plimsoll_subjects::isolated;
plimsoll_worker::subject! { name: "isolated", allocator: jemalloc, before: isolated::enter_helper(), module: isolated }
