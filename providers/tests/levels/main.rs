//! Every level against the same servers: wiremock for whole answers, a raw one of our own for what wiremock cannot do.

mod answers;
mod arrays;
mod failures;
mod frames;
mod http2;
mod isolated;
mod layers;
mod logs;
mod matrix;
mod mux;
mod nasty;
mod protocols;
mod proxied;
mod retries;
mod secrets;
mod server;
mod streams;
mod surface;
mod techniques;
mod tls;
mod tls_server;

use std::future::Future;
use std::ops::ControlFlow;
use std::time::Duration;

use plimsoll_providers::gemini_bare_http::BareGeminiProvider;
#[cfg(feature = "libcurl")]
use plimsoll_providers::gemini_libcurl::LibcurlGeminiProvider;
use plimsoll_providers::gemini_mux::MuxGeminiProvider;
use plimsoll_providers::gemini_optimized::OptimizedGeminiProvider;
use plimsoll_providers::gemini_original::GeminiProvider;
use plimsoll_providers::gemini_process_isolated::{Helpers, IsolatedGeminiProvider};
use plimsoll_providers::gemini_proxied::{ProxiedGeminiProvider, TlsProxy};
use plimsoll_providers::gemini_ultra_optimized::UltraOptimizedGeminiProvider;
use plimsoll_providers::{Config, Crypto, Error, GenerateContentRequest, Options, Provider, Techniques, Trust};

/// What stands for a key, and must be found nowhere but in its header.
pub(crate) const CANARY: &str = "canary-5f3a91";

/// Far beyond what any test needs: only what hangs meets it.
const HANG: Duration = Duration::from_secs(30);

/// A level as the tests make it.
pub(crate) trait Subject: Sized {
    type Provider: Provider + std::fmt::Debug;

    /// Whose cryptography it can be told to take.
    const CRYPTO: &[Crypto] = &[Crypto::Default, Crypto::Ring, Crypto::AwsLc];

    /// Whether it can speak HTTP/1.1.
    const HTTP1: bool = true;

    /// Whether TLS is done in the process itself.
    const OWN_TLS: bool = true;

    fn make(config: Config, options: Options) -> impl Future<Output = Result<Self::Provider, Error>>;

    /// A provider for a server at `base`.
    async fn at(base: &str, options: Options) -> Self::Provider {
        Self::make(config(base), options).await.unwrap()
    }
}

pub(crate) struct Original;
pub(crate) struct Optimized;
pub(crate) struct OptimizedPlain;
pub(crate) struct Ultra;
pub(crate) struct UltraPlain;
pub(crate) struct Bare;
#[cfg(feature = "libcurl")]
pub(crate) struct Libcurl;
pub(crate) struct Mux;
pub(crate) struct Isolated;
pub(crate) struct Proxied;

impl Subject for Original {
    type Provider = GeminiProvider;

    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        GeminiProvider::with_options(config, options).await
    }
}

impl Subject for Optimized {
    type Provider = OptimizedGeminiProvider;

    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        OptimizedGeminiProvider::with_options(config, options).await
    }
}

impl Subject for OptimizedPlain {
    type Provider = OptimizedGeminiProvider;

    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        OptimizedGeminiProvider::with_options(config, Options { techniques: Techniques::NONE, ..options }).await
    }
}

impl Subject for Ultra {
    type Provider = UltraOptimizedGeminiProvider;

    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        UltraOptimizedGeminiProvider::with_options(config, options).await
    }
}

impl Subject for UltraPlain {
    type Provider = UltraOptimizedGeminiProvider;

    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        UltraOptimizedGeminiProvider::with_options(config, Options { techniques: Techniques::NONE, ..options }).await
    }
}

impl Subject for Bare {
    type Provider = BareGeminiProvider;

    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        BareGeminiProvider::with_options(config, options).await
    }
}

#[cfg(feature = "libcurl")]
impl Subject for Libcurl {
    type Provider = LibcurlGeminiProvider;

    const CRYPTO: &[Crypto] = &[Crypto::Default, Crypto::AwsLc];

    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        LibcurlGeminiProvider::with_options(config, options).await
    }
}

impl Subject for Mux {
    type Provider = MuxGeminiProvider;

    const HTTP1: bool = false;

    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        MuxGeminiProvider::with_options(config, options).await
    }
}

impl Isolated {
    /// The tests' program is no helper: it has a `main` of its own.
    pub(crate) fn helpers() -> Helpers {
        Helpers { program: Some(env!("CARGO_BIN_EXE_gemini-helper").into()), ..Helpers::default() }
    }
}

impl Subject for Isolated {
    type Provider = IsolatedGeminiProvider;

    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        IsolatedGeminiProvider::with_helpers(config, options, Self::helpers()).await
    }
}

impl Subject for Proxied {
    type Provider = ProxiedGeminiProvider;

    const OWN_TLS: bool = false;

    /// With a proxy of its own, which is told what belongs to TLS.
    async fn make(config: Config, options: Options) -> Result<Self::Provider, Error> {
        let base = config.base_url.clone().unwrap_or_default();
        let proxy = TlsProxy::bind(&"127.0.0.1:0".parse()?, &base, &options).await?;
        let address = proxy.address()?;
        tokio::spawn(proxy.serve());
        let own = Options { trust: Trust::Platform, crypto: Crypto::Default, resolve: Vec::new(), ..options };
        ProxiedGeminiProvider::with_options(config, address, own).await
    }
}

/// A configuration for a server at `base`, with the canary as its key.
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

/// Fails a test that hangs.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    within(HANG, future).await
}

pub(crate) async fn within<F: Future>(limit: Duration, future: F) -> F::Output {
    tokio::time::timeout(limit, future).await.expect("the test hangs")
}

/// All texts of a stream, and how it ended.
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

/// Runs one case on one level.
macro_rules! on_level {
    ($case:ident: $($(#[$on:meta])* $name:ident $level:ident)+) => {$(
        $(#[$on])*
        #[tokio::test]
        async fn $name() {
            $crate::in_time(super::on::$case::<$crate::$level>()).await;
        }
    )+};
}

/// Runs one case on every level, the switchable ones with all techniques and with none.
macro_rules! every_level {
    ($($case:ident)+) => {$(
        mod $case {
            $crate::on_level! { $case:
                original Original
                optimized Optimized
                optimized_without_techniques OptimizedPlain
                ultra Ultra
                ultra_without_techniques UltraPlain
                bare Bare
                #[cfg(feature = "libcurl")]
                libcurl Libcurl
                mux Mux
                isolated Isolated
                proxied Proxied
            }
        }
    )+};
}

/// The same on every level that can speak HTTP/1.1: all but mux, which refuses to be set up for it.
macro_rules! every_http1_level {
    ($($case:ident)+) => {$(
        mod $case {
            $crate::on_level! { $case:
                original Original
                optimized Optimized
                optimized_without_techniques OptimizedPlain
                ultra Ultra
                ultra_without_techniques UltraPlain
                bare Bare
                #[cfg(feature = "libcurl")]
                libcurl Libcurl
                isolated Isolated
                proxied Proxied
            }
        }
    )+};
}

/// The same on every level that connects to the server itself: all but proxied, whose proxy does, and answers 502 where it cannot.
macro_rules! every_direct_level {
    ($($case:ident)+) => {$(
        mod $case {
            $crate::on_level! { $case:
                original Original
                optimized Optimized
                optimized_without_techniques OptimizedPlain
                ultra Ultra
                ultra_without_techniques UltraPlain
                bare Bare
                #[cfg(feature = "libcurl")]
                libcurl Libcurl
                mux Mux
                isolated Isolated
            }
        }
    )+};
}

/// The same on every level that can speak HTTP/2: all but bare and proxied, which refuse to be set up for it.
macro_rules! every_http2_level {
    ($($case:ident)+) => {$(
        mod $case {
            $crate::on_level! { $case:
                original Original
                optimized Optimized
                optimized_without_techniques OptimizedPlain
                ultra Ultra
                ultra_without_techniques UltraPlain
                #[cfg(feature = "libcurl")]
                libcurl Libcurl
                mux Mux
                isolated Isolated
            }
        }
    )+};
}

/// The same on every level that can speak both.
macro_rules! every_level_of_both {
    ($($case:ident)+) => {$(
        mod $case {
            $crate::on_level! { $case:
                original Original
                optimized Optimized
                optimized_without_techniques OptimizedPlain
                ultra Ultra
                ultra_without_techniques UltraPlain
                #[cfg(feature = "libcurl")]
                libcurl Libcurl
                isolated Isolated
            }
        }
    )+};
}

pub(crate) use {every_direct_level, every_http1_level, every_http2_level, every_level, every_level_of_both, on_level};
