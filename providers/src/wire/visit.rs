//! An answer told to a visitor while it arrives: nothing of it is kept that the visitor does not keep.

mod gather;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use super::push_json::{Event, JsonError, PushJson};
use crate::error::ApiError;
use gather::Gather;

/// Is told what an answer holds, in the order in which it arrives. Every method does nothing by default.
///
/// Texts come in pieces, as they were cut on the way. Whether a part is a thought stands behind its text on the wire, so it is known
/// only in [`part_end`](Visitor::part_end). A candidate is told by its place in the list, counted from 0.
#[expect(unused_variables, reason = "the names of parameters that do nothing are documentation")]
pub trait Visitor {
    /// A piece of a part's text.
    fn text(&mut self, candidate: usize, piece: &str) {}

    /// A piece of a part's `thoughtSignature`, which is to be sent back unchanged.
    fn signature(&mut self, candidate: usize, piece: &str) {}

    /// A piece of a part's `inlineData`, in base64.
    fn inline_data(&mut self, candidate: usize, piece: &str) {}

    /// A part that calls a function is whole.
    fn function_call(&mut self, candidate: usize, call: Call<'_>) {}

    /// A part has ended; whether it was a thought of the model.
    fn part_end(&mut self, candidate: usize, thought: bool) {}

    /// Why a candidate ended, e.g. `STOP`; as it is written on the wire, a number included.
    fn finish(&mut self, candidate: usize, reason: &str) {}

    /// A candidate has ended; the index that it gave itself, which in a stream of several candidates is what tells them apart.
    fn candidate_end(&mut self, candidate: usize, index: Option<u64>) {}

    /// Why the prompt was blocked, e.g. `SAFETY`.
    fn blocked(&mut self, reason: &str) {}

    /// What it has cost so far.
    fn usage(&mut self, usage: Usage) {}

    /// An answer or an event of a stream is whole. A break stops the stream and hangs up.
    fn end(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A call of a function, as the model asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// Tells parallel calls apart; not every model sends one.
    pub id: Option<&'a str>,
    /// The function's name.
    pub name: &'a str,
    /// Its arguments as JSON without spaces; absent where there are none.
    pub args: Option<&'a str>,
}

/// What an answer has cost, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Usage {
    /// In the prompt, what was cached included.
    pub prompt: Option<u64>,
    /// Of the prompt, cached.
    pub cached: Option<u64>,
    /// In the candidates.
    pub candidates: Option<u64>,
    /// In thoughts.
    pub thoughts: Option<u64>,
    /// In all.
    pub total: Option<u64>,
}

/// What an answer turned out to be.
#[derive(Debug, PartialEq)]
pub enum Told {
    /// An answer.
    Answer {
        /// Whether it says why it finished.
        finished: bool,
    },
    /// The API's refusal, under whichever HTTP status it came.
    Refusal(Box<ApiError>),
    /// JSON, but no object.
    Foreign,
}

/// Tells one answer.
#[derive(Debug, Default)]
pub struct Teller {
    reader: PushJson,
    walk: Walk,
}

impl Teller {
    /// Reads the next bytes. `kept` is for what must be whole before it can be told; it must be the same from call to call, and empty
    /// at the first.
    ///
    /// # Errors
    ///
    /// [`JsonError`].
    pub fn push(&mut self, chunk: &[u8], kept: &mut Vec<u8>, visitor: &mut impl Visitor) -> Result<(), JsonError> {
        let walk = &mut self.walk;
        self.reader.push(chunk, &mut [0; SCRATCH], &mut |event| walk.event(event, kept, visitor))
    }

    /// The answer is whole.
    ///
    /// # Errors
    ///
    /// [`JsonError::Cut`] if it is not.
    pub fn finish(mut self, kept: &mut Vec<u8>, visitor: &mut impl Visitor) -> Result<Told, JsonError> {
        let walk = &mut self.walk;
        self.reader.finish(&mut |event| walk.event(event, kept, visitor))?;
        let refusal = self.walk.refusal.and_then(|json| ApiError::from_value(serde_json::from_slice(&json).ok()?));
        Ok(match refusal {
            Some(error) => Told::Refusal(Box::new(error)),
            None if self.walk.is_object => Told::Answer { finished: self.walk.finished },
            None => Told::Foreign,
        })
    }
}

/// Where strings with escapes are put together, on the stack.
const SCRATCH: usize = 512;
/// The deepest place that is told of: a call in a part.
const MAX_PATH: usize = 8;
/// The longest name that matters.
const MAX_NAME: usize = 24;

/// A container that something is told of.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Elsewhere,
    Answer,
    Candidates,
    Candidate,
    Content,
    Parts,
    Part,
    Call,
    Blob,
    Usage,
    Feedback,
}

/// Where in an answer the reader is, and what of it is not told yet.
#[derive(Debug, Default)]
struct Walk {
    path: [Place; MAX_PATH],
    depth: usize,
    name: [u8; MAX_NAME],
    name_length: usize,
    in_name: bool,
    /// Where in what is kept the string at hand begins.
    word: Option<usize>,
    candidate: usize,
    index: Option<u64>,
    thought: bool,
    usage: Usage,
    /// Where in what is kept a call's parts are.
    call_id: Option<(usize, usize)>,
    call_name: (usize, usize),
    call_args: Option<(usize, usize)>,
    gather: Option<(Gather, Target)>,
    refusal: Option<Vec<u8>>,
    finished: bool,
    is_object: bool,
}

/// What is gathered as JSON.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// A call's arguments, which begin here in what is kept.
    Args(usize),
    Refusal,
}

impl Walk {
    fn event(&mut self, event: Event<'_>, kept: &mut Vec<u8>, visitor: &mut impl Visitor) {
        self.gather_begins(event, kept);
        if let Some((gather, target)) = &mut self.gather {
            let done = match target {
                Target::Args(_) => gather.event(event, kept),
                Target::Refusal => gather.event(event, self.refusal.get_or_insert_default()),
            };
            if done {
                if let Target::Args(start) = *target {
                    self.call_args = Some((start, kept.len()));
                }
                self.gather = None;
            }
            return;
        }
        match event {
            Event::BeginObject => self.open(true),
            Event::BeginArray => self.open(false),
            Event::EndObject | Event::EndArray => self.close(kept, visitor),
            Event::Name(piece, last) => self.named(piece, last),
            Event::Text(piece, last) | Event::Number(piece, last) => self.word(piece, last, kept, visitor),
            Event::Bool(value) if self.at(Place::Part, &["thought"]) => self.thought = value,
            Event::Bool(_) | Event::Null => {}
        }
    }

    /// Begins to gather where a value begins that must be whole.
    fn gather_begins(&mut self, event: Event<'_>, kept: &[u8]) {
        let value = !matches!(event, Event::EndObject | Event::EndArray | Event::Name(..));
        if !value || self.gather.is_some() || self.in_name {
            return;
        }
        if self.at(Place::Call, &["args"]) {
            self.gather = Some((Gather::default(), Target::Args(kept.len())));
        } else if self.at(Place::Answer, &["error"]) && event != Event::Null {
            self.refusal = None;
            self.gather = Some((Gather::default(), Target::Refusal));
        }
    }

    fn open(&mut self, object: bool) {
        let place = match (self.place(), self.name(), object) {
            (None, _, true) => Place::Answer,
            (Some(Place::Answer), b"candidates", false) => Place::Candidates,
            (Some(Place::Answer), b"usageMetadata", true) => Place::Usage,
            (Some(Place::Answer), b"promptFeedback", true) => Place::Feedback,
            (Some(Place::Candidates), _, true) => Place::Candidate,
            (Some(Place::Candidate), b"content", true) => Place::Content,
            (Some(Place::Content), b"parts", false) => Place::Parts,
            (Some(Place::Parts), _, true) => Place::Part,
            (Some(Place::Part), b"functionCall" | b"function_call", true) => Place::Call,
            (Some(Place::Part), b"inlineData" | b"inline_data", true) => Place::Blob,
            _ => Place::Elsewhere,
        };
        self.is_object |= place == Place::Answer;
        if let Some(slot) = self.path.get_mut(self.depth) {
            *slot = place;
        }
        self.depth += 1;
        match place {
            Place::Candidates => self.candidate = 0,
            Place::Candidate => self.index = None,
            Place::Part => self.thought = false,
            Place::Call => (self.call_id, self.call_name, self.call_args) = (None, (0, 0), None),
            Place::Usage => self.usage = Usage::default(),
            _ => {}
        }
    }

    fn close(&mut self, kept: &mut Vec<u8>, visitor: &mut impl Visitor) {
        let place = self.place();
        self.depth = self.depth.saturating_sub(1);
        match place {
            Some(Place::Part) => visitor.part_end(self.candidate, self.thought),
            Some(Place::Candidate) => {
                visitor.candidate_end(self.candidate, self.index);
                self.candidate += 1;
            }
            Some(Place::Usage) => visitor.usage(self.usage),
            Some(Place::Call) => {
                // Only whole strings were kept.
                let text = |(from, to): (usize, usize)| {
                    kept.get(from..to).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
                };
                let (id, args) = (self.call_id.map(text), self.call_args.map(text));
                visitor.function_call(self.candidate, Call { id, name: text(self.call_name), args });
                kept.clear();
            }
            _ => {}
        }
    }

    fn named(&mut self, piece: &str, last: bool) {
        if !std::mem::replace(&mut self.in_name, !last) {
            self.name_length = 0;
        }
        let end = self.name_length + piece.len();
        if let Some(room) = self.name.get_mut(self.name_length..end) {
            room.copy_from_slice(piece.as_bytes());
        }
        // A name that is too long is none of those that matter.
        self.name_length = end.min(MAX_NAME + 1);
    }

    /// A piece of a string or number that is a member's value.
    fn word(&mut self, piece: &str, last: bool, kept: &mut Vec<u8>, visitor: &mut impl Visitor) {
        match (self.place(), self.name()) {
            (Some(Place::Part), b"text") => visitor.text(self.candidate, piece),
            (Some(Place::Part), b"thoughtSignature" | b"thought_signature") => visitor.signature(self.candidate, piece),
            (Some(Place::Blob), b"data") => visitor.inline_data(self.candidate, piece),
            (Some(Place::Call), b"name" | b"id")
            | (Some(Place::Candidate), b"finishReason" | b"index")
            | (Some(Place::Feedback), b"blockReason")
            | (Some(Place::Usage), _) => {
                let start = *self.word.get_or_insert(kept.len());
                kept.extend_from_slice(piece.as_bytes());
                if last {
                    self.word = None;
                    self.whole_word(start, kept, visitor);
                }
            }
            _ => {}
        }
    }

    fn whole_word(&mut self, start: usize, kept: &mut Vec<u8>, visitor: &mut impl Visitor) {
        let word = std::str::from_utf8(&kept[start..]).unwrap_or_default();
        let count = word.parse().ok();
        match (self.place(), self.name()) {
            (Some(Place::Call), b"id") => return self.call_id = Some((start, kept.len())),
            (Some(Place::Call), _) => return self.call_name = (start, kept.len()),
            (Some(Place::Candidate), b"index") => self.index = count,
            (Some(Place::Candidate), _) => {
                self.finished = true;
                visitor.finish(self.candidate, word);
            }
            (Some(Place::Feedback), _) => {
                self.finished = true;
                visitor.blocked(word);
            }
            (_, b"promptTokenCount") => self.usage.prompt = count,
            (_, b"cachedContentTokenCount") => self.usage.cached = count,
            (_, b"candidatesTokenCount") => self.usage.candidates = count,
            (_, b"thoughtsTokenCount") => self.usage.thoughts = count,
            (_, b"totalTokenCount") => self.usage.total = count,
            _ => {}
        }
        kept.truncate(start);
    }

    fn place(&self) -> Option<Place> {
        self.depth.checked_sub(1).map(|at| self.path.get(at).copied().unwrap_or_default())
    }

    fn name(&self) -> &[u8] {
        self.name.get(..self.name_length).unwrap_or_default()
    }

    fn at(&self, place: Place, names: &[&str]) -> bool {
        self.place() == Some(place) && names.iter().any(|name| name.as_bytes() == self.name())
    }
}
