//! `libplimsoll_count.so`: preloaded into a program (`LD_PRELOAD`), it counts every allocation of that program, whatever its language.
//!
//! It stands in for `malloc` and its relatives, counts, and forwards to glibc's own (`__libc_malloc`, …). The counters are in a shared
//! file (see [`layout`]) that the measuring process reads from outside: the subject does no work for being read and need not know.
//!
//! Why the figures are honest:
//! - It allocates nothing itself (tested: an empty program's own block is all that is live).
//! - It counts from the first `malloc` of the loader on: into a static until the file is mapped, and then carries over.
//! - Only calls that succeeded count, as with valgrind and dhat: `realloc(NULL, n)` is an allocation, `realloc(p, 0)` gives back.
//! - Live and peak are *usable* sizes (`malloc_usable_size`): what the allocator handed out, not what was asked for.
//!
//! Not seen: statically linked programs, memory taken with `mmap`, and a `malloc` that a program brings itself.
//! Without `PLIMSOLL_COUNT_FILE` in its environment it only forwards.

mod counters;
pub mod interpose;
pub mod layout;
mod shared;
