//! Where the text of an answer goes: into its checksum, and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Failure;

/// Takes the text of one answer. It keeps a checksum, not the text, and costs no memory per answer.
#[derive(Debug)]
pub struct Sink(Arc<AtomicU32>);

impl Sink {
    /// The function to be called with each piece of text, in order.
    pub fn on_text(self) -> impl Fn(&str) + Clone + Send + Sync + 'static {
        move |text: &str| self.add(text)
    }

    /// Takes an answer that comes whole.
    ///
    /// # Errors
    /// Those of the answer.
    pub async fn whole<T, E>(self, answer: impl Future<Output = Result<T, E>> + Send) -> Result<(), Failure>
    where
        T: AsRef<str> + Send,
        E: Into<Failure>,
    {
        let text = answer.await.map_err(Into::into)?;
        self.add(text.as_ref());
        Ok(())
    }

    /// The handle for the next answer; its sum starts from nothing.
    pub(crate) fn next(&self) -> Self {
        self.0.store(0, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }

    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU32::new(0)))
    }

    /// The CRC-32 of the text taken.
    pub(crate) fn crc(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    fn add(&self, text: &str) {
        // One answer's pieces come one after the other, if perhaps from several threads.
        let mut crc = crc32fast::Hasher::new_with_initial(self.0.load(Ordering::Acquire));
        crc.update(text.as_bytes());
        self.0.store(crc.finalize(), Ordering::Release);
    }
}

impl Clone for Sink {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_sum_like_the_whole() {
        let sink = Sink::new();
        let on_text = sink.next().on_text();
        on_text("1234");
        on_text("");
        on_text("56789");
        assert_eq!(sink.crc(), 0xcbf4_3926); // the check value of CRC-32 (IEEE)
        sink.next().on_text()("");
        assert_eq!(sink.crc(), 0);
    }
}
