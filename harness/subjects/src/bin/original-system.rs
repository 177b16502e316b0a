//! The level `original` on the system's allocator.
use plimsoll_subjects::original;
plimsoll_worker::subject! { name: "original", allocator: system, module: original }
