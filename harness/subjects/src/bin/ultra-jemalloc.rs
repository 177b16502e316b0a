//! The level `ultra` on jemalloc.
use plimsoll_subjects::ultra;
plimsoll_worker::subject! { name: "ultra", allocator: jemalloc, module: ultra }
