//! Takes as many blocks of as many bytes as its arguments say (`BYTES COUNT`) at `client`, and gives them back at `drop`. It says what jemalloc has
//! allocated twice: as it reads without ado (`naive.allocated`), and as Plimsoll reads it.

use std::fmt::{self, Write as _};

use plimsoll_worker::allocator::{Allocator, GLOBAL_JEMALLOC, GlobalJemalloc, Jemalloc, Line};
use plimsoll_worker::{Failure, about, steps};
use tikv_jemalloc_ctl::stats;

#[global_allocator]
static GLOBAL: GlobalJemalloc = GLOBAL_JEMALLOC;

struct Naive {
    naive: stats::allocated_mib,
    ours: Jemalloc,
}

impl Allocator for Naive {
    const NAME: &'static str = Jemalloc::NAME;

    fn start() -> Result<Self, String> {
        let naive = stats::allocated::mib().map_err(|error| error.to_string())?;
        Ok(Self { naive, ours: Jemalloc::start()? })
    }

    fn describe(&self, line: &mut Line) -> fmt::Result {
        self.ours.describe(line)
    }

    fn figures(&self, line: &mut Line) -> fmt::Result {
        if let Ok(bytes) = self.naive.read() {
            write!(line, " naive.allocated={bytes}")?;
        }
        self.ours.figures(line)
    }

    fn finish(self) {}
}

fn take(_: &()) -> Result<Vec<Vec<u8>>, Failure> {
    let number = |at| std::env::args().nth(at).and_then(|word| word.parse().ok()).unwrap_or(1_usize);
    let (bytes, count) = (number(1), number(2));
    Ok((0..count).map(|_| vec![1; bytes]).collect())
}

fn main() {
    steps::<Naive, _, _>(about!("jemalloc"), || Ok(()), take)
}
