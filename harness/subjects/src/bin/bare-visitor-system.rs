//! The level `bare` in its visitor form, on the system's allocator.
use plimsoll_subjects::bare_visitor;
plimsoll_worker::subject! { name: "bare-visitor", allocator: system, module: bare_visitor }
