//! The level `proxied` on the system's allocator.
use plimsoll_subjects::proxied;
plimsoll_worker::subject! { name: "proxied", allocator: system, module: proxied }
