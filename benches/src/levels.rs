//! The levels on the mock, over TLS: from the call to the whole answer.
//!
//! The mock is another process, so that its work is not the level's; but who calls waits for both, and for the kernel between them. What of a
//! time is not the level's stands beside it as [`FLOOR`]: the same answer over a connection without TLS, read by hand. Times are of a mock that
//! sends as fast as it can: in lock-step, which it keeps for counts, most of a stream's time is that of waking up.
//!
//! Each keeps one connection, which is asserted: but `ultra`, whose technique `no-idle-connections` makes a handshake for each request. It
//! is there as it is, and without that technique. All run on one thread, and have TLS by AWS-LC.

use std::cell::{OnceCell, RefCell};
use std::error::Error;
use std::future::Future;
use std::hint::black_box;
use std::ops::ControlFlow;

use criterion::measurement::Measurement;
use criterion::{BenchmarkGroup, Criterion};
use plimsoll_providers::gemini_bare_http::{BareGeminiProvider, Visitor};
use plimsoll_providers::gemini_mux::MuxGeminiProvider;
use plimsoll_providers::gemini_optimized::OptimizedGeminiProvider;
use plimsoll_providers::gemini_original::GeminiProvider;
use plimsoll_providers::gemini_ultra_optimized::UltraOptimizedGeminiProvider;
use plimsoll_providers::{
    Config, Crypto, Error as Failed, GenerateContentRequest, Level, Options, Protocol, Provider, Technique, Techniques,
    Trust,
};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::corpus::pieces;
use crate::mock::Mock;
use crate::plain::{self, Plain};
use crate::readers::group;

/// The key that the mock is shown.
pub const KEY: &str = "a-key-of-the-benches";
/// The name of what is not a level's.
pub const FLOOR: &str = "by hand, no TLS";

/// A way of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Chat,
    Stream,
}

impl Work {
    /// The mock's script, and the scenario of that name.
    const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Stream => "stream",
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Chat => "generateContent",
            Self::Stream => "streamGenerateContent?alt=sse",
        }
    }
}

/// Whether the mock sends the next piece when the client has had the last, which makes counts repeat, or as fast as it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// The former: for counts.
    LockStep,
    /// The latter: for times.
    Free,
}

/// What a level keeps between requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    Connection,
    Nothing,
}

/// All of them, by both ways of asking.
pub fn bench<M: Measurement + 'static>(criterion: &mut Criterion<M>, prefix: &str, mock: &RefCell<Mock>, pace: Pace) {
    for work in [Work::Chat, Work::Stream] {
        let text = expected(&mock.borrow(), work).expect("an answer of the mock");
        let group = group(criterion, prefix, &format!("levels/{}", work.name()));
        let script = match pace {
            Pace::LockStep => work.name().to_owned(),
            Pace::Free => format!("{}+lockstep=off", work.name()),
        };
        let mut benches = Benches { group, work, script, text, mock };
        benches.floor();
        benches.levels();
        benches.group.finish();
    }
}

/// The text of the answer, read by serde_json. A stream tells that of the same answer whole.
fn expected(mock: &Mock, work: Work) -> Result<String, Box<dyn Error>> {
    let mut plain = Plain::connect(mock.port())?;
    let (_, chunked) = plain.ask(&plain::request(work.name(), Work::Chat.method()))?;
    let answer: Value = serde_json::from_slice(&pieces(chunked)?.concat())?;
    let parts = answer["candidates"][0]["content"]["parts"].as_array().ok_or("an answer without parts")?;
    Ok(parts.iter().filter_map(|part| part["text"].as_str()).collect())
}

struct Benches<'c, M: Measurement> {
    group: BenchmarkGroup<'c, M>,
    work: Work,
    /// What the mock is asked for.
    script: String,
    text: String,
    mock: &'c RefCell<Mock>,
}

impl<M: Measurement> Benches<'_, M> {
    fn floor(&mut self) {
        let request = plain::request(&self.script, self.work.method());
        let (port, connection) = (self.mock.borrow().port(), OnceCell::new());
        self.group.bench_function(FLOOR, |b| {
            let connection = connection.get_or_init(|| RefCell::new(Plain::connect(port).expect("a connection")));
            let mut connection = connection.borrow_mut();
            b.iter(|| connection.ask(&request).expect("an answer").1.len());
        });
    }

    fn levels(&mut self) {
        let config = self.config();
        let (h1, h2) = (self.options(Protocol::Http1), self.options(Protocol::Http2));
        let keeping = Techniques::all(Level::Ultra).without(Technique::NoIdleConnections);
        let keeping = Options { techniques: keeping, ..h1.clone() };
        self.level("original", Keeps::Connection, async || {
            GeminiProvider::with_options(config.clone(), h1.clone()).await.map(Owned)
        });
        self.level("original, h2", Keeps::Connection, async || {
            GeminiProvider::with_options(config.clone(), h2.clone()).await.map(Owned)
        });
        self.level("optimized", Keeps::Connection, async || {
            OptimizedGeminiProvider::with_options(config.clone(), h1.clone()).await.map(Owned)
        });
        self.level("ultra", Keeps::Nothing, async || {
            UltraOptimizedGeminiProvider::with_options(config.clone(), h1.clone()).await.map(Owned)
        });
        self.level("ultra, connection kept", Keeps::Connection, async || {
            UltraOptimizedGeminiProvider::with_options(config.clone(), keeping.clone()).await.map(Owned)
        });
        self.level("bare", Keeps::Connection, async || {
            BareGeminiProvider::with_options(config.clone(), h1.clone()).await.map(Owned)
        });
        self.level("bare, visitor form", Keeps::Connection, async || {
            BareGeminiProvider::with_options(config.clone(), h1.clone()).await.map(Visiting)
        });
        self.level("mux, h2", Keeps::Connection, async || {
            MuxGeminiProvider::with_options(config.clone(), h2.clone()).await.map(Owned)
        });
    }

    /// A level, made when it is first run: a bench that is not asked for makes no connection.
    fn level<C: Client>(&mut self, name: &str, keeps: Keeps, make: impl AsyncFn() -> Result<C, Failed>) {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let question = GenerateContentRequest::user_text("Why is there a line on a ship's hull?");
        let (work, text, mock, made) = (self.work, self.text.as_str(), self.mock, OnceCell::new());
        self.group.bench_function(name, |b| {
            let client: &C = made.get_or_init(|| {
                let client = runtime.block_on(make()).expect("a client");
                check(name, &runtime, &client, (work, &question), text, keeps, &mut mock.borrow_mut());
                client
            });
            let on_text = |text: &str| {
                black_box(text);
            };
            b.to_async(&runtime).iter(async || client.ask(work, &question, on_text).await.expect("an answer"));
        });
    }

    fn config(&self) -> Config {
        let (port, script) = (self.mock.borrow().port(), &self.script);
        Config {
            api_key: KEY.to_owned(),
            base_url: Some(format!("https://localhost:{port}/s/{script}")),
            default_model: "gemini-2.5-flash".to_owned(),
            api_version: "v1beta".to_owned(),
            timeout_ms: 60_000,
        }
    }

    fn options(&self, protocol: Protocol) -> Options {
        let mock = self.mock.borrow();
        // As a measured program has it: no question to DNS.
        let resolve = format!("localhost:{}:127.0.0.1", mock.port()).parse().expect("an address");
        Options {
            trust: Trust::PemFile(mock.roots()),
            crypto: Crypto::AwsLc,
            protocol,
            resolve: vec![resolve],
            ..Options::default()
        }
    }
}

/// The client tells the text that was served, and keeps what it is said to keep.
fn check<C: Client>(
    name: &str,
    runtime: &Runtime,
    client: &C,
    (work, question): (Work, &GenerateContentRequest),
    text: &str,
    keeps: Keeps,
    mock: &mut Mock,
) {
    const ASKED: u64 = 3;
    let before = mock.connections().expect("a mock that counts");
    for _ in 0..ASKED {
        let mut told = String::new();
        runtime.block_on(client.ask(work, question, |piece| told += piece)).expect("an answer");
        assert_eq!(told, text, "{name} tells another text");
    }
    let made = mock.connections().expect("a mock that counts") - before;
    assert_eq!(made, if keeps == Keeps::Connection { 1 } else { ASKED }, "connections of {name}");
}

/// What can be asked, in whichever form.
trait Client {
    fn ask(
        &self,
        work: Work,
        question: &GenerateContentRequest,
        on_text: impl FnMut(&str) + Send,
    ) -> impl Future<Output = Result<(), Failed>>;
}

/// Answers as owned values, in the form that every level has.
struct Owned<P>(P);

impl<P: Provider> Client for Owned<P> {
    async fn ask(
        &self,
        work: Work,
        question: &GenerateContentRequest,
        mut on_text: impl FnMut(&str) + Send,
    ) -> Result<(), Failed> {
        match work {
            Work::Chat => self.0.generate(question).await?.texts().for_each(on_text),
            Work::Stream => {
                let each = move |event: &plimsoll_providers::GenerateContentResponse| {
                    event.texts().for_each(&mut on_text);
                    ControlFlow::Continue(())
                };
                self.0.stream(question, each).await?;
            }
        }
        Ok(())
    }
}

/// Answers told as they arrive.
struct Visiting(BareGeminiProvider);

impl Client for Visiting {
    async fn ask(
        &self,
        work: Work,
        question: &GenerateContentRequest,
        on_text: impl FnMut(&str) + Send,
    ) -> Result<(), Failed> {
        match work {
            Work::Chat => self.0.generate_with(question, &mut Texts(on_text)).await,
            Work::Stream => self.0.stream_with(question, &mut Texts(on_text)).await,
        }
    }
}

struct Texts<F>(F);

impl<F: FnMut(&str)> Visitor for Texts<F> {
    fn text(&mut self, _: usize, piece: &str) {
        (self.0)(piece);
    }
}
