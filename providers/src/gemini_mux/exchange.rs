//! One exchange: a request out, the head of an answer in, and its body piece by piece.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, Request};

use super::lines::{Lines, Place};
use crate::error::{Error, Limited, Phase};
use crate::net::{BufferPool, Lease, Unpackers, Wait};
use crate::wire::answer::ANSWER;
use crate::wire::head::Coding;

/// What is made room for at once on a server's word; for what is longer, as it comes.
const MAX_ANNOUNCED: usize = 1 << 20;
/// How many connections may turn out to take no more calls before one is sent.
const MAX_UNSENT: usize = 8;

/// An answer whose body is still to be read. Dropping it before its end tells the server to stop.
#[derive(Debug)]
pub(super) struct Answer<'l> {
    pub(super) status: u16,
    coding: Coding,
    /// What the head says of the body's length, in bytes.
    length: Option<usize>,
    // Before the place: only when the stream is let go another may begin.
    body: RecvStream,
    place: Place<'l>,
}

/// Memory that all calls of a provider share, each piece bounded.
#[derive(Debug)]
pub(super) struct Rooms {
    pub(super) bodies: Arc<BufferPool>,
    pub(super) unpackers: Unpackers,
}

/// Sends what `write` writes, and waits for the head of the answer. It is sent once more where the server has said that it did not look
/// at it, or where the connection had been idle and broke before a sign of an answer; the latter only if it is `repeatable`.
///
/// It is written only when there is a place for it: who waits for one holds nothing.
pub(super) async fn ask(
    lines: &Lines,
    repeatable: bool,
    write: impl Fn() -> Result<(Request<()>, Bytes), Error>,
) -> Result<(Answer<'_>, HeaderMap), Error> {
    let (mut again, mut unsent) = (false, 0);
    loop {
        let (place, mut sender) = lines.take().await?;
        let (head, body) = write()?;
        let begun = sender.send_request(head, body.is_empty());
        // Whether the connection takes no more: it has ended, or it has no number left for another stream.
        let spent =
            begun.is_err() && matches!(sender.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Err(_)));
        drop(sender);
        let sent = begun.and_then(|(response, mut stream)| {
            if !body.is_empty() {
                stream.send_data(body, true)?;
            }
            Ok(response)
        });
        let response = match sent {
            Ok(response) => response,
            Err(_) if spent && unsent < MAX_UNSENT => {
                unsent += 1;
                place.retire();
                continue;
            }
            Err(error) => return Err(place.failure(Phase::Head, error)),
        };
        match response.await {
            Ok(response) => {
                let (head, body) = response.into_parts();
                let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
                let coding = coding(&head.headers);
                return Ok((Answer { status: head.status.as_u16(), coding, length, body, place }, head.headers));
            }
            Err(error) => {
                let dead = !error.is_reset();
                if dead {
                    place.retire();
                }
                if again || !(is_unprocessed(&error) || dead && place.reused && repeatable && error.is_io()) {
                    return Err(place.failure(Phase::Head, error));
                }
                again = true;
            }
        }
    }
}

/// Whether the server has said that it did not look at a request. One that says so because it has too much to do is not asked again
/// at once.
fn is_unprocessed(error: &h2::Error) -> bool {
    let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    let gone = error.is_go_away() && error.reason() != Some(Reason::ENHANCE_YOUR_CALM);
    error.is_remote() && (refused || gone)
}

fn coding(fields: &HeaderMap) -> Coding {
    let mut coding = Coding::Identity;
    let values = fields.get_all(CONTENT_ENCODING).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    for value in values.map(<[u8]>::trim_ascii).filter(|value| !value.eq_ignore_ascii_case(b"identity")) {
        let gzip = value.eq_ignore_ascii_case(b"gzip") || value.eq_ignore_ascii_case(b"x-gzip");
        coding = if gzip && coding == Coding::Identity { Coding::Gzip } else { Coding::Unknown };
    }
    coding
}

impl Answer<'_> {
    /// The same as the answer to `HEAD`: whatever it says of a body, none follows.
    pub(super) fn without_body(self) -> Self {
        Self { coding: Coding::Identity, length: None, ..self }
    }

    /// Takes from the fields of the head those that are about the body as it was packed.
    pub(super) fn unpacked(&self, mut fields: HeaderMap) -> HeaderMap {
        if self.coding == Coding::Gzip {
            fields.remove(CONTENT_ENCODING);
            fields.remove(CONTENT_LENGTH);
        }
        fields
    }

    /// Calls `on_piece` with each piece of the unpacked body, as it comes. `false`: it wanted no more.
    pub(super) async fn read<F>(&mut self, wait: &Wait, rooms: &Rooms, mut on_piece: F) -> Result<bool, Error>
    where
        F: FnMut(&[u8]) -> Result<ControlFlow<()>, Error> + Send,
    {
        match self.coding {
            Coding::Unknown => Err(unknown()),
            Coding::Identity => {
                while let Some(piece) = self.next(wait).await? {
                    if on_piece(&piece)?.is_break() {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Coding::Gzip => {
                let mut unpacking = rooms.unpackers.lease();
                while let Some(piece) = self.next(wait).await? {
                    if unpacking.push(&piece, rooms.bodies.lease().vec(), &mut on_piece)?.is_break() {
                        return Ok(false);
                    }
                }
                unpacking.finish()?;
                Ok(true)
            }
        }
    }

    /// The whole body, unpacked.
    pub(super) async fn whole(&mut self, wait: &Wait, rooms: &Rooms, limit: usize) -> Result<Lease, Error> {
        let too_long = || Error::TooLong { what: Limited::Body, limit };
        let announced = self.length.unwrap_or(0);
        if announced > limit {
            return Err(too_long());
        }
        if self.coding == Coding::Unknown {
            return Err(unknown());
        }
        let mut body = rooms.bodies.lease();
        while let Some(piece) = self.next(wait).await? {
            if body.as_ref().len() + piece.len() > limit {
                return Err(too_long());
            }
            if body.as_ref().is_empty() {
                body.vec().reserve_exact(announced.clamp(piece.len(), MAX_ANNOUNCED.max(piece.len())));
            }
            body.vec().extend_from_slice(&piece);
        }
        if self.coding == Coding::Identity {
            return Ok(body);
        }
        // Packed bodies are unpacked when they are there, so that room to unpack in is held by one at a time and not by all in flight.
        let (mut plain, mut unpacking) = (rooms.bodies.lease(), rooms.unpackers.lease());
        let _ = unpacking.push(body.as_ref(), rooms.bodies.lease().vec(), |piece| {
            if plain.as_ref().len() + piece.len() > limit {
                return Err(too_long());
            }
            plain.vec().extend_from_slice(piece);
            Ok(ControlFlow::Continue(()))
        })?;
        unpacking.finish()?;
        Ok(plain)
    }

    /// The next piece of the body as it came; `None`: it is whole.
    async fn next(&mut self, wait: &Wait) -> Result<Option<Bytes>, Error> {
        match wait.body(self.body.data()).await? {
            None => Ok(None),
            Some(Err(error)) => Err(self.place.failure(Phase::Body, error)),
            Some(Ok(piece)) => {
                // It is used at once, so that as much more may come.
                let _ = self.body.flow_control().release_capacity(piece.len());
                Ok(Some(piece))
            }
        }
    }
}

fn unknown() -> Error {
    Error::answer(ANSWER, "it is packed in a way that was not asked for")
}
