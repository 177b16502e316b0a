//! The level `bare` on dhat.
use plimsoll_subjects::bare;
plimsoll_worker::subject! { name: "bare", allocator: dhat, module: bare }
