//! The level `ultra` with something around it, on the system's allocator.
use plimsoll_selftest::ultra;
plimsoll_worker::subject! { name: "selftest-ultra", allocator: system, module: ultra }
