//! Each fault is what its name says, over each protocol.

#[path = "../mock_support/mod.rs"]
mod mock_support;

mod bodies;
mod http1;
mod http2;

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use mock_support::{Mock, h1, h2};
use plimsoll::corpus::{self, Call, Served, reading};
use reqwest::{Client, Response};

async fn stream(mock: &Mock, client: &Client, script: &str) -> Response {
    mock.post(client, script, "streamGenerateContent?alt=sse").send().await.unwrap()
}

/// What arrived before the body ended badly, and how it ended.
async fn until_cut(mut response: Response) -> (Vec<u8>, reqwest::Error) {
    let mut read = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => read.extend_from_slice(&chunk),
            Ok(None) => panic!("the body ended well after {} bytes", read.len()),
            Err(error) => return (read, error),
        }
    }
}

fn io_kind(error: &reqwest::Error) -> Option<ErrorKind> {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        source = cause.source();
    }
    None
}

#[tokio::test]
async fn a_status_takes_the_place_of_the_answer() {
    let mock = Mock::start();
    for client in [h1(), h2()] {
        for code in [400, 403, 404, 429, 500, 503, 504] {
            let response = stream(&mock, &client, &format!("stream+status={code}")).await;
            assert_eq!(response.status(), code);
            assert_eq!(response.headers()["content-type"], "text/event-stream");
            let error: serde_json::Value = response.json().await.unwrap();
            assert_eq!(error.pointer("/error/code"), Some(&code.into()));
        }
    }
}

#[tokio::test]
async fn a_cut_stream_ends_inside_the_body_with_what_was_sent_before() {
    let body = corpus::reply("stream").unwrap().served(Call::Sse).body;
    for client in [h1(), h2()] {
        for (script, sent) in [
            ("stream+cut=50%", body.len() / 2),
            ("stream+cut=50%-fin", body.len() / 2),
            ("stream+cut=1", 1),
            ("stream+cut=0", 0),
        ] {
            let mut mock = Mock::start();
            let (read, _) = until_cut(stream(&mock, &client, script).await).await;
            assert_eq!(read, body[..sent], "{script}");
            assert_eq!(mock.stats().answered, 0);
        }
    }
}

#[tokio::test]
async fn a_cut_is_a_reset_or_a_bare_end() {
    let mock = Mock::start();
    let client = h1();
    let (_, reset) = until_cut(stream(&mock, &client, "stream+cut=50%").await).await;
    assert_eq!(io_kind(&reset), Some(ErrorKind::ConnectionReset), "{reset:?}");
    let (_, fin) = until_cut(stream(&mock, &client, "stream+cut=50%-fin").await).await;
    assert_eq!(io_kind(&fin), Some(ErrorKind::UnexpectedEof), "{fin:?}");
}

#[tokio::test]
async fn an_answer_in_one_record_can_be_cut_too() {
    let mock = Mock::start();
    let body = corpus::reply("chat").unwrap().served(Call::Unary).body;
    for script in ["chat+cut=50%", "chat+cut=50%+framing=length"] {
        let response = mock.post(&h1(), script, "generateContent").send().await.unwrap();
        assert_eq!(until_cut(response).await.0, body[..body.len() / 2], "{script}");
    }
}

#[tokio::test]
async fn a_wrong_text_has_the_shape_and_the_length_of_the_right_one() {
    let mock = Mock::start();
    for client in [h1(), h2()] {
        let right = corpus::reply("stream").unwrap().served(Call::Sse);
        let body = stream(&mock, &client, "stream+wrong-text").await.bytes().await.unwrap();
        let wrong = Served { body, ..right.clone() };
        let (right, wrong) = (reading::text(&right, Call::Sse).unwrap(), reading::text(&wrong, Call::Sse).unwrap());
        assert_eq!(right.len(), wrong.len());
        assert_ne!(right, wrong);
    }
}

#[tokio::test]
async fn malformed_json_comes_with_a_whole_body() {
    let mock = Mock::start();
    let response = mock.post(&h1(), "chat+malformed", "generateContent").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.json::<serde_json::Value>().await.unwrap_err().is_decode());
}

#[tokio::test]
async fn silence_lasts_for_as_long_as_the_client_stays() {
    for client in [h1(), h2()] {
        let mut mock = Mock::start();
        let asked = tokio::spawn(mock.post(&client, "chat+silence", "generateContent").send());
        while mock.stats().requests == 0 {
            tokio::task::yield_now().await;
        }
        assert!(tokio::time::timeout(Duration::from_millis(100), asked).await.is_err(), "there is an answer");
        let stats = mock.stats();
        assert_eq!((stats.requests, stats.answered, stats.lockstep.steps), (1, 0, 0));
    }
}

#[tokio::test]
async fn time_passes_where_it_was_asked_to() {
    let mock = Mock::start();
    for (script, least) in [("stream+pace=10ms", 130), ("stream+delay=100ms", 100)] {
        let started = std::time::Instant::now();
        stream(&mock, &h2(), script).await.bytes().await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(least), "{script}");
    }
}
