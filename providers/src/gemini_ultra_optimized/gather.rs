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
pub(super) enum Gather {
    Stack(SmallVec<[u8; INLINE]>),
    Heap(Vec<u8>),
}

impl Gather {
    pub(super) fn new(techniques: Techniques) -> Self {
        if techniques.contains(Technique::StackFirstBuffers) {
            Self::Stack(SmallVec::new())
        } else {
            Self::Heap(Vec::new())
        }
    }
}

impl Buffer for Gather {
    type Full = Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        match self {
            Self::Stack(buffer) => buffer.put(bytes),
            Self::Heap(buffer) => buffer.put(bytes),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Stack(buffer) => buffer,
            Self::Heap(buffer) => buffer,
        }
    }

    fn cut(&mut self, at: usize, count: usize) {
        match self {
            Self::Stack(buffer) => buffer.cut(at, count),
            Self::Heap(buffer) => buffer.cut(at, count),
        }
    }

    fn empty(&mut self) {
        match self {
            Self::Stack(buffer) => buffer.clear(),
            Self::Heap(buffer) => buffer.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heap_is_used_only_when_the_stack_is_full_or_not_wanted() {
        let mut stack = Gather::new(Techniques::NONE.with(Technique::StackFirstBuffers));
        let Ok(()) = stack.put(&[1; INLINE]);
        assert!(matches!(&stack, Gather::Stack(bytes) if !bytes.spilled()));
        let Ok(()) = stack.put(&[2]);
        assert!(matches!(&stack, Gather::Stack(bytes) if bytes.spilled()));
        assert_eq!(stack.bytes().len(), INLINE + 1);
        let mut heap = Gather::new(Techniques::NONE);
        let Ok(()) = heap.put(&[1]);
        assert!(matches!(&heap, Gather::Heap(bytes) if bytes.capacity() > 0));
    }
}
