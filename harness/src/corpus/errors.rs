//! The service's errors, in the words and shapes that public logs show.

use bytes::Bytes;

use super::{Body, HTML, Reply};

pub(super) fn replies() -> impl Iterator<Item = Reply> {
    let json = ERRORS.iter().map(|(name, status, json)| Reply {
        name: format!("error-{name}"),
        status: *status,
        body: Body::Error(Bytes::from_static(json.as_bytes())),
    });
    let page = Reply {
        name: "error-404-html".to_owned(),
        status: 404,
        body: Body::Raw { content_type: HTML, bytes: Bytes::from_static(include_bytes!("errors/404.html")) },
    };
    json.chain([page])
}

/// Name, status, body.
const ERRORS: [(&str, u16, &str); 9] = [
    ("400", 400, include_str!("errors/400.json")),
    ("400-key", 400, include_str!("errors/400-key.json")),
    ("403", 403, include_str!("errors/403.json")),
    ("404", 404, include_str!("errors/404.json")),
    ("429", 429, include_str!("errors/429.json")),
    ("429-daily", 429, include_str!("errors/429-daily.json")),
    ("500", 500, include_str!("errors/500.json")),
    ("503", 503, include_str!("errors/503.json")),
    ("504", 504, include_str!("errors/504.json")),
];
