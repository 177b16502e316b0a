//! The level `proxied` as a subject.

use plimsoll_providers::gemini_proxied::{ProxiedGeminiConfig, ProxiedGeminiProvider};
use plimsoll_providers::{Level, Provider};
use plimsoll_worker::{Env, Failure};

pub use crate::ask::{chat, stream};

/// Makes the client.
pub async fn client(env: Env) -> Result<impl Provider, Failure> {
    let proxy = env.proxy.parse().map_err(crate::failure)?;
    // Whom to trust and where the server is are the proxy's to know.
    let env = Env { ca: String::new(), crypto: String::new(), resolve: String::new(), ..env };
    let options = crate::options(&env, Level::Proxied)?;
    let config = ProxiedGeminiConfig {
        api_key: env.key,
        base_url: Some(env.base_url),
        default_model: env.model,
        api_version: "v1beta".to_owned(),
        timeout_ms: crate::TIMEOUT_MS,
    };
    ProxiedGeminiProvider::with_options(config, proxy, options).await.map_err(crate::failure)
}
