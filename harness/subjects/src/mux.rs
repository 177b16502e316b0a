//! The level `mux` as a subject.

use plimsoll_providers::gemini_mux::{MuxGeminiConfig, MuxGeminiProvider};
use plimsoll_providers::{Level, Provider};
use plimsoll_worker::{Env, Failure};

pub use crate::ask::{chat, stream};

/// Makes the client.
pub async fn client(env: Env) -> Result<impl Provider, Failure> {
    let options = crate::options(&env, Level::Mux)?;
    let config = MuxGeminiConfig {
        api_key: env.key,
        base_url: Some(env.base_url),
        default_model: env.model,
        api_version: "v1beta".to_owned(),
        timeout_ms: crate::TIMEOUT_MS,
    };
    MuxGeminiProvider::with_options(config, options).await.map_err(crate::failure)
}
