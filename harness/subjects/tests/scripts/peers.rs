//! Other people's clients in Python and Node (`benches/peers/`): where they are installed, they give the right answers; where not, they say so.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::server::{Server, text};
use crate::common::{KEY, Subject, command, crc, pairs, program};
use crate::python::interpreter;

/// A file of `benches/peers`.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/peers").join(name)
}

/// Where `make peers` puts what it gets.
fn installed(name: &str) -> PathBuf {
    // <target>/release/…
    program("../peers").join(name)
}

/// The clients, as `plimsoll.toml` names them: their subject's name, where their packages are, and what follows their script.
const PYTHON: [(&str, &str, &str, &[&str]); 3] = [
    ("httpx", "python/httpx", "python/httpx_peer.py", &["kept"]),
    ("httpx-each", "python/httpx", "python/httpx_peer.py", &["each"]),
    ("google-genai", "python/google-genai", "python/google_genai_peer.py", &[]),
];

/// The commands of those that are installed.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn there(base_url: &str) -> Vec<(&'static str, Command)> {
    let mut found = Vec::new();
    for (name, folder, script, more) in PYTHON {
        let python = installed(folder).join("bin/subject");
        if python.is_file() {
            let mut start = command(python, base_url);
            start.arg(source(script)).args(more);
            found.push((name, start));
        }
    }
    if installed("node/node_modules").is_dir()
        && let Some(start) = node(base_url, &installed("node"))
    {
        found.push(("google-genai-node", start));
    }
    if found.is_empty() {
        eprintln!("skipped: no peer is installed; `scripts/peers python node` does it");
    }
    found
}

/// The Node client with its packages in `folder`; `None` where there is no Node, which CI need not have.
fn node(base_url: &str, folder: &Path) -> Option<Command> {
    let there =
        Command::new("node").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    let mut start = command("node", base_url);
    start.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    start.arg(source("node/google-genai.mjs")).arg(folder);
    there.then_some(start)
}

#[test]
fn those_that_are_installed_give_the_right_answers() {
    let server = Server::start();
    let all = there(&format!("{}/s/chat", server.origin));
    let expected = 43 * u64::try_from(all.len()).unwrap();
    for (name, start) in all {
        let mut subject = Subject::start(start);
        let greeting = pairs(&subject.greeting);
        assert_eq!([&greeting["subject"], &greeting["allocator"], &greeting["profile"]], [name, "system", "release"]);
        assert!(!greeting["build"].starts_with("absent"), "{name}: {}", greeting["build"]);
        subject.ready();
        for (ask, requests) in [("chat 10 1", 10), ("chat 20 10", 20), ("stream 3 1", 3), ("stream 10 5", 10)] {
            let answer = subject.ok(ask);
            let told = (&answer["answered"], &answer["crc"]);
            assert_eq!(told, (&requests.to_string(), &crc(requests, &text())), "{name}: {ask}");
            let times = ["p50_us", "p90_us", "p99_us", "max_us"].map(|time| answer[time].parse::<u64>().unwrap());
            assert!(times.is_sorted() && times[0] > 0, "{name}: {times:?}");
        }
        subject.ok("idle");
        assert!(subject.ask("sing").starts_with("unsupported"), "{name}");
        subject.ok("drop");
        let (status, said) = subject.exit();
        assert!(status.success() && !said.contains(KEY), "{name}: {said}");
    }
    assert_eq!(server.seen(), (expected, expected), "requests, and those with the key in its place");
}

#[test]
fn those_that_are_installed_say_what_went_wrong_and_not_the_key() {
    let server = Server::start();
    for ask in ["chat 2 1", "stream 2 2"] {
        for (name, start) in there(&format!("{}/refuse", server.origin)) {
            let mut subject = Subject::start(start);
            subject.ready();
            let answer = subject.ask(ask);
            assert!(answer.starts_with("error status HTTP 500"), "{name}: {ask}: {answer}");
            assert!(!subject.exit().1.contains(KEY), "{name}");
        }
    }
    for (name, start) in there("http://127.0.0.1:9") {
        let mut subject = Subject::start(start);
        subject.ready();
        let answer = subject.ask("chat 1 1");
        assert!(answer.starts_with("error transport "), "{name}: {answer}");
    }
}

#[test]
fn one_that_is_not_installed_says_how_to_get_it() {
    let nowhere = Path::new("/nonexistent");
    let mut starts: Vec<Command> = PYTHON
        .iter()
        .filter_map(|(_, _, script, more)| {
            let mut start = interpreter("http://127.0.0.1:9")?;
            // Without what is installed on this machine.
            start.arg("-S").arg(source(script)).args(*more);
            Some(start)
        })
        .collect();
    starts.extend(node("http://127.0.0.1:9", nowhere));
    for start in starts {
        let mut subject = Subject::start(start);
        assert!(pairs(&subject.greeting)["build"].starts_with("absent"), "{}", subject.greeting);
        let answer = subject.ask("runtime");
        assert!(
            answer.starts_with("unsupported ") && answer.ends_with(" is not there; to get it: make peers"),
            "{answer}"
        );
    }
}

/// The conversation itself needs no package: a peer that reads no server, but is as wrong as any could be.
#[test]
fn the_conversation_sums_times_and_names_what_a_client_does() {
    let Some(mut start) = interpreter("http://127.0.0.1:9") else { return };
    let folder = source("python");
    let peer = r#"
import sys
sys.path.insert(0, sys.argv.pop(1))
from conversation import Refused, converse
class Peer:
    def load(self): pass
    def open(self, env): self.asked = 0
    def chat(self):
        yield "The line "
        yield "is é\u2028é."
    def stream(self):
        self.asked += 1
        raise [Refused("HTTP 429"), ConnectionResetError("canary-key-0451"), TimeoutError("canary-key-0451"), ValueError("canary-key-0451")][self.asked - 1]
    def close(self): del self.asked
converse("peer", "no-such-package", Peer())
"#;
    start.arg("-c").arg(peer).arg(folder);
    let mut subject = Subject::start(start);
    subject.ready();
    for (ask, requests) in [("chat 7 1", 7), ("chat 40 8", 40)] {
        assert_eq!(subject.ok(ask)["crc"], crc(requests, "The line is é\u{2028}é."), "{ask}");
    }
    for said in [
        "error status HTTP 429",
        "error transport ConnectionResetError",
        "error timeout TimeoutError",
        "error answer ValueError",
    ] {
        assert_eq!(subject.ask("stream 1 1"), said);
    }
    subject.ok("drop");
    let (status, said) = subject.exit();
    assert!(status.success() && !said.contains(KEY), "{said}");
}
