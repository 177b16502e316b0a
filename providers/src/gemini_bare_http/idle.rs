//! Connections that wait for their next request: few, and not for long.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// The most connections that wait. One costs about 5 KiB, and making one again a handshake.
const MAX_IDLE: usize = 32;
/// Longer than the pauses of a service that is in use, shorter than servers and what stands before them usually wait.
const MAX_AGE: Duration = Duration::from_secs(55);

/// The connections that wait.
#[derive(Debug, Default)]
pub(super) struct Idle(Mutex<Vec<(Box<Connection>, Instant)>>);

impl Idle {
    /// The connection that has waited for the shortest time, if it can still be used.
    pub(super) fn take(&self) -> Option<Box<Connection>> {
        loop {
            let (mut connection, since) = self.lock().pop()?;
            if since.elapsed() > MAX_AGE {
                // Those below it have waited for longer.
                self.lock().retain(|(_, since)| since.elapsed() <= MAX_AGE);
            } else if connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection on which an answer was read to its end.
    pub(super) fn put(&self, connection: Box<Connection>) {
        let mut waiting = self.lock();
        if waiting.len() == MAX_IDLE {
            // The one that has waited for the longest time makes room.
            waiting.remove(0);
        }
        waiting.push((connection, Instant::now()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Box<Connection>, Instant)>> {
        // Connections move in and out whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
