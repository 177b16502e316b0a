//! The visitor form: answers are told while they arrive, and in steady state nothing is allocated for them but what rustls does.

use std::ops::ControlFlow;

use super::BareGeminiProvider;
use crate::error::{Error, Limited};
use crate::net::{Method, Wait};
use crate::types::GenerateContentRequest;
use crate::wire::answer::ANSWER;
use crate::wire::sse::{SseError, SseReader, Tail};
use crate::wire::visit::{Teller, Told, Visitor};

const EVENT: &str = "an event of streamGenerateContent";

impl BareGeminiProvider {
    /// Sends `generateContent` and tells the answer to `visitor` as it arrives.
    ///
    /// It is sent once, whatever [`Retry`](crate::Retry) says: what was told cannot be taken back.
    ///
    /// # Errors
    ///
    /// Any [`Error`]. What was told before it was part of the answer.
    pub async fn generate_with<V: Visitor + Send>(
        &self,
        request: &GenerateContentRequest,
        visitor: &mut V,
    ) -> Result<(), Error> {
        let told = self.tell_answer(request, &self.patience.generate(), visitor).await;
        told.map_err(|error| self.key.cleanse(error))
    }

    /// Sends `streamGenerateContent` and tells each event to `visitor` as it arrives; a break in [`Visitor::end`] hangs up.
    ///
    /// It is sent once, as [`generate_with`](Self::generate_with), and the stream is one of server-sent events, whatever
    /// [`Options::stream_form`](crate::Options) says.
    ///
    /// # Errors
    ///
    /// Any [`Error`], as [`Provider::stream`](crate::Provider::stream).
    pub async fn stream_with<V: Visitor + Send>(
        &self,
        request: &GenerateContentRequest,
        visitor: &mut V,
    ) -> Result<(), Error> {
        let told = self.tell_events(request, &self.patience.stream(), visitor).await;
        told.map_err(|error| self.key.cleanse(error))
    }

    async fn tell_answer<V: Visitor + Send>(
        &self,
        request: &GenerateContentRequest,
        wait: &Wait,
        visitor: &mut V,
    ) -> Result<(), Error> {
        let mut answer = self.post(request, Method::Generate, wait).await?;
        let (mut teller, mut kept, mut length) = (Teller::default(), self.rooms.bodies.lease(), 0);
        let limit = self.limits.max_body;
        let read = answer.read(wait, &self.rooms, |piece| {
            length += piece.len();
            if length > limit {
                return Err(Error::TooLong { what: Limited::Body, limit });
            }
            teller.push(piece, kept.vec(), visitor).map_err(|error| Error::answer(ANSWER, error))?;
            Ok(ControlFlow::Continue(()))
        });
        read.await?;
        self.keep(answer);
        let told = teller.finish(kept.vec(), visitor).map_err(|error| Error::answer(ANSWER, error))?;
        accept(told, ANSWER)?;
        // There is nothing after a whole answer that a break could stop.
        let _ = visitor.end();
        Ok(())
    }

    async fn tell_events<V: Visitor + Send>(
        &self,
        request: &GenerateContentRequest,
        wait: &Wait,
        visitor: &mut V,
    ) -> Result<(), Error> {
        let mut answer = self.post(request, Method::Stream, wait).await?;
        let limit = self.limits.max_event;
        let (mut sse, mut cut) = (SseReader::new(limit), self.rooms.cut());
        let mut finished = false;
        let too_long = |error| match error {
            SseError::TooLong(_) => Error::TooLong { what: Limited::Event, limit },
            SseError::Full(full) => match full {},
        };
        let read = answer.read(wait, &self.rooms, |piece| {
            let flow = sse.push(&mut cut, piece, |data| match tell(data, self.rooms.bodies.lease().vec(), visitor) {
                Ok((done, flow)) => {
                    finished |= done;
                    flow.map_break(|()| None)
                }
                Err(error) => ControlFlow::Break(Some(error)),
            });
            match flow.map_err(too_long)? {
                ControlFlow::Break(Some(error)) => Err(error),
                ControlFlow::Break(None) => Ok(ControlFlow::Break(())),
                ControlFlow::Continue(()) => Ok(ControlFlow::Continue(())),
            }
        });
        if !read.await? {
            return Ok(());
        }
        self.keep(answer);
        match sse.finish(&mut cut).map_err(too_long)? {
            Tail::Nothing => {}
            Tail::Event(data) => match tell(data, self.rooms.bodies.lease().vec(), visitor) {
                Ok((_, ControlFlow::Break(()))) => return Ok(()),
                Ok((done, ControlFlow::Continue(()))) => finished |= done,
                Err(Error::Answer { .. }) => return Err(Error::Truncated),
                Err(error) => return Err(error),
            },
            Tail::Bare(json) => {
                return Err(match crate::error::ApiError::from_json(json) {
                    Some(error) => Error::Api(Box::new(error)),
                    None => Error::answer(EVENT, "it is JSON without the framing of an event stream"),
                });
            }
        }
        if finished { Ok(()) } else { Err(Error::Truncated) }
    }
}

/// Tells one whole event; whether it says why it finished, and whether more is wanted.
fn tell(data: &[u8], kept: &mut Vec<u8>, visitor: &mut impl Visitor) -> Result<(bool, ControlFlow<()>), Error> {
    let unreadable = |error| Error::answer(EVENT, error);
    let mut teller = Teller::default();
    teller.push(data, kept, visitor).map_err(unreadable)?;
    let finished = accept(teller.finish(kept, visitor).map_err(unreadable)?, EVENT)?;
    Ok((finished, visitor.end()))
}

/// Lets an answer pass; whether it says why it finished.
fn accept(told: Told, expected: &'static str) -> Result<bool, Error> {
    match told {
        Told::Answer { finished } => Ok(finished),
        Told::Refusal(error) => Err(Error::Api(error)),
        Told::Foreign => Err(Error::answer(expected, "it is JSON, but no object")),
    }
}
