//! The level `ultra` on the system's allocator.
use plimsoll_subjects::ultra;
plimsoll_worker::subject! { name: "ultra", allocator: system, module: ultra }
