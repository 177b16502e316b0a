//! The functions that stand in for glibc's. None of them can unwind: they do arithmetic on atomics and call C.
//!
//! A block is taken off the books *before* it is given back: another thread may be handed the same memory at once, and counting it
//! twice would raise the peak over what there ever was.

use std::ffi::{c_int, c_void};

use crate::counters;

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
}

/// `malloc(3)`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: forwarded as the caller vouches for it.
    counted(unsafe { __libc_malloc(size) }, size)
}

/// `calloc(3)`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: forwarded as the caller vouches for it. A product that overflows fails there and is not counted.
    counted(unsafe { __libc_calloc(count, size) }, count.wrapping_mul(size))
}

/// `realloc(3)`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        // SAFETY: forwarded as the caller vouches for it; with no block, `realloc` is `malloc`.
        return counted(unsafe { __libc_realloc(block, size) }, size);
    }
    // SAFETY: the caller vouches that `block` is live.
    let old = unsafe { libc::malloc_usable_size(block) };
    if size == 0 {
        // glibc gives the block back and returns nothing.
        counters::freed(old);
        // SAFETY: forwarded as the caller vouches for it.
        return unsafe { __libc_realloc(block, size) };
    }
    // SAFETY: forwarded as the caller vouches for it.
    let new = unsafe { __libc_realloc(block, size) };
    if !new.is_null() {
        // SAFETY: `new` was handed out just now.
        counters::reallocated(old, size, unsafe { libc::malloc_usable_size(new) });
    }
    new
}

/// `reallocarray(3)`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: forwarded as the caller vouches for it.
        Some(bytes) => unsafe { realloc(block, bytes) },
        None => no_memory(),
    }
}

/// `free(3)`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    if block.is_null() {
        return;
    }
    // SAFETY: the caller vouches that `block` is live.
    counters::freed(unsafe { libc::malloc_usable_size(block) });
    // SAFETY: forwarded as the caller vouches for it.
    unsafe { __libc_free(block) };
}

/// `free_sized` of C23.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_sized(block: *mut c_void, _size: usize) {
    // SAFETY: the caller vouches that `block` came from `malloc`, `calloc` or `realloc`.
    unsafe { free(block) };
}

/// `free_aligned_sized` of C23.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_aligned_sized(block: *mut c_void, _alignment: usize, _size: usize) {
    // SAFETY: the caller vouches that `block` came from `aligned_alloc`.
    unsafe { free(block) };
}

/// `memalign(3)`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memalign(alignment: usize, size: usize) -> *mut c_void {
    // SAFETY: forwarded as the caller vouches for it.
    counted(unsafe { __libc_memalign(alignment, size) }, size)
}

/// `aligned_alloc(3)`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    if !alignment.is_power_of_two() {
        set_errno(libc::EINVAL);
        return std::ptr::null_mut();
    }
    // SAFETY: forwarded as the caller vouches for it.
    unsafe { memalign(alignment, size) }
}

/// `posix_memalign(3)`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(place: *mut *mut c_void, alignment: usize, size: usize) -> c_int {
    if !alignment.is_power_of_two() || !alignment.is_multiple_of(size_of::<*mut c_void>()) {
        return libc::EINVAL;
    }
    // SAFETY: forwarded as the caller vouches for it.
    let block = unsafe { memalign(alignment, size) };
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller vouches that `place` can be written.
    unsafe { place.write(block) };
    0
}

/// `valloc(3)`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn valloc(size: usize) -> *mut c_void {
    // SAFETY: forwarded as the caller vouches for it.
    unsafe { memalign(page_size(), size) }
}

/// `pvalloc(3)`: counts the size asked for, before it is rounded up to whole pages.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvalloc(size: usize) -> *mut c_void {
    let page = page_size();
    match size.checked_next_multiple_of(page) {
        // SAFETY: forwarded as the caller vouches for it.
        Some(whole) => counted(unsafe { __libc_memalign(page, whole) }, size),
        None => no_memory(),
    }
}

#[inline]
fn counted(block: *mut c_void, requested: usize) -> *mut c_void {
    if !block.is_null() {
        // SAFETY: `block` was handed out just now.
        counters::allocated(requested, unsafe { libc::malloc_usable_size(block) });
    }
    block
}

fn no_memory() -> *mut c_void {
    set_errno(libc::ENOMEM);
    std::ptr::null_mut()
}

fn set_errno(value: c_int) {
    // SAFETY: the location is this thread's own and always valid.
    unsafe { *libc::__errno_location() = value };
}

fn page_size() -> usize {
    // SAFETY: takes a constant and cannot fail.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}
