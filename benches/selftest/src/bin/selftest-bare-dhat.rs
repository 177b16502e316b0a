//! The level `bare` with something around it, on dhat.
use plimsoll_selftest::bare;
plimsoll_worker::subject! { name: "selftest-bare", allocator: dhat, module: bare }
