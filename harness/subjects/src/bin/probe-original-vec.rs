//! `probe-original-vec`: see `plimsoll_subjects::probe`.
use plimsoll_subjects::probe::original_vec;
plimsoll_worker::subject! { name: "probe-original-vec", allocator: system, module: original_vec }
