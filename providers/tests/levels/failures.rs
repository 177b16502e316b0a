//! What servers and networks do wrong.

use std::time::Duration;

use plimsoll_providers::{Error, ErrorKind, Options, Phase, Provider, Timeouts, Trust};

use crate::server::{Server, Step, answer, chunk, event, head, stream_head, whole};
use crate::{Subject, collect, question};

crate::every_level! {
    case_8_a_refusal_is_typed
    case_9_a_refusal_of_a_stream_is_typed_whatever_its_label
    case_9_a_refusal_that_is_not_the_apis_is_quoted
    case_1_an_error_under_200_is_an_error
    what_is_not_json_is_a_wrong_answer
    case_12_a_body_that_breaks_off_is_a_transport_error
    case_12_a_reset_before_the_head_is_a_transport_error
    case_13_silence_before_the_head_times_out
    silence_in_the_body_times_out
    the_whole_call_times_out
    case_15_a_redirect_is_not_followed
}

crate::every_direct_level! {
    nobody_listening_is_a_connection_error
    a_handshake_that_hangs_times_out
}

const LIMIT: Option<Duration> = Some(Duration::from_millis(60));

const QUOTA: &str = r#"{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": [
    {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "PerDay"}]},
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48.939935699s"}]}}"#;

fn limited(timeouts: Timeouts) -> Options {
    Options { timeouts, ..Options::default() }
}

/// The error of `generate` and of `stream`.
async fn both(provider: &impl Provider) -> [Error; 2] {
    [provider.generate(&question()).await.unwrap_err(), collect(provider).await.1.unwrap_err()]
}

mod on {
    use super::*;

    pub(super) async fn case_8_a_refusal_is_typed<S: Subject>() {
        let head = format!("content-type: application/json\r\nretry-after: 7\r\ncontent-length: {}\r\n", QUOTA.len());
        let server = Server::new([super::head("429 Too Many Requests", &head), Step::Send(QUOTA.into())]).await;
        let provider = S::at(&server.base(), Options::default()).await;
        for error in both(&provider).await {
            assert_eq!(error.kind(), ErrorKind::Status);
            let api = error.api().unwrap();
            assert_eq!((api.code, &*api.status, &*api.message), (429, "RESOURCE_EXHAUSTED", "quota"));
            assert_eq!(api.retry_delay(), Some(Duration::new(48, 939_935_699)));
            assert_eq!(api.retry_after, Some(Duration::from_secs(7)));
            assert_eq!(api.details.len(), 2);
        }
        assert_eq!(server.requests().len(), 2, "nothing is asked twice");
    }

    pub(super) async fn case_9_a_refusal_of_a_stream_is_typed_whatever_its_label<S: Subject>() {
        let body = br#"{"error": {"code": 400, "message": "bad key", "status": "INVALID_ARGUMENT", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}}"#;
        let server = Server::new(whole("400 Bad Request", "text/event-stream", body)).await;
        let provider = S::at(&server.base(), Options::default()).await;
        for error in both(&provider).await {
            assert_eq!(error.api().unwrap().reason.as_deref(), Some("API_KEY_INVALID"));
            assert_eq!(error.to_string(), "the API answered 400 INVALID_ARGUMENT API_KEY_INVALID: bad key");
        }
    }

    pub(super) async fn case_9_a_refusal_that_is_not_the_apis_is_quoted<S: Subject>() {
        let page = b"<!DOCTYPE html><title>Error 404 (Not Found)</title>";
        let server = Server::new(whole("404 Not Found", "text/html", page)).await;
        let provider = S::at(&server.base(), Options::default()).await;
        for error in both(&provider).await {
            let api = error.api().unwrap();
            assert_eq!((api.code, &*api.status), (404, ""));
            assert!(api.message.contains("404 (Not Found)"), "{api}");
        }
    }

    pub(super) async fn case_1_an_error_under_200_is_an_error<S: Subject>() {
        let body = br#"{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}"#;
        let server = Server::new(whole("200 OK", "application/json", body)).await;
        let provider = S::at(&server.base(), Options::default()).await;
        for error in both(&provider).await {
            assert_eq!(error.api().unwrap().status, "UNAVAILABLE");
        }
    }

    pub(super) async fn what_is_not_json_is_a_wrong_answer<S: Subject>() {
        for body in [&b"<html></html>"[..], b"", b"{\"candidates\": [", b"[]"] {
            let server = Server::new(whole("200 OK", "application/json", body)).await;
            let provider = S::at(&server.base(), Options::default()).await;
            for error in both(&provider).await {
                assert_eq!(error.kind(), ErrorKind::Answer, "{body:?}: {error}");
            }
        }
    }

    pub(super) async fn case_12_a_body_that_breaks_off_is_a_transport_error<S: Subject>() {
        let body = answer("half", Some("STOP"));
        let length = format!("content-length: {}\r\n", body.len() + 1);
        for end in [Step::Close, Step::Reset] {
            let server = Server::new([head("200 OK", &length), Step::Send(body.clone().into()), end]).await;
            let provider = S::at(&server.base(), Options::default()).await;
            let error = provider.generate(&question()).await.unwrap_err();
            assert!(matches!(error, Error::Transport { phase: Phase::Body, .. }), "{error:?}");
        }
    }

    pub(super) async fn case_12_a_reset_before_the_head_is_a_transport_error<S: Subject>() {
        for end in [Step::Close, Step::Reset] {
            let server = Server::new([end]).await;
            let provider = S::at(&server.base(), Options::default()).await;
            for error in both(&provider).await {
                assert!(matches!(error, Error::Transport { phase: Phase::Head, .. }), "{error:?}");
            }
        }
    }

    pub(super) async fn nobody_listening_is_a_connection_error<S: Subject>() {
        let server = Server::new([]).await;
        let base = server.base();
        drop(server);
        let provider = S::at("http://127.0.0.1:9", Options::default()).await;
        for error in both(&provider).await {
            assert!(matches!(error, Error::Transport { phase: Phase::Connect, .. }), "{base} {error:?}");
            assert!(error.to_string().contains("refused"), "the cause is named: {error}");
        }
    }

    pub(super) async fn case_13_silence_before_the_head_times_out<S: Subject>() {
        let server = Server::new([Step::Silence]).await;
        let provider = S::at(&server.base(), limited(Timeouts { header: LIMIT, ..Timeouts::default() })).await;
        for error in both(&provider).await {
            assert_eq!(error.kind(), ErrorKind::Timeout);
            assert!(matches!(error, Error::Timeout { phase: Phase::Head, .. }), "{error:?}");
        }
        server.ended(2).await;
    }

    pub(super) async fn silence_in_the_body_times_out<S: Subject>() {
        let server = Server::new([stream_head(), chunk(event("one", None)), Step::Silence]).await;
        let provider = S::at(&server.base(), limited(Timeouts { idle: LIMIT, ..Timeouts::default() })).await;
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { phase: Phase::Body, .. }), "{error:?}");
        let (text, end) = collect(&provider).await;
        assert_eq!(text, "one", "what came before the silence was delivered");
        assert!(matches!(end, Err(Error::Timeout { phase: Phase::Body, .. })), "{end:?}");
        server.ended(2).await;
    }

    pub(super) async fn the_whole_call_times_out<S: Subject>() {
        let server = Server::new([stream_head(), chunk(event("one", None)), Step::Silence]).await;
        let provider = S::at(&server.base(), limited(Timeouts { total: LIMIT, ..Timeouts::default() })).await;
        for error in both(&provider).await {
            assert!(matches!(error, Error::Timeout { phase: Phase::Call, .. }), "{error:?}");
        }
    }

    pub(super) async fn a_handshake_that_hangs_times_out<S: Subject>() {
        let server = Server::new([Step::Silence]).await;
        let options =
            Options { trust: Trust::WebPkiRoots, ..limited(Timeouts { connect: LIMIT, ..Timeouts::default() }) };
        let provider = S::at(&format!("https://localhost:{}", server.addr.port()), options).await;
        for error in both(&provider).await {
            assert!(matches!(error, Error::Timeout { phase: Phase::Connect, .. }), "{error:?}");
        }
    }

    pub(super) async fn case_15_a_redirect_is_not_followed<S: Subject>() {
        let elsewhere =
            Server::new(whole("200 OK", "application/json", answer("stolen", Some("STOP")).as_bytes())).await;
        for status in
            ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
        {
            let to = format!("location: {}/v1beta\r\ncontent-length: 0\r\n", elsewhere.base());
            let server = Server::new([head(status, &to)]).await;
            let provider = S::at(&server.base(), Options::default()).await;
            for error in both(&provider).await {
                assert!(matches!(error, Error::Redirect(code) if status.starts_with(&code.to_string())), "{error:?}");
            }
        }
        assert_eq!(elsewhere.connections(), 0);
    }
}
