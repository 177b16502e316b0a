//! The level `libcurl` on the system's allocator.
use plimsoll_subjects_libcurl as libcurl;
plimsoll_worker::subject! { name: "libcurl", allocator: system, module: libcurl }
