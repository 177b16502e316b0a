//! Memory that all calls of a provider share, each piece bounded.

use std::convert::Infallible;
use std::sync::Arc;

use super::connection::RECORD_ROOM;
use crate::net::{BufferPool, Lease, Unpackers};
use crate::wire::buffer::Buffer;

/// Buffers for what passes through: records and packed pieces. They are held for microseconds, so that few serve many.
const RECORD_BUFFERS: usize = 4;
/// Buffers for what is held for longer: requests, whole bodies, cut events.
const BODY_BUFFERS: usize = 4;
const BODY_BYTES: usize = 64 << 10;

/// The shared memory of a provider.
#[derive(Debug)]
pub(super) struct Rooms {
    pub(super) records: Arc<BufferPool>,
    pub(super) bodies: Arc<BufferPool>,
    pub(super) unpackers: Unpackers,
}

impl Rooms {
    pub(super) fn new() -> Self {
        Self {
            // A body that is read where it lies grows its buffer, and takes it along when it is too large to be kept.
            records: BufferPool::new(RECORD_BUFFERS, 4 * RECORD_ROOM),
            bodies: BufferPool::new(BODY_BUFFERS, BODY_BYTES),
            unpackers: Unpackers::default(),
        }
    }

    /// Room for what is cut, which is no room while nothing is.
    pub(super) fn cut(&self) -> Cut {
        Cut { kept: None, pool: Arc::clone(&self.bodies) }
    }
}

/// A buffer from a pool for as long as there is something in it.
#[derive(Debug)]
pub(super) struct Cut {
    kept: Option<Lease>,
    pool: Arc<BufferPool>,
}

impl Buffer for Cut {
    type Full = Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.kept.get_or_insert_with(|| self.pool.lease()).put(bytes)
    }

    fn bytes(&self) -> &[u8] {
        self.kept.as_ref().map_or(&[], Lease::as_ref)
    }

    fn cut(&mut self, at: usize, count: usize) {
        if let Some(kept) = &mut self.kept {
            kept.cut(at, count);
        }
    }

    fn empty(&mut self) {
        self.kept = None;
    }
}
