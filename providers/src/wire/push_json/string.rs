//! The strings of a document.

use super::super::scan::plain;
use super::{Event, JsonError, PushJson, State, unexpected};

/// How far an escape was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    Backslash,
    /// After `\u`: so many digits with this value; and the high surrogate that came before.
    Unicode {
        digits: u8,
        value: u16,
        high: Option<u16>,
    },
    /// After a high surrogate, a backslash and then `u` must follow.
    Low {
        high: u16,
        backslash: bool,
    },
}

impl PushJson {
    /// Reads a string up to its end or the chunk's: what is left of the chunk.
    pub(super) fn text<'c>(
        &mut self,
        chunk: &'c [u8],
        name: bool,
        mut escape: Escape,
        scratch: &mut [u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<&'c [u8], JsonError> {
        let mut out = Out { scratch, filled: 0, name, on_event };
        let mut rest = chunk;
        while let Some(&byte) = rest.first() {
            if escape != Escape::None {
                let (next, character) = escape.step(byte)?;
                if let Some(character) = character {
                    out.put(character.encode_utf8(&mut [0; 4]));
                }
                escape = next;
                rest = &rest[1..];
                continue;
            }
            if self.held_count > 0 {
                if let Some(character) = self.complete(byte)? {
                    out.put(character.encode_utf8(&mut [0; 4]));
                }
                rest = &rest[1..];
                continue;
            }
            let (run, behind) = rest.split_at(plain(rest));
            let run = self.valid(run, behind.is_empty())?;
            rest = behind;
            match rest.first() {
                None => out.put(run),
                Some(b'"') => {
                    out.end(run);
                    self.state = State::Colon;
                    if !name {
                        self.after_value();
                    }
                    return Ok(&rest[1..]);
                }
                Some(b'\\') => {
                    out.put(run);
                    escape = Escape::Backslash;
                    rest = &rest[1..];
                }
                Some(byte) => return Err(unexpected(*byte)),
            }
        }
        out.flush();
        self.state = State::Text { name, escape };
        Ok(rest)
    }

    /// A run of a string as text; at the end of a chunk the beginning of a character is held back.
    fn valid<'r>(&mut self, run: &'r [u8], may_be_cut: bool) -> Result<&'r str, JsonError> {
        let error = match std::str::from_utf8(run) {
            Ok(text) => return Ok(text),
            Err(error) => error,
        };
        if error.error_len().is_some() || !may_be_cut {
            return Err(JsonError::Utf8);
        }
        let (whole, cut) = run.split_at(error.valid_up_to());
        self.held[..cut.len()].copy_from_slice(cut);
        self.held_count = cut.len() as u8;
        std::str::from_utf8(whole).map_err(|_| JsonError::Utf8)
    }

    /// One more byte of a character that was cut, and the character when it is whole.
    fn complete(&mut self, byte: u8) -> Result<Option<char>, JsonError> {
        let count = usize::from(self.held_count) + 1;
        self.held[count - 1] = byte;
        match std::str::from_utf8(&self.held[..count]) {
            Ok(text) => {
                self.held_count = 0;
                Ok(text.chars().next())
            }
            Err(error) if error.error_len().is_none() => {
                self.held_count += 1;
                Ok(None)
            }
            Err(_) => Err(JsonError::Utf8),
        }
    }
}

impl Escape {
    /// What one more byte makes of an escape, and the character that it completes.
    fn step(self, byte: u8) -> Result<(Self, Option<char>), JsonError> {
        let simple = |character| Ok((Self::None, Some(character)));
        match (self, byte) {
            (Self::Backslash, b'"' | b'\\' | b'/') => simple(char::from(byte)),
            (Self::Backslash, b'b') => simple('\u{8}'),
            (Self::Backslash, b'f') => simple('\u{c}'),
            (Self::Backslash, b'n') => simple('\n'),
            (Self::Backslash, b'r') => simple('\r'),
            (Self::Backslash, b't') => simple('\t'),
            (Self::Backslash, b'u') => Ok((Self::Unicode { digits: 0, value: 0, high: None }, None)),
            (Self::Unicode { digits, value, high }, _) => {
                let digit = char::from(byte).to_digit(16).ok_or(JsonError::Escape)?;
                let value = value << 4 | digit as u16;
                if digits < 3 {
                    Ok((Self::Unicode { digits: digits + 1, value, high }, None))
                } else {
                    unit(value, high)
                }
            }
            (Self::Low { high, backslash: false }, b'\\') => Ok((Self::Low { high, backslash: true }, None)),
            (Self::Low { high, backslash: true }, b'u') => {
                Ok((Self::Unicode { digits: 0, value: 0, high: Some(high) }, None))
            }
            _ => Err(JsonError::Escape),
        }
    }
}

/// A `\uXXXX` that is whole.
fn unit(value: u16, high: Option<u16>) -> Result<(Escape, Option<char>), JsonError> {
    let code = match (value, high) {
        (0xd800..=0xdbff, None) => return Ok((Escape::Low { high: value, backslash: false }, None)),
        (_, None) => u32::from(value),
        (0xdc00..=0xdfff, Some(high)) => 0x1_0000 + (u32::from(high - 0xd800) << 10 | u32::from(value - 0xdc00)),
        (_, Some(_)) => return Err(JsonError::Escape),
    };
    char::from_u32(code).map(|character| (Escape::None, Some(character))).ok_or(JsonError::Escape)
}

/// Where a string's pieces go: gathered in the scratch while they fit, else passed on from where they lie.
struct Out<'o, F> {
    scratch: &'o mut [u8],
    filled: usize,
    name: bool,
    on_event: &'o mut F,
}

impl<F: FnMut(Event<'_>)> Out<'_, F> {
    fn put(&mut self, piece: &str) {
        if self.scratch.len() - self.filled < piece.len() {
            self.flush();
        }
        match self.scratch.get_mut(self.filled..self.filled + piece.len()) {
            Some(room) => {
                room.copy_from_slice(piece.as_bytes());
                self.filled += piece.len();
            }
            None => self.emit(piece, false),
        }
    }

    /// The string's last piece.
    fn end(&mut self, piece: &str) {
        if self.filled == 0 {
            return self.emit(piece, true);
        }
        self.put(piece);
        if self.filled > 0 {
            self.pass(true);
        } else {
            self.emit("", true);
        }
    }

    fn flush(&mut self) {
        if self.filled > 0 {
            self.pass(false);
        }
    }

    fn pass(&mut self, last: bool) {
        // Only whole pieces were put in.
        let text = std::str::from_utf8(&self.scratch[..self.filled]).unwrap_or_default();
        let event = if self.name { Event::Name(text, last) } else { Event::Text(text, last) };
        (self.on_event)(event);
        self.filled = 0;
    }

    fn emit(&mut self, piece: &str, last: bool) {
        if !piece.is_empty() || last {
            (self.on_event)(if self.name { Event::Name(piece, last) } else { Event::Text(piece, last) });
        }
    }
}
