//! Files: the resumable upload, and what becomes of one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::api::{ask, get, names};
use crate::mock_support::{KEY, Mock, Raw, h1, h2};

/// The mock's grain: each piece but the last is a multiple.
const GRAIN: usize = 8 << 20;

async fn start(mock: &Mock, client: &Client, length: usize, file: Value) -> Response {
    client
        .post(format!("https://localhost:{}/s/chat/upload/v1beta/files", mock.port))
        .header("x-goog-api-key", KEY)
        .header("x-goog-upload-protocol", "resumable")
        .header("x-goog-upload-command", "start")
        .header("x-goog-upload-header-content-length", length)
        .header("x-goog-upload-header-content-type", "text/plain")
        .body(json!({"file": file}).to_string())
        .send()
        .await
        .unwrap()
}

async fn begin(mock: &Mock, client: &Client, length: usize, file: Value) -> String {
    let begun = start(mock, client, length, file).await;
    assert_eq!((begun.status().as_u16(), header(&begun, "x-goog-upload-status")), (200, "active"));
    header(&begun, "x-goog-upload-url").to_owned()
}

async fn go_on(client: &Client, url: &str, command: &str, offset: usize, bytes: Vec<u8>) -> Response {
    let request = client.post(url).header("x-goog-upload-command", command).header("x-goog-upload-offset", offset);
    request.body(bytes).send().await.unwrap()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Status, and what is said of the upload.
fn told(response: &Response) -> (u16, &str, &str) {
    let status = response.status().as_u16();
    (status, header(response, "x-goog-upload-status"), header(response, "x-goog-upload-size-received"))
}

#[tokio::test]
async fn a_file_goes_up_in_one_piece_and_is_processed_and_deleted() {
    for client in [h1(), h2()] {
        let mut mock = Mock::start();
        let begun = start(&mock, &client, 5, json!({"displayName": "five", "mimeType": "text/plain"})).await;
        for (name, value) in [
            ("content-type", "text/plain; charset=utf-8"),
            ("content-length", "0"),
            ("server", "UploadServer"),
            ("x-goog-upload-status", "active"),
            ("x-goog-upload-chunk-granularity", "8388608"),
        ] {
            assert_eq!(header(&begun, name), value, "{name}");
        }
        let url = header(&begun, "x-goog-upload-url").to_owned();
        assert!(url.starts_with(&format!("https://localhost:{}/s/chat/upload/v1beta/files?upload_id=", mock.port)));
        assert_eq!(header(&begun, "x-goog-upload-control-url"), url);

        let done = go_on(&client, &url, "upload, finalize", 0, b"bytes".to_vec()).await;
        assert_eq!(told(&done), (200, "final", "5"));
        let file = done.json::<Value>().await.unwrap()["file"].take();
        let name = file["name"].as_str().unwrap().to_owned();
        let expected = json!({
            "name": name, "displayName": "five", "mimeType": "text/plain", "sizeBytes": "5",
            "createTime": "2026-01-01T00:00:02.000000Z", "updateTime": "2026-01-01T00:00:02.000000Z",
            "expirationTime": "2026-01-03T00:00:02.000000000Z",
            // The digest's hexadecimal digits, and these in base64.
            "sha256Hash": "Mjc3MDg5ZDkxYzBiZGY0ZjJlNjg2MmJhN2U0YTA3NjA1MTE5NDMxZjVkMTNmNzI2ZGQzNTJiMDZmMWIyMDZhOQ==",
            "uri": format!("https://localhost:{}/s/chat/v1beta/{name}", mock.port),
            "state": "PROCESSING", "source": "UPLOADED",
        });
        assert_eq!(file, expected);

        for state in ["PROCESSING", "ACTIVE", "ACTIVE"] {
            assert_eq!(get(&mock, &client, &name).await.1["state"], state);
        }
        assert_eq!(ask(&mock, &client, Method::DELETE, &name, Value::Null).await, (200, json!({})));
        assert_eq!(get(&mock, &client, &name).await.0, 403);
        begin(&mock, &client, 1, json!({})).await;
        mock.control.reset().unwrap();
        assert_eq!(told(&go_on(&client, &url, "query", 0, vec![]).await), (404, "unknown", ""));
    }
}

#[tokio::test]
async fn a_long_file_goes_up_in_pieces_whose_offsets_are_checked() {
    let bytes: Vec<u8> = (0..GRAIN + 1000).map(|at| (at % 251) as u8).collect();
    for client in [h1(), h2()] {
        let mock = Mock::start();
        let url = begin(&mock, &client, bytes.len(), json!({})).await;
        assert_eq!(told(&go_on(&client, &url, "query", 0, vec![]).await), (200, "active", "0"));
        // Not where it should be; not of the grain: refused, and what is refused for its place does not count.
        assert_eq!(told(&go_on(&client, &url, "upload", 1, bytes[1..].to_vec()).await), (400, "active", "0"));
        assert_eq!(told(&go_on(&client, &url, "upload", 0, bytes[..GRAIN].to_vec()).await).0, 200);
        assert_eq!(told(&go_on(&client, &url, "query", 0, vec![]).await), (200, "active", "8388608"));
        assert_eq!(told(&go_on(&client, &url, "finalize", 0, vec![]).await), (400, "active", "8388608"));
        let last = go_on(&client, &url, "upload, finalize", GRAIN, bytes[GRAIN..].to_vec()).await;
        assert_eq!(told(&last).1, "final");
        let file = last.json::<Value>().await.unwrap()["file"].take();
        assert_eq!(file["sizeBytes"], bytes.len().to_string());
        assert_eq!(file["sha256Hash"], digest(&bytes));
        // Asked again, the session still knows its file.
        let again = go_on(&client, &url, "query", 0, vec![]).await;
        assert_eq!(told(&again).1, "final");
        assert_eq!(again.json::<Value>().await.unwrap()["file"]["name"], file["name"]);

        let short = begin(&mock, &client, 100, json!({})).await;
        assert_eq!(told(&go_on(&client, &short, "upload", 0, vec![0; 10]).await).0, 400);
        assert_eq!(told(&go_on(&client, &short, "upload, finalize", 10, vec![0; 91]).await).0, 400);
        assert_eq!(told(&go_on(&client, &short, "dance", 10, vec![]).await).0, 400);
        assert_eq!(told(&go_on(&client, &short, "cancel", 10, vec![]).await).1, "cancelled");
    }
}

#[tokio::test]
async fn a_piece_that_breaks_off_counts_for_what_came() {
    let mock = Mock::start();
    let client = h1();
    let url = begin(&mock, &client, 10, json!({})).await;
    let path = url.splitn(4, '/').nth(3).unwrap().to_owned();
    let [mut raw, _] = Raw::both(mock.port);
    let head =
        "host: localhost\r\nx-goog-upload-command: upload, finalize\r\nx-goog-upload-offset: 0\r\ncontent-length: 10";
    raw.send(format!("POST /{path} HTTP/1.1\r\n{head}\r\n\r\n12345").as_bytes());
    drop(raw);
    // The mock learns of the end a moment after the client made it.
    let received = loop {
        let asked = go_on(&client, &url, "query", 0, vec![]).await;
        if told(&asked).2 != "0" {
            break told(&asked).2.to_owned();
        }
    };
    assert_eq!(received, "5");
    let done = go_on(&client, &url, "upload, finalize", 5, b"67890".to_vec()).await;
    assert_eq!(told(&done), (200, "final", "10"));
    assert_eq!(done.json::<Value>().await.unwrap()["file"]["sha256Hash"], digest(b"1234567890"));
}

#[tokio::test]
async fn files_are_listed_in_pages_and_named_once() {
    let mock = Mock::start();
    let client = h2();
    let mut all = Vec::new();
    for number in 0..12 {
        let url = begin(&mock, &client, 1, json!({"name": format!("files/mine-{number}")})).await;
        let done = go_on(&client, &url, "upload, finalize", 0, vec![0]).await;
        all.push(done.json::<Value>().await.unwrap()["file"]["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(all[11], "files/mine-11");
    for size in [1, 5, 100] {
        assert_eq!(names(&mock, &client, "files", size).await, all);
    }
    assert_eq!(get(&mock, &client, "files").await.1["files"].as_array().unwrap().len(), 10, "a page by itself");
    for (name, code) in [("files/mine-3", 409), ("files/Mine", 400), ("files/-a", 400), ("files/", 400)] {
        assert_eq!(start(&mock, &client, 1, json!({"name": name})).await.status(), code, "{name}");
    }
}

#[tokio::test]
async fn an_upload_begins_as_the_protocol_says_or_not_at_all() {
    let mock = Mock::start();
    let client = h1();
    let good = [
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-command", "start"),
        ("x-goog-upload-header-content-length", "5"),
        ("x-goog-upload-header-content-type", "a/b"),
    ];
    for left_out in 0..good.len() {
        let url = format!("https://localhost:{}/upload/v1beta/files", mock.port);
        let mut request = client.post(url).header("x-goog-api-key", KEY);
        for (_, (name, value)) in good.iter().enumerate().filter(|(at, _)| *at != left_out) {
            request = request.header(*name, *value);
        }
        assert_eq!(request.send().await.unwrap().status(), 400, "without {}", good[left_out].0);
    }
    let keyless = client.post(format!("https://localhost:{}/upload/v1beta/files", mock.port));
    assert_eq!(keyless.send().await.unwrap().status(), 403);
}

/// As a file tells its digest.
fn digest(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
