//! The level `bare` as a subject.

use plimsoll_providers::Level;
use plimsoll_providers::gemini_bare_http::{BareGeminiConfig, BareGeminiProvider};
use plimsoll_worker::{Env, Failure};

pub use crate::ask::{chat, stream};

/// Makes the client.
pub async fn client(env: Env) -> Result<BareGeminiProvider, Failure> {
    let options = crate::options(&env, Level::Bare)?;
    let config = BareGeminiConfig {
        api_key: env.key,
        base_url: Some(env.base_url),
        default_model: env.model,
        api_version: "v1beta".to_owned(),
        timeout_ms: crate::TIMEOUT_MS,
    };
    BareGeminiProvider::with_options(config, options).await.map_err(crate::failure)
}
