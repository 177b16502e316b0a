//! The level `isolated` on the system's allocator.
use plimsoll_subjects::isolated;
plimsoll_worker::subject! { name: "isolated", allocator: system, before: isolated::enter_helper(), module: isolated }
