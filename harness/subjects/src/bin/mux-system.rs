//! The level `mux` on the system's allocator.
use plimsoll_subjects::mux;
plimsoll_worker::subject! { name: "mux", allocator: system, module: mux }
