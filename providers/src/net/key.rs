//! The API key, in the only form in which it leaves the process.

use std::fmt;

use reqwest::header::{HeaderName, HeaderValue};

use crate::error::{ApiError, Error};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The header that carries the key.
pub(crate) const API_KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");

/// An API key as a header's value that is marked sensitive: HTTP/2 does not put it in a compression table, and `Debug` hides it.
#[derive(Clone)]
pub(crate) struct ApiKey(HeaderValue);

impl ApiKey {
    pub(crate) fn new(key: &str) -> Result<Self, Error> {
        // The header's own error is dropped: what it says is about the key.
        let mut value = HeaderValue::from_str(key)
            .map_err(|_| Error::config("api_key holds a character that no header may hold: look for a line end"))?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Takes the key out of what a server says: it may quote what it refuses.
    pub(crate) fn redact(&self, mut error: ApiError) -> ApiError {
        if let Ok(key) = self.0.to_str() {
            error.redact(key);
        }
        error
    }

    /// The same for any error: a reader, too, quotes what it cannot read.
    pub(crate) fn cleanse(&self, error: Error) -> Error {
        match error {
            Error::Api(error) => Error::Api(Box::new(self.redact(*error))),
            Error::Answer { expected, source } => Error::Answer { expected, source: self.cleanse_source(source) },
            Error::Transport { phase, source } => Error::Transport { phase, source: self.cleanse_source(source) },
            other => other,
        }
    }

    fn cleanse_source(&self, source: Source) -> Source {
        let Ok(key) = self.0.to_str() else { return source };
        let text = crate::error::chain(source.as_ref());
        if text.contains(key) || format!("{source:?}").contains(key) {
            text.replace(key, "[key]").into()
        } else {
            source
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[not shown]")
    }
}
