//! Streams: as they arrive, however they are cut, and until the caller has enough.

use std::ops::ControlFlow;
use std::sync::Arc;

use plimsoll_providers::{Error, Limited, Limits, Options, Provider};
use tokio::sync::Semaphore;

use crate::server::{Server, Step, chunk, event, head, last_chunk, stream_head};
use crate::{CANARY, Subject, collect, question};

crate::every_level! {
    a_stream_is_asked_for_as_the_api_wants_it
    events_are_delivered_as_they_arrive
    case_4_any_cut_gives_the_same_text
    case_12_a_stream_that_breaks_off_is_an_error
    case_3_a_stream_without_a_finish_reason_is_an_error
    case_1_an_error_after_events_is_typed
    a_break_hangs_up
    dropping_the_future_hangs_up
    case_5_an_event_over_the_limit_is_refused
}

mod on {
    use super::*;

    pub(super) async fn a_stream_is_asked_for_as_the_api_wants_it<S: Subject>() {
        let server = Server::new([stream_head(), chunk(event("hi", Some("STOP"))), last_chunk()]).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let (text, end) = collect(&provider).await;
        end.unwrap();
        assert_eq!(text, "hi");
        let request = &server.requests()[0];
        assert!(request.starts_with("POST /v1beta/models/m:streamGenerateContent?alt=sse HTTP/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("x-goog-api-key: {CANARY}\r\n")));
        assert!(request.ends_with(r#"{"contents":[{"role":"user","parts":[{"text":"why?"}]}]}"#), "{request}");
    }

    /// The second event is sent only when the first was delivered: whoever waits for more never ends.
    pub(super) async fn events_are_delivered_as_they_arrive<S: Subject>() {
        let gate = Arc::new(Semaphore::new(0));
        let words = ["one ", "two ", "three"];
        let steps = words.iter().enumerate().flat_map(|(at, word)| {
            let finish = (at == 2).then_some("STOP");
            [chunk(event(word, finish)), Step::Gate(gate.clone())]
        });
        let server =
            Server::new([stream_head()].into_iter().chain(steps).chain([last_chunk()]).collect::<Vec<_>>()).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let mut text = String::new();
        let on_event = |event: &plimsoll_providers::GenerateContentResponse| {
            text.extend(event.texts());
            gate.add_permits(1);
            ControlFlow::Continue(())
        };
        provider.stream(&question(), on_event).await.unwrap();
        assert_eq!(text, "one two three");
    }

    pub(super) async fn case_4_any_cut_gives_the_same_text<S: Subject>() {
        let text = "Grüße \u{2028} ⚓️ \"quoted\" \\ ";
        let body = [event(text, None), event(text, None), event("end", Some("STOP")), event("", Some("STOP"))].concat();
        for size in [1, 2, 3, 5, 64, 10_000] {
            let chunks = body.as_bytes().chunks(size).map(chunk);
            let steps = [stream_head()].into_iter().chain(chunks).chain([last_chunk()]);
            let server = Server::new(steps.collect::<Vec<_>>()).await;
            let provider = S::at(&server.base(), Options::default()).await;
            let (read, end) = collect(&provider).await;
            end.unwrap();
            assert_eq!(read, format!("{text}{text}end"), "in pieces of {size}");
        }
    }

    pub(super) async fn case_12_a_stream_that_breaks_off_is_an_error<S: Subject>() {
        for end in [Step::Close, Step::Reset] {
            let server = Server::new([stream_head(), chunk(event("one", Some("STOP"))), end]).await;
            let provider = S::at(&server.base(), Options::default()).await;
            let (_, end) = collect(&provider).await;
            assert!(matches!(end, Err(Error::Transport { .. })), "{end:?}");
        }
    }

    pub(super) async fn case_3_a_stream_without_a_finish_reason_is_an_error<S: Subject>() {
        let cut = event("two", Some("STOP"));
        for tail in ["", &cut[..cut.len() - 9]] {
            // Without a length and without chunks the end of the connection is the end of the body: nothing else tells.
            let body = event("one", None) + tail;
            let server =
                Server::new([head("200 OK", "connection: close\r\n"), Step::Send(body.into()), Step::Close]).await;
            let provider = S::at(&server.base(), Options::default()).await;
            let (text, end) = collect(&provider).await;
            assert_eq!(text, "one");
            assert!(matches!(end, Err(Error::Truncated)), "{end:?}");
        }
        // A body that ends as it should, of which the last event says that there is more.
        let server = Server::new([stream_head(), chunk(event("one", None)), last_chunk()]).await;
        let (text, end) = collect(&S::at(&server.base(), Options::default()).await).await;
        assert_eq!(text, "one");
        assert!(matches!(end, Err(Error::Truncated)), "{end:?}");
    }

    pub(super) async fn case_1_an_error_after_events_is_typed<S: Subject>() {
        let error = r#"{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}"#;
        for tail in [error.to_owned(), format!("data: {error}\r\n\r\n")] {
            let server =
                Server::new([stream_head(), chunk(event("one", Some("STOP"))), chunk(tail), last_chunk()]).await;
            let provider = S::at(&server.base(), Options::default()).await;
            let (text, end) = collect(&provider).await;
            assert_eq!(text, "one");
            assert_eq!(end.unwrap_err().api().unwrap().status, "UNAVAILABLE");
        }
    }

    pub(super) async fn a_break_hangs_up<S: Subject>() {
        let server = Server::new([stream_head(), chunk(event("one", None) + &event("two", None)), Step::Silence]).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let mut seen = 0;
        let on_event = |_: &_| {
            seen += 1;
            ControlFlow::Break(())
        };
        provider.stream(&question(), on_event).await.unwrap();
        assert_eq!(seen, 1);
        server.ended(1).await;
    }

    pub(super) async fn dropping_the_future_hangs_up<S: Subject>() {
        let server = Server::new([stream_head(), chunk(event("one", None)), Step::Silence]).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let delivered = Semaphore::new(0);
        let request = question();
        let on_event = |_: &_| {
            delivered.add_permits(1);
            ControlFlow::Continue(())
        };
        tokio::select! {
            end = provider.stream(&request, on_event) => panic!("{end:?}"),
            _ = delivered.acquire() => {}
        }
        server.ended(1).await;
        let silent = Server::new([Step::Silence]).await;
        let provider = S::at(&silent.base(), Options::default()).await;
        {
            let generate = std::pin::pin!(provider.generate(&request));
            let asked = async {
                while silent.requests().is_empty() {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                end = generate => panic!("{end:?}"),
                () = asked => {}
            }
        }
        silent.ended(1).await;
    }

    pub(super) async fn case_5_an_event_over_the_limit_is_refused<S: Subject>() {
        let long = event(&"x".repeat(5000), Some("STOP"));
        let steps =
            [stream_head(), chunk(event("one", None)), chunk(&long[..3000]), chunk(&long[3000..]), last_chunk()];
        let server = Server::new(steps).await;
        let limits = |max_event| Options { limits: Limits { max_event, ..Limits::default() }, ..Options::default() };
        let provider = S::at(&server.base(), limits(long.len())).await;
        collect(&provider).await.1.unwrap();
        let provider = S::at(&server.base(), limits(1000)).await;
        let (text, end) = collect(&provider).await;
        assert_eq!(text, "one");
        assert!(matches!(end, Err(Error::TooLong { what: Limited::Event, limit: 1000 })), "{end:?}");
    }
}
