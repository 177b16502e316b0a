//! The level `libcurl` on dhat.
use plimsoll_subjects_libcurl as libcurl;
plimsoll_worker::subject! { name: "libcurl", allocator: dhat, module: libcurl }
