//! `probe-leak`: see `plimsoll_subjects::probe`.
use plimsoll_subjects::probe::leak;
plimsoll_worker::subject! { name: "probe-leak", allocator: system, module: leak }
