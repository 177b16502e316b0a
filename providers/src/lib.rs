//! Gemini API providers, each a *level* of memory thrift, usable in production on their own.
//!
//! | level | type | what it is |
//! |---|---|---|
//! | `original` | [`gemini_original::GeminiProvider`] | what most people write: reqwest as it comes, serde_json, buffered bodies |
//! | `optimized` | [`gemini_optimized::OptimizedGeminiProvider`] | pooled buffers, a client built on first use, a small connection pool |
//! | `ultra` | [`gemini_ultra_optimized::UltraOptimizedGeminiProvider`] | nine techniques, each of which can be switched |
//! | `bare` | [`gemini_bare_http::BareGeminiProvider`] | a minimal HTTP/1.1 client of our own over rustls, bodies read where they lie |
//! | `libcurl` | `gemini_libcurl::LibcurlGeminiProvider` | libcurl in place of reqwest, built from source; with the feature `libcurl` |
//! | `mux` | [`gemini_mux::MuxGeminiProvider`] | HTTP/2 by the `h2` crate over rustls, for thousands of calls on few connections |
//! | `isolated` | [`gemini_process_isolated::IsolatedGeminiProvider`] | requests in helper processes, which give their memory back by ending |
//! | `proxied` | [`gemini_proxied::ProxiedGeminiProvider`] | no TLS in the process: a proxy on the same machine does it |
//!
//! All levels implement [`Provider`], share their [types] and answer alike; which one to take is a question of memory only.
//!
//! ```
//! use std::ops::ControlFlow;
//! use std::sync::Arc;
//!
//! use plimsoll_providers::gemini_ultra_optimized::{UltraOptimizedGeminiConfig, UltraOptimizedGeminiProvider};
//! use plimsoll_providers::{GenerateContentRequest, Provider};
//!
//! # // As a test it runs, against a server that stands in for the API.
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use wiremock::matchers::{header, path};
//! # let candidate = r#"{"candidates":[{"content":{"parts":[{"text":"A load line."}]},"finishReason":"STOP"}]}"#;
//! # let server = wiremock::MockServer::start().await;
//! # for (method, body, kind) in [
//! #     ("generateContent", candidate.to_owned(), "application/json"),
//! #     ("streamGenerateContent", format!("data: {candidate}\r\n\r\n"), "text/event-stream"),
//! # ] {
//! #     wiremock::Mock::given(path(format!("/v1beta/models/gemini-2.5-flash:{method}")))
//! #         .and(header("x-goog-api-key", "the-key"))
//! #         .respond_with(wiremock::ResponseTemplate::new(200).set_body_raw(body, kind))
//! #         .expect(1)
//! #         .mount(&server)
//! #         .await;
//! # }
//! let config = UltraOptimizedGeminiConfig {
//!     api_key: std::env::var("GEMINI_API_KEY").unwrap_or_default(),
//!     base_url: None,
//!     default_model: "gemini-2.5-flash".to_owned(),
//!     api_version: "v1beta".to_owned(),
//!     timeout_ms: 60_000,
//! };
//! # let config =
//! #     UltraOptimizedGeminiConfig { api_key: "the-key".to_owned(), base_url: Some(server.uri()), ..config };
//! let provider = Arc::new(UltraOptimizedGeminiProvider::new(config).await?);
//!
//! let request = GenerateContentRequest::user_text("Why is there a line on a ship's hull?");
//! let answer = provider.generate(&request).await?;
//! println!("{}", answer.text());
//! # assert_eq!(answer.text(), "A load line.");
//!
//! # let mut told = String::new();
//! provider
//!     .stream(&request, |event| {
//!         print!("{}", event.text());
//!         # told.push_str(&event.text());
//!         ControlFlow::Continue(())
//!     })
//!     .await?;
//! # assert_eq!(told, "A load line.");
//! # Ok(())
//! # }
//! ```
//!
//! The key goes into the `x-goog-api-key` header and nowhere else: no URL, no [`Error`], no `Debug` output holds it, and redirects are not
//! followed. Everything else that can be chosen (roots of trust, cryptography, HTTP version, timeouts, limits, techniques) is in [`Options`]:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use plimsoll_providers::gemini_original::{GeminiConfig, GeminiProvider};
//! use plimsoll_providers::{Options, Protocol, Timeouts};
//!
//! # async fn example(config: GeminiConfig) -> Result<(), plimsoll_providers::Error> {
//! let options = Options {
//!     protocol: Protocol::Http2,
//!     timeouts: Timeouts { idle: Some(Duration::from_secs(20)), ..Timeouts::default() },
//!     ..Options::default()
//! };
//! let provider = GeminiProvider::with_options(config, options).await?;
//! # Ok(())
//! # }
//! ```
//!
//! An error says what happened in types ([`Error`]); dropping a future cancels its request.
//!
//! # What can be asked
//!
//! | of the API | of a [`Provider`] |
//! |---|---|
//! | `generateContent` | [`generate`](Provider::generate) |
//! | `streamGenerateContent`, as events or as an array ([`StreamForm`]) | [`stream`](Provider::stream) |
//! | `countTokens` | [`count_tokens`](Provider::count_tokens) |
//! | `embedContent`, `batchEmbedContents` | [`embed`](Provider::embed), [`batch_embed`](Provider::batch_embed) |
//! | `models` | [`model`](Provider::model), [`models`](Provider::models), [`pages`](Provider::pages) |
//! | `cachedContents` | [`cached_contents_create`](Provider::cached_contents_create) and what follows it |
//! | `files` | [`files_upload`](Provider::files_upload) and what follows it |
//! | anything else | [`ask`](Provider::ask) with an [`Endpoint`] of your own |
//!
//! Lists are read page by page, so that only one page is held:
//!
//! ```no_run
//! use plimsoll_providers::{Error, ListModelsResponse, Provider};
//!
//! # async fn example(provider: impl Provider) -> Result<(), Error> {
//! let mut pages = provider.pages::<ListModelsResponse>(Some(50));
//! while let Some(models) = pages.next_page().await? {
//!     models.iter().for_each(|model| println!("{}", model.name));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # In production
//!
//! - A call is sent once, unless [`Options::retry`] says otherwise; [`Retry`] says what is sent again, and what never. (`bare` and
//!   `libcurl` also replace a connection that was closed just as it was used again, before a byte of an answer; so does `mux`, which
//!   sends once more, too, what the server says it did not look at.)
//! - [`Chat`] keeps the history of a conversation, and [`DynProvider`] is any level behind one type.
//! - With the feature `monitor`, `monitor::MemoryMonitor` watches how the process grows: a callback, a `tracing` event and OpenMetrics.
//! - Calls are told as [`tracing`](https://docs.rs/tracing) events of the target `plimsoll_providers`: `trace` when one is sent, `debug`
//!   when it ended, `warn` when it will be sent again. None of them holds the key, a question or an answer; the message of an error may
//!   quote the API's.
#![forbid(unsafe_code)]

mod call;
mod chat;
mod config;
mod dynamic;
mod endpoint;
mod error;
mod net;
mod options;
mod provider;
mod retry;
mod technique;

pub mod gemini_bare_http;
#[cfg(feature = "libcurl")]
pub mod gemini_libcurl;
pub mod gemini_mux;
pub mod gemini_optimized;
pub mod gemini_original;
#[cfg(unix)]
pub mod gemini_process_isolated;
pub mod gemini_proxied;
pub mod gemini_ultra_optimized;
#[cfg(feature = "monitor")]
pub mod monitor;
pub mod types;
pub mod wire;

pub use call::{Call, Reply};
pub use chat::{Chat, Message};
pub use config::Config;
pub use dynamic::DynProvider;
pub use endpoint::{Endpoint, Listing, Pager};
pub use error::{ApiError, Error, ErrorKind, Limited, Phase};
/// The crate of [`Call`]'s and [`Reply`]'s methods and headers.
pub use http;
pub use options::{Crypto, Limits, Options, Protocol, Resolve, StreamForm, Timeouts, Trust};
pub use provider::Provider;
pub use retry::Retry;
pub use technique::{Level, Technique, Techniques};
pub use types::*;
