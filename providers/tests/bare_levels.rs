//! The level `bare` against what every level is held to: the very cases of `levels/`, with this one level.

use std::future::Future;
use std::ops::ControlFlow;
use std::time::Duration;

use plimsoll_providers::gemini_bare_http::BareGeminiProvider;
use plimsoll_providers::{Config, Error, GenerateContentRequest, Options, Provider};

#[path = "levels/answers.rs"]
mod answers;
#[path = "levels/failures.rs"]
mod failures;
#[path = "levels/secrets.rs"]
mod secrets;
#[path = "levels/server.rs"]
mod server;
#[path = "levels/streams.rs"]
mod streams;

/// What stands for a key, and must be found nowhere but in its header.
pub(crate) const CANARY: &str = "canary-5f3a91";

/// Far beyond what any test needs: only what hangs meets it.
const HANG: Duration = Duration::from_secs(30);

pub(crate) trait Subject: Sized {
    type Provider: Provider + std::fmt::Debug;

    fn make(config: Config, options: Options) -> impl Future<Output = Result<Self::Provider, Error>>;

    async fn at(base: &str, options: Options) -> Self::Provider {
        Self::make(config(base), options).await.unwrap()
    }
}

pub(crate) struct Bare;

impl Subject for Bare {
    type Provider = BareGeminiProvider;

    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        BareGeminiProvider::with_options(config, options).await
    }
}

pub(crate) fn config(base: &str) -> Config {
    Config {
        api_key: CANARY.to_owned(),
        base_url: Some(base.to_owned()),
        default_model: "m".to_owned(),
        ..Config::default()
    }
}

pub(crate) fn question() -> GenerateContentRequest {
    GenerateContentRequest::user_text("why?")
}

pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANG, future).await.expect("the test hangs")
}

pub(crate) async fn collect(provider: &impl Provider) -> (String, Result<(), Error>) {
    let mut text = String::new();
    let end = provider
        .stream(&question(), |event| {
            text.extend(event.texts());
            ControlFlow::Continue(())
        })
        .await;
    (text, end)
}

macro_rules! every_level {
    ($($case:ident)+) => {$(
        #[tokio::test]
        async fn $case() {
            $crate::in_time(on::$case::<$crate::Bare>()).await;
        }
    )+};
}

pub(crate) use every_level;
