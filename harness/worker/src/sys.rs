//! The few calls that need `unsafe`: standard input and output without the standard library's buffers, and allocators' figures.
#![allow(unsafe_code)]

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

/// Standard input, unbuffered.
pub(crate) fn standard_input() -> ManuallyDrop<File> {
    // SAFETY: descriptor 0 is open for the life of the process, and the file is never closed.
    ManuallyDrop::new(unsafe { File::from_raw_fd(0) })
}

/// Standard output, unbuffered.
pub(crate) fn standard_output() -> ManuallyDrop<File> {
    // SAFETY: descriptor 1 is open for the life of the process, and the file is never closed.
    ManuallyDrop::new(unsafe { File::from_raw_fd(1) })
}

/// Bytes in use in the C library's heap, as it counts them itself; `None` where it cannot say.
#[cfg(feature = "jemalloc")]
#[inline]
pub(crate) fn c_heap_live() -> Option<usize> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: takes nothing and returns plain figures; glibc locks its arenas itself.
        let figures = unsafe { libc::mallinfo2() };
        Some(figures.uordblks + figures.hblkhd)
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    None
}

/// One of jemalloc's statistics of type `size_t`.
#[cfg(feature = "jemalloc")]
#[inline]
pub(crate) fn jemalloc_size(mib: &[usize]) -> Option<usize> {
    // SAFETY: only called for names whose value jemalloc documents as `size_t`; it checks the size itself.
    unsafe { tikv_jemalloc_ctl::raw::read_mib(mib) }.ok()
}

/// One of jemalloc's options of type `ssize_t`.
#[cfg(feature = "jemalloc")]
#[inline]
pub(crate) fn jemalloc_option(name: &'static [u8]) -> Option<isize> {
    // SAFETY: only called for names that end with a zero and whose value jemalloc documents as `ssize_t`; it checks the size itself.
    unsafe { tikv_jemalloc_ctl::raw::read(name) }.ok()
}

/// One of jemalloc's options that is a word.
#[cfg(feature = "jemalloc")]
#[inline]
pub(crate) fn jemalloc_word(name: &'static [u8]) -> Option<&'static str> {
    // SAFETY: only called for names that end with a zero and whose value jemalloc documents as a string; its options stay as they are
    // for the life of the process.
    unsafe { tikv_jemalloc_ctl::raw::read_str(name) }.ok().and_then(|word| std::str::from_utf8(word).ok())
}
