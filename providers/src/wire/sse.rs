//! Server-sent events as the API sends them, read as bytes arrive.
//!
//! An event is handed out as a slice of the caller's chunk when it lies in it whole; only what is cut is gathered in the caller's
//! [`Buffer`]. Lines end with `\r\n`, `\n` or `\r` and with nothing else: U+2028 stands inside JSON strings.
//!
//! The API can end a stream with an error that is no event at all but bare JSON. A line that begins with `{` or `[` therefore begins
//! a [`Tail::Bare`], which goes on to the end of the stream.

use std::ops::ControlFlow;

use super::buffer::Buffer;
use super::scan::line_end;

/// The most that may precede data in a line: a byte order mark and `data: `.
const PREFIX: usize = 9;

/// Reads a stream of events. Holds no bytes itself.
#[derive(Debug, Clone)]
pub struct SseReader {
    max_event: usize,
    /// How many bytes at the buffer's beginning are whole lines of data, each with a `\n` at its end; behind them stands the
    /// beginning of a line.
    gathered: usize,
    /// Whether the event has a line of data, which may be empty.
    has_data: bool,
    /// Whether the last byte was a `\r` that ended a line: a `\n` right after it belongs to it.
    after_cr: bool,
    /// Whether nothing was read yet: a byte order mark may come.
    fresh: bool,
    bare: bool,
}

/// Why a stream cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum SseError<F: std::error::Error> {
    /// An event is longer than the limit, in bytes.
    #[error("an event is longer than {0} bytes")]
    TooLong(usize),
    /// The caller's buffer has no room.
    #[error("no room for an event: {0}")]
    Full(F),
}

/// What stood at the end of a stream after the last whole event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail<'a> {
    /// Nothing.
    Nothing,
    /// An event without the empty line that ends it: perhaps whole, perhaps cut.
    Event(&'a [u8]),
    /// JSON that is no event.
    Bare(&'a [u8]),
}

/// A line, by what it means.
enum Line {
    /// Data, from here on.
    Data(usize),
    /// The end of an event.
    Empty,
    /// A comment or another field.
    Other,
}

impl SseReader {
    /// A reader that refuses events of more than `max_event` bytes of data.
    pub const fn new(max_event: usize) -> Self {
        Self { max_event, gathered: 0, has_data: false, after_cr: false, fresh: true, bare: false }
    }

    /// Reads a chunk and calls `on_event` with the data of each event that it completes.
    ///
    /// `buffer` must be the same, untouched, from call to call, and empty at the first. After a break the rest of the chunk is lost.
    ///
    /// # Errors
    ///
    /// [`SseError`]; where the chunks were cut makes no difference to which event fails.
    pub fn push<B: Buffer, R>(
        &mut self,
        buffer: &mut B,
        chunk: &[u8],
        mut on_event: impl FnMut(&[u8]) -> ControlFlow<R>,
    ) -> Result<ControlFlow<R>, SseError<B::Full>> {
        let mut rest = chunk;
        // The data of the event at hand while it lies in the chunk; then nothing of the event is in the buffer.
        let mut held: Option<&[u8]> = None;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let partial = buffer.bytes().len() > self.gathered;
            if self.bare || (!partial && matches!(rest[0], b'{' | b'[')) {
                if let ControlFlow::Break(stop) = self.begin_bare(buffer, held.take(), &mut on_event) {
                    return Ok(ControlFlow::Break(stop));
                }
                append(buffer, rest, self.max_event, self.max_event)?;
                return Ok(ControlFlow::Continue(()));
            }
            let Some(end) = line_end(rest) else {
                self.hold(buffer, held.take())?;
                self.append_line(buffer, rest)?;
                return Ok(ControlFlow::Continue(()));
            };
            self.after_cr = rest[end] == b'\r';
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if partial {
                self.append_line(buffer, line)?;
                self.end_gathered_line(buffer)?;
                continue;
            }
            match self.classify(line) {
                Line::Data(at) if !self.has_data => {
                    self.fits(line.len() - at)?;
                    self.has_data = true;
                    held = Some(&line[at..]);
                }
                Line::Data(at) => {
                    self.hold(buffer, held.take())?;
                    self.fits(self.gathered + line.len() - at)?;
                    self.hold(buffer, Some(&line[at..]))?;
                }
                Line::Empty => {
                    if let ControlFlow::Break(stop) = self.dispatch(buffer, held.take(), &mut on_event) {
                        return Ok(ControlFlow::Break(stop));
                    }
                }
                Line::Other => self.line_fits(line.len())?,
            }
        }
        self.hold(buffer, held)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Says what stood at the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn finish<'b, B: Buffer>(&mut self, buffer: &'b mut B) -> Result<Tail<'b>, SseError<B::Full>> {
        if self.bare {
            return Ok(Tail::Bare(buffer.bytes()));
        }
        if buffer.bytes().len() > self.gathered {
            self.end_gathered_line(buffer)?;
        }
        Ok(if self.gathered > 1 { Tail::Event(&buffer.bytes()[..self.gathered - 1]) } else { Tail::Nothing })
    }

    fn classify(&mut self, line: &[u8]) -> Line {
        let mark = if std::mem::take(&mut self.fresh) && line.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        let line = &line[mark..];
        if line.is_empty() {
            Line::Empty
        } else if line.starts_with(b"data:") {
            Line::Data(mark + if line.get(5) == Some(&b' ') { 6 } else { 5 })
        } else if line == b"data" {
            Line::Data(mark + 4)
        } else {
            Line::Other
        }
    }

    /// The line that stands in the buffer behind the gathered data is whole: keep its data, drop the rest of it.
    fn end_gathered_line<B: Buffer>(&mut self, buffer: &mut B) -> Result<(), SseError<B::Full>> {
        let line = &buffer.bytes()[self.gathered..];
        let length = line.len();
        match self.classify(line) {
            Line::Data(at) => {
                self.fits(self.gathered + length - at)?;
                buffer.cut(self.gathered, at);
                buffer.put(b"\n").map_err(SseError::Full)?;
                self.has_data = true;
                self.gathered = buffer.bytes().len();
            }
            Line::Empty | Line::Other => {
                self.line_fits(length)?;
                buffer.cut(self.gathered, length);
            }
        }
        Ok(())
    }

    /// Moves a line of data from the chunk to the buffer: the chunk ends before the event does.
    fn hold<B: Buffer>(&mut self, buffer: &mut B, line: Option<&[u8]>) -> Result<(), SseError<B::Full>> {
        if let Some(line) = line {
            buffer.put(line).map_err(SseError::Full)?;
            buffer.put(b"\n").map_err(SseError::Full)?;
            self.gathered = buffer.bytes().len();
        }
        Ok(())
    }

    /// Hands out the event at hand, if it has data, and begins the next.
    fn dispatch<B: Buffer, R>(
        &mut self,
        buffer: &mut B,
        held: Option<&[u8]>,
        on_event: &mut impl FnMut(&[u8]) -> ControlFlow<R>,
    ) -> ControlFlow<R> {
        let data = held.unwrap_or_else(|| &buffer.bytes()[..self.gathered.saturating_sub(1)]);
        let flow = if data.is_empty() { ControlFlow::Continue(()) } else { on_event(data) };
        buffer.empty();
        self.gathered = 0;
        self.has_data = false;
        flow
    }

    fn begin_bare<B: Buffer, R>(
        &mut self,
        buffer: &mut B,
        held: Option<&[u8]>,
        on_event: &mut impl FnMut(&[u8]) -> ControlFlow<R>,
    ) -> ControlFlow<R> {
        if std::mem::replace(&mut self.bare, true) {
            ControlFlow::Continue(())
        } else {
            self.dispatch(buffer, held, on_event)
        }
    }

    fn append_line<B: Buffer>(&self, buffer: &mut B, bytes: &[u8]) -> Result<(), SseError<B::Full>> {
        append(buffer, bytes, self.gathered.saturating_add(self.max_event).saturating_add(PREFIX), self.max_event)
    }

    fn line_fits<F: std::error::Error>(&self, length: usize) -> Result<(), SseError<F>> {
        self.fits(length.saturating_sub(PREFIX))
    }

    fn fits<F: std::error::Error>(&self, length: usize) -> Result<(), SseError<F>> {
        if length > self.max_event { Err(SseError::TooLong(self.max_event)) } else { Ok(()) }
    }
}

fn append<B: Buffer>(buffer: &mut B, bytes: &[u8], room: usize, limit: usize) -> Result<(), SseError<B::Full>> {
    if buffer.bytes().len() + bytes.len() > room {
        return Err(SseError::TooLong(limit));
    }
    buffer.put(bytes).map_err(SseError::Full)
}

#[cfg(test)]
mod tests;
