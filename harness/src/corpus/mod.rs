//! The replies that the mock serves, written for this repository after the measured facts of the service's wire.
//!
//! - [`compose`]: the answers, from prose and from a generated logbook
//! - [`errors`]: the service's errors
//! - [`endpoints`]: answers of the other endpoints
//! - [`json`]: JSON in the service's own two spellings
//! - [`models`]: the models that there are
//! - [`reading`]: what an answer says, read by nobody's code under test
//! - [`traffic`]: recorded bodies out of a folder, served byte for byte

mod compose;
mod endpoints;
mod errors;
pub(crate) mod json;
mod logbook;
pub(crate) mod models;
pub mod reading;
pub mod traffic;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::mock::script::Script;

/// What the mock can be asked to answer: a name, a status and a body for each way of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The word in a script.
    pub name: String,
    /// The HTTP status.
    pub status: u16,
    /// The body, not yet framed for one way of asking.
    pub body: Body,
}

/// A reply's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// An answer of the model, in both forms.
    Answer {
        /// The JSON of a `generateContent` answer.
        unary: Bytes,
        /// The JSON of each event of a `streamGenerateContent` answer.
        events: Vec<Bytes>,
    },
    /// An error as JSON. A call with `alt=sse` gets it unframed under `text/event-stream`, as from the service.
    Error(Bytes),
    /// Bytes that are served as they are, whatever was asked.
    Raw {
        /// The content type that goes with them.
        content_type: &'static str,
        /// The bytes.
        bytes: Bytes,
    },
}

impl Body {
    /// Whether it answers whatever endpoint is asked; an answer of the model answers only who asked the model.
    pub fn is_of_any_endpoint(&self) -> bool {
        !matches!(self, Self::Answer { .. })
    }
}

/// How an answer was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `:generateContent`.
    Unary,
    /// `:streamGenerateContent?alt=sse`.
    Sse,
    /// `:streamGenerateContent` without `alt=sse`: one JSON array.
    Array,
}

/// A reply as it goes over the wire for one way of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The HTTP status.
    pub status: u16,
    /// The value of `content-type`.
    pub content_type: &'static str,
    /// The body, before any transfer or content coding.
    pub body: Bytes,
}

/// The content type of JSON, as the service spells it.
pub const JSON: &str = "application/json; charset=UTF-8";
/// The content type of server-sent events.
pub const SSE: &str = "text/event-stream";
/// The content type of the service's own 404 page.
pub const HTML: &str = "text/html; charset=UTF-8";

impl Reply {
    /// The bytes that the call `call` is answered with.
    pub fn served(&self, call: Call) -> Served {
        let (content_type, body) = match (&self.body, call) {
            (Body::Answer { unary, .. }, Call::Unary) => (JSON, unary.clone()),
            (Body::Answer { events, .. }, Call::Sse) => (SSE, frame_sse(events)),
            (Body::Answer { events, .. }, Call::Array) => (JSON, frame_array(events)),
            (Body::Error(json), Call::Unary) => (JSON, json.clone()),
            (Body::Error(json), Call::Sse) => (SSE, json.clone()),
            (Body::Error(json), Call::Array) => (JSON, frame_array(std::slice::from_ref(json))),
            (Body::Raw { content_type, bytes }, _) => (*content_type, bytes.clone()),
        };
        Served { status: self.status, content_type, body }
    }
}

/// The reply called `name`.
pub fn reply(name: &str) -> Option<&'static Reply> {
    REPLIES.get(name)
}

/// The names of all replies, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    REPLIES.keys().map(String::as_str)
}

/// All replies, sorted by name.
pub fn replies() -> impl Iterator<Item = &'static Reply> {
    REPLIES.values()
}

/// The text that a right answer to `script` has: read from the served bytes as plain JSON. Faults in the script change
/// nothing here, so a client that is fooled by one is found out. `None` where the reply is an error.
///
/// A `traffic~` reply is not known here; [`traffic::Folder::reply`] and [`reading::text`] serve for those.
pub fn expected_text(script: &Script) -> Option<String> {
    let reply = reply(script.asked_reply())?;
    reading::text(&reply.served(Call::Unary), Call::Unary)
}

/// SHA-256, in hexadecimal, of every reply in every form: two runs with the same digest were served the same bytes.
pub fn digest() -> String {
    static DIGEST: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        for reply in replies() {
            for call in [Call::Unary, Call::Sse, Call::Array] {
                let served = reply.served(call);
                hash.update(format!("{}\0{call:?}\0{}\0{}\0", reply.name, served.status, served.content_type));
                hash.update((served.body.len() as u64).to_le_bytes());
                hash.update(&served.body);
            }
        }
        hex(&hash.finalize())
    });
    DIGEST.clone()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

static REPLIES: LazyLock<BTreeMap<String, Reply>> = LazyLock::new(|| {
    compose::replies()
        .chain(endpoints::replies())
        .chain(errors::replies())
        .map(|reply| (reply.name.clone(), reply))
        .collect()
});

pub(crate) fn frame_sse(events: &[Bytes]) -> Bytes {
    let mut body = Vec::new();
    for event in events {
        body.extend_from_slice(b"data: ");
        body.extend_from_slice(event);
        body.extend_from_slice(b"\r\n\r\n");
    }
    body.into()
}

/// One JSON array with the service's odd separators: `[{…}\n,\r\n{…}\n]`.
pub(crate) fn frame_array(events: &[Bytes]) -> Bytes {
    let mut body = vec![b'['];
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            body.extend_from_slice(b",\r\n");
        }
        body.extend_from_slice(event);
        body.push(b'\n');
    }
    body.push(b']');
    body.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_answer_says_the_same_text() {
        for reply in replies().filter(|reply| matches!(reply.body, Body::Answer { .. })) {
            let unary = reading::text(&reply.served(Call::Unary), Call::Unary);
            assert!(unary.is_some(), "{} has no text", reply.name);
            for call in [Call::Sse, Call::Array] {
                assert_eq!(reading::text(&reply.served(call), call), unary, "{} as {call:?}", reply.name);
            }
        }
    }

    #[test]
    fn sizes_are_what_the_scenarios_say() {
        let unary = |name| reply(name).unwrap().served(Call::Unary).body.len();
        assert!((1_900..2_300).contains(&unary("chat")), "chat is {} bytes", unary("chat"));
        assert!((64_000..67_000).contains(&unary("large")), "large is {} bytes", unary("large"));
        for (name, count) in [("stream", 12), ("stream-50", 50)] {
            let Body::Answer { events, .. } = &reply(name).unwrap().body else { panic!("{name} is no answer") };
            assert_eq!(events.len(), count, "{name}");
        }
    }

    #[test]
    fn an_error_has_no_expected_text_and_a_fault_changes_none() {
        let text = |script: &str| expected_text(&script.parse().unwrap());
        assert_eq!(text("error-503"), None);
        assert_eq!(text("function-call").as_deref(), Some(""));
        assert_eq!(text("chat+wrong-text+cut=50%"), text("chat"));
        assert!(text("chat").unwrap().contains("Río de la Plata"));
    }

    #[test]
    fn the_digest_is_stable_within_a_build() {
        assert_eq!(digest().len(), 64);
        assert_eq!(digest(), digest());
    }
}
