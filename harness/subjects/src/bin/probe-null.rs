//! `probe-null`: see `plimsoll_subjects::probe`.
use plimsoll_subjects::probe::null;
plimsoll_worker::subject! { name: "probe-null", allocator: system, module: null }
