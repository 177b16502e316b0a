//! One exchange: a request out, the head of an answer in, and its body piece by piece.

use std::io;
use std::ops::{ControlFlow, Range};
use std::pin::pin;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

use super::connection::Connection;
use super::rooms::Rooms;
use crate::error::{Error, Limited, Phase};
use crate::net::{Lease, Wait};
use crate::wire::answer::ANSWER;
use crate::wire::head::{BodyReader, Coding, Framing, Head, HeadError};

/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 64 << 10;
/// The most heads on the way (1xx) to an answer.
const MAX_INTERIM: usize = 16;
/// What is made room for at once on a server's word; for what is longer, as it comes.
const MAX_ANNOUNCED: usize = 1 << 20;

/// An answer whose body is still to be read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Head,
    connection: Box<Connection>,
    body: BodyReader,
    /// What came and was not taken yet lies here from `at` on.
    inbox: Option<Lease>,
    at: usize,
    /// The place of the head in the inbox, until the body is read.
    place: Range<usize>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) error: io::Error,
    /// Whether the connection ended before any byte of an answer came.
    pub(super) silent: bool,
}

/// Sends `request`, which lies in two pieces, and waits for the head of the answer.
pub(super) async fn ask(mut connection: Box<Connection>, request: [&[u8]; 2]) -> Result<Answer, Unanswered> {
    // A server may answer, and hang up, before it has read all: what it says counts for more than that the rest was not taken.
    let mut unsent = None;
    for piece in request {
        if unsent.is_none() && !piece.is_empty() {
            unsent = connection.send(piece).await.err();
        }
    }
    let (mut inbox, mut at, mut interim) = (None::<Lease>, 0, 0);
    loop {
        let bytes = inbox.as_ref().map_or(&[][..], |inbox| &inbox.as_ref()[at..]);
        let invalid = |error: HeadError| refused(io::Error::new(io::ErrorKind::InvalidData, error));
        if let Some((mut head, length)) = Head::read(bytes, MAX_HEAD).map_err(invalid)? {
            let place = at..at + length;
            at = place.end;
            if head.status == 101 {
                return Err(refused(io::Error::other("the server changes to a protocol that nobody asked for")));
            }
            if !head.is_interim() {
                // What is sent behind half a request is read as the rest of it.
                head.keep_alive &= unsent.is_none();
                return Ok(Answer { head, connection, body: head.framing.reader(), inbox, at, place });
            }
            interim += 1;
            if interim > MAX_INTERIM {
                return Err(refused(io::Error::other("the server sends heads without an answer")));
            }
            continue;
        }
        let silent = inbox.is_none();
        let ended = match connection.receive(&mut inbox).await {
            Ok(true) => continue,
            Ok(false) => {
                io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended before the head of the answer")
            }
            Err(error) => error,
        };
        let error = unsent.unwrap_or(ended);
        return Err(Unanswered { silent: silent && is_end(&error), error });
    }
}

fn refused(error: io::Error) -> Unanswered {
    Unanswered { error, silent: false }
}

/// Whether a connection ended, as opposed to having said something wrong.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe | NotConnected)
}

impl Answer {
    /// The fields of the head, without those that are about the body as it was packed. Once the body is read they are gone.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = Head::fields(self.bytes(self.place.clone()));
        if self.head.coding == Coding::Gzip {
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
        }
        headers
    }

    /// The same as the answer to `HEAD`: whatever it says of a body, none follows.
    pub(super) fn without_body(mut self) -> Self {
        (self.head.framing, self.head.coding) = (Framing::Length(0), Coding::Identity);
        self.body = self.head.framing.reader();
        self
    }

    /// Calls `on_piece` with each piece of the unpacked body, as it comes. `false`: it wanted no more.
    pub(super) async fn read<F>(&mut self, wait: &Wait, rooms: &Rooms, mut on_piece: F) -> Result<bool, Error>
    where
        F: FnMut(&[u8]) -> Result<ControlFlow<()>, Error> + Send,
    {
        match self.head.coding {
            Coding::Unknown => Err(Error::answer(ANSWER, "it is packed in a way that was not asked for")),
            Coding::Identity => {
                while let Some(range) = self.next(wait, 0).await? {
                    if on_piece(self.bytes(range))?.is_break() {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Coding::Gzip => {
                let mut unpacking = rooms.unpackers.lease();
                while let Some(range) = self.next(wait, 0).await? {
                    let mut out = rooms.records.lease();
                    if unpacking.push(self.bytes(range), out.vec(), &mut on_piece)?.is_break() {
                        return Ok(false);
                    }
                }
                unpacking.finish()?;
                Ok(true)
            }
        }
    }

    /// The whole body, unpacked, at the end of a buffer: where it begins there.
    pub(super) async fn whole(&mut self, wait: &Wait, rooms: &Rooms, limit: usize) -> Result<(Lease, usize), Error> {
        let too_long = || Error::TooLong { what: Limited::Body, limit };
        if let Framing::Length(length) = self.head.framing {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > limit {
                return Err(too_long());
            }
            if self.head.coding == Coding::Identity
                && let Some(inbox) = &mut self.inbox
            {
                let there = inbox.as_ref().len() - self.at;
                inbox.vec().reserve_exact(length.saturating_sub(there).min(MAX_ANNOUNCED));
            }
        }
        if self.head.coding != Coding::Identity {
            let mut body = rooms.bodies.lease();
            self.read(wait, rooms, |piece| {
                if body.as_ref().len() + piece.len() > limit {
                    return Err(too_long());
                }
                body.vec().extend_from_slice(piece);
                Ok(ControlFlow::Continue(()))
            })
            .await?;
            return Ok((body, 0));
        }
        // The pieces close up where they lie: the framing between them is overwritten.
        let start = self.at;
        let mut end = start;
        while let Some(range) = self.next(wait, end).await? {
            if end - start + range.len() > limit {
                return Err(too_long());
            }
            if let Some(inbox) = &mut self.inbox {
                inbox.vec().copy_within(range.clone(), end);
            }
            end += range.len();
        }
        let left = self.inbox.as_ref().map_or(0, |inbox| inbox.as_ref().len()) - self.at;
        let mut body = self.inbox.take().unwrap_or_else(|| rooms.bodies.lease());
        body.vec().truncate(end);
        self.at = 0;
        // What lies behind the answer was not asked for; the connection that said it is not asked again.
        self.head.keep_alive &= left == 0;
        Ok((body, start))
    }

    /// The connection, if its answer was read to the end and it may be asked again.
    pub(super) fn into_connection(self) -> Option<Box<Connection>> {
        let left = self.inbox.as_ref().is_some_and(|inbox| inbox.as_ref().len() > self.at);
        (self.head.keep_alive && self.body.is_done() && !left).then_some(self.connection)
    }

    fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.inbox.as_ref().and_then(|inbox| inbox.as_ref().get(range)).unwrap_or_default()
    }

    /// The place of the next piece of the body in the inbox, whose first `kept` bytes stay as they are; `None`: it is whole.
    async fn next(&mut self, wait: &Wait, kept: usize) -> Result<Option<Range<usize>>, Error> {
        let broken = |error: io::Error| Error::Transport { phase: Phase::Body, source: Box::new(error) };
        loop {
            while !self.body.is_done()
                && let Some(rest) = self.inbox.as_ref().and_then(|inbox| inbox.as_ref().get(self.at..))
                && !rest.is_empty()
            {
                let read = self.body.read(rest);
                let (count, data) = read.map_err(|error| broken(io::Error::new(io::ErrorKind::InvalidData, error)))?;
                let length = data.len();
                self.at += count;
                if length > 0 {
                    return Ok(Some(self.at - length..self.at));
                }
            }
            if self.body.is_done() {
                return Ok(None);
            }
            match &mut self.inbox {
                Some(inbox) if kept > 0 => inbox.vec().truncate(kept),
                // Whoever waits holds no buffer.
                inbox => *inbox = None,
            }
            self.at = kept;
            // Pinned here, and passed on as a pointer: what takes a future by value has room for it twice.
            let received = pin!(self.connection.receive(&mut self.inbox));
            if !wait.body(received).await?.map_err(broken)? {
                if self.head.framing == Framing::Close {
                    self.body = BodyReader::Length(0);
                    return Ok(None);
                }
                return Err(broken(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended in the body")));
            }
        }
    }
}
