//! Where parts of an answer are put together, by the techniques that concern it.

use std::convert::Infallible;

use smallvec::SmallVec;

use crate::technique::{Technique, Techniques};
use crate::wire::buffer::Buffer;

/// The room in the future itself. Nine of ten events of a stream are shorter (median 464 bytes, p90 727).
const INLINE: usize = 1024;

/// Bytes that are on the stack first, or on the heap from the first byte.
///
/// The room in the future is there either way; the technique decides whether it is used.
#[derive(Debug)]
pub(super) struct Gather {
    bytes: SmallVec<[u8; INLINE]>,
    heap_only: bool,
}

impl Gather {
    pub(super) fn new(techniques: Techniques) -> Self {
        Self { bytes: SmallVec::new(), heap_only: !techniques.contains(Technique::StackFirstBuffers) }
    }
}

impl Buffer for Gather {
    type Full = Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        if self.heap_only && !self.bytes.spilled() {
            self.bytes.grow(bytes.len().max(INLINE + 1));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn cut(&mut self, at: usize, count: usize) {
        self.bytes.cut(at, count);
    }

    fn empty(&mut self) {
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heap_is_used_only_when_the_stack_is_full_or_not_wanted() {
        let mut stack = Gather::new(Techniques::NONE.with(Technique::StackFirstBuffers));
        let Ok(()) = stack.put(&[1; INLINE]);
        assert!(!stack.bytes.spilled());
        let Ok(()) = stack.put(&[2]);
        assert!(stack.bytes.spilled());
        assert_eq!(stack.bytes().len(), INLINE + 1);

        let mut heap = Gather::new(Techniques::NONE);
        assert!(!heap.bytes.spilled(), "nothing is allocated before there is something to keep");
        let Ok(()) = heap.put(&[1]);
        assert!(heap.bytes.spilled());
        assert_eq!(heap.bytes(), [1]);
    }
}
