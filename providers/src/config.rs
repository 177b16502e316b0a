//! What a provider must be told; everything optional is in [`Options`](crate::Options).

use std::fmt;

use crate::error::Error;

/// Where the public API lives.
pub(crate) const DEFAULT_BASE_URL: &str = "https://generativelanguage.googleapis.com";

/// A provider's configuration: the same five fields at every level, so that changing the level changes nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// The API key. It is sent in the `x-goog-api-key` header only and never shown.
    pub api_key: String,
    /// Where requests go, with or without a path prefix; `None`: the public API.
    pub base_url: Option<String>,
    /// The model that a request without a model of its own goes to, e.g. `gemini-2.5-flash`.
    pub default_model: String,
    /// The API's version, the first path segment after the base: `v1beta`.
    pub api_version: String,
    /// How long a whole `generate` call may take, and how long a stream may be silent, in milliseconds. 0: for ever.
    /// [`Timeouts`](crate::Timeouts) sets each limit apart.
    pub timeout_ms: u64,
}

impl Config {
    /// Where requests go, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        self.base_url.as_deref().unwrap_or(DEFAULT_BASE_URL).trim_end_matches('/')
    }

    /// The base's scheme and authority, and the path prefix behind them, which is empty or begins with a slash.
    pub(crate) fn origin_and_prefix(&self) -> (&str, &str) {
        let base = self.base();
        // A level may keep the path alone, which begins with a slash.
        let host = base.find("://").filter(|_| !base.starts_with('/')).map_or(0, |at| at + 3);
        base.split_at(base[host..].find('/').map_or(base.len(), |at| host + at))
    }

    /// Refuses what can be known to be wrong without a request.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.api_key.trim().is_empty() {
            return Err(Error::config("api_key is empty: take a key from https://aistudio.google.com/apikey"));
        }
        if self.default_model.is_empty() {
            return Err(Error::config("default_model is empty: name a model, e.g. gemini-2.5-flash"));
        }
        // It stands in the first line of a request as it is: what could end that line, or lead elsewhere, is no version.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if matches!(&*self.api_version, "" | "." | "..") || !self.api_version.bytes().all(plain) {
            return Err(Error::config("api_version must be one path segment, e.g. v1beta"));
        }
        let base = reqwest::Url::parse(self.base()).map_err(|error| {
            Error::config(format!("base_url is not a URL ({error}): write it like {DEFAULT_BASE_URL}"))
        })?;
        if !matches!(base.scheme(), "http" | "https") || base.query().is_some() || base.fragment().is_some() {
            return Err(Error::config("base_url must start with http:// or https:// and end before any ? or #"));
        }
        Ok(())
    }
}

impl Default for Config {
    /// The public API, `gemini-2.5-flash`, one minute, and no key yet.
    fn default() -> Self {
        Self {
            api_key: String::new(),
            base_url: None,
            default_model: "gemini-2.5-flash".to_owned(),
            api_version: "v1beta".to_owned(),
            timeout_ms: 60_000,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("api_key", &format_args!("[not shown]"))
            .field("base_url", &self.base_url)
            .field("default_model", &self.default_model)
            .field("api_version", &self.api_version)
            .field("timeout_ms", &self.timeout_ms)
            .finish()
    }
}
