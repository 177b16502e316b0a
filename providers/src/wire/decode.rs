//! JSON read with serde from a buffer that may be written in: escapes are undone where they stand.
//!
//! serde_json undoes escapes in a scratch that it grows for each document and then copies the string out of it, so that a text with
//! line ends costs several allocations. Here every string is a slice of the buffer, and what the answer's types own is the only copy.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::scan::plain;

/// The deepest nesting; serde_json's own.
const MAX_DEPTH: u8 = 127;

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is not JSON.
    #[error("{what} at byte {at}")]
    Syntax {
        /// What is wrong.
        what: &'static str,
        /// Where, in bytes from the beginning.
        at: usize,
    },
    /// It is JSON of another shape.
    #[error("{0}")]
    Shape(Box<str>),
}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Shape(message.to_string().into())
    }
}

/// Reads one document. What is in `bytes` afterwards is of no use to anybody.
///
/// # Errors
///
/// [`DecodeError`].
pub fn decode<'de, T: Deserialize<'de>>(bytes: &'de mut [u8]) -> Result<T, DecodeError> {
    let mut decoder = Decoder { whole: bytes.len(), rest: bytes, depth: 0 };
    let value = T::deserialize(&mut decoder)?;
    match decoder.peek() {
        None => Ok(value),
        Some(_) => Err(decoder.wrong("there is more behind the JSON")),
    }
}

struct Decoder<'de> {
    rest: &'de mut [u8],
    whole: usize,
    depth: u8,
}

impl<'de> Decoder<'de> {
    /// The next byte that is no space, which is left where it is.
    fn peek(&mut self) -> Option<u8> {
        let spaces = self.rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.take(spaces);
        self.rest.first().copied()
    }

    fn take(&mut self, count: usize) -> &'de mut [u8] {
        let (taken, rest) = std::mem::take(&mut self.rest).split_at_mut(count);
        self.rest = rest;
        taken
    }

    fn wrong(&self, what: &'static str) -> DecodeError {
        DecodeError::Syntax { what, at: self.whole - self.rest.len() }
    }

    /// Takes a string, quotes included.
    fn string_token(&mut self) -> Result<(&'de mut [u8], bool), DecodeError> {
        let (mut at, mut escaped) = (1, false);
        loop {
            at += plain(self.rest.get(at..).unwrap_or_default());
            match self.rest.get(at) {
                None => return Err(self.wrong("a string without an end")),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += 2;
                }
                Some(_) => return Err(self.wrong("a control character in a string")),
            }
        }
        let token = self.take(at + 1);
        Ok((&mut token[1..at], escaped))
    }

    fn string(&mut self) -> Result<&'de str, DecodeError> {
        let (text, escaped) = self.string_token()?;
        let length = if escaped {
            unescape(text).ok_or_else(|| self.wrong("a wrong escape in the string before"))?
        } else {
            text.len()
        };
        std::str::from_utf8(&text[..length]).map_err(|_| self.wrong("no UTF-8 in the string before"))
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        let end = self.rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
        let token: &[u8] = self.take(end.unwrap_or(self.rest.len()));
        let text = std::str::from_utf8(token).unwrap_or_default();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        if plain && text != "-0" {
            if let Ok(number) = text.parse::<u64>() {
                return visitor.visit_u64(number);
            }
            if let Ok(number) = text.parse::<i64>() {
                return visitor.visit_i64(number);
            }
        }
        // What is no integer is serde_json's to read, so that every level rounds alike.
        let number = serde_json::from_str(text).map_err(|_| self.wrong("no number before this"))?;
        visitor.visit_f64(number)
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), DecodeError> {
        if !self.rest.starts_with(word) {
            return Err(self.wrong("an unknown word"));
        }
        self.take(word.len());
        Ok(())
    }

    /// Goes into a container, lets `read` read it, and comes out of it behind its end.
    fn nested<T>(
        &mut self,
        end: u8,
        read: impl FnOnce(&mut Nested<'_, 'de>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.depth == MAX_DEPTH {
            return Err(self.wrong("nested too deep"));
        }
        self.depth += 1;
        self.take(1);
        let mut nested = Nested { decoder: self, end, first: true };
        let value = read(&mut nested)?;
        if nested.more()? {
            return Err(self.wrong("more elements than were expected"));
        }
        self.take(1);
        self.depth -= 1;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b'"') => visitor.visit_borrowed_str(self.string()?),
            Some(b'{') => self.nested(b'}', |nested| visitor.visit_map(nested)),
            Some(b'[') => self.nested(b']', |nested| visitor.visit_seq(nested)),
            Some(b'-' | b'0'..=b'9') => self.number(visitor),
            Some(b't') => self.word(b"true").and_then(|()| visitor.visit_bool(true)),
            Some(b'f') => self.word(b"false").and_then(|()| visitor.visit_bool(false)),
            Some(b'n') => self.word(b"null").and_then(|()| visitor.visit_unit()),
            Some(_) => Err(self.wrong("no value")),
            None => Err(self.wrong("nothing where a value should be")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b'n') => self.word(b"null").and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    /// Only enums without data: the API has no others.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.peek() {
            Some(b'"') => visitor.visit_enum(BorrowedStrDeserializer::new(self.string()?)),
            _ => Err(self.wrong("no name of a variant")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        struct identifier ignored_any
    }
}

/// The inside of a container.
struct Nested<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    end: u8,
    first: bool,
}

impl Nested<'_, '_> {
    /// Whether there is another element, which then comes next.
    fn more(&mut self) -> Result<bool, DecodeError> {
        let first = std::mem::replace(&mut self.first, false);
        match self.decoder.peek() {
            Some(byte) if byte == self.end => {
                self.first = first;
                Ok(false)
            }
            Some(_) if first => Ok(true),
            Some(b',') => {
                self.decoder.take(1);
                match self.decoder.peek() {
                    Some(byte) if byte != self.end => Ok(true),
                    _ => Err(self.decoder.wrong("nothing behind a comma")),
                }
            }
            _ => Err(self.decoder.wrong("no comma and no end")),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Nested<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        if self.more()? { seed.deserialize(&mut *self.decoder).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for &mut Nested<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        if !self.more()? {
            return Ok(None);
        }
        if self.decoder.peek() != Some(b'"') {
            return Err(self.decoder.wrong("no name of a member"));
        }
        seed.deserialize(BorrowedStrDeserializer::new(self.decoder.string()?)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        if self.decoder.peek() != Some(b':') {
            return Err(self.decoder.wrong("no colon"));
        }
        self.decoder.take(1);
        seed.deserialize(&mut *self.decoder)
    }
}

/// Undoes the escapes of a string where it stands: its new length, which is never greater.
fn unescape(text: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0, 0);
    while from < text.len() {
        let run = text[from..].iter().position(|byte| *byte == b'\\').unwrap_or(text.len() - from);
        text.copy_within(from..from + run, to);
        (from, to) = (from + run, to + run);
        if from == text.len() {
            break;
        }
        let simple = match *text.get(from + 1)? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut unit = unit(text.get(from + 2..from + 6)?)?;
                from += 6;
                if (0xd800..0xdc00).contains(&unit) {
                    if text.get(from..from + 2)? != b"\\u" {
                        return None;
                    }
                    let low = self::unit(text.get(from + 2..from + 6)?)?;
                    from += 6;
                    unit = 0x1_0000 + ((unit - 0xd800) << 10 | low.checked_sub(0xdc00).filter(|low| *low < 0x400)?);
                }
                // Six bytes become at most three, and twelve four.
                to += char::from_u32(unit)?.encode_utf8(&mut text[to..]).len();
                continue;
            }
            _ => return None,
        };
        text[to] = simple;
        (from, to) = (from + 2, to + 1);
    }
    Some(to)
}

fn unit(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests;
