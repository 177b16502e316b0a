//! Whole answers.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use plimsoll_providers::http::Method;
use plimsoll_providers::{Call, Error, Limited, Limits, Options, Provider};
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::server::{Server, Step, answer, chunk, head, last_chunk, whole};
use crate::{CANARY, Subject, question};

crate::every_level! {
    a_question_is_asked_as_the_api_wants_it
    another_model_is_asked_where_it_lives
    case_16_gzip_is_offered_and_read
    a_long_answer_in_small_chunks_is_whole
    case_6_answers_without_text_are_answers
    twenty_at_once_get_each_its_own
    case_17_a_body_over_the_limit_is_refused
    case_17_a_gzip_bomb_is_refused
    a_head_without_a_body_may_speak_of_one
}

mod on {
    use super::*;

    pub(super) async fn a_question_is_asked_as_the_api_wants_it<S: Subject>() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/s/chat/v1beta/models/m:generateContent"))
            .and(header("x-goog-api-key", CANARY))
            .and(header("content-type", "application/json"))
            .and(body_json(json!({"contents": [{"role": "user", "parts": [{"text": "why?"}]}]})))
            .respond_with(ResponseTemplate::new(200).set_body_raw(answer("because", Some("STOP")), "application/json"))
            .expect(3)
            .mount(&server)
            .await;
        let provider = S::at(&format!("{}/s/chat/", server.uri()), Options::default()).await;
        for _ in 0..3 {
            assert_eq!(provider.generate(&question()).await.unwrap().text(), "because");
        }
        for request in server.received_requests().await.unwrap() {
            assert!(!request.url.as_str().contains(CANARY), "{}", request.url);
        }
    }

    pub(super) async fn another_model_is_asked_where_it_lives<S: Subject>() {
        let server = MockServer::start().await;
        Mock::given(path("/v1beta/tunedModels/mine:generateContent"))
            .respond_with(ResponseTemplate::new(200).set_body_raw(answer("tuned", Some("STOP")), "application/json"))
            .mount(&server)
            .await;
        let provider = S::at(&server.uri(), Options::default()).await;
        let mut request = question();
        request.model = Some("tunedModels/mine".to_owned());
        assert_eq!(provider.generate(&request).await.unwrap().text(), "tuned");
        request.model = Some("../../elsewhere".to_owned());
        assert!(matches!(provider.generate(&request).await, Err(Error::Config(_))));
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }

    pub(super) async fn case_16_gzip_is_offered_and_read<S: Subject>() {
        let body = zipped(answer(&"packed ".repeat(2000), Some("STOP")).as_bytes());
        let server = Server::new([
            head("200 OK", &format!("content-encoding: gzip\r\ncontent-length: {}\r\n", body.len())),
            Step::Send(body[..20].to_vec()),
            Step::Send(body[20..].to_vec()),
        ])
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        assert_eq!(provider.generate(&question()).await.unwrap().text(), "packed ".repeat(2000));
        assert!(server.requests()[0].to_ascii_lowercase().contains("accept-encoding: gzip"));
    }

    pub(super) async fn a_long_answer_in_small_chunks_is_whole<S: Subject>() {
        let text = "⚓️ a line \"at\" the\\water \u{2028}\n".repeat(3000);
        let body = answer(&text, Some("STOP"));
        let chunks = body.as_bytes().chunks(997).map(chunk);
        let steps = [head("200 OK", "transfer-encoding: chunked\r\n")].into_iter().chain(chunks).chain([last_chunk()]);
        let server = Server::new(steps.collect::<Vec<_>>()).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let read = provider.generate(&question()).await.unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), serde_json::from_str::<Value>(&body).unwrap());
    }

    pub(super) async fn case_6_answers_without_text_are_answers<S: Subject>() {
        let bodies = [
            json!({"candidates": [{"content": {}, "finishReason": "SAFETY"}]}),
            json!({"candidates": [{"finishReason": "A_REASON_OF_TOMORROW", "index": 0}]}),
            json!({"promptFeedback": {"blockReason": "SAFETY"}}),
            json!({}),
        ];
        let server = Server::with({
            let bodies = bodies.clone();
            move |number| whole("200 OK", "application/json", bodies[number].to_string().as_bytes())
        })
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        for body in bodies {
            let read = provider.generate(&question()).await.unwrap();
            assert_eq!(read.text(), "");
            assert_eq!(without_empty_content(serde_json::to_value(read).unwrap()), without_empty_content(body));
        }
    }

    pub(super) async fn twenty_at_once_get_each_its_own<S: Subject>() {
        let server = MockServer::start().await;
        for number in 0..20 {
            Mock::given(path(format!("/v1beta/models/m{number}:generateContent")))
                .respond_with(
                    ResponseTemplate::new(200)
                        .set_body_raw(answer(&number.to_string(), Some("STOP")), "application/json"),
                )
                .mount(&server)
                .await;
        }
        let provider = S::at(&server.uri(), Options::default()).await;
        let asked = (0..20).map(|number| {
            let (provider, mut request) = (&provider, question());
            request.model = Some(format!("m{number}"));
            async move { provider.generate(&request).await.unwrap().text() }
        });
        let texts = futures_util::future::join_all(asked).await;
        assert_eq!(texts, (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
    }

    pub(super) async fn case_17_a_body_over_the_limit_is_refused<S: Subject>() {
        let body = answer(&"x".repeat(1000), Some("STOP"));
        let server = Server::new(whole("200 OK", "application/json", body.as_bytes())).await;
        let limits = |max_body| Options { limits: Limits { max_body, ..Limits::default() }, ..Options::default() };
        let provider = S::at(&server.base(), limits(body.len())).await;
        provider.generate(&question()).await.unwrap();
        let provider = S::at(&server.base(), limits(body.len() - 1)).await;
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::TooLong { what: Limited::Body, .. }), "{error:?}");
        assert!(error.to_string().contains("max_body"), "{error}");
    }

    pub(super) async fn case_17_a_gzip_bomb_is_refused<S: Subject>() {
        // 64 MiB of spaces in less than 1 MiB: the limit counts what comes out.
        let body = zipped(&vec![b' '; 64 << 20]);
        assert!(body.len() < 1 << 20);
        let server = Server::new([
            head("200 OK", &format!("content-encoding: gzip\r\ncontent-length: {}\r\n", body.len())),
            Step::Send(body),
        ])
        .await;
        let limits = Limits { max_body: 1 << 20, ..Limits::default() };
        let provider = S::at(&server.base(), Options { limits, ..Options::default() }).await;
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::TooLong { what: Limited::Body, limit } if limit == 1 << 20), "{error:?}");
    }

    /// How a body is packed, and how long it is, may stand where none follows.
    pub(super) async fn a_head_without_a_body_may_speak_of_one<S: Subject>() {
        let server = Server::with(|number| match number {
            0 => vec![head("200 OK", "content-encoding: gzip\r\ncontent-length: 99999999999\r\n")],
            1 => vec![head("204 No Content", "content-encoding: gzip\r\n")],
            _ => vec![head("200 OK", "content-encoding: gzip\r\ncontent-length: 0\r\n")],
        })
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        for (method, status) in [(Method::HEAD, 200), (Method::DELETE, 204), (Method::DELETE, 200)] {
            let reply = provider.call(&Call::new(method, "files/a")).await.unwrap();
            assert_eq!((reply.status, reply.body.len()), (status, 0));
        }
    }
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A content without parts is written as it is read: empty.
fn without_empty_content(mut value: Value) -> Value {
    for candidate in value["candidates"].as_array_mut().into_iter().flatten() {
        let candidate = candidate.as_object_mut().unwrap();
        candidate
            .retain(|name, value| name != "content" || value.as_object().is_some_and(|content| !content.is_empty()));
    }
    value
}
