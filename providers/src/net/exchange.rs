//! One exchange: the head of an answer judged, its body chunk by chunk, and failures as our errors.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response};

use super::address::Address;
use super::key::{API_KEY_HEADER, ApiKey};
use super::wait::Wait;
use crate::call::{Call, Reply};
use crate::error::{ApiError, Error, Limited, Phase};
use crate::wire::answer::ANSWER;

/// The most of an error's body that is read, in bytes.
const MAX_ERROR_BODY: usize = 256 << 10;

/// Sends a call by a level's client and reads its whole answer, of at most `limit` bytes.
pub(crate) async fn call(
    client: &Client,
    url: &str,
    call: &Call,
    key: &ApiKey,
    wait: &Wait,
    limit: usize,
) -> Result<Reply, Error> {
    let sent = client
        .request(call.method().clone(), Address::parse(url)?)
        .headers(call.headers().clone())
        .header(API_KEY_HEADER, key.header())
        .body(call.body().clone())
        .send();
    let response = wait.head(sent).await?.map_err(|error| transport(error, Phase::Head, wait))?;
    let response = accept(response, wait, key).await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let (mut chunks, mut body) = (response.bytes_stream(), Vec::new());
    while let Some(chunk) = next_chunk(&mut chunks, wait).await? {
        if body.len() + chunk.len() > limit {
            return Err(Error::TooLong { what: Limited::Body, limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body: body.into() })
}

/// Lets a successful answer pass. Anything else is an error, whatever its content type says: on a streaming call the API labels
/// even its refusals `text/event-stream`.
pub(crate) async fn accept(response: Response, wait: &Wait, key: &ApiKey) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    if status.is_redirection() {
        return Err(Error::Redirect(status.as_u16()));
    }
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| delay(value.to_str().ok()?.trim()));
    let (mut chunks, mut body) = (response.bytes_stream(), Vec::new());
    // A refusal that breaks off is still a refusal: what came of it is read.
    while body.len() < MAX_ERROR_BODY
        && let Ok(Some(chunk)) = next_chunk(&mut chunks, wait).await
    {
        body.extend_from_slice(&chunk);
    }
    let error = ApiError { retry_after, ..ApiError::from_body(status.as_u16(), &body) };
    Err(Error::Api(Box::new(key.redact(error))))
}

/// A `Retry-After`: seconds, or a point in time.
fn delay(text: &str) -> Option<Duration> {
    let until = || Some(httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).unwrap_or_default());
    text.parse().ok().map(Duration::from_secs).or_else(until)
}

/// The next bytes of a body, after decompression; `None` at its end.
///
/// It takes the stream and not the response, so that the head is gone by then: on HTTP/1.1 header values are slices of hyper's read
/// buffer, and while one lives hyper cannot read into it again but takes another 8 KiB for each request.
pub(crate) async fn next_chunk<S>(chunks: &mut S, wait: &Wait) -> Result<Option<Bytes>, Error>
where
    S: Stream<Item = reqwest::Result<Bytes>> + Unpin,
{
    wait.body(chunks.next()).await?.transpose().map_err(|error| transport(error, Phase::Body, wait))
}

/// A failure of reqwest's as one of ours, without the address.
pub(crate) fn transport(error: reqwest::Error, phase: Phase, wait: &Wait) -> Error {
    if error.is_connect() && error.is_timeout() {
        return Error::Timeout { phase: Phase::Connect, limit: wait.connect };
    }
    let phase = if error.is_connect() { Phase::Connect } else { phase };
    let decode = error.is_decode() && is_decompression(&error);
    let source = Box::new(error.without_url());
    if decode { Error::answer(ANSWER, source) } else { Error::Transport { phase, source } }
}

/// reqwest calls every failure in a body a decoding failure; only one without a cause in the connection is.
fn is_decompression(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.is::<std::io::Error>() && inner.to_string().contains("gzip") {
            return true;
        }
        cause = inner.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_point_in_time() {
        assert_eq!(delay("7"), Some(Duration::from_secs(7)));
        assert_eq!(delay("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        assert!(delay(&soon).is_some_and(|delay| (90..=100).contains(&delay.as_secs())));
        assert_eq!(delay("soon"), None);
        assert_eq!(delay("-1"), None);
    }
}
