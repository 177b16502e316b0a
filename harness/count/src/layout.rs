//! The file of counters, shared between the counted processes and whoever measures them. Depends on nothing: the harness includes this
//! very file (`#[path]`), so that the two sides cannot disagree.
//!
//! `PLIMSOLL_COUNT_FILE` names the file. The **parent** creates it with the bytes of [`blank`] before it starts the subject; the library
//! maps it shared and adds to it, and refuses a file whose header is not its own. The parent reads it with `pread` and [`read`] while
//! the subject stands still: then no counter moves and the figures belong together.
//!
//! ```text
//! 0    magic       8 bytes  "PLIMSOLL"
//! 8    version     u32
//! 12   slot count  u32
//! 16   slot size   u32
//! 20   taken       u32      slots asked for so far; more than the slot count when there were too few
//! 128  slot 0, slot 1, … : 16 words of 64 bits each, see WORD_*
//! ```
//!
//! Numbers are in the machine's own byte order: the file never leaves the machine. A process takes the next slot when its image is
//! loaded (so also after `exec`) and when it is forked; a thread does not. Slots are in the order in which they were taken: the subject
//! itself is slot 0.

use std::fmt;

/// The first eight bytes of the file.
pub const MAGIC: [u8; 8] = *b"PLIMSOLL";
/// The version of this layout.
pub const VERSION: u32 = 1;
/// Processes that one file has room for.
pub const SLOTS: usize = 64;
/// Bytes before the first slot.
pub const HEADER: usize = 128;
/// Words of 64 bits in a slot.
pub const WORDS: usize = 16;
/// Bytes of a slot: two cache lines, so that processes do not slow each other.
pub const SLOT_SIZE: usize = WORDS * 8;
/// Bytes of the file.
pub const FILE_SIZE: usize = HEADER + SLOTS * SLOT_SIZE;

/// Where the version stands, in bytes.
pub const OFFSET_VERSION: usize = 8;
/// Where the number of slots stands, in bytes.
pub const OFFSET_SLOTS: usize = 12;
/// Where the size of a slot stands, in bytes.
pub const OFFSET_SLOT_SIZE: usize = 16;
/// Where the number of slots taken stands, in bytes.
pub const OFFSET_TAKEN: usize = 20;

/// The word of a slot that holds [`Slot::pid`]; written last, so that a slot with a pid is whole.
pub const WORD_PID: usize = 0;
/// The word of a slot that holds [`Slot::allocs`].
pub const WORD_ALLOCS: usize = 1;
/// The word of a slot that holds [`Slot::bytes`].
pub const WORD_BYTES: usize = 2;
/// The word of a slot that holds [`Slot::reallocs`].
pub const WORD_REALLOCS: usize = 3;
/// The word of a slot that holds [`Slot::frees`].
pub const WORD_FREES: usize = 4;
/// The word of a slot that holds [`Slot::live`].
pub const WORD_LIVE: usize = 5;
/// The word of a slot that holds [`Slot::peak`].
pub const WORD_PEAK: usize = 6;
/// The word of a slot that holds [`Slot::inherited`].
pub const WORD_INHERITED: usize = 7;

/// What one process has allocated since it took its slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slot {
    /// The process. One process that calls `exec` has several slots.
    pub pid: u32,
    /// Blocks handed out: `malloc`, `calloc`, `realloc` that moved or resized, and the aligned ones. Calls that failed do not count.
    pub allocs: u64,
    /// Bytes asked for; a `realloc` adds its whole new size, as valgrind and dhat count.
    pub bytes: u64,
    /// Of `allocs`, those that were a `realloc` of a block.
    pub reallocs: u64,
    /// Blocks given back, a `realloc`'s old block included: `allocs − frees` blocks of this process's own are live.
    pub frees: u64,
    /// Bytes live: the usable size of blocks, which is what the allocator handed out. Includes what is left of [`Slot::inherited`].
    pub live: i64,
    /// The largest `live` so far.
    pub peak: i64,
    /// Bytes that were live in the parent when this process was forked from it; zero in a fresh image.
    pub inherited: i64,
}

/// Why a file of counters cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayoutError {
    /// The file is shorter than the layout.
    Short {
        /// Its bytes.
        found: usize,
    },
    /// The file does not start with this layout's header.
    Header,
    /// More processes wanted a slot than there are: figures would be missing.
    Overflow {
        /// Processes that wanted one.
        wanted: u32,
    },
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { found } => {
                write!(f, "count file has {found} bytes instead of {FILE_SIZE}: it was truncated while the subject ran")
            }
            Self::Header => {
                write!(
                    f,
                    "count file has another layout than version {VERSION}: rebuild libplimsoll_count.so and plimsoll together"
                )
            }
            Self::Overflow { wanted } => {
                write!(
                    f,
                    "count file has room for {SLOTS} processes but {wanted} asked: measure with fewer child processes"
                )
            }
        }
    }
}

impl std::error::Error for LayoutError {}

/// The file as the parent creates it: a header and no slot taken.
#[must_use]
pub fn blank() -> Vec<u8> {
    let mut file = vec![0; FILE_SIZE];
    file[..OFFSET_VERSION].copy_from_slice(&MAGIC);
    for (offset, value) in header_words() {
        file[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
    }
    file
}

/// The slots taken so far, in the order in which they were taken; none while no process has loaded the library.
///
/// # Errors
/// When the bytes are not a whole file of this layout, or when there were too few slots.
pub fn read(file: &[u8]) -> Result<Vec<Slot>, LayoutError> {
    if file.len() < FILE_SIZE {
        return Err(LayoutError::Short { found: file.len() });
    }
    if file[..OFFSET_VERSION] != MAGIC || header_words().iter().any(|&(offset, value)| word32(file, offset) != value) {
        return Err(LayoutError::Header);
    }
    let taken = word32(file, OFFSET_TAKEN);
    if taken as usize > SLOTS {
        return Err(LayoutError::Overflow { wanted: taken });
    }
    // A slot without a pid was taken this instant by a process that does not stand still: it has counted nothing yet.
    Ok((0..taken as usize).map(|index| slot(file, index)).filter(|slot| slot.pid != 0).collect())
}

fn header_words() -> [(usize, u32); 3] {
    [(OFFSET_VERSION, VERSION), (OFFSET_SLOTS, SLOTS as u32), (OFFSET_SLOT_SIZE, SLOT_SIZE as u32)]
}

fn slot(file: &[u8], index: usize) -> Slot {
    let word = |number: usize| {
        let offset = HEADER + index * SLOT_SIZE + number * 8;
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&file[offset..offset + 8]);
        u64::from_ne_bytes(bytes)
    };
    Slot {
        pid: word(WORD_PID) as u32,
        allocs: word(WORD_ALLOCS),
        bytes: word(WORD_BYTES),
        reallocs: word(WORD_REALLOCS),
        frees: word(WORD_FREES),
        live: word(WORD_LIVE) as i64,
        peak: word(WORD_PEAK) as i64,
        inherited: word(WORD_INHERITED) as i64,
    }
}

fn word32(file: &[u8], offset: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&file[offset..offset + 4]);
    u32::from_ne_bytes(bytes)
}
