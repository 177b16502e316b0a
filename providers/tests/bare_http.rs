//! HTTP/1.1 as servers and networks speak it, against the level `bare`: what its own client must get right by itself.

use std::future::Future;
use std::io::Write;
use std::ops::ControlFlow;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use plimsoll_providers::gemini_bare_http::{BareGeminiConfig, BareGeminiProvider, Visitor};
use plimsoll_providers::{Data, Error, GenerateContentRequest, Options, Phase, Protocol, Provider};
use serde_json::json;

#[path = "levels/server.rs"]
#[allow(dead_code, reason = "the server can more than this file asks of it")]
mod server;

use server::{Server, Step, answer, chunk, event, head, last_chunk, stream_head, whole};

async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("the test hangs")
}

async fn provider(server: &Server) -> BareGeminiProvider {
    let config = BareGeminiConfig {
        api_key: "canary".to_owned(),
        base_url: Some(server.base()),
        default_model: "m".to_owned(),
        ..BareGeminiConfig::default()
    };
    BareGeminiProvider::new(config).await.unwrap()
}

fn question() -> GenerateContentRequest {
    GenerateContentRequest::user_text("why?")
}

fn send(bytes: impl Into<Vec<u8>>) -> Step {
    Step::Send(bytes.into())
}

fn good() -> Vec<Step> {
    whole("200 OK", "application/json", answer("good", Some("STOP")).as_bytes())
}

/// What `generate` makes of raw bytes, each piece sent by itself, on a connection that then ends.
async fn generate(pieces: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Result<String, Error> {
    let steps: Vec<_> = pieces.into_iter().map(send).chain([Step::Close]).collect();
    let server = Server::new(steps).await;
    in_time(provider(&server).await.generate(&question())).await.map(|answer| answer.text())
}

fn transport(result: Result<String, Error>, expected: Phase) -> String {
    match result {
        Err(Error::Transport { phase, source }) if phase == expected => source.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_cut_at_every_byte_is_the_same_answer() {
    let body = answer("a \u{2028} ⚓️ \"b\"\n", Some("STOP"));
    let (first, second) = body.as_bytes().split_at(40);
    let chunks = [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n28;ext=\"1\"\r\n".to_vec(),
        first.to_vec(),
        format!("\r\n{:X}\r\n", second.len()).into_bytes(),
        second.to_vec(),
        b"\r\n0\r\nx-trailer: 1\r\n\r\n".to_vec(),
    ]
    .concat();
    let server = Server::with({
        let bytes = chunks.clone();
        move |at| {
            let (head, tail) = bytes.split_at(at);
            vec![send(head), send(tail)]
        }
    })
    .await;
    let provider = provider(&server).await;
    for at in 0..=chunks.len() {
        let read = in_time(provider.generate(&question())).await.unwrap();
        assert_eq!(read.text(), "a \u{2028} ⚓️ \"b\"\n", "cut at {at}");
    }
    assert_eq!(server.connections(), 1, "trailers included, each answer was read to its end");
}

#[tokio::test]
async fn words_on_the_way_are_passed_over_and_have_an_end() {
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    let body = answer("a", Some("STOP"));
    let last = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(generate([interim.repeat(3) + &last]).await.unwrap(), "a");
    assert!(transport(generate([interim.repeat(40) + &last]).await, Phase::Head).contains("without an answer"));
    let switch = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n";
    assert!(transport(generate([switch]).await, Phase::Head).contains("protocol"));
}

#[tokio::test]
async fn bad_chunks_are_refused() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (body, what) in [
        ("x\r\n", "size"),
        ("-1\r\n", "size"),
        ("fffffffffffffffff\r\n", "size"),
        ("2\n{}\r\n0\r\n\r\n", "size"),
        ("2\r\n{}x\r\n0\r\n\r\n", "does not end"),
        ("2\r\n{}\r\n0\r\nx: 1\n\r\n", "does not end"),
        ("2\r\n{}\r\n", "ended in the body"),
        ("2\r\n{}\r\n0\r\n", "ended in the body"),
        ("9\r\n{}\r\n", "ended in the body"),
    ] {
        let said = transport(generate([format!("{head}{body}")]).await, Phase::Body);
        assert!(said.contains(what), "{body:?}: {said}");
    }
}

#[tokio::test]
async fn bad_heads_are_refused() {
    for (head, what) in [
        ("HTTP/2.0 200 OK\r\n\r\n", "not HTTP/1.1"),
        ("SSH-2.0-x\r\n\r\n", "not HTTP/1.1"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}", "content-length"),
        ("HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\n{}", "content-length"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "transfer-encoding"),
        ("HTTP/1.1 200 OK\r\nhalf", "ended before the head"),
    ] {
        let said = transport(generate([head]).await, Phase::Head);
        assert!(said.contains(what), "{head:?}: {said}");
    }
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n{{}}", "y".repeat(70_000));
    assert!(transport(generate([long]).await, Phase::Head).contains("65536"));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n{{}}", "x: y\r\n".repeat(200));
    assert!(transport(generate([many]).await, Phase::Head).contains("fields"));
}

#[tokio::test]
async fn a_connection_is_used_again_until_one_side_says_otherwise() {
    let body = answer("a", Some("STOP"));
    let length = format!("content-length: {}\r\n", body.len());
    let cases = [
        (length.clone(), String::new(), 1),
        (length.clone() + "connection: keep-alive\r\n", String::new(), 1),
        (length.clone() + "connection: Close\r\n", String::new(), 3),
        // What nobody asked for, behind the answer.
        (length, "HTTP/1.1 200 OK\r\n".to_owned(), 3),
    ];
    for (fields, behind, connections) in cases {
        let server = Server::new([send(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}{behind}"))]).await;
        let provider = provider(&server).await;
        for _ in 0..3 {
            assert_eq!(in_time(provider.generate(&question())).await.unwrap().text(), "a");
        }
        assert_eq!(server.connections(), connections, "{fields:?}, {behind:?}");
    }
}

#[tokio::test]
async fn refusals_and_streams_give_their_connection_back() {
    let server = Server::with(|number| match number % 3 {
        0 => vec![stream_head(), chunk(event("a", Some("STOP"))), last_chunk()],
        1 => whole("503 Service Unavailable", "application/json", br#"{"error":{"code":503}}"#),
        _ => good(),
    })
    .await;
    let provider = provider(&server).await;
    for _ in 0..3 {
        in_time(provider.stream(&question(), |_| ControlFlow::Continue(()))).await.unwrap();
        assert_eq!(in_time(provider.generate(&question())).await.unwrap_err().api().unwrap().code, 503);
        in_time(provider.generate(&question())).await.unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 9));
}

#[tokio::test]
async fn a_connection_closed_just_as_it_is_used_again_is_replaced_once() {
    for end in [Step::Close, Step::Reset] {
        // The first answer leaves a connection behind. The next request on it meets its end.
        let server = Server::with({
            let end = end.clone();
            move |number| if number == 1 { vec![end.clone()] } else { good() }
        })
        .await;
        let provider = provider(&server).await;
        for _ in 0..2 {
            assert_eq!(in_time(provider.generate(&question())).await.unwrap().text(), "good");
        }
        assert_eq!((server.requests().len(), server.connections()), (3, 2));

        // The new connection's end is the end.
        let server = Server::with(move |number| if number == 0 { good() } else { vec![end.clone()] }).await;
        let provider = crate::provider(&server).await;
        in_time(provider.generate(&question())).await.unwrap();
        let error = in_time(provider.generate(&question())).await.unwrap_err();
        assert!(matches!(error, Error::Transport { phase: Phase::Head, .. }), "{error:?}");
        assert_eq!(server.requests().len(), 3, "once, not more");
    }
}

#[tokio::test]
async fn nothing_is_asked_again_once_a_byte_came_or_on_a_new_connection() {
    let server = Server::with(|number| match number {
        0 => good(),
        _ => vec![send("H"), Step::Close],
    })
    .await;
    let provider = provider(&server).await;
    in_time(provider.generate(&question())).await.unwrap();
    let error = in_time(provider.generate(&question())).await.unwrap_err();
    assert!(matches!(error, Error::Transport { phase: Phase::Head, .. }), "{error:?}");
    assert_eq!(server.requests().len(), 2);
    let fresh = Server::new([Step::Close]).await;
    in_time(crate::provider(&fresh).await.generate(&question())).await.unwrap_err();
    assert_eq!(fresh.requests().len(), 1);
}

#[tokio::test]
async fn gzip_is_read_however_it_is_framed_and_damage_is_seen() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(answer(&"packed ".repeat(3000), Some("STOP")).as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let framed = |bytes: &[u8]| {
        let chunks = bytes.chunks(7).map(chunk);
        let head = head("200 OK", "content-encoding: gzip\r\ntransfer-encoding: chunked\r\n");
        [head].into_iter().chain(chunks).chain([last_chunk()]).collect::<Vec<_>>()
    };
    let mut damaged = packed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let server = Server::with({
        let cases =
            [framed(&packed), framed(&packed[..packed.len() - 1]), framed(&damaged), framed(b"{}"), framed(&packed)];
        move |number| cases[number].clone()
    })
    .await;
    let provider = provider(&server).await;
    let request = question();
    let ask = || in_time(provider.generate(&request));
    assert_eq!(ask().await.unwrap().text(), "packed ".repeat(3000));
    for what in ["too early", "damaged", "is not"] {
        let error = ask().await.unwrap_err();
        assert!(matches!(error, Error::Answer { .. }) && error.to_string().contains(what), "{error}");
    }
    assert_eq!(ask().await.unwrap().text(), "packed ".repeat(3000), "the room to unpack in was cleaned");
    let brotli = "HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\n{}";
    assert!(matches!(generate([brotli]).await, Err(Error::Answer { .. })));
}

#[tokio::test]
async fn a_body_without_a_frame_ends_with_the_connection() {
    let body = answer("to the end", Some("STOP"));
    let (first, second) = body.split_at(30);
    assert_eq!(generate(["HTTP/1.0 200 OK\r\n\r\n", first, second]).await.unwrap(), "to the end");
}

#[tokio::test]
async fn calls_without_ids_in_parallel_are_all_there() {
    let body = json!({"candidates": [{"content": {"role": "model", "parts": [
        {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "f", "args": null}},
        {"functionCall": {"name": "g"}}
    ]}, "finishReason": "STOP"}]});
    let server = Server::new(whole("200 OK", "application/json", body.to_string().as_bytes())).await;
    let read = in_time(provider(&server).await.generate(&question())).await.unwrap();
    let parts = &read.candidates[0].content.as_ref().unwrap().parts;
    let names: Vec<_> = parts
        .iter()
        .map(|part| match &part.data {
            Data::FunctionCall(call) => (&*call.name, call.id.is_none()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, [("f", true), ("f", true), ("g", true)]);
    assert_eq!(serde_json::to_value(&read).unwrap(), body);
}

#[tokio::test]
async fn another_protocol_is_refused_when_the_provider_is_made() {
    let options = Options { protocol: Protocol::Http2, ..Options::default() };
    let config = BareGeminiConfig { api_key: "canary".to_owned(), ..BareGeminiConfig::default() };
    let error = BareGeminiProvider::with_options(config, options).await.unwrap_err();
    assert!(matches!(error, Error::Config(_)) && error.to_string().contains("HTTP/1.1"), "{error}");
}

/// Takes texts, and has enough after so many events.
#[derive(Default)]
struct Listener {
    text: String,
    reasons: Vec<String>,
    enough: Option<usize>,
}

impl Visitor for Listener {
    fn text(&mut self, _: usize, piece: &str) {
        self.text += piece;
    }

    fn finish(&mut self, _: usize, reason: &str) {
        self.reasons.push(reason.to_owned());
    }

    fn end(&mut self) -> ControlFlow<()> {
        self.enough = self.enough.map(|left| left - 1);
        if self.enough == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[tokio::test]
async fn a_visitor_is_told_the_same_and_of_the_same_failures() {
    let error = r#"{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}"#;
    let events = event("one\n", None) + &event("two", Some("STOP"));
    let streams = [
        events.clone(),
        event("one\n", None),
        event("one\n", None) + error,
        event("one\n", None) + &format!("data: {error}\r\n\r\n"),
        event("one\n", None) + "data: {]\r\n\r\n",
    ];
    let server = Server::with(move |number| match number {
        0 => whole("200 OK", "application/json", answer("one\ntwo", Some("STOP")).as_bytes()),
        1 => whole("200 OK", "application/json", error.as_bytes()),
        2 => whole("200 OK", "application/json", b"[]"),
        number => {
            let chunks = streams[number - 3].as_bytes().chunks(9).map(chunk);
            [stream_head()].into_iter().chain(chunks).chain([last_chunk()]).collect()
        }
    })
    .await;
    let (provider, question) = (provider(&server).await, question());
    let mut heard = Listener::default();
    in_time(provider.generate_with(&question, &mut heard)).await.unwrap();
    assert_eq!((&*heard.text, &heard.reasons[..]), ("one\ntwo", &["STOP".to_owned()][..]));
    let refused = in_time(provider.generate_with(&question, &mut Listener::default())).await.unwrap_err();
    assert_eq!(refused.api().unwrap().status, "UNAVAILABLE");
    let foreign = in_time(provider.generate_with(&question, &mut Listener::default())).await.unwrap_err();
    assert!(matches!(foreign, Error::Answer { .. }), "{foreign:?}");
    let mut ends = Vec::new();
    for expected in ["one\ntwo", "one\n", "one\n", "one\n", "one\n"] {
        let mut heard = Listener::default();
        ends.push(in_time(provider.stream_with(&question, &mut heard)).await);
        assert_eq!(heard.text, expected);
    }
    let [whole, cut, bare, event, unreadable] = ends.try_into().unwrap();
    whole.unwrap();
    assert!(matches!(cut, Err(Error::Truncated)), "{cut:?}");
    assert_eq!(bare.unwrap_err().api().unwrap().code, 503);
    assert_eq!(event.unwrap_err().api().unwrap().code, 503);
    assert!(matches!(unreadable, Err(Error::Answer { .. })), "{unreadable:?}");
}

#[tokio::test]
async fn a_visitor_that_has_enough_hangs_up() {
    let server = Server::new([stream_head(), chunk(event("one", None) + &event("two", None)), Step::Silence]).await;
    let mut heard = Listener { enough: Some(1), ..Listener::default() };
    in_time(provider(&server).await.stream_with(&question(), &mut heard)).await.unwrap();
    assert_eq!(heard.text, "one");
    in_time(server.ended(1)).await;
}
