//! What the tests of the subjects share: talking to a subject, a server for it to talk to, the counting library.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

pub mod count;
pub mod server;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

/// What no subject may ever show.
pub const KEY: &str = "canary-key-0451";

/// The levels that the package at hand has programs of: `libcurl` has one of its own, which runs these tests too.
pub fn levels() -> &'static [&'static str] {
    if env!("CARGO_PKG_NAME") == "plimsoll-subjects-libcurl" {
        &["libcurl"]
    } else {
        &["original", "optimized", "ultra", "bare", "mux", "isolated", "proxied"]
    }
}

/// A program of this package.
pub fn program(name: &str) -> PathBuf {
    // <target>/<profile>/deps/<this test>
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join(name)
}

/// How a subject is started, as the harness does it.
pub fn command(program: impl AsRef<std::ffi::OsStr>, base_url: &str) -> Command {
    let mut command = Command::new(&program);
    let name = Path::new(program.as_ref()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    // The one level that speaks nothing else.
    let http = if name.starts_with("mux-") { "h2" } else { "h1" };
    // To a client that speaks to a proxy, the server itself will do for one.
    let proxy = base_url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    command
        .env_clear()
        .env("PLIMSOLL_PROXY", proxy)
        .env("PLIMSOLL_PROTOCOL", "1")
        .env("PLIMSOLL_BASE_URL", base_url)
        .env("PLIMSOLL_MODEL", "a-model")
        .env("PLIMSOLL_PROMPT", "Where is the line?")
        .env("PLIMSOLL_HTTP", http)
        .env("PLIMSOLL_CRYPTO", "aws-lc")
        .env("PLIMSOLL_RUNTIME", "current_thread")
        .env("PLIMSOLL_SWITCHES", "default")
        .env("GEMINI_API_KEY", KEY)
        .current_dir("/");
    command
}

/// A running subject.
pub struct Subject {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// All that it has said on standard output.
    said: String,
    /// Its greeting.
    pub greeting: String,
}

impl Subject {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the subject is there");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut subject = Self { child, input, output, said: String::new(), greeting: String::new() };
        subject.greeting = subject.listen();
        subject
    }

    /// Sends a command and waits for its answer.
    pub fn ask(&mut self, command: &str) -> String {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
        self.listen()
    }

    /// The pairs of the answer to a command that must be carried out.
    pub fn ok(&mut self, command: &str) -> BTreeMap<String, String> {
        let answer = self.ask(command);
        assert!(answer.starts_with("ok"), "{command}: {answer}");
        pairs(&answer)
    }

    /// Gets ready for requests.
    pub fn ready(&mut self) {
        self.ok("runtime");
        self.ok("client");
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to exit: how it ended, and all that it ever said, errors included.
    pub fn exit(mut self) -> (ExitStatus, String) {
        writeln!(self.input.take().unwrap(), "exit").unwrap();
        self.output.read_to_string(&mut self.said).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap(), std::mem::take(&mut self.said))
    }

    fn listen(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        self.said.push_str(&line);
        line.strip_suffix('\n')
            .unwrap_or_else(|| panic!("no whole line: {line:?}, {:?}", self.child.try_wait()))
            .to_owned()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `key=value` pairs of a line.
pub fn pairs(line: &str) -> BTreeMap<String, String> {
    let pair = |word: &str| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    line.split_whitespace().filter_map(pair).collect()
}

/// The sum that a subject must give for `requests` answers of `text`.
pub fn crc(requests: u64, text: &str) -> String {
    (requests * u64::from(crc32fast::hash(text.as_bytes()))).to_string()
}
