//! A bounded pool of byte buffers: what one request has written in, the next one writes in again.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::wire::buffer::Buffer;

/// Free buffers, at most so many of at most so many bytes each: what a burst took goes back to the allocator.
pub(crate) struct BufferPool {
    free: Mutex<Vec<Vec<u8>>>,
    max_buffers: usize,
    max_bytes: usize,
}

impl BufferPool {
    /// A pool that keeps at most `max_buffers` buffers of at most `max_bytes` bytes; 0 buffers: it keeps none.
    pub(crate) fn new(max_buffers: usize, max_bytes: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::new(Vec::new()), max_buffers, max_bytes })
    }

    /// An empty buffer, used before if there is one.
    pub(crate) fn lease(self: &Arc<Self>) -> Lease {
        let bytes = self.lock().pop().unwrap_or_default();
        Lease { bytes, pool: Arc::clone(self) }
    }

    fn take_back(&self, mut bytes: Vec<u8>) {
        if self.max_buffers == 0 || bytes.capacity() == 0 || bytes.capacity() > self.max_bytes {
            return;
        }
        bytes.clear();
        let mut free = self.lock();
        if free.len() < self.max_buffers {
            free.push(bytes);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        // Whoever panicked with the lock held cannot have left a buffer half way: they move whole.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BufferPool({} of {} free)", self.lock().len(), self.max_buffers)
    }
}

/// A buffer that goes back to its pool when it is dropped.
pub(crate) struct Lease {
    bytes: Vec<u8>,
    pool: Arc<BufferPool>,
}

impl Lease {
    /// The buffer, to be written in.
    pub(crate) fn vec(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.take_back(std::mem::take(&mut self.bytes));
    }
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({} bytes)", self.bytes.len())
    }
}

impl Buffer for Lease {
    type Full = Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.bytes.put(bytes)
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
    fn the_next_lease_gets_the_same_memory_empty() {
        let pool = BufferPool::new(2, 1024);
        let mut first = pool.lease();
        first.vec().extend_from_slice(&[7; 100]);
        let memory = first.vec().as_ptr();
        drop(first);
        let mut second = pool.lease();
        assert_eq!((second.vec().as_ptr(), second.vec().len()), (memory, 0));
    }

    #[test]
    fn no_more_and_no_larger_buffers_are_kept_than_allowed() {
        let pool = BufferPool::new(2, 1024);
        let leases: Vec<_> = (0..5)
            .map(|_| {
                let mut lease = pool.lease();
                lease.vec().reserve_exact(10);
                lease
            })
            .collect();
        drop(leases);
        assert_eq!(pool.lock().len(), 2);
        let mut large = pool.lease();
        large.vec().reserve_exact(1025);
        drop(large);
        assert_eq!(pool.lock().len(), 1);
    }

    #[test]
    fn a_pool_of_none_keeps_none() {
        let pool = BufferPool::new(0, 1024);
        pool.lease().vec().push(1);
        assert_eq!(pool.lock().len(), 0);
    }
}
