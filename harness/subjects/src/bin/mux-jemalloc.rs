//! The level `mux` on jemalloc.
use plimsoll_subjects::mux;
plimsoll_worker::subject! { name: "mux", allocator: jemalloc, module: mux }
