//! Room to unpack gzip in, which all calls of a provider share.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::wire::answer::ANSWER;
use crate::wire::gzip::Gunzip;

/// The step in which packed bodies are unpacked.
const STEP: usize = 8 << 10;

/// Where room to unpack in comes from. One is kept: packed bodies are read at once, so that one serves many.
#[derive(Default)]
pub(crate) struct Unpackers(Mutex<Option<Box<Gunzip>>>);

impl Unpackers {
    /// Room to unpack one body in, used before if it is free.
    pub(crate) fn lease(&self) -> Unpacking<'_> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut room = kept.unwrap_or_default();
        room.reset();
        Unpacking { room: Some(room), from: self }
    }
}

impl fmt::Debug for Unpackers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unpackers")
    }
}

/// Room to unpack one body in, given back when it is dropped.
pub(crate) struct Unpacking<'r> {
    room: Option<Box<Gunzip>>,
    from: &'r Unpackers,
}

impl Unpacking<'_> {
    /// Unpacks the next part of the body by way of `out` and calls `on_piece` with what comes out of it, piece by piece.
    pub(crate) fn push<F>(
        &mut self,
        mut packed: &[u8],
        out: &mut Vec<u8>,
        mut on_piece: F,
    ) -> Result<ControlFlow<()>, Error>
    where
        F: FnMut(&[u8]) -> Result<ControlFlow<()>, Error>,
    {
        out.resize(STEP, 0);
        let room = self.room.get_or_insert_default();
        loop {
            let (taken, written) = room.unpack(packed, out).map_err(|error| Error::answer(ANSWER, error))?;
            packed = &packed[taken..];
            if written > 0 && on_piece(&out[..written])?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if packed.is_empty() && written < STEP {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    /// The body came to its end: whether it is whole. Without a byte it is: what says how a body is packed may stand over none.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        let room = self.room.get_or_insert_default();
        if room.is_fresh() { Ok(()) } else { room.finish().map_err(|error| Error::answer(ANSWER, error)) }
    }
}

impl Drop for Unpacking<'_> {
    fn drop(&mut self) {
        *self.from.0.lock().unwrap_or_else(PoisonError::into_inner) = self.room.take();
    }
}
