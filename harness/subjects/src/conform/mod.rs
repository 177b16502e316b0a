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
use plimsoll_providers::gemini_ultra_optimized::UltraOptimizedGeminiProvider;
use plimsoll_providers::{Config, Error, Level, Options, StreamForm};
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
    match Speaker::named(name).and_then(|speaker| converse(speaker, name.unwrap_or_default())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

fn converse(speaker: Speaker, name: &str) -> Result<(), String> {
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
                let said = runtime.block_on(answer(speaker.level, question, base));
                say(&said.line(speaker.forgetful))?;
            }
            _ => say(&Said::Unsupported(format!("{:?}", words.first().unwrap_or(&""))).line(false))?,
        }
    }
    Ok(())
}

async fn answer(level: Level, question: &str, base: &str) -> Said {
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
    };
    let asked = async {
        let form = if question == "streamGenerateContent" { StreamForm::Array } else { StreamForm::Sse };
        let options = Options { stream_form: form, ..crate::level_options(&env, level)? };
        let config = Config {
            api_key: env.key.clone(),
            base_url: Some(env.base_url.clone()),
            default_model: env.model.clone(),
            api_version: "v1beta".to_owned(),
            timeout_ms: crate::TIMEOUT_MS,
        };
        at(level, question, config, options).await
    };
    asked.await.unwrap_or_else(|error| Said::whole::<()>(Err(error)))
}
