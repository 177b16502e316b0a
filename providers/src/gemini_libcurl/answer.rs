//! The caller's end of a transfer.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::driver::Driver;
use super::head::Head;
use super::transfer::{Shared, State, take};
use crate::error::Error;
use crate::net::Wait;

/// An answer that is waited for. Dropping it ends its transfer.
#[derive(Debug)]
pub(super) struct Answer<'d> {
    driver: &'d Driver,
    id: usize,
    shared: Arc<Shared>,
}

impl<'d> Answer<'d> {
    pub(super) const fn new(driver: &'d Driver, id: usize, shared: Arc<Shared>) -> Self {
        Self { driver, id, shared }
    }

    /// The head, once it has come.
    pub(super) async fn head(&mut self) -> Result<Head, Error> {
        self.when(|state| match state.head.take() {
            Some(head) => Some(Ok(head)),
            None => ended(state),
        })
        .await
    }

    /// The next bytes of the body, in place of what is in `into`. `false`: there are no more.
    pub(super) async fn next(&mut self, into: &mut Vec<u8>, wait: &Wait) -> Result<bool, Error> {
        let mut paused = false;
        let next = self.when(|state| {
            if state.body.is_empty() {
                return state.end.take().map(|end| end.map(|()| false));
            }
            paused = take(state, into);
            Some(Ok(true))
        });
        let next = wait.body(next).await?;
        if paused {
            self.driver.resume(self.id);
        }
        next
    }

    /// The whole body.
    pub(super) async fn whole(self, wait: &Wait) -> Result<Vec<u8>, Error> {
        let mut came = 0;
        loop {
            let next = self.when(|state| {
                if let Some(end) = state.end.take() {
                    return Some(end.map(|()| Some(std::mem::take(&mut state.body))));
                }
                // Silence is limited, not the whole: each arrival begins another wait.
                (std::mem::replace(&mut came, state.came) != state.came).then_some(Ok(None))
            });
            if let Some(body) = wait.body(next).await?? {
                return Ok(body);
            }
        }
    }

    /// Waits until `look` finds what it looks for.
    async fn when<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        poll_fn(|context: &mut Context<'_>| {
            let mut state = self.shared.lock();
            match look(&mut state) {
                Some(found) => Poll::Ready(found),
                None => {
                    match &mut state.waker {
                        Some(waker) => waker.clone_from(context.waker()),
                        none => *none = Some(context.waker().clone()),
                    }
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// The error of a transfer that ended before its head came.
fn ended<T>(state: &mut State) -> Option<Result<T, Error>> {
    match state.end.take()? {
        Err(error) => Some(Err(error)),
        // Without a head there is no good end: the transfer itself sees to that.
        Ok(()) => Some(Err(super::failure::no_driver("the transfer ended without an answer"))),
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        self.driver.release(self.id, &self.shared);
    }
}
