//! The level `mux` on dhat.
use plimsoll_subjects::mux;
plimsoll_worker::subject! { name: "mux", allocator: dhat, module: mux }
