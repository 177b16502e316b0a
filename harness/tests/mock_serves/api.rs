//! The API besides generating: counting, embedding, models and cached contents.

use plimsoll::corpus;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::mock_support::{KEY, Mock, client, h1, h2, traffic};

/// Asks `path` behind the version.
pub(crate) async fn ask(mock: &Mock, client: &Client, method: Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("https://localhost:{}/v1beta/{path}", mock.port);
    let mut request = client.request(method, url).header("x-goog-api-key", KEY);
    if !body.is_null() {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], corpus::JSON);
    assert_eq!(answer.headers()["server"], "scaffolding on HTTPServer2");
    (answer.status().as_u16(), answer.json().await.unwrap())
}

pub(crate) async fn get(mock: &Mock, client: &Client, path: &str) -> (u16, Value) {
    ask(mock, client, Method::GET, path, Value::Null).await
}

async fn post(mock: &Mock, client: &Client, path: &str, body: Value) -> (u16, Value) {
    ask(mock, client, Method::POST, path, body).await
}

/// Reads a list of `field` page by page, `size` entries each, and gives the names.
pub(crate) async fn names(mock: &Mock, client: &Client, field: &str, size: usize) -> Vec<String> {
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let (status, page) = get(mock, client, &format!("{field}?pageSize={size}&pageToken={token}")).await;
        assert_eq!(status, 200, "{page}");
        let entries = page.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
        assert!(entries.len() <= size);
        names.extend(entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()));
        match page.get("nextPageToken").and_then(Value::as_str) {
            Some(next) => token = next.replace('/', "%2F").replace('=', "%3D"),
            None => return names,
        }
    }
}

fn text(text: &str) -> Value {
    json!({"role": "user", "parts": [{"text": text}]})
}

fn status(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1.pointer("/error/status").and_then(Value::as_str).unwrap_or_default())
}

#[tokio::test]
async fn tokens_are_counted_alone_and_in_a_whole_request() {
    let mock = Mock::start();
    for client in [h1(), h2()] {
        let call = "models/gemini-2.5-flash:countTokens";
        let counted = post(&mock, &client, call, json!({"contents": [text("eight by four")]})).await;
        let details = json!([{"modality": "TEXT", "tokenCount": 4}]);
        assert_eq!(counted, (200, json!({"totalTokens": 4, "promptTokensDetails": details})));
        let image = json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}});
        let whole = json!({"model": "models/gemini-2.5-flash", "contents": [{"parts": [image]}],
            "systemInstruction": {"parts": [{"text": "be brief"}]}});
        let (_, counted) = post(&mock, &client, call, json!({"generateContentRequest": whole})).await;
        assert_eq!(counted["totalTokens"], 260);
        for bad in [json!({}), json!({"contents": [], "generateContentRequest": {}}), json!([])] {
            assert_eq!(status(&post(&mock, &client, call, bad).await), (400, "INVALID_ARGUMENT"));
        }
    }
}

#[tokio::test]
async fn a_text_is_embedded_alike_each_time_and_in_a_batch() {
    let mock = Mock::start();
    let model = "models/gemini-embedding-001";
    for client in [h1(), h2()] {
        let one = |text: &str| json!({"model": model, "content": {"parts": [{"text": text}]}});
        let (_, first) = post(&mock, &client, &format!("{model}:embedContent"), one("hull")).await;
        let values = first.pointer("/embedding/values").unwrap().as_array().unwrap();
        assert_eq!(values.len(), 3072);
        let length: f64 = values.iter().map(|value| value.as_f64().unwrap().powi(2)).sum();
        assert!((length - 1.0).abs() < 1e-4, "{length}");

        let mut short = one("hull");
        short["outputDimensionality"] = 8.into();
        let batch = json!({"requests": [short, one("keel")]});
        let (_, both) = post(&mock, &client, &format!("{model}:batchEmbedContents"), batch).await;
        assert_eq!(both.pointer("/embeddings/0/values").unwrap().as_array().unwrap(), &values[..8]);
        assert_ne!(both.pointer("/embeddings/1/values"), first.pointer("/embedding/values"));

        let mut long = one("hull");
        long["outputDimensionality"] = 3073.into();
        for bad in [json!({}), json!({"content": {"parts": []}}), long] {
            let refused = post(&mock, &client, &format!("{model}:embedContent"), bad).await;
            assert_eq!(status(&refused), (400, "INVALID_ARGUMENT"));
        }
        let stranger = json!({"requests": [{"model": "models/other", "content": {"parts": [{"text": "a"}]}}]});
        for bad in [json!({"requests": []}), stranger] {
            let refused = post(&mock, &client, &format!("{model}:batchEmbedContents"), bad).await;
            assert_eq!(status(&refused), (400, "INVALID_ARGUMENT"));
        }
    }
}

#[tokio::test]
async fn models_are_listed_in_pages_and_told_one_by_one() {
    let mock = Mock::start();
    for client in [h1(), h2()] {
        let all = names(&mock, &client, "models", 1000).await;
        assert!(all.len() >= 5 && all.contains(&"models/gemini-2.5-flash".to_owned()));
        for size in 1..=all.len() {
            assert_eq!(names(&mock, &client, "models", size).await, all, "in pages of {size}");
        }
        for name in &all {
            let (_, model) = get(&mock, &client, name).await;
            assert_eq!((model["name"].as_str(), model["inputTokenLimit"].is_u64()), (Some(name.as_str()), true));
        }
        assert_eq!(status(&get(&mock, &client, "models/none").await), (404, "NOT_FOUND"));
        for bad in ["pageToken=1", "pageToken=1%2F000000000000%3D%3D", "pageSize=-1", "pageSize=many"] {
            assert_eq!(
                status(&get(&mock, &client, &format!("models?{bad}")).await),
                (400, "INVALID_ARGUMENT"),
                "{bad}"
            );
        }
    }
}

#[tokio::test]
async fn cached_contents_are_made_changed_listed_and_deleted() {
    let mut mock = Mock::start();
    let client = h2();
    let content = json!({"model": "models/gemini-2.5-flash", "contents": [text("twelve bytes")], "displayName": "log", "ttl": "300.5s"});
    let (code, made) = post(&mock, &client, "cachedContents", content.clone()).await;
    assert_eq!(code, 200, "{made}");
    let name = made["name"].as_str().unwrap().to_owned();
    let expected = json!({
        "name": name, "model": "models/gemini-2.5-flash", "displayName": "log",
        "createTime": "2026-01-01T00:00:01.000000Z", "updateTime": "2026-01-01T00:00:01.000000Z",
        "expireTime": "2026-01-01T00:05:01.500000000Z", "usageMetadata": {"totalTokenCount": 3},
    });
    assert_eq!(made, expected, "what is only written does not come back");
    assert_eq!(get(&mock, &client, &name).await, (200, made.clone()));

    let patch = async |path: String, body: Value| ask(&mock, &client, Method::PATCH, &path, body).await;
    let (_, longer) = patch(format!("{name}?updateMask=ttl"), json!({"ttl": "600s", "displayName": "not this"})).await;
    assert_eq!(longer["expireTime"], "2026-01-01T00:10:02.000000000Z");
    assert_eq!((&longer["displayName"], &longer["updateTime"]), (&json!("log"), &json!("2026-01-01T00:00:02.000000Z")));
    let (_, dated) = patch(name.clone(), json!({"expireTime": "2027-01-01T00:00:00Z"})).await;
    assert_eq!(dated["expireTime"], "2027-01-01T00:00:00.000000000Z");
    for (mask, body) in [
        ("displayName", json!({"displayName": "other"})),
        ("ttl", json!({"expireTime": "2027-01-01T00:00:00Z"})),
        ("", json!({})),
        ("", json!({"ttl": "-1s"})),
        ("", json!({"ttl": "1s", "expireTime": "2027-01-01T00:00:00Z"})),
        ("", json!({"expireTime": "2025-01-01T00:00:00Z"})),
    ] {
        let refused = patch(format!("{name}?updateMask={mask}"), body).await;
        assert_eq!(status(&refused), (400, "INVALID_ARGUMENT"), "{mask}");
    }
    for bad in [json!({}), json!({"model": "models/m"}), json!({"model": "m", "contents": [text("a")]})] {
        assert_eq!(status(&post(&mock, &client, "cachedContents", bad).await), (400, "INVALID_ARGUMENT"));
    }

    let mut all = vec![name.clone()];
    for _ in 0..4 {
        all.push(post(&mock, &client, "cachedContents", content.clone()).await.1["name"].as_str().unwrap().to_owned());
    }
    for size in [1, 2, 5, 9] {
        assert_eq!(names(&mock, &client, "cachedContents", size).await, all);
    }
    assert_eq!(ask(&mock, &client, Method::DELETE, &name, Value::Null).await, (200, json!({})));
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(status(&ask(&mock, &client, method, &name, Value::Null).await), (403, "PERMISSION_DENIED"));
    }
    assert_eq!(names(&mock, &client, "cachedContents", 9).await, all[1..]);
    mock.control.reset().unwrap();
    assert_eq!(names(&mock, &client, "cachedContents", 9).await, Vec::<String>::new());
}

#[tokio::test]
async fn clients_of_another_api_get_the_same_text_whole_and_as_a_stream() {
    let mut mock = Mock::start();
    for (client, script) in [(h1(), "chat"), (h2(), "stream")] {
        let url = format!("https://localhost:{}/s/{script}/v1beta/openai/chat/completions", mock.port);
        let expected = corpus::expected_text(&script.parse().unwrap()).unwrap();
        let asked = |key: &str, body: Value| client.post(&url).bearer_auth(key).body(body.to_string()).send();
        let message = json!([{"role": "user", "content": "why?"}]);

        let answer = asked(KEY, json!({"model": "gemini-2.5-flash", "messages": message})).await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["object"], "chat.completion");
        assert_eq!(answer.pointer("/choices/0/finish_reason"), Some(&json!("stop")));
        assert!(answer["usage"]["total_tokens"].as_u64() > Some(0), "{answer}");
        if script == "chat" {
            assert_eq!(answer.pointer("/choices/0/message/content").and_then(Value::as_str), Some(&*expected));
        }

        let body = json!({"model": "m", "messages": message, "stream": true});
        let body = asked(KEY, body).await.unwrap().text().await.unwrap();
        let mut events: Vec<_> = body.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        assert_eq!(events.pop(), Some("[DONE]"));
        let events: Vec<Value> = events.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
        let text: String =
            events.iter().filter_map(|event| event.pointer("/choices/0/delta/content")?.as_str()).collect();
        assert_eq!(text, expected);
        let last = events.last().and_then(|event| event.pointer("/choices/0/finish_reason"));
        assert_eq!(last, Some(&json!("stop")));

        for wrong in [json!({}), json!({"model": "m"}), json!({"model": "m", "messages": []})] {
            assert_eq!(asked(KEY, wrong).await.unwrap().status(), 400);
        }
        assert_eq!(asked("", json!({"model": "m", "messages": message})).await.unwrap().status(), 403);
    }
    assert_eq!(mock.stats().keyless, 2);
}

#[tokio::test]
async fn what_is_kept_is_bounded() {
    let mock = Mock::start();
    let client = h2();
    let content = json!({"model": "models/m", "contents": [text("a")]});
    for number in 0..=1_000 {
        let made = post(&mock, &client, "cachedContents", content.clone()).await;
        let expected = if number < 1_000 { (200, "") } else { (429, "RESOURCE_EXHAUSTED") };
        assert_eq!(status(&made), expected, "{number}");
    }
}

#[tokio::test]
async fn every_endpoint_wants_a_key_and_takes_faults() {
    let mut mock = Mock::start();
    let client = client(|builder| builder.http1_only().no_gzip());
    let paths = ["models", "models/gemini-2.5-flash", "cachedContents", "cachedContents/x", "files", "files/x"];
    for path in paths {
        let base = |script: &str| format!("https://localhost:{}/s/{script}/v1beta/{path}", mock.port);
        assert_eq!(client.get(base("chat")).send().await.unwrap().status(), 403);
        let keyed = |script: &str| client.get(base(script)).header("x-goog-api-key", KEY).send();
        for code in [429, 500, 503] {
            assert_eq!(keyed(&format!("chat+status={code}")).await.unwrap().status(), code, "{path}");
        }
        assert!(keyed("chat+cut=1").await.unwrap().bytes().await.is_err());
        assert_eq!(keyed("chat+gzip=force").await.unwrap().headers()["content-encoding"], "gzip");
    }
    assert_eq!(mock.stats().keyless, paths.len() as u64);
    for refused in ["models/m:predict", "files:x", "batches"] {
        let answer =
            client.post(format!("https://localhost:{}/v1beta/{refused}", mock.port)).header("x-goog-api-key", KEY);
        assert_eq!(answer.send().await.unwrap().status(), 404);
    }
}

#[tokio::test]
async fn a_recording_is_served_whatever_is_asked() {
    let Some(folder) = traffic() else { return };
    let mock = Mock::with(&["--traffic", folder.to_str().unwrap()]);
    for (reply, path) in [
        ("traffic~models~rig__list_models_smoke.json", "models"),
        ("traffic~cached_contents~openinference__test_create_cache.json", "cachedContents/x"),
    ] {
        let url = format!("https://localhost:{}/s/{reply}/v1beta/{path}", mock.port);
        let body = h2().get(url).header("x-goog-api-key", KEY).send().await.unwrap().bytes().await.unwrap();
        let file = folder.join(reply.trim_start_matches("traffic~").replacen('~', "/", 1));
        assert_eq!(body, std::fs::read(file).unwrap());
    }
}
