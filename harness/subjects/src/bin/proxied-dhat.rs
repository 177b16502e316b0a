//! The level `proxied` on dhat.
use plimsoll_subjects::proxied;
plimsoll_worker::subject! { name: "proxied", allocator: dhat, module: proxied }
