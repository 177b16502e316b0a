//! The level `isolated` on dhat.
use plimsoll_subjects::isolated;
plimsoll_worker::subject! { name: "isolated", allocator: dhat, before: isolated::enter_helper(), module: isolated }
