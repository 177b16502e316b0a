//! JSON read as it arrives: bytes in, events out, nothing kept.
//!
//! The reader can stop at any byte, within an escape or a character too, and go on with the next chunk. Strings come in pieces that
//! lie in the chunk where that is possible; what stands around an escape is put together in the caller's scratch, so that a text of
//! many short lines is not many short pieces. It accepts exactly what serde_json accepts, up to the same depth.

mod string;
#[cfg(test)]
mod tests;

use string::Escape;

/// The deepest nesting; serde_json's own.
const MAX_DEPTH: u8 = 127;

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// `{`.
    BeginObject,
    /// `}`.
    EndObject,
    /// `[`.
    BeginArray,
    /// `]`.
    EndArray,
    /// A piece of a member's name; whether it is the last one, which may be empty.
    Name(&'a str, bool),
    /// A piece of a string, likewise.
    Text(&'a str, bool),
    /// A piece of a number as it is written, likewise.
    Number(&'a str, bool),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// Why something is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// A byte stands where it may not.
    #[error("the JSON has {0:?} where it may not stand")]
    Unexpected(char),
    /// A string has an escape that JSON does not have, or half of a surrogate pair.
    #[error("the JSON has a string with a wrong escape")]
    Escape,
    /// A string is not UTF-8.
    #[error("the JSON has a string that is not UTF-8")]
    Utf8,
    /// It is nested too deep.
    #[error("the JSON is nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// It ends before it is whole.
    #[error("the JSON ends before it is whole")]
    Cut,
}

/// Reads one JSON document. Holds no bytes but those of a character that was cut.
#[derive(Debug, Clone)]
pub struct PushJson {
    state: State,
    depth: u8,
    /// By depth, whether the container is an object: one bit each.
    objects: u128,
    /// The beginning of a character that was cut.
    held: [u8; 4],
    held_count: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    Colon,
    AfterValue,
    Done,
    /// In a string; whether it is a name.
    Text {
        name: bool,
        escape: Escape,
    },
    Number(Number),
    /// In `true`, `false` or `null`, after so many bytes.
    Word {
        word: &'static [u8],
        at: u8,
    },
}

/// What of a number was read last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Start,
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl PushJson {
    /// A reader at the beginning of a document.
    pub const fn new() -> Self {
        Self { state: State::Value, depth: 0, objects: 0, held: [0; 4], held_count: 0 }
    }

    /// Reads the next bytes. `scratch` may have any size and any content; nothing stays in it.
    ///
    /// # Errors
    ///
    /// [`JsonError`]; where the document was cut makes no difference to which.
    pub fn push(
        &mut self,
        chunk: &[u8],
        scratch: &mut [u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), JsonError> {
        let mut rest = chunk;
        while let Some(&byte) = rest.first() {
            match self.state {
                State::Text { name, escape } => {
                    rest = self.text(rest, name, escape, scratch, on_event)?;
                    continue;
                }
                State::Number(number) => {
                    rest = self.number(rest, number, on_event)?;
                    continue;
                }
                State::Word { word, at } => self.word(byte, word, at, on_event)?,
                _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => {}
                State::Colon if byte == b':' => self.state = State::Value,
                State::Name | State::NameOrEnd if byte == b'"' => {
                    self.state = State::Text { name: true, escape: Escape::None };
                }
                State::NameOrEnd | State::AfterValue if byte == b'}' && self.in_object() => {
                    self.close();
                    on_event(Event::EndObject);
                }
                State::ValueOrEnd | State::AfterValue if byte == b']' && !self.in_object() && self.depth > 0 => {
                    self.close();
                    on_event(Event::EndArray);
                }
                State::AfterValue if byte == b',' => {
                    self.state = if self.in_object() { State::Name } else { State::Value };
                }
                State::Value | State::ValueOrEnd => self.begin_value(byte, on_event)?,
                _ => return Err(unexpected(byte)),
            }
            // A number's first byte is read again, as part of it.
            if !matches!(self.state, State::Number(_)) {
                rest = &rest[1..];
            }
        }
        Ok(())
    }

    /// The document has ended.
    ///
    /// # Errors
    ///
    /// [`JsonError::Cut`] if it is not whole.
    pub fn finish(&mut self, on_event: &mut impl FnMut(Event<'_>)) -> Result<(), JsonError> {
        if let State::Number(number) = self.state
            && self.depth == 0
            && number.may_end()
        {
            self.state = State::Done;
            on_event(Event::Number("", true));
        }
        if self.state == State::Done { Ok(()) } else { Err(JsonError::Cut) }
    }

    fn begin_value(&mut self, byte: u8, on_event: &mut impl FnMut(Event<'_>)) -> Result<(), JsonError> {
        let word = |word| State::Word { word, at: 1 };
        self.state = match byte {
            b'{' => {
                self.open(true)?;
                on_event(Event::BeginObject);
                State::NameOrEnd
            }
            b'[' => {
                self.open(false)?;
                on_event(Event::BeginArray);
                State::ValueOrEnd
            }
            b'"' => State::Text { name: false, escape: Escape::None },
            b't' => word(b"true"),
            b'f' => word(b"false"),
            b'n' => word(b"null"),
            b'-' | b'0'..=b'9' => State::Number(Number::Start),
            _ => return Err(unexpected(byte)),
        };
        Ok(())
    }

    fn word(
        &mut self,
        byte: u8,
        word: &'static [u8],
        at: u8,
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), JsonError> {
        if word.get(usize::from(at)) != Some(&byte) {
            return Err(unexpected(byte));
        }
        self.state = State::Word { word, at: at + 1 };
        if usize::from(at) + 1 == word.len() {
            self.after_value();
            on_event(match word {
                b"true" => Event::Bool(true),
                b"false" => Event::Bool(false),
                _ => Event::Null,
            });
        }
        Ok(())
    }

    fn open(&mut self, object: bool) -> Result<(), JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        self.depth += 1;
        self.objects = self.objects & !(1 << self.depth) | u128::from(object) << self.depth;
        Ok(())
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.after_value();
    }

    fn after_value(&mut self) {
        self.state = if self.depth == 0 { State::Done } else { State::AfterValue };
    }

    fn in_object(&self) -> bool {
        self.depth > 0 && self.objects >> self.depth & 1 == 1
    }
}

impl Default for PushJson {
    fn default() -> Self {
        Self::new()
    }
}

fn unexpected(byte: u8) -> JsonError {
    JsonError::Unexpected(if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER })
}

impl PushJson {
    /// Reads a number up to its end, which is the first byte that is none of its own.
    fn number<'c>(
        &mut self,
        chunk: &'c [u8],
        mut number: Number,
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<&'c [u8], JsonError> {
        let piece = |count: usize| std::str::from_utf8(&chunk[..count]).map_err(|_| JsonError::Utf8);
        for (at, byte) in chunk.iter().copied().enumerate() {
            number = match number.next(byte) {
                Some(next) => next,
                None if number.may_end() => {
                    self.after_value();
                    on_event(Event::Number(piece(at)?, true));
                    return Ok(&chunk[at..]);
                }
                None => return Err(unexpected(byte)),
            };
        }
        self.state = State::Number(number);
        on_event(Event::Number(piece(chunk.len())?, false));
        Ok(&[])
    }
}

impl Number {
    fn next(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Start, b'-') => Self::Minus,
            (Self::Start | Self::Minus, b'0') => Self::Zero,
            (Self::Start | Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Self::Whole,
            (Self::Zero | Self::Whole, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::ExponentSign,
            (Self::Exponent | Self::ExponentSign | Self::ExponentDigits, b'0'..=b'9') => Self::ExponentDigits,
            _ => return None,
        })
    }

    fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Whole | Self::Fraction | Self::ExponentDigits)
    }
}
