//! What the wire does that a client does not expect: cases that have no better place, by the number that the design gives them.

use std::ops::ControlFlow;
use std::time::Duration;

use plimsoll_providers::{
    Content, Data, Error, FinishReason, GenerateContentRequest, GenerateContentResponse, Options, Part, Phase,
    Provider, Retry, Timeouts,
};
use serde_json::{Value, json};

use crate::server::{Server, Step, answer, chunk, event, head, last_chunk, stream_head, whole};
use crate::{Subject, collect, question};

crate::every_level! {
    case_2_a_finish_reason_before_the_last_event
    case_4_every_split_point_gives_the_same_events
    case_5_an_event_of_megabytes
    case_6_a_stream_with_empty_content
    case_7_a_blocked_prompt_is_an_answer
    case_10_a_thought_signature_goes_back_unchanged
    case_11_function_calls_without_ids_in_parallel
    case_12_a_reset_behind_the_body_takes_nothing_back
    case_14_unknown_and_integer_enums_and_null_arguments
}

// Case 18 is about how HTTP/1.1 marks where heads, bodies and connections end. HTTP/2 has frames for that: its own case is 19.
crate::every_http1_level! {
    case_18_informational_heads_come_first
    case_18_chunk_extensions_and_trailers
    case_18_a_bad_chunk_size
    case_18_connection_close
    case_18_a_kept_connection_is_closed_before_it_is_used_again
    case_18_a_kept_connection_is_closed_as_it_is_used_again
    case_18_a_head_that_is_no_http
    case_18_a_head_without_end
}

fn ok(body: &Value) -> Vec<Step> {
    whole("200 OK", "application/json", body.to_string().as_bytes())
}

async fn events(provider: &impl Provider) -> (Vec<GenerateContentResponse>, Result<(), Error>) {
    let mut events = Vec::new();
    let question = question();
    let end = provider.stream(&question, |event| {
        events.push(event.clone());
        ControlFlow::Continue(())
    });
    let end = end.await;
    (events, end)
}

mod on {
    use super::*;

    pub(super) async fn case_2_a_finish_reason_before_the_last_event<S: Subject>() {
        let body = event("one", Some("STOP")) + &event(" two", None);
        let server = Server::new([stream_head(), chunk(body), last_chunk()]).await;
        let (text, end) = collect(&S::at(&server.base(), Options::default()).await).await;
        end.unwrap();
        assert_eq!(text, "one two");
    }

    /// Two events, cut in two at each byte: the server sends each half as a chunk of its own.
    pub(super) async fn case_4_every_split_point_gives_the_same_events<S: Subject>() {
        let text = "é\u{2028}⚓\\\"";
        let body = event(text, None) + &event(text, Some("STOP"));
        let bytes = body.clone().into_bytes();
        let server = Server::with(move |number| {
            let (one, two) = bytes.split_at(1 + number);
            vec![stream_head(), chunk(one), chunk(two), last_chunk()]
        })
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        for at in 1..body.len() {
            let (read, end) = collect(&provider).await;
            end.unwrap();
            assert_eq!(read, [text, text].concat(), "cut behind byte {at}");
        }
    }

    pub(super) async fn case_5_an_event_of_megabytes<S: Subject>() {
        let text = "0123456789abcdef".repeat(3 << 16);
        let body = event(&text, Some("STOP"));
        let chunks = body.as_bytes().chunks(16 << 10).map(chunk);
        let server =
            Server::new([stream_head()].into_iter().chain(chunks).chain([last_chunk()]).collect::<Vec<_>>()).await;
        let (read, end) = collect(&S::at(&server.base(), Options::default()).await).await;
        end.unwrap();
        assert!(read == text, "{} of {} bytes", read.len(), text.len());
    }

    pub(super) async fn case_6_a_stream_with_empty_content<S: Subject>() {
        for content in [json!({}), json!({"role": "model"}), json!({"parts": [{"text": ""}], "role": "model"})] {
            let body = json!({"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": {}});
            let server = Server::new([stream_head(), chunk(format!("data: {body}\r\n\r\n")), last_chunk()]).await;
            let (events, end) = events(&S::at(&server.base(), Options::default()).await).await;
            end.unwrap();
            assert_eq!((events.len(), events[0].text().as_str()), (1, ""), "{content}");
        }
    }

    pub(super) async fn case_7_a_blocked_prompt_is_an_answer<S: Subject>() {
        let body =
            json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 1}});
        let server = Server::with({
            let body = body.clone();
            move |number| match number {
                0 => ok(&body),
                _ => vec![stream_head(), chunk(format!("data: {body}\r\n\r\n")), last_chunk()],
            }
        })
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        assert_eq!(serde_json::to_value(provider.generate(&question()).await.unwrap()).unwrap(), body);
        let (events, end) = events(&provider).await;
        end.unwrap();
        assert_eq!(serde_json::to_value(&events).unwrap(), json!([body]));
    }

    pub(super) async fn case_10_a_thought_signature_goes_back_unchanged<S: Subject>() {
        let signature = "c2ln+/=".repeat(30_000);
        let parts = json!([{"text": "hm", "thought": true}, {"text": "", "thoughtSignature": signature},
            {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "s2"}, {"hologram": {"depth": 3}}]);
        let body = json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]});
        let server = Server::with(move |number| match number {
            1 => vec![stream_head(), chunk(format!("data: {body}\r\n\r\n")), last_chunk()],
            _ => ok(&body),
        })
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        let whole = provider.generate(&question()).await.unwrap();
        let (streamed, end) = events(&provider).await;
        end.unwrap();
        for mut answer in [whole].into_iter().chain(streamed) {
            let said = answer.candidates.remove(0).content.unwrap();
            let next = Content::user([Part::text("go on")]);
            let request = GenerateContentRequest { contents: vec![said, next], ..GenerateContentRequest::default() };
            provider.generate(&request).await.unwrap();
        }
        let sent = server.requests();
        assert_eq!(sent.len(), 4);
        for request in &sent[2..] {
            let body = request.split_once("\r\n\r\n").unwrap().1;
            assert!(serde_json::from_str::<Value>(body).unwrap()["contents"][0]["parts"] == parts);
        }
    }

    pub(super) async fn case_11_function_calls_without_ids_in_parallel<S: Subject>() {
        let call = |city: &str| json!({"functionCall": {"name": "weather", "args": {"city": city}}});
        let body = json!({"candidates": [{"content": {"role": "model", "parts": [call("Kiel"), call("Rostock")]}, "finishReason": "STOP"}]});
        let server = Server::with(move |number| match number {
            0 => ok(&body),
            _ => vec![stream_head(), chunk(format!("data: {body}\r\n\r\n")), last_chunk()],
        })
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        let whole = provider.generate(&question()).await.unwrap();
        let (streamed, end) = events(&provider).await;
        end.unwrap();
        assert_eq!(streamed, std::slice::from_ref(&whole));
        let cities = whole.candidates[0].content.as_ref().unwrap().parts.iter().map(|part| match &part.data {
            Data::FunctionCall(call) => (call.id.clone(), call.args.as_ref().unwrap()["city"].clone()),
            other => panic!("{other:?}"),
        });
        let cities: Vec<_> = cities.collect();
        assert_eq!(cities, [(None, json!("Kiel")), (None, json!("Rostock"))]);
    }

    /// What was whole is an answer, however its connection ends; the next question has another connection.
    pub(super) async fn case_12_a_reset_behind_the_body_takes_nothing_back<S: Subject>() {
        let mut whole = whole("200 OK", "application/json", answer("whole", Some("STOP")).as_bytes());
        whole.push(Step::Reset);
        let stream = vec![stream_head(), chunk(event("whole", Some("STOP"))), last_chunk(), Step::Reset];
        let server = Server::with(move |number| if number % 2 == 0 { whole.clone() } else { stream.clone() }).await;
        let provider = S::at(&server.base(), Options::default()).await;
        for asked in [1, 3] {
            assert_eq!(provider.generate(&question()).await.unwrap().text(), "whole");
            server.ended(asked).await;
            let (text, end) = collect(&provider).await;
            end.unwrap();
            assert_eq!(text, "whole");
            server.ended(asked + 1).await;
        }
        assert_eq!((server.requests().len(), server.connections()), (4, 4));
    }

    pub(super) async fn case_14_unknown_and_integer_enums_and_null_arguments<S: Subject>() {
        let candidate = |reason: Value| {
            json!({"content": {"parts": [{"functionCall": {"name": "f", "args": null}}]}, "finishReason": reason,
                "safetyRatings": [{"category": 7, "probability": "SOMEWHAT"}]})
        };
        let body = json!({"candidates": [candidate(json!("A_REASON_OF_TOMORROW")), candidate(json!(1))],
            "usageMetadata": {"promptTokensDetails": [{"modality": 1, "tokenCount": 11}], "trafficType": 1}});
        let server = Server::with({
            let body = body.clone();
            move |number| match number {
                0 => ok(&body),
                _ => vec![stream_head(), chunk(format!("data: {body}\r\n\r\n")), last_chunk()],
            }
        })
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        let read = provider.generate(&question()).await.unwrap();
        assert_eq!(read.candidates[1].finish_reason, Some(FinishReason::Number(1)));
        let (events, end) = events(&provider).await;
        end.unwrap();
        assert_eq!(events, std::slice::from_ref(&read));
        assert_eq!(serde_json::to_value(read).unwrap(), body);
    }

    pub(super) async fn case_18_informational_heads_come_first<S: Subject>() {
        let steps = [head("100 Continue", ""), head("103 Early Hints", "link: </a>; rel=preload\r\n")];
        let good = whole("200 OK", "application/json", answer("after hints", Some("STOP")).as_bytes());
        let server = Server::new(steps.into_iter().chain(good).collect::<Vec<_>>()).await;
        let provider = S::at(&server.base(), Options::default()).await;
        for _ in 0..2 {
            assert_eq!(provider.generate(&question()).await.unwrap().text(), "after hints");
        }
    }

    pub(super) async fn case_18_chunk_extensions_and_trailers<S: Subject>() {
        let body = event("extended", Some("STOP"));
        let framed =
            format!("{:X};name=\"a;b\";flag\r\n{body}\r\n000;last\r\nx-checksum: 1\r\nx-more: 2\r\n\r\n", body.len());
        let begin = head("200 OK", "transfer-encoding: chunked\r\ntrailer: x-checksum\r\n");
        let server = Server::new([begin, Step::Send(framed.into())]).await;
        let provider = S::at(&server.base(), Options::default()).await;
        for _ in 0..2 {
            let (text, end) = collect(&provider).await;
            end.unwrap();
            assert_eq!(text, "extended");
        }
    }

    pub(super) async fn case_18_a_bad_chunk_size<S: Subject>() {
        for size in ["zz\r\n", "-1\r\n", "ffffffffffffffffff\r\n"] {
            let first = chunk(event("one", Some("STOP")));
            let bad = Step::Send(format!("{size}data").into());
            let server = Server::new([stream_head(), first, bad, Step::Silence]).await;
            let (text, end) = collect(&S::at(&server.base(), Options::default()).await).await;
            assert_eq!(text, "one");
            assert!(matches!(end, Err(Error::Transport { .. })), "{size:?}: {end:?}");
        }
    }

    pub(super) async fn case_18_connection_close<S: Subject>() {
        let body = answer("and gone", Some("STOP"));
        let headers = format!("connection: close\r\ncontent-length: {}\r\n", body.len());
        let server = Server::new([head("200 OK", &headers), Step::Send(body.into()), Step::Close]).await;
        let provider = S::at(&server.base(), Options::default()).await;
        for _ in 0..3 {
            assert_eq!(provider.generate(&question()).await.unwrap().text(), "and gone");
        }
        assert_eq!(server.connections(), 3);
    }

    /// The server says that it keeps the connection, and closes it at once: a request that meets it is sent on another.
    pub(super) async fn case_18_a_kept_connection_is_closed_before_it_is_used_again<S: Subject>() {
        let mut steps = whole("200 OK", "application/json", answer("kept", Some("STOP")).as_bytes());
        steps.push(Step::Close);
        let server = Server::new(steps).await;
        let provider = S::at(&server.base(), Options::default()).await;
        for asked in 1..=5 {
            assert_eq!(provider.generate(&question()).await.unwrap().text(), "kept");
            server.ended(asked).await;
        }
    }

    /// The server reads the second request on a kept connection and closes without a word. Nobody can know whether it was served, so
    /// that it is for the retry policy to ask again; without one it is an error, and what comes after it is not hurt.
    pub(super) async fn case_18_a_kept_connection_is_closed_as_it_is_used_again<S: Subject>() {
        let good = whole("200 OK", "application/json", answer("kept", Some("STOP")).as_bytes());
        let server = Server::with(move |number| if number % 2 == 0 { good.clone() } else { vec![Step::Close] }).await;
        let provider = S::at(&server.base(), Options::default()).await;
        assert_eq!(provider.generate(&question()).await.unwrap().text(), "kept");
        match provider.generate(&question()).await {
            Ok(again) => assert_eq!((again.text().as_str(), server.requests().len()), ("kept", 3)),
            Err(error) => assert!(matches!(error, Error::Transport { phase: Phase::Head, .. }), "{error:?}"),
        }
        let retry = Retry { attempts: 2, base_delay: Duration::from_millis(1), max_delay: Duration::from_secs(1) };
        let provider = S::at(&server.base(), Options { retry, ..Options::default() }).await;
        for _ in 0..3 {
            assert_eq!(provider.generate(&question()).await.unwrap().text(), "kept");
        }
    }

    pub(super) async fn case_18_a_head_that_is_no_http<S: Subject>() {
        for bytes in ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "\0\0\0\0\0\0\0\0\r\n\r\n"] {
            let server = Server::new([Step::Send(bytes.into()), Step::Silence]).await;
            let error = S::at(&server.base(), Options::default()).await.generate(&question()).await.unwrap_err();
            assert!(matches!(error, Error::Transport { .. }), "{bytes:?}: {error:?}");
        }
    }

    /// A head that goes on for ever is refused at a limit, and one that stops in its middle at a time.
    pub(super) async fn case_18_a_head_without_end<S: Subject>() {
        let endless = format!("HTTP/1.1 200 OK\r\n{}", "x-more: and more\r\n".repeat(100_000));
        let server = Server::new([Step::Send(endless.into()), Step::Silence]).await;
        let error = S::at(&server.base(), Options::default()).await.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::Transport { .. }), "{error:?}");
        let server = Server::new([Step::Send("HTTP/1.1 200 OK\r\nx-mo".into()), Step::Silence]).await;
        let timeouts = Timeouts { header: Some(Duration::from_millis(60)), ..Timeouts::default() };
        let provider = S::at(&server.base(), Options { timeouts, ..Options::default() }).await;
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    }
}
