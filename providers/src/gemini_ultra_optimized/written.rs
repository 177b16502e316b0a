//! The request's bytes, by the techniques that concern them.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::error::Error;
use crate::net::BufferPool;
use crate::technique::{Technique, Techniques};
use crate::types::GenerateContentRequest;

/// A short question fits; a longer one is written on the heap as without the technique.
const INLINE: usize = 512;

/// Writes the request: into kept memory, else on the stack first and then into one allocation of its size, else into what grows.
pub(super) fn body(
    request: &GenerateContentRequest,
    techniques: Techniques,
    scratch: &Arc<BufferPool>,
) -> Result<Bytes, Error> {
    let unwritten = |error| Error::Request(Box::new(error));
    if techniques.contains(Technique::ReusableScratch) {
        let mut kept = scratch.lease();
        serde_json::to_writer(kept.vec(), request).map_err(unwritten)?;
        // The transport drops the body once it is written, and with it the lease.
        Ok(Bytes::from_owner(kept))
    } else if techniques.contains(Technique::StackFirstBuffers) {
        let mut stack = SmallVec::<[u8; INLINE]>::new();
        serde_json::to_writer(&mut stack, request).map_err(unwritten)?;
        Ok(if stack.spilled() { stack.into_vec().into() } else { Bytes::copy_from_slice(&stack) })
    } else {
        Ok(serde_json::to_vec(request).map_err(unwritten)?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_writes_the_same_and_scratch_is_the_same_memory() {
        let scratch = BufferPool::new(2, 1 << 20);
        for prompt in ["hi".to_owned(), "long ".repeat(1000)] {
            let request = GenerateContentRequest::user_text(prompt);
            let plain = body(&request, Techniques::NONE, &scratch).unwrap();
            let stack = body(&request, Techniques::NONE.with(Technique::StackFirstBuffers), &scratch).unwrap();
            let kept = body(&request, Techniques::NONE.with(Technique::ReusableScratch), &scratch).unwrap();
            assert_eq!(plain, stack);
            assert_eq!(plain, kept);
            let memory = kept.as_ptr();
            drop(kept);
            let again = body(&request, Techniques::NONE.with(Technique::ReusableScratch), &scratch).unwrap();
            assert_eq!(again.as_ptr(), memory);
        }
    }
}
