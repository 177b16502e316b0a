//! The script of a reply: what the mock is to answer and how, said in the base path so that any client can ask for it.
//!
//! `/s/stream+pace=5ms+hold=after-first-event/v1beta/models/…` asks for the reply `stream` with two modifiers. One path
//! segment, `REPLY[+MODIFIER]…`; a bad one is a [`ScriptError`] that names the word and lists what would do.

use std::fmt;
use std::str::FromStr;

use crate::corpus;

mod fault;
mod modifier;

pub use fault::{Fault, ResetAt, Reuse};
pub use modifier::{CutAt, Ending, Framing, HoldPoint, LockStep, MAX_SPLIT, Modifier};

/// What to answer and how. Parse one with [`FromStr`]; [`Display`](fmt::Display) gives the same words back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Script {
    reply: String,
    modifiers: Vec<Modifier>,
}

impl Script {
    /// The plain reply `name`, with no modifier.
    pub fn plain(name: &str) -> Result<Self, ScriptError> {
        check_reply(name)?;
        Ok(Self { reply: name.to_owned(), modifiers: Vec::new() })
    }

    /// The same script with one more modifier, which takes the place of an earlier one of its kind.
    pub fn with(mut self, modifier: Modifier) -> Self {
        self.modifiers.retain(|m| !m.is_like(&modifier));
        self.modifiers.push(modifier);
        self
    }

    /// The reply as asked for, before `status=` replaces it.
    pub fn asked_reply(&self) -> &str {
        &self.reply
    }

    /// The reply that is served: the one asked for, or the error that `status=` names.
    pub fn reply(&self) -> String {
        self.find(|m| match m {
            Modifier::Status(code) => Some(format!("error-{code}")),
            _ => None,
        })
        .unwrap_or_else(|| self.reply.clone())
    }

    /// The modifiers in the order they were given.
    pub fn modifiers(&self) -> &[Modifier] {
        &self.modifiers
    }

    /// Where answers wait for the control socket's `release`.
    pub fn hold(&self) -> Option<HoldPoint> {
        self.find(|m| if let Modifier::Hold(point) = m { Some(*point) } else { None })
    }

    /// How far lock-step goes; [`LockStep::Full`] unless the script says otherwise.
    pub fn lockstep(&self) -> LockStep {
        self.find(|m| if let Modifier::LockStep(to) = m { Some(*to) } else { None }).unwrap_or_default()
    }

    /// What goes wrong, in the order it was given.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.modifiers.iter().filter_map(|m| if let Modifier::Fault(fault) = m { Some(fault) } else { None })
    }

    pub(crate) fn fault<T>(&self, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.faults().find_map(pick)
    }

    pub(crate) fn has_fault(&self, fault: &Fault) -> bool {
        self.faults().any(|one| one == fault)
    }

    pub(crate) fn find<T>(&self, pick: impl Fn(&Modifier) -> Option<T>) -> Option<T> {
        self.modifiers.iter().find_map(pick)
    }

    pub(crate) fn has(&self, modifier: &Modifier) -> bool {
        self.modifiers.contains(modifier)
    }
}

impl Default for Script {
    fn default() -> Self {
        Self { reply: "chat".to_owned(), modifiers: Vec::new() }
    }
}

impl FromStr for Script {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split('+');
        let reply = words.next().unwrap_or_default();
        let mut script = Self::plain(reply)?;
        for word in words {
            let modifier: Modifier = word.parse()?;
            if script.modifiers.iter().any(|m| m.is_like(&modifier)) {
                return Err(ScriptError::Repeated { word: word.to_owned() });
            }
            script.modifiers.push(modifier);
        }
        Ok(script)
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reply)?;
        self.modifiers.iter().try_for_each(|modifier| write!(f, "+{modifier}"))
    }
}

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// The first word is no reply of the corpus.
    #[error("no reply is called `{name}`; there are: {}, and traffic~FOLDER~FILE with --traffic", corpus::names().collect::<Vec<_>>().join(", "))]
    UnknownReply {
        /// The word as given.
        name: String,
    },
    /// A word after a `+` is no modifier.
    #[error("no modifier is called `{word}`; `plimsoll mock --help` lists them")]
    UnknownModifier {
        /// The word as given.
        word: String,
    },
    /// A modifier has a value that it cannot take.
    #[error("`{word}` should be {wanted}")]
    BadValue {
        /// The word as given.
        word: String,
        /// What would do.
        wanted: &'static str,
    },
    /// A modifier is there twice.
    #[error("`{word}` repeats a modifier; say it once")]
    Repeated {
        /// The second word.
        word: String,
    },
}

fn check_reply(name: &str) -> Result<(), ScriptError> {
    let known = corpus::reply(name).is_some() || corpus::traffic::is_name(name);
    known.then_some(()).ok_or_else(|| ScriptError::UnknownReply { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(text: &str) -> ScriptError {
        text.parse::<Script>().unwrap_err()
    }

    #[test]
    fn every_script_of_the_help_text_is_one() {
        for text in [
            "chat",
            "large",
            "stream-50",
            "function-call",
            "thinking",
            "chat+status=503",
            "chat+status=429-daily",
            "stream+cut=50%",
            "stream+cut=1200-fin",
            "chat+wrong-text",
            "chat+malformed",
            "chat+silence",
            "chat+hold=before-head",
            "stream+hold=after-first-event",
            "stream+pace=5ms",
            "chat+delay=1s",
            "chat+gzip",
            "chat+gzip=force",
            "chat+split=7",
            "chat+framing=length",
            "chat+close",
            "stream+lockstep=off",
            "stream+error-event=bare",
            "stream+error-event=data",
            "stream+early-finish",
            "stream+no-finish",
            "stream+pad=4MiB",
            "chat+pad=100",
            "chat+bomb=64MiB",
            "chat+redirect=307",
            "chat+reset=before",
            "chat+reset=behind",
            "chat+informational+trailers+chunk-extensions",
            "stream+bad-chunk",
            "chat+reuse=closed",
            "chat+reuse=dropped",
            "stream+goaway",
            "stream+goaway=graceful",
            "chat+refused",
            "stream+rst",
            "chat+stream-limit=1",
            "chat+zero-window",
            "chat+continuations",
            "chat+no-ping",
            "traffic~stream_text~a__b-1.sse",
        ] {
            assert_eq!(text.parse::<Script>().map(|script| script.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(error("chatt"), ScriptError::UnknownReply { name: "chatt".to_owned() });
        assert_eq!(error(""), ScriptError::UnknownReply { name: String::new() });
        assert_eq!(error("traffic~../etc"), ScriptError::UnknownReply { name: "traffic~../etc".to_owned() });
        assert_eq!(error("chat+slow"), ScriptError::UnknownModifier { word: "slow".to_owned() });
        assert_eq!(error("chat+"), ScriptError::UnknownModifier { word: String::new() });
        assert_eq!(error("chat+pace=1ms+pace=2ms"), ScriptError::Repeated { word: "pace=2ms".to_owned() });
        assert_eq!(error("chat+rst+pad=1+rst"), ScriptError::Repeated { word: "rst".to_owned() });
        for word in [
            "pace",
            "pace=5",
            "pace=2h",
            "pace=9999s",
            "split=0",
            "split=16001",
            "cut=100%",
            "cut=-1",
            "status=418",
            "hold",
            "hold=here",
            "gzip=no",
            "silence=1",
            "framing=none",
            "lockstep=on",
            "error-event",
            "early-finish=1",
            "pad=0",
            "pad=257MiB",
            "bomb=2GiB",
            "redirect=200",
            "reset",
            "reuse=kept",
            "goaway=now",
            "stream-limit=0",
            "no-ping=1",
        ] {
            assert!(
                matches!(error(&format!("chat+{word}")), ScriptError::BadValue { word: w, .. } if w == word),
                "{word}"
            );
        }
        assert_eq!(error("chat+cut=x").to_string(), "`cut=x` should be cut=50%, cut=1200 (bytes) or either with -fin");
    }

    #[test]
    fn a_status_takes_the_replys_place() {
        let script: Script = "chat+status=500".parse().unwrap();
        assert_eq!((script.asked_reply(), script.reply().as_str()), ("chat", "error-500"));
    }

    #[test]
    fn a_later_modifier_takes_the_place_of_its_kind() {
        let script = Script::plain("chat").unwrap().with(Modifier::Split(7)).with(Modifier::Split(9));
        assert_eq!(script.to_string(), "chat+split=9");
    }

    proptest! {
        #[test]
        fn any_text_is_a_script_or_an_error_and_a_script_reads_back(text in "(chat|stream|x)(\\+(cut|pace|split|hold|gzip|pad|rst|goaway)(=[0-9a-zMB%-]{0,6})?){0,3}") {
            if let Ok(script) = text.parse::<Script>() {
                prop_assert_eq!(script.to_string().parse(), Ok(script));
            }
        }
    }
}
