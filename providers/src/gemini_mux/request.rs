//! A request as HTTP/2 wants it: a head of fields, and a body.

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::call::Call;
use crate::error::Error;
use crate::net::{API_KEY_HEADER, Address, ApiKey};
use crate::types::GenerateContentRequest;

const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const ANY: HeaderValue = HeaderValue::from_static("*/*");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request for content. The key's value is marked sensitive, so that it is written as a literal that is never put into a table.
pub(super) fn content(
    address: &Address<'_>,
    key: &ApiKey,
    gzip: bool,
    request: &GenerateContentRequest,
) -> Result<(Request<()>, Bytes), Error> {
    let body = serde_json::to_vec(request).map_err(|error| Error::Request(Box::new(error)))?;
    let mut head = head(Method::POST, address.text())?;
    let fields = head.headers_mut();
    fields.reserve(if gzip { 5 } else { 4 });
    fields.insert(API_KEY_HEADER, key.header());
    fields.insert(CONTENT_TYPE, JSON);
    fields.insert(ACCEPT, ANY);
    if gzip {
        fields.insert(ACCEPT_ENCODING, GZIP);
    }
    fields.insert(CONTENT_LENGTH, body.len().into());
    Ok((head, body.into()))
}

/// A call of `url`.
///
/// The call's own headers are sent but for those that say whom it goes to, where it ends, how the answer may come, and what HTTP/1.1
/// says about a connection: these are ours, or HTTP/2 has none.
pub(super) fn call(url: &str, key: &ApiKey, call: &Call) -> Result<(Request<()>, Bytes), Error> {
    let (method, body) = (call.method().clone(), call.body().clone());
    let has_length = !body.is_empty() || [Method::POST, Method::PUT, Method::PATCH].contains(&method);
    let mut head = head(method, url.to_owned())?;
    let fields = head.headers_mut();
    for (name, value) in call.headers().iter().filter(|(name, _)| !is_ours(name)) {
        fields.append(name, value.clone());
    }
    fields.insert(API_KEY_HEADER, key.header());
    fields.insert(ACCEPT_ENCODING, GZIP);
    fields.entry(ACCEPT).or_insert(ANY);
    if has_length {
        fields.insert(CONTENT_LENGTH, body.len().into());
    }
    Ok((head, body))
}

fn is_ours(name: &HeaderName) -> bool {
    const OURS: [HeaderName; 8] =
        [HOST, API_KEY_HEADER, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, TE, TRANSFER_ENCODING, UPGRADE];
    OURS.contains(name) || ["keep-alive", "proxy-connection"].contains(&name.as_str())
}

fn head(method: Method, url: String) -> Result<Request<()>, Error> {
    let uri = Uri::from_maybe_shared(Bytes::from(url))
        .map_err(|error| Error::config(format!("base_url and model make no URL: {error}")))?;
    let mut head = Request::new(());
    (*head.method_mut(), *head.uri_mut()) = (method, uri);
    *head.headers_mut() = HeaderMap::new();
    Ok(head)
}
