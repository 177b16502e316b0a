//! Memory that all calls of a provider share, each piece bounded.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::connection::RECORD_ROOM;
use crate::net::BufferPool;
use crate::wire::gzip::Gunzip;

/// Buffers for what passes through: records and packed pieces. They are held for microseconds, so that few serve many.
const RECORD_BUFFERS: usize = 4;
/// Buffers for what is held for longer: requests, whole bodies, cut events.
const BODY_BUFFERS: usize = 4;
const BODY_BYTES: usize = 64 << 10;

/// The shared memory of a provider.
pub(super) struct Rooms {
    pub(super) records: Arc<BufferPool>,
    pub(super) bodies: Arc<BufferPool>,
    gunzip: Mutex<Option<Box<Gunzip>>>,
}

impl Rooms {
    pub(super) fn new() -> Self {
        Self {
            // A body that is read where it lies grows its buffer, and takes it along when it is too large to be kept.
            records: BufferPool::new(RECORD_BUFFERS, 4 * RECORD_ROOM),
            bodies: BufferPool::new(BODY_BUFFERS, BODY_BYTES),
            gunzip: Mutex::new(None),
        }
    }

    /// Room to unpack in, used before if it is free.
    pub(super) fn gunzip(&self) -> Unpacking<'_> {
        let kept = self.gunzip.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut room = kept.unwrap_or_default();
        room.reset();
        Unpacking { room: Some(room), rooms: self }
    }
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rooms({:?}, {:?})", self.records, self.bodies)
    }
}

/// Room to unpack in that is given back when it is dropped; one is kept.
pub(super) struct Unpacking<'r> {
    room: Option<Box<Gunzip>>,
    rooms: &'r Rooms,
}

impl Unpacking<'_> {
    pub(super) fn room(&mut self) -> &mut Gunzip {
        self.room.get_or_insert_default()
    }
}

impl Drop for Unpacking<'_> {
    fn drop(&mut self) {
        *self.rooms.gunzip.lock().unwrap_or_else(PoisonError::into_inner) = self.room.take();
    }
}
