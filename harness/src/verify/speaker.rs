//! A client that says what it understood: its process, started and spoken to as a subject is.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::question::Question;
use crate::process::protocol::{self, ProtocolError};
use crate::process::{Launch, Lost, Process};
use crate::run::launch::Key;

/// A running client.
#[derive(Debug)]
pub struct Speaker {
    process: Process,
}

/// What a client says to a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// What it understood.
    Understood(Understood),
    /// It cannot be asked that.
    Unsupported(String),
}

/// What a client understood of what it was served.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Understood {
    /// The answer as JSON; of a stream, the array of the events that were delivered.
    pub says: Option<Value>,
    /// The error, if it ended with one.
    pub error: Option<Value>,
}

/// Why a client says nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Silence {
    /// It hangs, or is gone.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// Its greeting is none.
    #[error(transparent)]
    Greeting(#[from] ProtocolError),
    /// Its answer is none.
    #[error("it answered {line:?}, not `ok` and JSON with `says` or `error`: {why}; see PROTOCOL.md")]
    Answer {
        /// How it begins.
        line: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Speaker {
    /// Starts one and hears its greeting.
    ///
    /// # Errors
    /// When it does not start or does not greet.
    pub fn start(launch: &Launch, patience: Duration, interrupted: &dyn Fn() -> bool) -> Result<Self, Silence> {
        let mut process = Process::start_with(launch, protocol::MAX_SAID)?;
        protocol::greeting(&process.listen(patience, interrupted)?)?;
        Ok(Self { process })
    }

    /// Asks for the answer to `question` at `base`. Whether it said the key, too, which is taken out of what it said.
    ///
    /// # Errors
    /// When there is none.
    pub fn ask(
        &mut self,
        question: Question,
        base: &str,
        key: &Key,
        patience: Duration,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(Answer, bool), Silence> {
        self.process.tell(&format!("say {} {base}", question.word()))?;
        let line = self.process.listen(patience, interrupted)?;
        let shown = key.scrub(&line);
        Ok((read(&shown)?, shown != line))
    }
}

fn read(line: &str) -> Result<Answer, Silence> {
    let wrong = |why: String| Silence::Answer { line: line.chars().take(80).collect(), why };
    match line.split_once(' ').unwrap_or((line, "")) {
        ("ok", json) => serde_json::from_str(json).map(Answer::Understood).map_err(|error| wrong(error.to_string())),
        ("unsupported", what) => Ok(Answer::Unsupported(what.to_owned())),
        _ => Err(wrong("neither `ok` nor `unsupported`".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_what_was_understood_or_why_not() {
        let answer = read(r#"ok {"says":[{"a":1}],"error":{"kind":"answer"}}"#).unwrap();
        let understood = Understood { says: Some(json!([{"a": 1}])), error: Some(json!({"kind": "answer"})) };
        assert_eq!(answer, Answer::Understood(understood));
        assert_eq!(read("unsupported files").unwrap(), Answer::Unsupported("files".to_owned()));
        for line in ["ok", "ok answered=1", r#"ok {"said":1}"#, "error status 500", ""] {
            assert!(matches!(read(line), Err(Silence::Answer { .. })), "{line}");
        }
    }
}
