//! The allocator of a subject's program: what it says of itself.
//!
//! Every method is `#[inline]`, so that it becomes part of the program that names the allocator and of no other: a jemalloc that is linked
//! but not used would still run its constructor (tested with `nm`).

use std::fmt;

pub use crate::line::Line;

mod counted;
#[cfg(feature = "dhat")]
mod dhat;
#[cfg(feature = "jemalloc")]
mod jemalloc;

pub use self::counted::{Counted, Usable};
#[cfg(feature = "dhat")]
pub use self::dhat::{Dhat, GlobalDhat};
#[cfg(feature = "jemalloc")]
pub use self::jemalloc::{GLOBAL_JEMALLOC, GlobalJemalloc, Jemalloc};

/// What the worker asks of the program's allocator.
pub trait Allocator: Sized {
    /// Its name in the greeting.
    const NAME: &'static str;

    /// Gets ready, before the greeting: whatever is needed to read figures is made here.
    ///
    /// # Errors
    /// When the allocator does not work as it must for its figures to be true.
    fn start() -> Result<Self, String>;

    /// Writes what the greeting says of it, as ` key=value` pairs.
    ///
    /// # Errors
    /// Only those of formatting.
    fn describe(&self, line: &mut Line) -> fmt::Result;

    /// Writes its figures of this moment, as ` key=value` pairs.
    ///
    /// # Errors
    /// Only those of formatting.
    fn figures(&self, line: &mut Line) -> fmt::Result;

    /// Ends its work before the program exits.
    fn finish(self);
}

/// The allocator that programs have unless they choose: the C library's. It says nothing but for the ledger; the `count` probe does, from
/// outside.
#[derive(Debug)]
pub struct System;

/// The standard library's own choice, the C library's `malloc`, with the count of what Rust code holds.
pub type GlobalSystem = Counted<std::alloc::System>;

/// That allocator.
pub const GLOBAL_SYSTEM: GlobalSystem = Counted(std::alloc::System);

impl Allocator for System {
    const NAME: &'static str = "system";

    #[inline]
    fn start() -> Result<Self, String> {
        Ok(Self)
    }

    #[inline]
    fn describe(&self, _: &mut Line) -> fmt::Result {
        Ok(())
    }

    #[inline]
    fn figures(&self, line: &mut Line) -> fmt::Result {
        counted::figures(line)
    }

    #[inline]
    fn finish(self) {}
}
