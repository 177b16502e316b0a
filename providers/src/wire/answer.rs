//! What the bytes of an answer or an event mean: an answer, an error, or an end that came too early.

use std::ops::ControlFlow;

use super::array::{ArrayError, ArrayReader};
use super::buffer::Buffer;
use super::sse::{SseError, SseReader, Tail};
use crate::error::{ApiError, Error, Limited};
use crate::options::StreamForm;
use crate::types::GenerateContentResponse;

/// What an answer should have been, as errors name it.
pub(crate) const ANSWER: &str = "a generateContent answer";
const EVENT: &str = "an event of streamGenerateContent";

/// How the bytes of one whole answer become types.
pub(crate) type Parse = fn(&[u8]) -> Result<GenerateContentResponse, serde_json::Error>;

/// Straight into types.
pub(crate) fn typed(bytes: &[u8]) -> Result<GenerateContentResponse, serde_json::Error> {
    serde_json::from_slice(bytes)
}

/// By way of a [`serde_json::Value`], which holds everything twice for a moment.
pub(crate) fn by_value(bytes: &[u8]) -> Result<GenerateContentResponse, serde_json::Error> {
    serde_json::from_value(serde_json::from_slice(bytes)?)
}

/// Judges what was read: an object with an `error` is an error, under whichever HTTP status it came.
pub(crate) fn judge<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    read: Result<GenerateContentResponse, E>,
    expected: &'static str,
) -> Result<GenerateContentResponse, Error> {
    let mut answer = read.map_err(|error| Error::answer(expected, error))?;
    match answer.extra.remove("error").and_then(ApiError::from_value) {
        Some(error) => Err(Error::Api(Box::new(error))),
        None => Ok(answer),
    }
}

/// How events are told apart.
#[derive(Debug)]
enum Reader {
    Sse(SseReader),
    Array(ArrayReader),
}

/// The events of one `streamGenerateContent` call: bytes in, answers out, and a verdict at the end.
#[derive(Debug)]
pub(crate) struct EventStream<B> {
    reader: Reader,
    buffer: B,
    parse: Parse,
    max_event: usize,
    finished: bool,
}

impl<B: Buffer> EventStream<B> {
    /// A stream of this form, that gathers what is cut in `buffer`, which must be empty.
    pub(crate) fn new(form: StreamForm, buffer: B, max_event: usize, parse: Parse) -> Self {
        let reader = match form {
            StreamForm::Sse => Reader::Sse(SseReader::new(max_event)),
            StreamForm::Array => Reader::Array(ArrayReader::new(max_event)),
        };
        Self { reader, buffer, parse, max_event, finished: false }
    }

    /// Delivers the events that `chunk` completes. A break means that the caller wants no more.
    pub(crate) fn push(
        &mut self,
        chunk: &[u8],
        on_event: &mut impl FnMut(&GenerateContentResponse) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Error> {
        let (parse, finished) = (self.parse, &mut self.finished);
        let on_data = |data: &[u8]| match judge(parse(data), EVENT) {
            Err(error) => ControlFlow::Break(Err(error)),
            Ok(event) => {
                *finished |= event.is_finished();
                match on_event(&event) {
                    ControlFlow::Continue(()) => ControlFlow::Continue(()),
                    ControlFlow::Break(()) => ControlFlow::Break(Ok(())),
                }
            }
        };
        let flow = match &mut self.reader {
            Reader::Sse(reader) => {
                reader.push(&mut self.buffer, chunk, on_data).map_err(|error| too_long(error, self.max_event))?
            }
            Reader::Array(reader) => {
                reader.push(&mut self.buffer, chunk, on_data).map_err(|error| no_array(error, self.max_event))?
            }
        };
        match flow {
            ControlFlow::Continue(()) => Ok(ControlFlow::Continue(())),
            ControlFlow::Break(stop) => stop.map(ControlFlow::Break),
        }
    }

    /// The transport says that the stream is whole; whether it is, is known only here.
    pub(crate) fn finish(
        mut self,
        on_event: &mut impl FnMut(&GenerateContentResponse) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let reader = match &mut self.reader {
            Reader::Sse(reader) => reader,
            Reader::Array(reader) if reader.is_whole() && self.finished => return Ok(()),
            Reader::Array(_) => return Err(Error::Truncated),
        };
        match reader.finish(&mut self.buffer).map_err(|error| too_long(error, self.max_event))? {
            Tail::Nothing => {}
            Tail::Event(data) => match judge((self.parse)(data), EVENT) {
                Ok(event) => {
                    self.finished |= event.is_finished();
                    if on_event(&event).is_break() {
                        return Ok(());
                    }
                }
                Err(Error::Answer { .. }) => return Err(Error::Truncated),
                Err(error) => return Err(error),
            },
            Tail::Bare(json) => {
                return Err(match ApiError::from_json(json) {
                    Some(error) => Error::Api(Box::new(error)),
                    None => Error::answer(EVENT, "it is JSON without the framing of an event stream"),
                });
            }
        }
        if self.finished { Ok(()) } else { Err(Error::Truncated) }
    }
}

fn too_long<F: std::error::Error + Send + Sync + 'static>(error: SseError<F>, limit: usize) -> Error {
    match error {
        SseError::TooLong(_) => Error::TooLong { what: Limited::Event, limit },
        SseError::Full(error) => Error::answer(EVENT, error),
    }
}

fn no_array<F: std::error::Error + Send + Sync + 'static>(error: ArrayError<F>, limit: usize) -> Error {
    match error {
        ArrayError::TooLong(_) => Error::TooLong { what: Limited::Event, limit },
        ArrayError::Full(error) => Error::answer(EVENT, error),
        ArrayError::Stray(_) => Error::answer(EVENT, error),
    }
}

#[cfg(test)]
mod tests;
