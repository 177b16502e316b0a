//! `probe-vec`: see `plimsoll_subjects::probe`.
use plimsoll_subjects::probe::vec;
plimsoll_worker::subject! { name: "probe-vec", allocator: system, module: vec }
