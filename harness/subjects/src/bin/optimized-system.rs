//! The level `optimized` on the system's allocator.
use plimsoll_subjects::optimized;
plimsoll_worker::subject! { name: "optimized", allocator: system, module: optimized }
