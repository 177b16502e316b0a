//! The level `libcurl` on jemalloc.
use plimsoll_subjects_libcurl as libcurl;
plimsoll_worker::subject! { name: "libcurl", allocator: jemalloc, module: libcurl }
