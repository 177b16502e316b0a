//! The level `bare` on jemalloc.
use plimsoll_subjects::bare;
plimsoll_worker::subject! { name: "bare", allocator: jemalloc, module: bare }
