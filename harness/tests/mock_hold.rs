//! Answers are held and released, by the thousand if need be.

mod mock_support;

use std::time::Duration;

use mock_support::{Mock, h1, h2};
use plimsoll::corpus;
use plimsoll::mock::control::ControlError;
use reqwest::Client;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(60);

fn ask(mock: &Mock, client: &Client, script: &str, call: &str) -> JoinHandle<Vec<u8>> {
    let request = mock.post(client, script, call).timeout(PATIENCE * 2);
    tokio::spawn(async move { request.send().await.unwrap().bytes().await.unwrap().to_vec() })
}

/// The control connection blocks, so its waiting goes to another thread.
async fn wait_held(mut mock: Mock, count: u64) -> Mock {
    tokio::task::spawn_blocking(move || {
        let stats = mock.control.wait_held(count, PATIENCE).unwrap();
        assert_eq!(stats.held, count);
        mock
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn before_the_head_nothing_is_sent_until_released() {
    for client in [h1(), h2()] {
        let mock = Mock::start();
        let answer = ask(&mock, &client, "chat+hold=before-head", "generateContent");
        let mut mock = wait_held(mock, 1).await;
        assert_eq!((mock.stats().lockstep.steps, mock.stats().answered), (0, 0));
        mock.control.release().unwrap();
        assert_eq!(answer.await.unwrap(), corpus::reply("chat").unwrap().served(corpus::Call::Unary).body);
        let stats = mock.stats();
        assert_eq!((stats.held, stats.answered), (0, 1));
    }
}

#[tokio::test]
async fn after_the_first_event_that_event_is_with_the_client() {
    for client in [h1(), h2()] {
        let mock = Mock::start();
        let mut response =
            mock.post(&client, "stream+hold=after-first-event", "streamGenerateContent?alt=sse").send().await.unwrap();
        let first = response.chunk().await.unwrap().unwrap();
        let body = corpus::reply("stream").unwrap().served(corpus::Call::Sse).body;
        assert!(body.starts_with(&first) && first.ends_with(b"}\r\n\r\n"));
        let mut mock = wait_held(mock, 1).await;
        mock.control.release().unwrap();
        assert_eq!([first, response.bytes().await.unwrap()].concat(), body);
    }
}

#[tokio::test]
async fn half_of_an_answer_without_events_is_sent_first() {
    let mock = Mock::start();
    let mut response = mock.post(&h1(), "chat+hold=after-first-event", "generateContent").send().await.unwrap();
    let half = response.chunk().await.unwrap().unwrap();
    let body = corpus::reply("chat").unwrap().served(corpus::Call::Unary).body;
    assert_eq!(half, body[..body.len() / 2]);
    let mut mock = wait_held(mock, 1).await;
    mock.control.release().unwrap();
    assert_eq!([half, response.bytes().await.unwrap()].concat(), body);
}

#[tokio::test]
async fn a_release_is_for_those_that_are_held_and_for_no_later_one() {
    let mock = Mock::start();
    let client = h1();
    let first = ask(&mock, &client, "chat+hold=before-head", "generateContent");
    let mut mock = wait_held(mock, 1).await;
    mock.control.release().unwrap();
    first.await.unwrap();
    let second = ask(&mock, &client, "chat+hold=before-head", "generateContent");
    let mut mock = wait_held(mock, 1).await;
    assert!(!second.is_finished());
    mock.control.release().unwrap();
    second.await.unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_is_held_no_more() {
    for client in [h1(), h2()] {
        let mock = Mock::start();
        let answer = ask(&mock, &client, "chat+hold=before-head", "generateContent");
        let mut mock = wait_held(mock, 1).await;
        answer.abort();
        assert!(answer.await.unwrap_err().is_cancelled());
        drop(client);
        while mock.stats().held > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(mock.stats().answered, 0);
    }
}

#[tokio::test]
async fn waiting_for_more_than_there_are_says_how_many_there_are() {
    let mut mock = Mock::start();
    let error = mock.control.wait_held(1, Duration::from_millis(20)).unwrap_err();
    assert!(matches!(error, ControlError::NotHeld { wanted: 1, held: 0, .. }), "{error}");
}

async fn a_thousand(client: Client, connections: u64) {
    let mock = Mock::start();
    let answers: Vec<_> = (0..1_000)
        .map(|_| ask(&mock, &client, "stream+hold=after-first-event", "streamGenerateContent?alt=sse"))
        .collect();
    let mut mock = wait_held(mock, 1_000).await;
    assert_eq!(mock.stats().connections_open, connections);
    mock.control.release().unwrap();
    let body = corpus::reply("stream").unwrap().served(corpus::Call::Sse).body;
    for answer in answers {
        assert_eq!(answer.await.unwrap(), body);
    }
    assert_eq!(mock.stats().answered, 1_000);
}

#[tokio::test]
async fn a_thousand_connections_are_held_at_once() {
    a_thousand(h1(), 1_000).await;
}

#[tokio::test]
async fn one_h2_connection_takes_as_many_streams_as_the_limit_says() {
    let client = h2();
    let mock = Mock::start();
    // A connection that is there already, so that no second one is opened for requests at the same time.
    ask(&mock, &client, "chat", "generateContent").await.unwrap();
    let answers: Vec<_> = (0..150).map(|_| ask(&mock, &client, "chat+hold=before-head", "generateContent")).collect();
    let mut mock = wait_held(mock, 100).await;
    mock.control.release().unwrap();
    while mock.stats().answered < 101 {
        tokio::task::yield_now().await;
    }
    // The fifty that had to wait come when the hundred are gone.
    let mut mock = wait_held(mock, 50).await;
    mock.control.release().unwrap();
    for answer in answers {
        answer.await.unwrap();
    }
    assert_eq!(mock.stats().connections_total, 1);
}
