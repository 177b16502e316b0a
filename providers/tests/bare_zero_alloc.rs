//! What a steady request of the level `bare` allocates, counted by a global allocator: alone in its file, because the counts of other
//! tests' threads would be mixed in. Only the client's thread is counted; the server has one of its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use plimsoll_providers::gemini_bare_http::{BareGeminiConfig, BareGeminiProvider, Call, Visitor};
use plimsoll_providers::{Crypto, GenerateContentRequest, Options, Provider, Techniques, Trust};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

thread_local! {
    /// Calls of malloc and realloc on this thread. Constant and without a destructor: reading it allocates nothing.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: every method passes its arguments on to `System`, which upholds the contract, and counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps to the contract of `alloc`, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above; what `System` handed out comes back to it.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A 2 KB text with line ends and quotes, which are escapes in JSON.
fn text() -> String {
    "A line on the ship's hull says \"how much\" load is safe.\n".repeat(36)
}

fn body() -> String {
    serde_json::json!({
        "candidates": [{"content": {"parts": [{"text": text()}, {"functionCall": {"name": "f", "args": {"a": [1, "b"]}}}], "role": "model"},
            "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 9},
        "modelVersion": "gemini-2.5-flash", "responseId": "r"
    })
    .to_string()
}

/// The answer to a request, head and body, to be written at once.
fn answer(request: &str) -> Vec<u8> {
    let body = body();
    if request.contains(":streamGenerateContent") {
        let event = format!("data: {body}\r\n\r\n");
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        format!("{head}{chunk}{chunk}0\r\n\r\n").into_bytes()
    } else {
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            .into_bytes()
    }
}

fn serve(mut connection: impl Read + Write) -> std::io::Result<()> {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = connection.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&chunk[..count]);
        // The question is known: it ends with its JSON.
        if request.ends_with(b"}]}]}") {
            connection.write_all(&answer(&String::from_utf8_lossy(&request)))?;
            connection.flush()?;
            request.clear();
        }
    }
}

fn certificates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/src/mock/certs")
}

/// A server on a thread of its own, which ends with the test's process: its base.
fn start(tls: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = tls.then(|| {
        let chain = CertificateDer::pem_file_iter(certificates().join("chain.pem")).unwrap().map(Result::unwrap);
        let key = PrivateKeyDer::from_pem_file(certificates().join("leaf.key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(chain.collect(), key).unwrap())
    });
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let config = config.clone();
            thread::spawn(move || {
                connection.set_nodelay(true)?;
                match config {
                    None => serve(connection),
                    Some(config) => serve(StreamOwned::<_, TcpStream>::new(
                        ServerConnection::new(config).map_err(std::io::Error::other)?,
                        connection,
                    )),
                }
            });
        }
    });
    format!("{}://localhost:{port}", if tls { "https" } else { "http" })
}

/// Compares what it is told with what it should be, and keeps nothing.
struct Check<'t> {
    rest: &'t str,
    expected: &'t str,
    calls: usize,
    ends: usize,
}

impl Visitor for Check<'_> {
    fn text(&mut self, _: usize, piece: &str) {
        self.rest = self.rest.strip_prefix(piece).expect("the text is another one");
    }

    fn function_call(&mut self, _: usize, call: Call<'_>) {
        assert_eq!((call.name, call.args), ("f", Some(r#"{"a":[1,"b"]}"#)));
        self.calls += 1;
    }

    fn end(&mut self) -> ControlFlow<()> {
        assert!(self.rest.is_empty(), "the text is whole");
        self.rest = self.expected;
        self.ends += 1;
        ControlFlow::Continue(())
    }
}

/// Calls per request, if they are the same for each of `N` after `N` others.
async fn steady(mut ask: impl AsyncFnMut()) -> u64 {
    const N: u64 = 64;
    for _ in 0..N {
        ask().await;
    }
    let before = CALLS.get();
    for _ in 0..N {
        ask().await;
    }
    let calls = CALLS.get() - before;
    assert_eq!(calls % N, 0, "{calls} calls in {N} requests");
    calls / N
}

#[test]
fn a_steady_request_allocates_what_is_owned_and_what_rustls_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let question = GenerateContentRequest::user_text("why?");
    let text = text();
    for (tls, techniques) in [(false, Techniques::default()), (true, Techniques::default()), (true, Techniques::NONE)] {
        runtime.block_on(async {
            let base = start(tls);
            let config =
                BareGeminiConfig { api_key: "key".to_owned(), base_url: Some(base.clone()), ..Default::default() };
            let port = base.rsplit(':').next().unwrap();
            let options = Options {
                trust: Trust::PemFile(certificates().join("ca.pem")),
                crypto: Crypto::Ring,
                resolve: vec![format!("localhost:{port}:127.0.0.1").parse().unwrap()],
                techniques,
                ..Options::default()
            };
            let provider = BareGeminiProvider::with_options(config, options).await.unwrap();
            // rustls 0.23.46 makes a vector for each record that it writes (`PrefixedPayload` in crypto/cipher/messages.rs), and
            // without lean records one for each that it reads (`take_received_plaintext` in common_state.rs): here one of each.
            let rustls = match (tls, techniques == Techniques::NONE) {
                (false, _) => 0,
                (true, false) => 1,
                (true, true) => 2,
            };
            let mut check = Check { rest: &text, expected: &text, calls: 0, ends: 0 };
            let visited = steady(async || provider.generate_with(&question, &mut check).await.unwrap()).await;
            assert_eq!(visited, rustls, "generate_with, TLS: {tls}");
            let visited = steady(async || provider.stream_with(&question, &mut check).await.unwrap()).await;
            assert_eq!(visited, rustls, "stream_with, TLS: {tls}");
            assert_eq!((check.calls, check.ends), (3 * 128, 3 * 128), "one call in each answer and event");

            // What an answer owns is what a copy of it allocates: each list, string, box and map once.
            let answer = provider.generate(&question).await.unwrap();
            let before = CALLS.get();
            let copy = answer.clone();
            let things = CALLS.get() - before;
            drop(copy);
            let owned = steady(async || {
                assert_eq!(provider.generate(&question).await.unwrap().candidates.len(), 1);
            })
            .await;
            assert_eq!(owned, things + rustls, "generate, TLS: {tls}");
        });
    }
}
