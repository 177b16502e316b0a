//! Streams in array form: the same events without server-sent events.

use std::ops::ControlFlow;

use plimsoll_providers::{Error, Limited, Limits, Options, Provider, StreamForm};

use crate::server::{Server, Step, answer, chunk, head, last_chunk, whole};
use crate::{Subject, collect, question};

crate::every_level! {
    case_4_an_array_is_asked_for_without_alt_and_any_cut_gives_the_same
    case_3_an_array_that_breaks_off_is_cut
    case_1_an_error_in_an_array_is_typed
    case_5_an_element_over_the_limit_is_refused
}

fn array() -> Options {
    Options { stream_form: StreamForm::Array, ..Options::default() }
}

fn chunked(body: &str, size: usize) -> Vec<Step> {
    let begin = head("200 OK", "content-type: application/json; charset=UTF-8\r\ntransfer-encoding: chunked\r\n");
    [begin].into_iter().chain(body.as_bytes().chunks(size).map(chunk)).chain([last_chunk()]).collect()
}

mod on {
    use super::*;

    pub(super) async fn case_4_an_array_is_asked_for_without_alt_and_any_cut_gives_the_same<S: Subject>() {
        let text = "Grüße \u{2028} ⚓️ \"]},\" \\ ";
        let body = format!("[{}\n,\r\n{}\n,{}]\n", answer(text, None), answer("end", Some("STOP")), answer("", None));
        for size in [1, 2, 3, 7, 64, 100_000] {
            let server = Server::new(chunked(&body, size)).await;
            let provider = S::at(&server.base(), array()).await;
            let mut events = Vec::new();
            let on_event = |event: &plimsoll_providers::GenerateContentResponse| {
                events.push(serde_json::to_value(event).unwrap());
                ControlFlow::Continue(())
            };
            provider.stream(&question(), on_event).await.unwrap();
            assert_eq!(serde_json::Value::Array(events), serde_json::from_str::<serde_json::Value>(&body).unwrap());
            assert!(server.requests()[0].starts_with("POST /v1beta/models/m:streamGenerateContent HTTP/1.1\r\n"));
        }
    }

    pub(super) async fn case_3_an_array_that_breaks_off_is_cut<S: Subject>() {
        let (one, last) = (answer("one", None), answer("two", Some("STOP")));
        for body in
            [format!("[{one}\n"), format!("[{one}\n,{last}"), format!("[{one},{}", &last[..20]), "[]".to_owned()]
        {
            let server = Server::new(chunked(&body, 1000)).await;
            let (text, end) = collect(&S::at(&server.base(), array()).await).await;
            assert!(body == "[]" || text.starts_with("one"), "{text}");
            assert!(matches!(end, Err(Error::Truncated)), "{body}: {end:?}");
        }
    }

    pub(super) async fn case_1_an_error_in_an_array_is_typed<S: Subject>() {
        let error = r#"{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}"#;
        let one = answer("one", Some("STOP"));
        for body in [format!("[{one}\n,{error}]"), format!("[{one}]{error}"), format!("[{error}]"), error.to_owned()] {
            for status in ["200 OK", "503 Service Unavailable"] {
                let server = Server::new(whole(status, "application/json", body.as_bytes())).await;
                let (text, end) = collect(&S::at(&server.base(), array()).await).await;
                if status == "200 OK" {
                    assert_eq!(text.is_empty(), !body.contains("one"));
                    assert_eq!(end.unwrap_err().api().unwrap().status, "UNAVAILABLE");
                } else {
                    assert_eq!(end.unwrap_err().api().unwrap().code, 503);
                }
            }
        }
        for body in ["<html>", "[1]", "7"] {
            let server = Server::new(whole("200 OK", "text/html", body.as_bytes())).await;
            let (_, end) = collect(&S::at(&server.base(), array()).await).await;
            assert!(matches!(end, Err(Error::Answer { .. })), "{body}: {end:?}");
        }
    }

    pub(super) async fn case_5_an_element_over_the_limit_is_refused<S: Subject>() {
        let body = format!("[{}\n,{}]", answer("one", None), answer(&"x".repeat(5000), Some("STOP")));
        let server = Server::new(chunked(&body, 3000)).await;
        let options = Options { limits: Limits { max_event: 1000, ..Limits::default() }, ..array() };
        let (text, end) = collect(&S::at(&server.base(), options).await).await;
        assert_eq!(text, "one");
        assert!(matches!(end, Err(Error::TooLong { what: Limited::Event, limit: 1000 })), "{end:?}");
    }
}
