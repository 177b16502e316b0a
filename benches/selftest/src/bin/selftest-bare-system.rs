//! The level `bare` with something around it, on the system's allocator.
use plimsoll_selftest::bare;
plimsoll_worker::subject! { name: "selftest-bare", allocator: system, module: bare }
