//! `probe-keeps`: a client that keeps what a test wants it to keep.
#![forbid(unsafe_code)]
mod client;
plimsoll_worker::subject! { name: "probe-keeps", allocator: system, module: client }
