//! Faults that are the same over every protocol: in what is said, how much, and where to.

use std::io::Read;

use flate2::read::GzDecoder;
use http::header::{CONTENT_ENCODING, LOCATION};
use plimsoll::corpus::{self, Call, Served, reading};
use plimsoll::mock::control::key_digest;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use serde_json::Value;

use crate::mock_support::{KEY, Mock, client, keyed};

const SSE: &str = "streamGenerateContent?alt=sse";

/// Both protocols, with TLS and without.
fn everywhere(adjust: impl Fn(ClientBuilder) -> ClientBuilder) -> [(&'static str, Client); 4] {
    [
        ("https", client(|builder| adjust(builder.http1_only()))),
        ("https", client(&adjust)),
        ("http", client(|builder| adjust(builder.http1_only()))),
        ("http", client(|builder| adjust(builder.http2_prior_knowledge()))),
    ]
}

async fn ask(mock: &Mock, (scheme, client): &(&str, Client), script: &str, call: &str) -> Response {
    keyed(client.post(mock.url(scheme, script, call))).send().await.unwrap()
}

async fn events(response: Response) -> Vec<Value> {
    assert_eq!(response.status(), 200);
    let body = response.bytes().await.unwrap();
    let served = Served { status: 200, content_type: corpus::SSE, body };
    reading::events(&served, Call::Sse).unwrap()
}

fn finishes(event: &Value) -> bool {
    event.pointer("/candidates/0/finishReason").is_some()
}

#[tokio::test]
async fn an_error_follows_half_of_the_events_bare_or_framed() {
    let mock = Mock::start();
    for client in &everywhere(|builder| builder) {
        let framed = events(ask(&mock, client, "stream+error-event=data", SSE).await).await;
        assert_eq!(framed.len(), 7);
        assert_eq!(framed[6].pointer("/error/status"), Some(&"UNAVAILABLE".into()));

        let body = ask(&mock, client, "stream+error-event=bare", SSE).await.text().await.unwrap();
        let (_, bare) = body.rsplit_once("\r\n\r\n").unwrap();
        assert_eq!(body.matches("data: ").count(), 6);
        assert_eq!(serde_json::from_str::<Value>(bare).unwrap().pointer("/error/code"), Some(&503.into()));

        let array = ask(&mock, client, "stream+error-event=bare", "streamGenerateContent").await;
        assert!(array.json::<Vec<Value>>().await.unwrap()[6].get("error").is_some());
    }
}

#[tokio::test]
async fn the_reason_to_finish_comes_early_or_never() {
    let mock = Mock::start();
    for client in &everywhere(|builder| builder) {
        let early = events(ask(&mock, client, "stream+early-finish", SSE).await).await;
        assert_eq!(early.iter().map(finishes).collect::<Vec<_>>(), (0..12).map(|at| at == 0).collect::<Vec<_>>());
        let none = events(ask(&mock, client, "stream+no-finish", SSE).await).await;
        assert_eq!((none.len(), none.iter().any(finishes)), (12, false));
    }
}

#[tokio::test]
async fn an_event_or_a_body_is_as_large_as_asked() {
    const SIZE: usize = 4 << 20;
    let mock = Mock::start();
    for client in &everywhere(|builder| builder) {
        let large = events(ask(&mock, client, "stream+pad=4MiB", SSE).await).await;
        let text = |event: &Value| event.pointer("/candidates/0/content/parts/0/text").unwrap().as_str().unwrap().len();
        assert!(text(&large[0]) > SIZE && text(&large[1]) < 1000);
        let body = ask(&mock, client, "chat+pad=4MiB", "generateContent").await.bytes().await.unwrap();
        assert!(body.len() > SIZE);
    }
}

#[tokio::test]
async fn a_bomb_is_small_on_the_wire_and_large_behind_it() {
    const SIZE: usize = 64 << 20;
    let mock = Mock::start();
    for client in &everywhere(|builder| builder.no_gzip()) {
        let bomb = ask(&mock, client, "chat+bomb=64MiB", "generateContent").await;
        assert_eq!(bomb.headers()[CONTENT_ENCODING], "gzip");
        let body = bomb.bytes().await.unwrap();
        assert!(body.len() < SIZE / 500, "{}", body.len());
        let mut unpacked = GzDecoder::new(&body[..]);
        let plain = corpus::reply("chat").unwrap().served(Call::Unary).body;
        let mut begin = vec![0; plain.len()];
        unpacked.read_exact(&mut begin).unwrap();
        assert_eq!(begin, plain);
        assert_eq!(std::io::copy(&mut unpacked, &mut std::io::sink()).unwrap(), SIZE as u64);
    }
}

#[tokio::test]
async fn a_redirect_leads_to_another_host_where_a_key_is_counted() {
    for client in &everywhere(|builder| builder.redirect(Policy::none())) {
        let mut mock = Mock::start();
        for code in [301, 302, 303, 307, 308] {
            let there = ask(&mock, client, &format!("stream+redirect={code}"), SSE).await;
            assert_eq!(there.status(), code);
            let path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
            assert_eq!(there.headers()[LOCATION], format!("{}://127.0.0.1:{}{path}", client.0, mock.port));
        }
        assert_eq!(mock.stats().requests, 5);
    }
    // A client that follows, and takes along a header that it knows nothing of, is found out.
    let mut mock = Mock::start();
    let careless = ("https", client(|builder| builder.http1_only()));
    assert_eq!(ask(&mock, &careless, "chat+redirect=307", "generateContent").await.status(), 200);
    assert_eq!(mock.stats().keys, [(key_digest(KEY), 2)].into());
}

#[tokio::test]
async fn a_connection_is_reset_before_the_head_or_behind_the_answer() {
    for client in &everywhere(|builder| builder) {
        let mut mock = Mock::start();
        let url = mock.url(client.0, "chat+reset=before", "generateContent");
        keyed(client.1.post(url)).send().await.unwrap_err();
        assert_eq!(mock.stats().answered, 0);

        // The mock waits until the client is at rest, but not for ever: on a busy machine the reset may overtake the answer.
        let mut asked = 0;
        let whole = loop {
            asked += 1;
            let url = mock.url(client.0, "chat+reset=behind", "generateContent");
            match keyed(client.1.post(url)).send().await {
                Ok(answer) => match answer.bytes().await {
                    Ok(whole) => break whole,
                    Err(error) => assert!(asked < 20, "{error:?}"),
                },
                Err(error) => assert!(asked < 20, "{error:?}"),
            }
        };
        assert_eq!(whole, corpus::reply("chat").unwrap().served(Call::Unary).body);
        let answered = mock.stats().answered;
        assert!((1..=asked).contains(&answered), "{answered} of {asked}");
        // Nobody else is connected: what is open is closed by the mock.
        while mock.stats().connections_open > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn informational_heads_come_before_the_answer() {
    let mock = Mock::start();
    for client in &everywhere(|builder| builder) {
        let answer = ask(&mock, client, "chat+informational", "generateContent").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.bytes().await.unwrap(), corpus::reply("chat").unwrap().served(Call::Unary).body);
    }
}

#[tokio::test]
async fn a_fault_of_the_other_protocol_is_refused() {
    let mock = Mock::start();
    for (client, script) in everywhere(|builder| builder).iter().zip(["chat+rst", "chat+trailers"].iter().cycle()) {
        let refused = ask(&mock, client, script, "generateContent").await;
        assert_eq!(refused.status(), 400);
        let said = refused.text().await.unwrap();
        assert!(said.contains("happens on HTTP/"), "{said}");
    }
}
