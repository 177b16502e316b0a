//! The level `ultra` with something around it, on dhat.
use plimsoll_selftest::ultra;
plimsoll_worker::subject! { name: "selftest-ultra", allocator: dhat, module: ultra }
