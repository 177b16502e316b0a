//! The level `original` on dhat.
use plimsoll_subjects::original;
plimsoll_worker::subject! { name: "original", allocator: dhat, module: original }
