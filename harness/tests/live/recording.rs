//! What `plimsoll record` keeps is what was served, can be served again, and holds no key.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use plimsoll::corpus::{self, Call};
use plimsoll::mock::certs::trust_bundle_pem;
use reqwest::{Client, RequestBuilder};
use tempfile::TempDir;

use crate::common::files_with;
use crate::mock_support::{KEY, Mock, h1};

/// A recorder in a process of its own.
struct Recorder {
    child: Child,
    base: String,
}

impl Recorder {
    fn start(out: &Path, upstream: &str, ca: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(["record", "--upstream", upstream, "--out"])
            .arg(out)
            .arg("--ca")
            .arg(ca)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("GEMINI_BASE_URL=").unwrap().to_owned();
        assert!(base.starts_with("http://127.0.0.1:"), "{base}");
        Self { child, base }
    }

    /// Ctrl-C, and its exit status.
    fn stop(mut self) -> Option<i32> {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bundle() -> (TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, trust_bundle_pem().0).unwrap();
    (dir, ca)
}

fn ask(request: RequestBuilder) -> RequestBuilder {
    let body = format!(r#"{{"contents": [{{"role": "user", "parts": [{{"text": "is {KEY} my key?"}}]}}]}}"#);
    request.header("x-goog-api-key", KEY).header("cookie", "session=secret").body(body)
}

/// Script and call, and the file that its answer is kept in.
const ASKED: [(&str, &str, Call, &str); 7] = [
    ("chat", "generateContent", Call::Unary, "generate/0001.json"),
    ("thinking", "generateContent", Call::Unary, "generate/0002.json"),
    ("stream", "streamGenerateContent?alt=sse", Call::Sse, "stream/0001.sse"),
    ("large+gzip=force", "generateContent", Call::Unary, "generate/0003.json"),
    ("stream", "streamGenerateContent", Call::Array, "streamarray/0001.json"),
    ("error-429", "generateContent", Call::Unary, "error_429/0001.json"),
    ("error-404-html", "generateContent", Call::Unary, "error_404/0001.html"),
];

async fn body(client: &Client, base: &str, call: &str) -> (u16, Vec<u8>) {
    let response = ask(client.post(format!("{base}/v1beta/models/m:{call}"))).send().await.unwrap();
    (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn recorded_answers_are_those_that_were_served_and_are_served_again() {
    let (dir, ca) = bundle();
    let mut mock = Mock::start();
    let out = dir.path().join("traffic");
    let recorder = Recorder::start(&out, &format!("https://localhost:{}", mock.port), &ca);
    let client = h1();
    for (script, call, form, file) in ASKED {
        let (status, passed) = body(&client, &format!("{}/s/{script}", recorder.base), call).await;
        let served = corpus::reply(script.split('+').next().unwrap()).unwrap().served(form);
        assert_eq!((status, &passed[..]), (served.status, &served.body[..]), "{script}: passed on byte for byte");
        // On disk before the client has the last byte.
        assert_eq!(std::fs::read(out.join(file)).unwrap(), passed, "{script}");
    }
    // A key in the address is passed on and not kept, whoever puts it there.
    let url = format!("{}/s/chat/v1beta/models/m:generateContent?key={KEY}", recorder.base);
    let answer = client.post(url).body("{}").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let stats = mock.stats();
    assert_eq!((stats.requests, stats.keyless, stats.keys_in_url, stats.protocols.tls), (8, 0, 1, 8));
    assert_eq!(recorder.stop(), Some(0), "Ctrl-C is how it ends");

    let manifest = std::fs::read_to_string(out.join("MANIFEST.tsv")).unwrap();
    assert_eq!(manifest.lines().count(), 1 + 2 * 8, "a row for each request and each answer: {manifest}");
    assert!(manifest.contains("raw+ungzipped") && manifest.contains("CRLF"), "{manifest}");
    let headers = std::fs::read_to_string(out.join("OBSERVED_HEADERS.json")).unwrap();
    assert!(headers.contains("content-type: text/event-stream") && headers.contains("date: *"), "{headers}");
    for secret in [KEY, "session=secret"] {
        assert_eq!(files_with(&out, secret), Vec::<std::path::PathBuf>::new(), "{secret}");
    }
    let question = std::fs::read_to_string(out.join("requests/generateContent__0001.json")).unwrap();
    assert!(question.contains("is [key] my key?"), "{question}");

    let again = Mock::with(&["--traffic", out.to_str().unwrap()]);
    for (script, call, form, file) in ASKED {
        let name = corpus::traffic::name_of(file);
        let response = again.post(&client, &name, call).send().await.unwrap();
        let served = corpus::reply(script.split('+').next().unwrap()).unwrap().served(form);
        assert_eq!(response.status().as_u16(), served.status, "{file}");
        assert_eq!(response.bytes().await.unwrap(), served.body, "{file}");
    }
}

#[tokio::test]
async fn a_service_that_cannot_prove_itself_is_not_asked() {
    let (dir, _) = bundle();
    let other = dir.path().join("other.pem");
    std::fs::write(&other, crate::identity::authority().pem()).unwrap();
    let mut mock = Mock::start();
    let recorder = Recorder::start(&dir.path().join("traffic"), &format!("https://localhost:{}", mock.port), &other);
    let (status, said) = body(&h1(), &recorder.base, "generateContent").await;
    let said = String::from_utf8(said).unwrap();
    assert!(status == 502 && said.contains("certificate") && !said.contains(KEY), "{status} {said}");
    let stats = mock.stats_after_refusals(1);
    assert_eq!((stats.requests, stats.handshakes_failed), (0, 1));
}

#[test]
fn what_cannot_be_recorded_is_refused_with_status_2() {
    let (dir, ca) = bundle();
    let out = dir.path().join("traffic");
    let run = |upstream: &str, more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(["record", "--upstream", upstream, "--ca", ca.to_str().unwrap(), "--out", out.to_str().unwrap()])
            .args(more)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(run("http://localhost:1", &[]).contains("in the clear"));
    assert!(run("https://", &[]).contains("--upstream"));
    assert!(run("https://localhost:1", &["--resolve", "elsewhere:1:127.0.0.1"]).contains("another host"));
    std::fs::create_dir_all(&out).unwrap();
    std::fs::write(out.join("MANIFEST.tsv"), "").unwrap();
    assert!(run("https://localhost:1", &[]).contains("--out"));
}
