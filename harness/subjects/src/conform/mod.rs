//! The levels as programs that say what they understood, for `plimsoll verify` (PROTOCOL.md, "Saying what was understood").
//!
//! One program holds all levels, because nothing of it is measured. A process speaks for one of them, named by its argument, so that
//! what hangs or dies is that level's.
//!
//! - [`mod@ask`]: the questions, put to any level, and its owned answers
//! - [`told`]: what a visitor was told, as an answer
//! - [`said`]: the line that goes back
//!
//! `probe-forgetful` is the level `original` with one field lost on the way: what `plimsoll verify` must find.

mod ask;
mod said;
mod told;

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use plimsoll_providers::gemini_bare_http::BareGeminiProvider;
use plimsoll_providers::gemini_mux::MuxGeminiProvider;
use plimsoll_providers::gemini_optimized::OptimizedGeminiProvider;
use plimsoll_providers::gemini_original::GeminiProvider;
use plimsoll_providers::gemini_process_isolated::IsolatedGeminiProvider;
use plimsoll_providers::gemini_proxied::ProxiedGeminiProvider;
use plimsoll_providers::gemini_ultra_optimized::UltraOptimizedGeminiProvider;
use plimsoll_providers::{Config, Error, Level, Options, Provider, StreamForm};
use plimsoll_worker::Env;

use said::Said;

/// Asks `question` at a level, of a provider made for it. A level that is not here does not compile.
async fn at(level: Level, question: &str, config: Config, options: Options) -> Result<Said, Error> {
    macro_rules! owned {
        ($provider:ty) => {
            ask::ask(&<$provider>::with_options(config, options).await?, question).await
        };
    }
    macro_rules! owned_and_visited {
        ($provider:ty) => {{
            let provider = <$provider>::with_options(config, options).await?;
            match question {
                "generateContent:visited" => {
                    let mut told = told::Told::default();
                    let end = provider.generate_with(&ask::prompt(), &mut told).await;
                    told.answer(end)
                }
                "streamGenerateContent?alt=sse:visited" => {
                    let mut told = told::Told::default();
                    let end = provider.stream_with(&ask::prompt(), &mut told).await;
                    told.events(end)
                }
                _ => ask::ask(&provider, question).await,
            }
        }};
    }
    Ok(match level {
        Level::Original => owned!(GeminiProvider),
        Level::Optimized => owned!(OptimizedGeminiProvider),
        Level::Ultra => owned!(UltraOptimizedGeminiProvider),
        Level::Bare => owned_and_visited!(BareGeminiProvider),
        Level::Mux => owned!(MuxGeminiProvider),
        Level::Isolated => owned!(IsolatedGeminiProvider),
        Level::Proxied => {
            let proxy = std::env::var("PLIMSOLL_PROXY").unwrap_or_default().parse()?;
            ask::ask(&ProxiedGeminiProvider::with_options(config, proxy, options).await?, question).await
        }
        // What it links would be in every program of this package.
        Level::Libcurl => Said::Unsupported("libcurl here: its programs are in a package of their own".to_owned()),
    })
}

/// Who speaks.
#[derive(Debug, Clone, Copy)]
struct Speaker {
    level: Level,
    forgetful: bool,
}

impl Speaker {
    fn named(name: Option<&str>) -> Result<Self, String> {
        match name {
            Some("probe-forgetful") => Ok(Self { level: Level::Original, forgetful: true }),
            Some(name) => Ok(Self { level: name.parse().map_err(|error: Error| error.to_string())?, forgetful: false }),
            None => Err("which level? conform wants its name".to_owned()),
        }
    }
}

/// Speaks for the level of that name until told to exit.
pub fn run(name: Option<&str>) -> ExitCode {
    ended(Speaker::named(name).and_then(|speaker| {
        let asked = async |question: &str, config, options| at(speaker.level, question, config, options).await;
        converse(speaker, name.unwrap_or_default(), asked)
    }))
}

/// Speaks for a level whose programs are in a package of their own, with providers that `make` makes.
pub fn run_for<P: Provider>(level: Level, make: impl AsyncFn(Config, Options) -> Result<P, Error>) -> ExitCode {
    let asked = async |question: &str, config, options| Ok(ask::ask(&make(config, options).await?, question).await);
    ended(converse(Speaker { level, forgetful: false }, level.name(), asked))
}

fn ended(end: Result<(), String>) -> ExitCode {
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

fn converse(
    speaker: Speaker,
    name: &str,
    asked: impl AsyncFn(&str, Config, Options) -> Result<Said, Error>,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let mut out = io::stdout().lock();
    let mut say = |line: &str| writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|e| e.to_string());
    say(&format!("plimsoll 1 subject={name} allocator=system profile=release build={}", env!("CARGO_PKG_VERSION")))?;
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words[..] {
            ["exit"] => break,
            ["say", question, base] => {
                let said = runtime.block_on(answer(speaker.level, question, base, &asked));
                say(&said.line(speaker.forgetful))?;
            }
            _ => say(&Said::Unsupported(format!("{:?}", words.first().unwrap_or(&""))).line(false))?,
        }
    }
    Ok(())
}

async fn answer(
    level: Level,
    question: &str,
    base: &str,
    asked: &impl AsyncFn(&str, Config, Options) -> Result<Said, Error>,
) -> Said {
    let read = |name: &str| std::env::var(name).unwrap_or_default();
    let env = Env {
        base_url: base.to_owned(),
        key: read("GEMINI_API_KEY"),
        ca: read("PLIMSOLL_CA"),
        resolve: read("PLIMSOLL_RESOLVE"),
        model: read("PLIMSOLL_MODEL"),
        prompt: read("PLIMSOLL_PROMPT"),
        http: read("PLIMSOLL_HTTP"),
        crypto: read("PLIMSOLL_CRYPTO"),
        runtime: read("PLIMSOLL_RUNTIME"),
        switches: std::env::var("PLIMSOLL_SWITCHES").unwrap_or_else(|_| "default".to_owned()),
        proxy: read("PLIMSOLL_PROXY"),
    };
    // Whom to trust and where the server is are the proxy's to know.
    let env = if level == Level::Proxied {
        Env { ca: String::new(), crypto: String::new(), resolve: String::new(), ..env }
    } else {
        env
    };
    let said = async {
        let form = if question == "streamGenerateContent" { StreamForm::Array } else { StreamForm::Sse };
        let options = Options { stream_form: form, ..crate::level_options(&env, level)? };
        let config = Config {
            api_key: env.key.clone(),
            base_url: Some(env.base_url.clone()),
            default_model: env.model.clone(),
            api_version: "v1beta".to_owned(),
            timeout_ms: crate::TIMEOUT_MS,
        };
        asked(question, config, options).await
    };
    said.await.unwrap_or_else(|error| Said::whole::<()>(Err(error)))
}
