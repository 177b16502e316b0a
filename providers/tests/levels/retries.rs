//! When a call is sent again, and when it is not.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use plimsoll_providers::{CachedContent, Error, ErrorKind, Options, Provider, Retry, Timeouts};
use serde_json::json;

use crate::server::{Server, Step, answer, chunk, event, head, last_chunk, stream_head, whole};
use crate::{Subject, collect, question};

crate::every_level! {
    what_was_overloaded_is_asked_again
    case_8_the_apis_own_delay_is_waited_for
    case_8_a_delay_that_is_too_long_is_an_end
    case_8_a_daily_quota_is_an_end
    a_bad_request_is_an_end
    a_stream_is_not_asked_again_once_something_was_delivered
    a_stream_of_which_nothing_came_is_asked_again
    what_changes_something_is_not_done_twice
    the_last_error_is_returned
}

fn patient(attempts: u32) -> Options {
    let retry = Retry { attempts, base_delay: Duration::from_millis(2), max_delay: Duration::from_secs(5) };
    Options { retry, ..Options::default() }
}

fn refusal(code: u16, status: &str, details: serde_json::Value) -> Vec<Step> {
    let body = json!({"error": {"code": code, "message": "no", "status": status, "details": details}}).to_string();
    whole(&format!("{code} No"), "application/json", body.as_bytes())
}

fn good(text: &str) -> Vec<Step> {
    whole("200 OK", "application/json", answer(text, Some("STOP")).as_bytes())
}

fn retry_info(delay: &str) -> serde_json::Value {
    json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
}

/// A server that gives the n-th request the n-th answer, and the last one from there on.
async fn serving(answers: Vec<Vec<Step>>) -> Server {
    Server::with(move |number| answers[number.min(answers.len() - 1)].clone()).await
}

mod on {
    use super::*;

    pub(super) async fn what_was_overloaded_is_asked_again<S: Subject>() {
        let half = head("200 OK", "content-length: 99\r\n");
        let overloaded = refusal(503, "UNAVAILABLE", json!([]));
        let server = serving(vec![overloaded, vec![Step::Reset], vec![half, Step::Close], good("at last")]).await;
        let provider = S::at(&server.base(), patient(4)).await;
        assert_eq!(provider.generate(&question()).await.unwrap().text(), "at last");
        let requests = server.requests();
        assert_eq!(requests.len(), 4);
        let body = |request: &String| request.split_once("\r\n\r\n").unwrap().1.to_owned();
        assert!(requests.iter().all(|request| body(request) == body(&requests[0])));
    }

    /// Both ways of asking for a delay, the one with nine decimals and the header.
    pub(super) async fn case_8_the_apis_own_delay_is_waited_for<S: Subject>() {
        let details = json!([retry_info("0.051000001s")]);
        let server = serving(vec![refusal(429, "RESOURCE_EXHAUSTED", details), good("a")]).await;
        let provider = S::at(&server.base(), patient(2)).await;
        let begin = Instant::now();
        provider.generate(&question()).await.unwrap();
        assert!(begin.elapsed() >= Duration::from_nanos(51_000_001));

        let header = vec![head("503 No", "retry-after: 1\r\ncontent-length: 0\r\n")];
        let server = serving(vec![header, good("a")]).await;
        let provider = S::at(&server.base(), patient(2)).await;
        let begin = Instant::now();
        provider.generate(&question()).await.unwrap();
        assert!(begin.elapsed() >= Duration::from_secs(1));
    }

    pub(super) async fn case_8_a_delay_that_is_too_long_is_an_end<S: Subject>() {
        let server = serving(vec![refusal(429, "RESOURCE_EXHAUSTED", json!([retry_info("48.939935699s")]))]).await;
        let provider = S::at(&server.base(), patient(9)).await;
        let error = provider.generate(&question()).await.unwrap_err();
        assert_eq!(error.api().unwrap().retry_delay(), Some(Duration::new(48, 939_935_699)));
        assert_eq!(server.requests().len(), 1);
        // The same where the call would be over before the delay is.
        let server = serving(vec![refusal(429, "RESOURCE_EXHAUSTED", json!([retry_info("4s")]))]).await;
        let timeouts = Timeouts { total: Some(Duration::from_secs(3)), ..Timeouts::default() };
        let provider = S::at(&server.base(), Options { timeouts, ..patient(9) }).await;
        assert_eq!(provider.generate(&question()).await.unwrap_err().kind(), ErrorKind::Status);
        assert_eq!(server.requests().len(), 1);
    }

    pub(super) async fn case_8_a_daily_quota_is_an_end<S: Subject>() {
        let quota = json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "20"}]});
        let server = serving(vec![refusal(429, "RESOURCE_EXHAUSTED", json!([quota, retry_info("0.001s")]))]).await;
        let provider = S::at(&server.base(), patient(9)).await;
        assert!(provider.generate(&question()).await.unwrap_err().api().unwrap().is_daily_quota());
        assert!(collect(&provider).await.1.is_err());
        assert_eq!(server.requests().len(), 2);
    }

    pub(super) async fn a_bad_request_is_an_end<S: Subject>() {
        for (code, status) in [(400, "INVALID_ARGUMENT"), (403, "PERMISSION_DENIED"), (404, "NOT_FOUND")] {
            let server = serving(vec![refusal(code, status, json!([]))]).await;
            let provider = S::at(&server.base(), patient(9)).await;
            assert_eq!(provider.generate(&question()).await.unwrap_err().api().unwrap().status, status);
            assert_eq!(server.requests().len(), 1);
        }
    }

    pub(super) async fn a_stream_is_not_asked_again_once_something_was_delivered<S: Subject>() {
        let error = r#"{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}"#;
        for tail in [Step::Reset, Step::Close, chunk(error)] {
            let server = Server::new([stream_head(), chunk(event("one", None)), tail, last_chunk()]).await;
            let provider = S::at(&server.base(), patient(9)).await;
            let (text, end) = collect(&provider).await;
            assert_eq!(text, "one");
            end.unwrap_err();
            assert_eq!(server.requests().len(), 1);
        }
    }

    pub(super) async fn a_stream_of_which_nothing_came_is_asked_again<S: Subject>() {
        let broken = vec![stream_head(), chunk("data: {\"cand"), Step::Close];
        let error =
            "data: {\"error\": {\"code\": 503, \"message\": \"overloaded\", \"status\": \"UNAVAILABLE\"}}\r\n\r\n";
        let refused = vec![stream_head(), chunk(error), last_chunk()];
        let whole = vec![stream_head(), chunk(event("one", Some("STOP"))), last_chunk()];
        let server = serving(vec![refusal(503, "UNAVAILABLE", json!([])), broken, refused, whole]).await;
        let provider = S::at(&server.base(), patient(9)).await;
        let mut seen = 0;
        let on_event = |_: &_| {
            seen += 1;
            ControlFlow::Continue(())
        };
        provider.stream(&question(), on_event).await.unwrap();
        assert_eq!((seen, server.requests().len()), (1, 4));
    }

    pub(super) async fn what_changes_something_is_not_done_twice<S: Subject>() {
        let content = CachedContent { model: "m".to_owned(), ..CachedContent::default() };
        for end in [vec![Step::Reset], refusal(500, "INTERNAL", json!([]))] {
            let server = serving(vec![end.clone()]).await;
            let provider = S::at(&server.base(), patient(9)).await;
            provider.cached_contents_create(&content).await.unwrap_err();
            assert_eq!(server.requests().len(), 1);
            // What only reads is asked again after the same.
            let server = serving(vec![end, whole("200 OK", "application/json", b"{\"name\": \"models/m\"}")]).await;
            let provider = S::at(&server.base(), patient(9)).await;
            provider.model("m").await.unwrap();
            assert_eq!(server.requests().len(), 2);
        }
        let made = whole("200 OK", "application/json", b"{\"name\": \"cachedContents/c\"}");
        let server = serving(vec![refusal(503, "UNAVAILABLE", json!([])), made]).await;
        let provider = S::at(&server.base(), patient(9)).await;
        provider.cached_contents_create(&content).await.unwrap();
    }

    pub(super) async fn the_last_error_is_returned<S: Subject>() {
        let server = serving(vec![vec![Step::Reset], refusal(429, "A", json!([])), refusal(503, "B", json!([]))]).await;
        let provider = S::at(&server.base(), patient(3)).await;
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(matches!(&error, Error::Api(api) if api.status == "B"), "{error:?}");
        assert_eq!(server.requests().len(), 3);
    }
}
