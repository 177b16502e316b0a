//! What a reader can gather bytes in. The reader never allocates by itself: how the bytes are kept is the caller's choice.

use std::convert::Infallible;

use smallvec::SmallVec;

/// A place for bytes that did not come in one piece.
pub trait Buffer {
    /// Why there is no room for more bytes; [`Infallible`] for what grows on the heap.
    type Full: std::error::Error + Send + Sync + 'static;

    /// Puts bytes after those that are there.
    ///
    /// # Errors
    ///
    /// [`Self::Full`](Buffer::Full), and the buffer is as it was.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Full>;

    /// The bytes that are there.
    fn bytes(&self) -> &[u8];

    /// Removes `count` bytes from `at` on and closes the gap.
    fn cut(&mut self, at: usize, count: usize);

    /// Removes all bytes; memory is kept.
    fn empty(&mut self);
}

impl Buffer for Vec<u8> {
    type Full = Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        self
    }

    fn cut(&mut self, at: usize, count: usize) {
        self.drain(at..at + count);
    }

    fn empty(&mut self) {
        self.clear();
    }
}

impl<const N: usize> Buffer for SmallVec<[u8; N]> {
    type Full = Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        self
    }

    fn cut(&mut self, at: usize, count: usize) {
        self.drain(at..at + count);
    }

    fn empty(&mut self) {
        self.clear();
    }
}
