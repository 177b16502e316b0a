//! The level `proxied` on jemalloc.
use plimsoll_subjects::proxied;
plimsoll_worker::subject! { name: "proxied", allocator: jemalloc, module: proxied }
