//! A subject that allocates nothing, on an allocator that counts: whatever is counted is the worker's own. Made without the macro.

use std::alloc::{GlobalAlloc, Layout};
use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll_worker::allocator::{Allocator, Line};
use plimsoll_worker::{Env, Parts, Request, Sink};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static IN_FLIGHT: AtomicU64 = AtomicU64::new(0);
static MOST_IN_FLIGHT: AtomicU64 = AtomicU64::new(0);

struct Counting;

#[global_allocator]
static GLOBAL: Counting = Counting;

// SAFETY: everything is forwarded to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller vouches for it.
        unsafe { std::alloc::System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller vouches for it.
        unsafe { std::alloc::System.dealloc(block, layout) }
    }
}

impl Allocator for Counting {
    const NAME: &'static str = "counting";

    fn start() -> Result<Self, String> {
        Ok(Self)
    }

    fn describe(&self, _: &mut Line) -> fmt::Result {
        Ok(())
    }

    fn figures(&self, line: &mut Line) -> fmt::Result {
        let (allocations, most) = (ALLOCATIONS.load(Ordering::Relaxed), MOST_IN_FLIGHT.load(Ordering::Relaxed));
        write!(line, " own.allocs={allocations} own.in_flight={most}")
    }

    fn finish(self) {}
}

async fn chat(_: Arc<()>, request: Request, sink: Sink) -> Result<(), Infallible> {
    sink.on_text()(request.prompt());
    Ok(())
}

/// Gives way at each piece, so that requests in flight overlap.
async fn stream(_: Arc<()>, request: Request, sink: Sink) -> Result<(), Infallible> {
    let now = IN_FLIGHT.fetch_add(1, Ordering::Relaxed) + 1;
    MOST_IN_FLIGHT.fetch_max(now, Ordering::Relaxed);
    let on_text = sink.on_text();
    for piece in request.prompt().split_inclusive(' ') {
        tokio::task::yield_now().await;
        on_text(piece);
    }
    IN_FLIGHT.fetch_sub(1, Ordering::Relaxed);
    Ok(())
}

fn main() {
    let client = |_: Env| async { Ok::<(), Infallible>(()) };
    plimsoll_worker::run::<Counting, _>(
        plimsoll_worker::about!("counted"),
        Parts::client(client).chat(chat).stream(stream),
    );
}
