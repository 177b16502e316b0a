//! `probe-original-vec` on dhat.
use plimsoll_subjects::probe::original_vec;
plimsoll_worker::subject! { name: "probe-original-vec", allocator: dhat, module: original_vec }
