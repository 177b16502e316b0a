//! Settings that change while a connection is used.
//!
//! The `h2` crate can change the initial window of a running connection, and nothing else; it also takes the client's answer to
//! settings that it did not send for an error. So a lowered limit of streams is sent as a window that stays what it was, and the
//! frame is rewritten on its way out.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Connection, SendResponse};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;

use super::WINDOW;

/// A request, and how it is answered.
type Accepted = (http::Request<RecvStream>, SendResponse<Bytes>);

/// Settings that wait until the client has agreed to the ones before.
#[derive(Debug, Default)]
pub(super) struct Pending(VecDeque<(u32, oneshot::Sender<()>)>);

impl Pending {
    /// Has `window` sent as the initial window of streams, and `sent` told of it.
    pub(super) fn send(&mut self, window: u32, sent: oneshot::Sender<()>) {
        self.0.push_back((window, sent));
    }

    /// As [`Connection::poll_accept`], and sends what waits as soon as that is allowed.
    pub(super) fn poll_accept<T>(
        &mut self,
        connection: &mut Connection<T, Bytes>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Accepted, h2::Error>>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let polled = connection.poll_accept(cx);
            let sent = self.0.front().is_some_and(|(window, _)| connection.set_initial_window_size(*window).is_ok());
            if let Some((_, told)) = self.0.pop_front_if(|_| sent) {
                // A stream that was given up wants to know nothing.
                let _ = told.send(());
            }
            // What was just queued goes out only when the connection is polled once more.
            if polled.is_ready() || !sent {
                return polled;
            }
        }
    }
}

/// Makes of the frame that sets the window to [`WINDOW`] one that sets the limit of streams, and says whether it was there. The first
/// settings of a connection are in a longer frame, which this leaves.
pub(in crate::mock) fn as_stream_limit(written: &mut [u8], limit: u32) -> bool {
    let window = WINDOW.to_be_bytes();
    // Length 6, SETTINGS, no flags, stream 0, SETTINGS_INITIAL_WINDOW_SIZE.
    let head = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4];
    let frame = [&head[..], &window].concat();
    let Some(at) = written.windows(frame.len()).position(|bytes| bytes == frame) else { return false };
    // SETTINGS_MAX_CONCURRENT_STREAMS.
    written[at + 10] = 3;
    written[at + 11..at + 15].copy_from_slice(&limit.to_be_bytes());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_is_rewritten_where_it_stands_and_no_other_is() {
        let frame = [&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4][..], &WINDOW.to_be_bytes()].concat();
        let mut written = [b"before", &frame[..], b"behind"].concat();
        assert!(as_stream_limit(&mut written, 2));
        assert_eq!(written, [b"before", &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2][..], b"behind"].concat());
        let mut closed = [&frame[..11], &[0; 4]].concat();
        let before = closed.clone();
        assert!(!as_stream_limit(&mut closed, 2));
        assert_eq!(closed, before);
    }
}
