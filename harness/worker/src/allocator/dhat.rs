//! dhat: the system allocator, with the call site of every block. Its memory is never reported as the subject's.

use std::fmt::{self, Write as _};

pub use dhat::Alloc as GlobalDhat;
use dhat::{HeapStats, Profiler};

use super::{Allocator, Line};

/// A program that is profiled from its greeting until `exit`.
#[derive(Debug)]
pub struct Dhat(Profiler);

impl Allocator for Dhat {
    const NAME: &'static str = "dhat";

    #[inline]
    fn start() -> Result<Self, String> {
        // Whole stacks: a trimmed one ends in tokio or hyper, before the code that is to blame.
        let profiler = Profiler::builder().trim_backtraces(None);
        Ok(Self(match std::env::var_os("PLIMSOLL_DHAT_FILE") {
            Some(file) => profiler.file_name(file).build(),
            None => profiler.testing().build(),
        }))
    }

    #[inline]
    fn describe(&self, _: &mut Line) -> fmt::Result {
        Ok(())
    }

    #[inline]
    fn figures(&self, line: &mut Line) -> fmt::Result {
        let HeapStats { total_blocks, total_bytes, curr_bytes, max_bytes, .. } = HeapStats::get();
        write!(
            line,
            " dhat.total={total_bytes} dhat.blocks={total_blocks} dhat.live={curr_bytes} dhat.t_gmax={max_bytes}"
        )
    }

    #[inline]
    fn finish(self) {
        drop(self.0);
    }
}
