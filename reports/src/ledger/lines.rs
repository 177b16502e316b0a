//! The lines of the byte ledger: what the resident memory of a process is made of.

/// A line of the ledger, in its order: what the code asked for, what that costs beyond it, what belongs to no file, file pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// Blocks that Rust code holds, as asked for.
    LiveRust,
    /// Blocks that C code holds.
    LiveC,
    /// Blocks that are held, where Rust's and C's are not told apart.
    Live,
    /// Room in Rust's blocks beyond what was asked for.
    Slack,
    /// Counted above, and in no memory: never written.
    Untouched,
    /// Blocks that the allocator keeps for the next request.
    Caches,
    /// Free room between blocks.
    Holes,
    /// Pages that no block is on, kept for later.
    Dirty,
    /// The allocators' book-keeping.
    Metadata,
    /// Stacks and thread-local data.
    Stacks,
    /// Data of files that was written: relocations, variables.
    Relocations,
    /// Other anonymous memory.
    OtherAnonymous,
    /// Text of the program.
    Text,
    /// The rest of the program's file.
    Rodata,
    /// File pages of the C library and the loader.
    CLibrary,
    /// File pages of other libraries.
    Libraries,
    /// Pages of the trust bundle, where it is mapped.
    Roots,
    /// Other file pages.
    OtherFiles,
    /// Plimsoll's own pages in the process.
    Instrument,
    /// What is left.
    Unexplained,
}

impl Line {
    /// All lines, in the ledger's order.
    pub const ALL: [Self; 20] = [
        Self::LiveRust,
        Self::LiveC,
        Self::Live,
        Self::Slack,
        Self::Untouched,
        Self::Caches,
        Self::Holes,
        Self::Dirty,
        Self::Metadata,
        Self::Stacks,
        Self::Relocations,
        Self::OtherAnonymous,
        Self::Text,
        Self::Rodata,
        Self::CLibrary,
        Self::Libraries,
        Self::Roots,
        Self::OtherFiles,
        Self::Instrument,
        Self::Unexplained,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LiveRust => "live heap, Rust",
            Self::LiveC => "live heap, C",
            Self::Live => "live heap",
            Self::Slack => "size-class slack",
            Self::Untouched => "never touched",
            Self::Caches => "allocator caches",
            Self::Holes => "holes between blocks",
            Self::Dirty => "dirty pages kept",
            Self::Metadata => "allocator metadata",
            Self::Stacks => "stacks",
            Self::Relocations => "relocations and data",
            Self::OtherAnonymous => "other anonymous",
            Self::Text => "program text",
            Self::Rodata => "program rodata",
            Self::CLibrary => "C library",
            Self::Libraries => "other libraries",
            Self::Roots => "roots",
            Self::OtherFiles => "other files",
            Self::Instrument => "instrument",
            Self::Unexplained => "unexplained",
        }
    }

    /// What it is, one sentence without its full stop.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::LiveRust => "blocks that Rust code holds, at the size that it asked for",
            Self::LiveC => "blocks that C code holds, at the size handed out",
            Self::Live => "blocks that are held, at the size handed out",
            Self::Slack => "room in Rust's blocks beyond what was asked for",
            Self::Untouched => {
                "counted above and in no memory, because nothing was ever written there: taken off again"
            }
            Self::Caches => "blocks given back that the allocator keeps for the next request of their size",
            Self::Holes => "free room between blocks, on pages that are in memory",
            Self::Dirty => "pages without any block that the allocator has not given back",
            Self::Metadata => "the allocators' book-keeping: headers of blocks, tables",
            Self::Stacks => "the main thread's stack, and other threads' with their thread-local data",
            Self::Relocations => {
                "pages of the program's and the libraries' files that were written: relocations, variables, zeroed data"
            }
            Self::OtherAnonymous => "memory that was mapped directly: signal stacks, the loader's, a library's own",
            Self::Text => "pages of the program's code that were touched, or came with their neighbours",
            Self::Rodata => "its constants, symbols and unwind tables",
            Self::CLibrary => "file pages of the C library and the loader",
            Self::Libraries => "file pages of other libraries",
            Self::Roots => "pages of the trust bundle, where a program maps it; parsed roots are live heap",
            Self::OtherFiles => "pages of other files, and those that the kernel lends every process",
            Self::Instrument => "libplimsoll_count.so and its counters, which this process would not have unmeasured",
            Self::Unexplained => "the RSS less all lines above; below zero where they count more than there is",
        }
    }
}
