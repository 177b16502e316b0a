//! One transfer: what its caller and the driver's thread share, and what libcurl calls while it goes on.

use std::io::SeekFrom;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use curl::easy::{Handler, InfoType, ReadError, SeekResult, WriteError};

use super::failure;
use super::head::{Head, HeadReader};
use crate::call::Call;
use crate::error::{Error, Limited};
use crate::net::MAX_ERROR_BODY;

/// What is asked.
pub(super) enum Asked {
    /// Content, by `POST`.
    Content { url: String, body: Bytes },
    /// Anything else.
    Call { url: String, call: Call },
}

impl Asked {
    pub(super) fn body(&self) -> &Bytes {
        match self {
            Self::Content { body, .. } => body,
            Self::Call { call, .. } => call.body(),
        }
    }
}

/// How much of a body may wait for its reader, in bytes, and what happens to more.
#[derive(Debug, Clone, Copy)]
pub(super) enum Room {
    /// It is refused: the body is read whole.
    Whole(usize),
    /// It waits at the server: the transfer is paused.
    Window(usize),
    /// It is not wanted: the transfer ends.
    Clipped(usize),
}

/// What the caller of a request and the driver's thread share.
#[derive(Debug)]
pub(super) struct Shared(Mutex<State>);

/// How far a transfer is.
#[derive(Debug)]
pub(super) struct State {
    pub(super) head: Option<Head>,
    /// What came of the body and was not taken yet.
    pub(super) body: Vec<u8>,
    /// How many bytes of the body came, so that a wait can see that some did.
    pub(super) came: u64,
    pub(super) paused: bool,
    pub(super) end: Option<Result<(), Error>>,
    /// libcurl is done with it.
    pub(super) over: bool,
    /// Whom to wake when one of these changes.
    pub(super) waker: Option<Waker>,
    room: Room,
}

impl Shared {
    pub(super) fn new(room: Room) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            head: None,
            body: Vec::new(),
            came: 0,
            paused: false,
            end: None,
            over: false,
            waker: None,
            room,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock leaves a state half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes whoever waits for it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }
}

/// What libcurl calls during a transfer. Between transfers it waits in an idle handle.
#[derive(Debug)]
pub(super) struct Transfer {
    shared: Option<Arc<Shared>>,
    head: HeadReader,
    body: Bytes,
    sent: usize,
}

impl Transfer {
    pub(super) const fn idle() -> Self {
        Self { shared: None, head: HeadReader::new(false), body: Bytes::new(), sent: 0 }
    }

    /// A transfer of `asked` for whoever has the other end of `shared`.
    pub(super) fn new(shared: Arc<Shared>, asked: &Asked) -> Self {
        let keep_fields = matches!(asked, Asked::Call { .. });
        Self { shared: Some(shared), head: HeadReader::new(keep_fields), body: asked.body().clone(), sent: 0 }
    }

    /// The transfer is over. `error`: what libcurl says, and the system's error behind it; `connect`: the limit for connecting.
    pub(super) fn end(&mut self, error: Option<(curl::Error, i32)>, connect: Duration) {
        let head = self.head.is_done();
        let end = match error {
            None if head => Ok(()),
            None => Err(failure::no_driver("libcurl ended the transfer without an answer")),
            Some((error, errno)) => Err(failure::transfer(error, errno, head, connect)),
        };
        self.finish(end);
        self.body = Bytes::new();
    }

    /// Ends with an error of our own.
    pub(super) fn fail(&mut self, error: Error) {
        self.finish(Err(error));
    }

    fn finish(&mut self, end: Result<(), Error>) {
        if let Some(shared) = self.shared.take() {
            // Why we ended it counts for more than how libcurl calls that.
            shared.change(|state| {
                state.over = true;
                if state.end.is_none() {
                    state.end = Some(end);
                }
            });
        }
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.finish(Err(failure::no_driver("the thread that drives libcurl is gone")));
    }
}

impl Handler for Transfer {
    fn header(&mut self, line: &[u8]) -> bool {
        let Some(head) = self.head.line(line) else { return true };
        // The request was read: it will not be sent again.
        self.body = Bytes::new();
        if let Some(shared) = &self.shared {
            shared.change(|state| {
                if head.status >= 300 {
                    state.room = Room::Clipped(MAX_ERROR_BODY);
                }
                state.head = Some(head);
            });
        }
        true
    }

    fn write(&mut self, data: &[u8]) -> Result<usize, WriteError> {
        let Some(shared) = &self.shared else { return Ok(data.len()) };
        shared.change(|state| {
            let length = state.body.len() + data.len();
            let taken = match state.room {
                Room::Whole(limit) if length > limit => {
                    state.end.get_or_insert(Err(Error::TooLong { what: Limited::Body, limit }));
                    return Ok(0);
                }
                // A piece larger than the window comes all the same once nothing else waits.
                Room::Window(window) if length > window && !state.body.is_empty() => {
                    state.paused = true;
                    return Err(WriteError::Pause);
                }
                Room::Clipped(limit) if state.came + data.len() as u64 > limit as u64 => {
                    state.end.get_or_insert(Ok(()));
                    limit.saturating_sub(usize::try_from(state.came).unwrap_or(limit)).min(data.len())
                }
                _ => data.len(),
            };
            state.body.extend_from_slice(&data[..taken]);
            state.came += taken as u64;
            Ok(taken)
        })
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        let rest = &self.body[self.sent.min(self.body.len())..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.sent += count;
        Ok(count)
    }

    /// A request that met a closed connection is read again from its beginning.
    fn seek(&mut self, whence: SeekFrom) -> SeekResult {
        let SeekFrom::Start(at) = whence else { return SeekResult::CantSeek };
        match usize::try_from(at) {
            Ok(at) if at <= self.body.len() => {
                self.sent = at;
                SeekResult::Ok
            }
            _ => SeekResult::Fail,
        }
    }

    /// libcurl is never asked to tell what it does; if it were, nothing would be shown, for the key is in it.
    fn debug(&mut self, _: InfoType, _: &[u8]) {}
}

/// Takes what waits of a body, and gives room for more; whether the transfer was paused.
pub(super) fn take(state: &mut State, into: &mut Vec<u8>) -> bool {
    into.clear();
    mem::swap(&mut state.body, into);
    mem::take(&mut state.paused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(room: Room, body: &'static str) -> (Arc<Shared>, Transfer) {
        let shared = Shared::new(room);
        let asked = Asked::Content { url: String::new(), body: Bytes::from_static(body.as_bytes()) };
        (shared.clone(), Transfer::new(shared, &asked))
    }

    #[test]
    fn a_window_pauses_and_what_was_refused_comes_again() {
        let (shared, mut transfer) = transfer(Room::Window(10), "");
        assert!(matches!(transfer.write(&[1; 12]), Ok(12)), "alone a piece may be larger");
        assert!(matches!(transfer.write(&[2; 4]), Err(WriteError::Pause)));
        let mut chunk = Vec::new();
        assert!(take(&mut shared.lock(), &mut chunk));
        assert_eq!(chunk, [1; 12]);
        assert!(matches!(transfer.write(&[2; 4]), Ok(4)));
        assert!(matches!(transfer.write(&[3; 6]), Ok(6)));
        assert!(matches!(transfer.write(&[4; 1]), Err(WriteError::Pause)));
        assert_eq!(shared.lock().came, 22);
    }

    #[test]
    fn a_whole_body_has_a_limit_and_a_refusal_an_end() {
        let (shared, mut transfer) = transfer(Room::Whole(10), "");
        assert!(matches!(transfer.write(&[1; 10]), Ok(10)));
        assert!(matches!(transfer.write(&[1]), Ok(0)));
        assert!(matches!(shared.lock().end, Some(Err(Error::TooLong { what: Limited::Body, limit: 10 }))));
        let (shared, mut transfer) = self::transfer(Room::Whole(10), "");
        assert!(transfer.header(b"HTTP/1.1 404 Not Found\r\n") && transfer.header(b"\r\n"));
        assert!(matches!(transfer.write(&[1; 100]), Ok(100)), "a refusal has a limit of its own");
        assert!(matches!(transfer.write(&vec![1; MAX_ERROR_BODY]), Ok(count) if count == MAX_ERROR_BODY - 100));
        assert!(matches!(shared.lock().end, Some(Ok(()))));
        assert_eq!(shared.lock().body.len(), MAX_ERROR_BODY);
    }

    #[test]
    fn a_request_is_read_in_pieces_again_if_need_be_and_let_go_once_answered() {
        let (_shared, mut transfer) = transfer(Room::Whole(10), "request");
        let mut piece = [0; 4];
        for expected in [&b"requ"[..], b"est", b""] {
            let count = transfer.read(&mut piece).unwrap_or(99);
            assert_eq!(&piece[..count], expected);
        }
        assert!(matches!(transfer.seek(SeekFrom::Start(3)), SeekResult::Ok));
        assert_eq!((transfer.read(&mut piece).ok(), &piece), (Some(4), b"uest"));
        assert!(matches!(transfer.seek(SeekFrom::Start(8)), SeekResult::Fail));
        assert!(matches!(transfer.seek(SeekFrom::End(0)), SeekResult::CantSeek));
        assert!(transfer.header(b"HTTP/1.1 200 OK\r\n") && transfer.header(b"\r\n"));
        assert!(transfer.body.is_empty());
    }

    #[test]
    fn a_transfer_that_is_dropped_has_failed() {
        let (shared, transfer) = transfer(Room::Whole(10), "");
        drop(transfer);
        assert!(matches!(shared.lock().end, Some(Err(Error::Transport { .. }))));
    }
}
