//! Finds the file of counters and takes a slot of it: when the image is loaded, and again in a forked child.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU32, Ordering};

use crate::counters::{self, Counters};
use crate::layout;

const VARIABLE: &CStr = c"PLIMSOLL_COUNT_FILE";

/// The mapping, once it was made.
static FILE: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
/// Bytes live in the parent just before it forked. Read before the fork: the child must not look at the parent's slot, which moves on.
static LIVE_AT_FORK: AtomicI64 = AtomicI64::new(0);

/// Run by the loader once libc is ready and before `main`. glibc passes it the arguments of `main`.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn(c_int, *const *const c_char, *const *const c_char) = start;

unsafe extern "C" {
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
}

extern "C" fn start(_: c_int, _: *const *const c_char, _: *const *const c_char) {
    // SAFETY: libc's own constructors have run, because this library depends on it, and the program that may change its environment
    // has not started yet; the result is used before anything else runs.
    let name = unsafe { libc::getenv(VARIABLE.as_ptr()) };
    if name.is_null() {
        counters::switch(None);
        return;
    }
    // SAFETY: `getenv` returned a string of the environment.
    let Some(file) = map(unsafe { CStr::from_ptr(name) }) else {
        counters::switch(None);
        return;
    };
    FILE.store(file, Ordering::Relaxed);
    // SAFETY: the handlers are functions of this library, which is preloaded and so never unloaded.
    unsafe { pthread_atfork(Some(before_fork), None, Some(after_fork)) };
    counters::switch(take_slot(0));
}

extern "C" fn before_fork() {
    LIVE_AT_FORK.store(counters::current().map_or(0, Counters::live), Ordering::Relaxed);
}

extern "C" fn after_fork() {
    counters::switch(take_slot(LIVE_AT_FORK.load(Ordering::Relaxed)));
}

/// The file, mapped shared; `None` unless it is one that the parent made for this layout.
fn map(name: &CStr) -> Option<*mut u8> {
    // SAFETY: plain system calls on a string and on a descriptor that this function opened; a shared mapping of a file of full size
    // stays readable while nobody truncates it, which its owner does not.
    unsafe {
        let fd = libc::open(name.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        if fd < 0 {
            return None;
        }
        let mut stat: libc::stat = std::mem::zeroed();
        let whole = libc::fstat(fd, &raw mut stat) == 0 && stat.st_size >= layout::FILE_SIZE as libc::off_t;
        let file = if whole {
            libc::mmap(
                std::ptr::null_mut(),
                layout::FILE_SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd,
                0,
            )
        } else {
            libc::MAP_FAILED
        };
        libc::close(fd);
        (file != libc::MAP_FAILED && is_ours(file)).then_some(file.cast())
    }
}

/// Whether the file at `file` has this layout's header.
///
/// # Safety
/// `file` must point to `layout::FILE_SIZE` readable bytes, aligned to a page.
unsafe fn is_ours(file: *const c_void) -> bool {
    // SAFETY: the header lies within the bytes that the caller vouches for; the words are aligned, because the file is.
    unsafe {
        file.cast::<[u8; 8]>().read() == layout::MAGIC
            && file.byte_add(layout::OFFSET_VERSION).cast::<u32>().read() == layout::VERSION
            && file.byte_add(layout::OFFSET_SLOTS).cast::<u32>().read() == layout::SLOTS as u32
            && file.byte_add(layout::OFFSET_SLOT_SIZE).cast::<u32>().read() == layout::SLOT_SIZE as u32
    }
}

/// The next free slot, with `inherited` bytes live in it; `None` when there is none left, which the reader of the file sees.
fn take_slot(inherited: i64) -> Option<&'static Counters> {
    const { assert!(size_of::<Counters>() == layout::SLOT_SIZE) };
    let file = FILE.load(Ordering::Relaxed);
    if file.is_null() {
        return None;
    }
    // SAFETY: `FILE` points to the mapping, which is never unmapped; the counter lies in its header, aligned.
    let taken = unsafe { &*file.add(layout::OFFSET_TAKEN).cast::<AtomicU32>() };
    let index = taken.fetch_add(1, Ordering::Relaxed) as usize;
    if index >= layout::SLOTS {
        return None;
    }
    // SAFETY: the slot lies within the mapping and is aligned to 64 bits; it is only ever used through atomics, by us and by others.
    let slot = unsafe { &*file.add(layout::HEADER + index * layout::SLOT_SIZE).cast::<Counters>() };
    slot.inherit(inherited);
    // SAFETY: takes nothing and cannot fail.
    slot.pid.store(unsafe { libc::getpid() } as u64, Ordering::Release);
    Some(slot)
}
