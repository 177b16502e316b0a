//! The level `original` with something around it, on the system's allocator.
use plimsoll_selftest::original;
plimsoll_worker::subject! { name: "selftest-original", allocator: system, module: original }
