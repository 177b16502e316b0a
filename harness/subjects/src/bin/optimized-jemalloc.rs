//! The level `optimized` on jemalloc.
use plimsoll_subjects::optimized;
plimsoll_worker::subject! { name: "optimized", allocator: jemalloc, module: optimized }
