//! The level `original` with something around it, on dhat.
use plimsoll_selftest::original;
plimsoll_worker::subject! { name: "selftest-original", allocator: dhat, module: original }
