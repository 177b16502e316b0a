//! Talking to an example of this package as the harness talks to a subject.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

/// What the worker must never show.
pub const KEY: &str = "canary-key-0451";
/// What every request of these tests says.
pub const PROMPT: &str = "one two three";

/// A running subject.
pub struct Subject {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Its greeting.
    pub greeting: String,
}

impl Subject {
    pub fn start(example: &str, runtime: &str) -> Self {
        // <target>/<profile>/deps/<this test>: Cargo puts examples beside it.
        let profile_dir = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
        let mut child = Command::new(profile_dir.join("examples").join(example))
            .env_clear()
            .env("PLIMSOLL_BASE_URL", "http://127.0.0.1:9/s/chat")
            .env("PLIMSOLL_MODEL", "a-model")
            .env("PLIMSOLL_PROMPT", PROMPT)
            .env("PLIMSOLL_RUNTIME", runtime)
            .env("GEMINI_API_KEY", KEY)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut subject = Self { child, input, output, greeting: String::new() };
        subject.greeting = subject.listen();
        subject
    }

    /// Sends a command and waits for its answer.
    pub fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.listen()
    }

    /// The pairs of the answer to a command that must be carried out.
    pub fn ok(&mut self, command: &str) -> BTreeMap<String, u64> {
        let answer = self.ask(command);
        let pairs = answer.strip_prefix("ok").unwrap_or_else(|| panic!("{command}: {answer}"));
        pairs_of(pairs)
    }

    pub fn tell(&mut self, command: &str) {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
    }

    pub fn listen(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.strip_suffix('\n').unwrap_or_else(|| panic!("no whole line: {line:?}")).to_owned()
    }

    /// Closes its input and waits for its end: what it still said, and how it ended.
    pub fn end(mut self) -> (String, ExitStatus) {
        self.input = None;
        let mut rest = String::new();
        self.output.read_line(&mut rest).unwrap();
        (rest, self.child.wait().unwrap())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `key=number` pairs.
pub fn pairs_of(text: &str) -> BTreeMap<String, u64> {
    let pair = |word: &str| word.split_once('=').map(|(key, value)| (key.to_owned(), value.parse().unwrap()));
    text.split_whitespace().filter_map(pair).collect()
}
