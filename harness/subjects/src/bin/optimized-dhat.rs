//! The level `optimized` on dhat.
use plimsoll_subjects::optimized;
plimsoll_worker::subject! { name: "optimized", allocator: dhat, module: optimized }
