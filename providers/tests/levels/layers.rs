//! What stands on a provider: the chat, and the choice of a level while the program runs.

use std::ops::ControlFlow;
use std::sync::Arc;

use plimsoll_providers::{Chat, CountTokensRequest, DynProvider, GenerateContentResponse, Options, Provider};
use serde_json::{Value, json};

use crate::server::{Server, Step, answer, chunk, event, head, last_chunk, stream_head, whole};
use crate::{Subject, collect, question};

crate::every_level! {
    a_chat_remembers_both_sides
    a_turn_that_fails_or_is_dropped_is_taken_back
    a_stream_becomes_one_answer
    a_level_behind_a_type_of_its_own_is_the_same
}

fn ok(body: &str) -> Vec<Step> {
    whole("200 OK", "application/json", body.as_bytes())
}

fn contents(server: &Server, number: usize) -> Value {
    let request = &server.requests()[number];
    serde_json::from_str::<Value>(request.split_once("\r\n\r\n").unwrap().1).unwrap()["contents"].take()
}

fn turn(role: &str, text: &str) -> Value {
    json!({"role": role, "parts": [{"text": text}]})
}

mod on {
    use super::*;

    pub(super) async fn a_chat_remembers_both_sides<S: Subject>() {
        let server = Server::with(|number| ok(&answer(["one", "two"][number], Some("STOP")))).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let mut chat = Chat::new(&provider).with_system("be brief");
        assert_eq!(chat.send("first").await.unwrap().text(), "one");
        assert_eq!(chat.send("second".to_owned()).await.unwrap().text(), "two");
        assert_eq!(contents(&server, 1), json!([turn("user", "first"), turn("model", "one"), turn("user", "second")]));
        assert!(server.requests()[1].contains(r#""systemInstruction":{"parts":[{"text":"be brief"}]}"#));
        assert_eq!(chat.history().len(), 4);
        assert_eq!(serde_json::to_value(chat.into_history()).unwrap()[3], turn("model", "two"));
    }

    pub(super) async fn a_turn_that_fails_or_is_dropped_is_taken_back<S: Subject>() {
        let server = Server::with(|number| match number {
            0 => vec![Step::Reset],
            1 => vec![stream_head(), chunk(event("half", None)), Step::Close],
            2 => ok(r#"{"promptFeedback": {"blockReason": "SAFETY"}}"#),
            3 => vec![head("200 OK", ""), Step::Silence],
            _ => ok(&answer("one", Some("STOP"))),
        })
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        let mut chat = Chat::new(&provider);
        chat.send("first").await.unwrap_err();
        chat.send_stream("first", |_| ControlFlow::Continue(())).await.unwrap_err();
        assert!(chat.send("blocked").await.unwrap().prompt_feedback.is_some());
        {
            let send = std::pin::pin!(chat.send("dropped"));
            let asked = async {
                while server.requests().len() < 4 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                end = send => panic!("{end:?}"),
                () = asked => {}
            }
        }
        assert_eq!(chat.history(), []);
        chat.send("again").await.unwrap();
        assert_eq!(contents(&server, 4), json!([turn("user", "again")]));
    }

    pub(super) async fn a_stream_becomes_one_answer<S: Subject>() {
        let of = |parts: Value, finish: Option<&str>| {
            let event = json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish}]});
            format!("data: {event}\r\n\r\n")
        };
        let events = [
            of(json!([{"text": "h", "thought": true}]), None),
            of(json!([{"text": "m", "thought": true}, {"text": "one "}]), None),
            of(json!([{"text": "two"}]), None),
            of(
                json!([{"text": "", "thoughtSignature": "s"}, {"functionCall": {"name": "f"}}, {"text": "three"}]),
                Some("STOP"),
            ),
        ];
        let body = events.concat();
        let server = Server::new([stream_head(), chunk(body), last_chunk()]).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let mut chat = Chat::new(&provider);
        chat.send_stream("first", |_| ControlFlow::Continue(())).await.unwrap();
        let parts = json!([{"text": "hm", "thought": true}, {"text": "one two"}, {"text": "", "thoughtSignature": "s"},
            {"functionCall": {"name": "f"}}, {"text": "three"}]);
        assert_eq!(serde_json::to_value(&chat.history()[1]).unwrap(), json!({"role": "model", "parts": parts}));
        // Whoever stops listening has heard what came so far.
        let mut heard = 0;
        let stop = |_: &GenerateContentResponse| {
            heard += 1;
            if heard == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        chat.send_stream("second", stop).await.unwrap();
        let parts = json!([{"text": "hm", "thought": true}, {"text": "one "}]);
        assert_eq!(serde_json::to_value(&chat.history()[3]).unwrap(), json!({"role": "model", "parts": parts}));
    }

    pub(super) async fn a_level_behind_a_type_of_its_own_is_the_same<S: Subject>() {
        let server = Server::with(|number| match number {
            0 => ok(&answer("one", Some("STOP"))),
            1 => vec![stream_head(), chunk(event("two", Some("STOP"))), last_chunk()],
            _ => ok(r#"{"totalTokens": 3}"#),
        })
        .await;
        let provider = DynProvider::new(S::at(&server.base(), Options::default()).await);
        let shared: Arc<Vec<DynProvider>> = Arc::new(vec![provider.clone()]);
        let text = tokio::spawn(async move { shared[0].generate(&question()).await.unwrap().text() }).await.unwrap();
        assert_eq!(text, "one");
        assert_eq!(collect(&provider).await.0, "two");
        assert_eq!(provider.count_tokens(&CountTokensRequest::text("a")).await.unwrap().total_tokens, Some(3));
        assert_eq!(format!("{provider:?}"), "DynProvider(model \"m\")");
    }
}
