//! The level `libcurl` as a subject.
//!
//! Its programs are apart from the other levels': the crate `curl` links libcurl into, and initialises it before `main` of, every
//! program of a build that has it, and rustls-ffi changes what rustls prefers.
#![forbid(unsafe_code)]

use plimsoll_providers::gemini_libcurl::{LibcurlGeminiConfig, LibcurlGeminiProvider};
use plimsoll_providers::{Level, Provider};
use plimsoll_subjects::{TIMEOUT_MS, failure, options};
use plimsoll_worker::{Env, Failure};

pub use plimsoll_subjects::ask::{chat, stream};

/// Makes the client.
///
/// # Errors
///
/// What the level cannot be set up with.
pub async fn client(env: Env) -> Result<impl Provider, Failure> {
    let options = options(&env, Level::Libcurl)?;
    let config = LibcurlGeminiConfig {
        api_key: env.key,
        base_url: Some(env.base_url),
        default_model: env.model,
        api_version: "v1beta".to_owned(),
        timeout_ms: TIMEOUT_MS,
    };
    LibcurlGeminiProvider::with_options(config, options).await.map_err(failure)
}
