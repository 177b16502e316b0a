//! The level `ultra` on dhat.
use plimsoll_subjects::ultra;
plimsoll_worker::subject! { name: "ultra", allocator: dhat, module: ultra }
