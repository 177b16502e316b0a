//! The response headers that the service was seen to send, in values of constant length, so that a head is the same bytes
//! every time.

use http::header::{ALT_SVC, CONTENT_DISPOSITION, CONTENT_TYPE, DATE, HeaderName, HeaderValue, SERVER, VARY};

use crate::corpus::{JSON, SSE};

/// The headers of an answer, in the order they are sent; not those that frame or encode the body.
pub(super) fn for_body(content_type: &str, status: u16) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![(CONTENT_TYPE, value(content_type))];
    if content_type.starts_with(SSE) && status == 200 {
        headers.push((CONTENT_DISPOSITION, HeaderValue::from_static("attachment")));
    }
    headers.extend([
        (VARY, HeaderValue::from_static("Origin")),
        (DATE, THEN),
        (SERVER, HeaderValue::from_static("scaffolding on HTTPServer2")),
        (HeaderName::from_static("x-xss-protection"), HeaderValue::from_static("0")),
        (HeaderName::from_static("x-frame-options"), HeaderValue::from_static("SAMEORIGIN")),
        (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("server-timing"), HeaderValue::from_static("gfet4t7; dur=1204")),
        (ALT_SVC, H3),
    ]);
    headers
}

/// The headers of the server that takes uploads: `own` is what it says of the upload.
pub(super) fn for_upload(content_type: &str, own: Vec<(HeaderName, HeaderValue)>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![(CONTENT_TYPE, value(content_type))];
    headers.extend(own);
    if content_type.starts_with(JSON) {
        headers.push((VARY, HeaderValue::from_static("Origin")));
    }
    headers.extend([(DATE, THEN), (SERVER, HeaderValue::from_static("UploadServer")), (ALT_SVC, H3)]);
    headers
}

// A real date would do as well over HTTP/1.1, but HPACK codes digits in five to seven bits.
const THEN: HeaderValue = HeaderValue::from_static("Thu, 01 Jan 2026 00:00:00 GMT");
const H3: HeaderValue = HeaderValue::from_static("h3=\":443\"; ma=2592000,h3-29=\":443\"; ma=2592000");

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"))
}
