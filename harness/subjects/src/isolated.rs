//! The level `isolated` as a subject.

use plimsoll_providers::gemini_process_isolated::{IsolatedGeminiConfig, IsolatedGeminiProvider};
use plimsoll_providers::{Level, Provider};
use plimsoll_worker::{Env, Failure};

pub use crate::ask::{chat, stream};
pub use plimsoll_providers::gemini_process_isolated::enter_helper;

/// Makes the client.
pub async fn client(env: Env) -> Result<impl Provider, Failure> {
    let options = crate::options(&env, Level::Isolated)?;
    let config = IsolatedGeminiConfig {
        api_key: env.key,
        base_url: Some(env.base_url),
        default_model: env.model,
        api_version: "v1beta".to_owned(),
        timeout_ms: crate::TIMEOUT_MS,
    };
    IsolatedGeminiProvider::with_options(config, options).await.map_err(crate::failure)
}
