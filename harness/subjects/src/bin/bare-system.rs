//! The level `bare` on the system's allocator.
use plimsoll_subjects::bare;
plimsoll_worker::subject! { name: "bare", allocator: system, module: bare }
