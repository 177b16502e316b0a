//! An answer's JSON read as it arrives, without keeping it whole.
//!
//! Nearly all bytes of a long answer are in a few strings: texts, thought signatures, images in base64. The [`Lifter`] decodes these
//! where they come by, straight into the `String` that the answer will own, and leaves a mark in their place. What is left, the
//! skeleton, is small; it is read with serde_json at the end, and the strings are put where the marks are. So a body is never held
//! twice, and never held at all in its raw form.

use serde_json::Value;
use smallvec::SmallVec;

use super::buffer::Buffer;
use super::scan::plain;
use crate::types::{Data, GenerateContentResponse, Part};

/// serde_json refuses anything deeper; the skeleton is left to it from there on.
const MAX_DEPTH: usize = 127;

/// The names that lead to a part, by the depth at which they stand.
const PATH: [(usize, &[u8]); 3] = [(1, b"candidates"), (3, b"content"), (4, b"parts")];
/// The depth of a part's fields, and of an `inlineData`'s.
const PART: usize = 6;
const BLOB: usize = 7;

/// The longest name that matters, and the room to remember one.
const NAME: usize = 16;

/// Why an answer cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiftError {
    /// What serde_json refuses in the skeleton.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8: {0}")]
    Utf8(#[from] std::string::FromUtf8Error),
    /// A text with something that JSON does not allow in one.
    #[error("a text holds {0}")]
    Text(&'static str),
}

/// Reads one JSON document as it arrives.
#[derive(Debug)]
pub struct Lifter<B> {
    skeleton: B,
    lifted: SmallVec<[String; 2]>,
    state: State,
    depth: usize,
    /// By depth, whether the container is an object: one bit each.
    objects: u128,
    /// How many names of [`PATH`] were met on the way here.
    matched: usize,
    /// Whether the object at hand at [`BLOB`] stands under `inlineData`.
    in_blob: bool,
    /// Whether the next string in an object is a name.
    expect_name: bool,
    /// The last name, as far as it has room; one with an escape in it is never one of ours.
    name: SmallVec<[u8; NAME]>,
    name_matters: bool,
}

#[derive(Debug)]
enum State {
    /// Between strings.
    Structure,
    /// In a string that stays in the skeleton; whether the last byte was a backslash, and whether it is a name.
    Kept { escaped: bool, name: bool },
    /// In a string that is lifted.
    Lifted { text: Vec<u8>, escape: Escape },
}

/// How far an escape in a lifted string was read.
#[derive(Debug, Clone, Copy)]
enum Escape {
    None,
    Backslash,
    /// After `\u`: so many digits with this value; and the high surrogate that came before.
    Unicode {
        digits: u8,
        value: u16,
        high: Option<u16>,
    },
    /// After a high surrogate: a backslash must follow, then `u`.
    Low {
        high: u16,
        backslash: bool,
    },
}

impl<B: Buffer<Full = std::convert::Infallible>> Lifter<B> {
    /// A reader whose skeleton is gathered in `skeleton`, which must be empty.
    pub fn new(skeleton: B) -> Self {
        Self {
            skeleton,
            lifted: SmallVec::new(),
            state: State::Structure,
            depth: 0,
            objects: 0,
            matched: 0,
            in_blob: false,
            expect_name: false,
            name: SmallVec::new(),
            name_matters: false,
        }
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    ///
    /// [`LiftError`], for what is wrong with a text that is lifted.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), LiftError> {
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = match &mut self.state {
                State::Structure => self.structure(rest),
                State::Kept { .. } => self.kept(rest),
                State::Lifted { .. } => self.lifted(rest)?,
            };
        }
        Ok(())
    }

    /// The document is whole: reads its skeleton and puts the strings in their places.
    ///
    /// # Errors
    ///
    /// [`LiftError`], for what is wrong with the rest.
    pub fn finish(self) -> Result<GenerateContentResponse, LiftError> {
        let mut answer: GenerateContentResponse = serde_json::from_slice(self.skeleton.bytes())?;
        let mut lifted = self.lifted;
        if !lifted.is_empty() {
            let contents = answer.candidates.iter_mut().filter_map(|candidate| candidate.content.as_mut());
            contents.flat_map(|content| &mut content.parts).for_each(|part| put_back(part, &mut lifted));
        }
        Ok(answer)
    }

    /// Reads what is between strings up to the beginning of the next one.
    fn structure<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        for (at, byte) in chunk.iter().enumerate() {
            match byte {
                b'"' => {
                    let Ok(()) = self.skeleton.put(&chunk[..at]);
                    self.begin_string();
                    return &chunk[at + 1..];
                }
                b'{' | b'[' => self.open(*byte == b'{'),
                b'}' | b']' => self.close(),
                b',' => self.expect_name = self.in_object(),
                _ => {}
            }
        }
        let Ok(()) = self.skeleton.put(chunk);
        &[]
    }

    fn begin_string(&mut self) {
        let name = self.expect_name;
        self.expect_name = false;
        self.state = if !name && self.is_lifted() {
            State::Lifted { text: Vec::new(), escape: Escape::None }
        } else {
            if name {
                self.name.clear();
                self.name_matters = true;
            }
            let Ok(()) = self.skeleton.put(b"\"");
            State::Kept { escaped: false, name }
        };
    }

    /// Reads a string that stays in the skeleton up to its end.
    fn kept<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let State::Kept { escaped, name } = &mut self.state else { return chunk };
        for (at, byte) in chunk.iter().enumerate() {
            if std::mem::take(escaped) {
                continue;
            }
            match byte {
                b'"' => {
                    self.state = State::Structure;
                    let Ok(()) = self.skeleton.put(&chunk[..=at]);
                    return &chunk[at + 1..];
                }
                b'\\' => {
                    *escaped = true;
                    self.name_matters = false;
                }
                _ if *name && self.name.len() < NAME => self.name.push(*byte),
                _ if *name => self.name_matters = false,
                _ => {}
            }
        }
        let Ok(()) = self.skeleton.put(chunk);
        &[]
    }

    /// Reads a string that is lifted up to its end.
    fn lifted<'c>(&mut self, chunk: &'c [u8]) -> Result<&'c [u8], LiftError> {
        let State::Lifted { text, escape } = &mut self.state else { return Ok(chunk) };
        let mut rest = chunk;
        while let Some(&byte) = rest.first() {
            match *escape {
                Escape::None => {
                    if text.is_empty() {
                        // One allocation for a text that lies in the chunk whole; escapes only make it shorter.
                        text.reserve_exact(raw_length(rest));
                    }
                    let (run, behind) = rest.split_at(plain(rest));
                    text.extend_from_slice(run);
                    rest = behind;
                    match rest.first() {
                        None => return Ok(rest),
                        Some(b'"') => {
                            let text = String::from_utf8(std::mem::take(text))?;
                            self.end_lifted(text);
                            return Ok(&rest[1..]);
                        }
                        Some(b'\\') => *escape = Escape::Backslash,
                        Some(_) => return Err(LiftError::Text("a control character")),
                    }
                }
                Escape::Backslash => {
                    *escape = Escape::None;
                    text.push(match byte {
                        b'"' | b'\\' | b'/' => byte,
                        b'b' => 8,
                        b'f' => 12,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'u' => {
                            *escape = Escape::Unicode { digits: 0, value: 0, high: None };
                            rest = &rest[1..];
                            continue;
                        }
                        _ => return Err(LiftError::Text("an unknown escape")),
                    });
                }
                Escape::Unicode { digits, value, high } => {
                    let digit = char::from(byte).to_digit(16).ok_or(LiftError::Text("an escape that is no number"))?;
                    let value = value << 4 | digit as u16;
                    *escape = if digits < 3 {
                        Escape::Unicode { digits: digits + 1, value, high }
                    } else {
                        code_unit(text, value, high)?
                    };
                }
                Escape::Low { high, backslash: false } if byte == b'\\' => {
                    *escape = Escape::Low { high, backslash: true }
                }
                Escape::Low { high, backslash: true } if byte == b'u' => {
                    *escape = Escape::Unicode { digits: 0, value: 0, high: Some(high) };
                }
                Escape::Low { .. } => return Err(LONE_SURROGATE),
            }
            rest = &rest[1..];
        }
        Ok(rest)
    }

    /// Leaves the mark of a string that was lifted.
    fn end_lifted(&mut self, mut text: String) {
        // It may have grown by doubling, and its owner may keep it for long. A little room is not worth moving it.
        if text.capacity() - text.len() > text.len() / 8 {
            text.shrink_to_fit();
        }
        let mark = format_mark(self.lifted.len());
        let Ok(()) = self.skeleton.put(&mark);
        self.lifted.push(text);
        self.state = State::Structure;
    }

    fn open(&mut self, object: bool) {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return;
        }
        self.objects = if object { self.objects | 1 << self.depth } else { self.objects & !(1 << self.depth) };
        self.expect_name = object;
        if let Some((at, name)) = PATH.get(self.matched)
            && self.depth == at + 1
            && self.name_is(name)
        {
            self.matched += 1;
        }
        if self.depth == BLOB {
            self.in_blob = self.name_is(b"inlineData");
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.expect_name = false;
        // A name of the path is left behind when the container that stood under it is.
        while self.matched > 0 && self.depth <= PATH[self.matched - 1].0 {
            self.matched -= 1;
        }
    }

    fn in_object(&self) -> bool {
        self.depth <= MAX_DEPTH && self.objects >> self.depth & 1 == 1
    }

    fn is_lifted(&self) -> bool {
        if self.matched < PATH.len() || !self.in_object() {
            return false;
        }
        match self.depth {
            PART => self.name_is(b"text") || self.name_is(b"thoughtSignature"),
            BLOB => self.in_blob && self.name_is(b"data"),
            _ => false,
        }
    }

    fn name_is(&self, name: &[u8]) -> bool {
        self.name_matters && &self.name[..] == name
    }
}

/// How long the string that begins here is in its raw form, as far as the chunk has it.
fn raw_length(chunk: &[u8]) -> usize {
    let mut at = 0;
    while let Some(rest) = chunk.get(at..) {
        at += plain(rest);
        match chunk.get(at) {
            Some(b'\\') => at += 2,
            // Its end, or a control character, where reading it will end.
            _ => return at,
        }
    }
    chunk.len()
}

const LONE_SURROGATE: LiftError = LiftError::Text("half of a surrogate pair");

/// Takes in a `\uXXXX` that is whole.
fn code_unit(text: &mut Vec<u8>, value: u16, high: Option<u16>) -> Result<Escape, LiftError> {
    if high.is_none() && (0xd800..0xdc00).contains(&value) {
        return Ok(Escape::Low { high: value, backslash: false });
    }
    let units = [high.unwrap_or(value), value];
    let units = if high.is_some() { &units[..] } else { &units[..1] };
    for character in char::decode_utf16(units.iter().copied()) {
        let character = character.map_err(|_| LONE_SURROGATE)?;
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(Escape::None)
}

/// What stands in the skeleton for a string: a JSON string with a NUL and the string's number. A server's own text is not taken for
/// one, since every string that could stand in its place was lifted (all but those under a name that is written with escapes, where
/// a server could at most exchange texts of its own).
fn format_mark(index: usize) -> SmallVec<[u8; 24]> {
    let mut mark = SmallVec::new();
    mark.extend_from_slice(b"\"\\u0000");
    let _ = std::io::Write::write_fmt(&mut mark, format_args!("{index}\""));
    mark
}

/// Puts the lifted strings of a part where their marks are.
fn put_back(part: &mut Part, lifted: &mut [String]) {
    match &mut part.data {
        Data::Text(text) => restore(text, lifted),
        Data::InlineData(blob) => restore(&mut blob.data, lifted),
        _ => {}
    }
    if let Some(signature) = &mut part.thought_signature {
        restore(signature, lifted);
    }
    // A second kind of data in one part is among what is not known.
    if let Some(Value::String(text)) = part.extra.get_mut("text") {
        restore(text, lifted);
    }
    if let Some(Value::String(data)) = part.extra.get_mut("inlineData").and_then(|blob| blob.get_mut("data")) {
        restore(data, lifted);
    }
}

fn restore(text: &mut String, lifted: &mut [String]) {
    let number = text.strip_prefix('\0').and_then(|number| number.parse::<usize>().ok());
    if let Some(whole) = number.and_then(|number| lifted.get_mut(number)) {
        *text = std::mem::take(whole);
    }
}

#[cfg(test)]
mod tests;
