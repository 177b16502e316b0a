//! The level `original` on jemalloc.
use plimsoll_subjects::original;
plimsoll_worker::subject! { name: "original", allocator: jemalloc, module: original }
