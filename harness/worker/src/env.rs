//! What a subject finds in its environment, and what it is to ask.

use std::fmt;
use std::sync::Arc;

use crate::Failure;

/// What the client is to be made of. The texts are the client's to keep.
#[derive(Clone)]
pub struct Env {
    /// Where requests go, e.g. `https://localhost:34567/s/chat`; `/v1beta/models/…` is appended.
    pub base_url: String,
    /// The API key: for the `x-goog-api-key` header only.
    pub key: String,
    /// Path of a PEM bundle: the only roots to trust.
    pub ca: String,
    /// `HOST:PORT:ADDRESS`: connect there for that host and port, without DNS; may be empty.
    pub resolve: String,
    /// The model's name in the URL's path.
    pub model: String,
    /// The text to send.
    pub prompt: String,
    /// `h1` or `h2`: the only protocol to offer.
    pub http: String,
    /// `ring` or `aws-lc`, for clients that can choose.
    pub crypto: String,
    /// Where the subject's proxy listens; empty if it has none.
    pub proxy: String,
    /// `current_thread` or `multi_thread`: what the worker runs on.
    pub runtime: String,
    /// Techniques, comma-separated; `default` leaves them as the level sets them; empty: all off.
    pub switches: String,
}

impl Env {
    /// Reads the protocol's variables.
    ///
    /// # Errors
    /// When one that every subject is given is not set: the program was not started by `plimsoll`.
    pub fn read() -> Result<Self, Failure> {
        Ok(Self {
            base_url: required("PLIMSOLL_BASE_URL")?,
            key: key(),
            ca: optional("PLIMSOLL_CA"),
            resolve: optional("PLIMSOLL_RESOLVE"),
            model: required("PLIMSOLL_MODEL")?,
            prompt: required("PLIMSOLL_PROMPT")?,
            http: optional("PLIMSOLL_HTTP"),
            crypto: optional("PLIMSOLL_CRYPTO"),
            proxy: optional("PLIMSOLL_PROXY"),
            runtime: optional("PLIMSOLL_RUNTIME"),
            switches: std::env::var("PLIMSOLL_SWITCHES").unwrap_or_else(|_| "default".to_owned()),
        })
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("base_url", &self.base_url)
            .field("key", &"[key]")
            .field("ca", &self.ca)
            .field("resolve", &self.resolve)
            .field("model", &self.model)
            .field("prompt", &self.prompt)
            .field("http", &self.http)
            .field("crypto", &self.crypto)
            .field("proxy", &self.proxy)
            .field("runtime", &self.runtime)
            .field("switches", &self.switches)
            .finish()
    }
}

/// What to ask. A copy costs no memory: every request shares the same two texts.
#[derive(Debug, Clone)]
pub struct Request {
    prompt: Arc<str>,
    model: Arc<str>,
}

impl Request {
    pub(crate) fn new(env: &Env) -> Self {
        Self { prompt: env.prompt.as_str().into(), model: env.model.as_str().into() }
    }

    /// The text of the one user part to send.
    #[must_use]
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// The model's name in the URL's path.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }
}

/// The prompt.
impl AsRef<str> for Request {
    fn as_ref(&self) -> &str {
        &self.prompt
    }
}

/// The prompt.
impl From<Request> for String {
    fn from(request: Request) -> Self {
        request.prompt.as_ref().to_owned()
    }
}

/// The API key, empty if there is none.
pub(crate) fn key() -> String {
    optional("GEMINI_API_KEY")
}

/// A variable's value, empty if it is not set.
pub(crate) fn optional(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn required(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| Failure::other(format!("{name} is not set: start the subject with `plimsoll run`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_key() {
        let text = || "x".to_owned();
        let env = Env {
            base_url: text(),
            key: "canary".to_owned(),
            ca: text(),
            resolve: text(),
            model: text(),
            prompt: text(),
            http: text(),
            crypto: text(),
            proxy: text(),
            runtime: text(),
            switches: text(),
        };
        assert!(!format!("{env:#?}").contains("canary"));
    }
}
