//! One request as every level sends it, and what came back: the seam between what the API offers and how a level speaks to it.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;

use crate::config::Config;
use crate::error::Error;

/// One request to the API, without the key, the host and the version: those are the provider's.
#[derive(Clone)]
pub struct Call {
    method: Method,
    place: Place,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    repeatable: bool,
}

/// What a path stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The base and the API's version.
    Api,
    /// The base, `upload` and the API's version.
    Upload,
    /// The base's host: the path came from the server.
    Host,
}

impl Call {
    /// A call of `path`, which stands behind the API's version and may have a query.
    ///
    /// What comes from outside must have been checked or encoded: the path is sent as it is.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        // What only reads may be asked twice; POST is told apart by who describes it.
        let repeatable = method.is_safe() || method == Method::DELETE;
        let (path, headers) = (path.into(), HeaderMap::new());
        Self { method, place: Place::Api, path, headers, body: Bytes::new(), repeatable }
    }

    /// A call with `body` as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] for a body that cannot be written.
    pub fn json(method: Method, path: impl Into<String>, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Request(Box::new(error)))?;
        let call = Self::new(method, path).with_header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Self { body: body.into(), ..call })
    }

    /// The same behind `upload/`.
    pub(crate) fn upload(self) -> Self {
        Self { place: Place::Upload, ..self }
    }

    /// A call of a path that the server gave, in a session of an upload.
    pub(crate) fn session(path: impl Into<String>, body: Bytes) -> Self {
        Self { place: Place::Host, body, ..Self::new(Method::POST, path) }
    }

    /// The same, and asking twice changes nothing.
    #[must_use]
    pub fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// The same with one more header. The key's is not among them: a level adds it.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// A name for events and logs that tells nothing of what is asked.
    pub(crate) fn name(&self) -> &'static str {
        match (self.place, &self.method) {
            (Place::Api, &Method::GET) => "get",
            (Place::Api, &Method::PATCH) => "update",
            (Place::Api, &Method::DELETE) => "delete",
            (Place::Api, _) => "call",
            (Place::Upload | Place::Host, _) => "upload",
        }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The headers, without the key's.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body; empty for none.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether asking twice changes nothing.
    pub fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    /// The whole address for a provider with `config`. It is always on the base's host, because the key goes there too.
    pub fn url(&self, config: &Config) -> String {
        let (base, version, path) = (config.base(), &*config.api_version, &*self.path);
        match self.place {
            Place::Api => [base, "/", version, "/", path].concat(),
            Place::Upload => [base, "/upload/", version, "/", path].concat(),
            Place::Host => {
                let (origin, prefix) = config.origin_and_prefix();
                let prefix = if path.starts_with(prefix) { "" } else { prefix };
                [origin, prefix, path].concat()
            }
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A session's path is as good as a key for its upload.
        let path = if self.place == Place::Host { "[not shown]" } else { &self.path };
        write!(f, "Call({} {path}, {} bytes)", self.method, self.body.len())
    }
}

/// What came back: a success. Anything else is an [`Error`].
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status, 200 to 299.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, after decompression.
    pub body: Bytes,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({}, {} bytes)", self.status, self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str, call: &Call) -> String {
        call.url(&Config { base_url: Some(base.to_owned()), ..Config::default() })
    }

    #[test]
    fn addresses_follow_the_base_with_its_prefix() {
        let call = Call::new(Method::GET, "models?pageSize=3");
        assert_eq!(url("http://localhost:1/s/a/", &call), "http://localhost:1/s/a/v1beta/models?pageSize=3");
        let call = Call::new(Method::POST, "files").upload();
        assert_eq!(url("http://localhost:1/s/a", &call), "http://localhost:1/s/a/upload/v1beta/files");
    }

    #[test]
    fn a_session_stays_on_the_bases_host_and_is_not_shown() {
        for path in ["/s/a/upload/v1beta/files?upload_id=secret", "/upload/v1beta/files?upload_id=secret"] {
            let call = Call::session(path, Bytes::new());
            assert_eq!(
                url("http://localhost:1/s/a", &call),
                "http://localhost:1/s/a/upload/v1beta/files?upload_id=secret"
            );
            assert!(!format!("{call:?}").contains("secret"));
        }
    }
}
