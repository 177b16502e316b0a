//! The mock answers as the service does, over every transport.

#[path = "../mock_support/mod.rs"]
mod mock_support;

mod api;
mod uploads;

use std::io::Read;

use flate2::read::GzDecoder;
use mock_support::{KEY, Mock, client, h1, h2, keyed, traffic};
use plimsoll::corpus::traffic::Folder;
use plimsoll::corpus::{self, Call, Served, reading};
use plimsoll::mock::control::key_digest;
use reqwest::{Response, StatusCode, Version};

const CALLS: [(Call, &str); 3] = [
    (Call::Unary, "generateContent"),
    (Call::Sse, "streamGenerateContent?alt=sse"),
    (Call::Array, "streamGenerateContent"),
];

async fn assert_served(response: Response, expected: &Served) {
    assert_eq!(response.status().as_u16(), expected.status);
    assert_eq!(response.headers()["content-type"], expected.content_type);
    assert_eq!(response.bytes().await.unwrap(), expected.body);
}

#[tokio::test]
async fn every_reply_in_every_form_over_h1_and_h2_byte_for_byte() {
    let mut mock = Mock::start();
    let mut asked = 0;
    for (client, version) in [(h1(), Version::HTTP_11), (h2(), Version::HTTP_2)] {
        for reply in corpus::replies() {
            for (call, path) in CALLS {
                let response = mock.post(&client, &reply.name, path).send().await.unwrap();
                assert_eq!(response.version(), version);
                assert_served(response, &reply.served(call)).await;
                asked += 1;
            }
        }
    }
    let stats = mock.stats();
    assert_eq!((stats.requests, stats.answered), (asked, asked));
    assert_eq!((stats.protocols.h1, stats.protocols.h2, stats.protocols.tls), (asked / 2, asked / 2, asked));
    assert_eq!(stats.keys, [(key_digest(KEY), asked)].into());
    assert_eq!(stats.connections_total, 2, "an answer that ends well leaves its connection open");
}

#[tokio::test]
async fn one_port_speaks_plain_h1_and_plain_h2_too() {
    let mut mock = Mock::start();
    let expected = corpus::reply("stream").unwrap().served(Call::Sse);
    for (client, version) in [
        (client(|builder| builder.http1_only()), Version::HTTP_11),
        (client(|builder| builder.http2_prior_knowledge()), Version::HTTP_2),
    ] {
        let url = mock.url("http", "stream", "streamGenerateContent?alt=sse");
        let response = keyed(client.post(url)).send().await.unwrap();
        assert_eq!(response.version(), version);
        assert_served(response, &expected).await;
    }
    let stats = mock.stats();
    assert_eq!((stats.protocols.h1, stats.protocols.h2, stats.protocols.tls), (1, 1, 0));
}

#[tokio::test]
async fn the_chain_is_good_for_each_of_its_names_and_only_with_the_bundle() {
    let mut mock = Mock::start();
    let here = std::net::SocketAddr::from(([127, 0, 0, 1], mock.port));
    let client = client(|builder| builder.http1_only().resolve("mock.plimsoll.test", here));
    let mut hosts = vec!["localhost", "127.0.0.1", "mock.plimsoll.test"];
    if std::net::TcpStream::connect(("::1", mock.port)).is_ok() {
        hosts.push("[::1]");
    }
    for host in hosts {
        let url = format!("https://{host}:{}/v1beta/models/m:generateContent", mock.port);
        assert_eq!(keyed(client.post(url)).send().await.unwrap().status(), 200, "{host}");
    }
    let asked = mock.stats().requests;
    assert_eq!((asked >= 3, mock.stats().handshakes_failed), (true, 0));

    let public = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let refused = mock.post(&public, "chat", "generateContent").send().await.unwrap_err();
    assert!(refused.is_connect(), "{refused}");
    assert_eq!(mock.stats_after_refusals(1).requests, asked);
}

#[tokio::test]
async fn without_a_key_it_is_403_whatever_the_script() {
    let mut mock = Mock::start();
    let client = h1();
    for (call, path) in CALLS {
        let response = client.post(mock.url("https", "chat", path)).body("{}").send().await.unwrap();
        assert_served(response, &corpus::reply("error-403").unwrap().served(call)).await;
    }
    let url = format!("{}?key={KEY}", mock.url("https", "chat", "generateContent"));
    assert_eq!(client.post(url).body("{}").send().await.unwrap().status(), 200);
    let stats = mock.stats();
    assert_eq!((stats.keyless, stats.keys_in_url, stats.keys[&key_digest(KEY)]), (3, 1, 1));
}

#[tokio::test]
async fn a_bad_script_is_400_and_names_the_word() {
    let mut mock = Mock::start();
    for (script, said) in [("chatt", "`chatt`"), ("chat+slow", "`slow`"), ("traffic~a~b.json", "`traffic~a~b.json`")] {
        let response = mock.post(&h1(), script, "generateContent").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let error: serde_json::Value = response.json().await.unwrap();
        let message = error.pointer("/error/message").and_then(|message| message.as_str()).unwrap();
        assert!(message.contains(said), "{message}");
    }
    assert_eq!(mock.stats().bad_scripts, 2);
}

#[tokio::test]
async fn what_the_service_does_not_have_is_its_html_404() {
    let mock = Mock::start();
    let expected = corpus::reply("error-404-html").unwrap().served(Call::Unary);
    for path in ["/", "/v1beta/models/m:generateContents", "/s/chat", "/v1beta/files/x"] {
        let response = keyed(h2().post(format!("https://localhost:{}{path}", mock.port))).send().await.unwrap();
        assert_served(response, &expected).await;
    }
    let get = h1().get(mock.url("https", "chat", "generateContent")).header("x-goog-api-key", KEY);
    assert_served(get.send().await.unwrap(), &expected).await;
}

#[tokio::test]
async fn the_default_script_holds_where_none_is_asked_for() {
    let mut mock = Mock::with(&["--script", "chat+status=503"]);
    let url = format!("https://localhost:{}/v1beta/models/m:generateContent", mock.port);
    assert_eq!(keyed(h1().post(url)).send().await.unwrap().status(), 503);
    assert_eq!(mock.stats().by_script, [("chat+status=503".to_owned(), 1)].into());
}

#[tokio::test]
async fn headers_are_those_that_were_observed() {
    let mock = Mock::start();
    let client = h1();
    let headers =
        |response: &Response, name: &str| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());

    let stream = mock.post(&client, "stream", "streamGenerateContent?alt=sse").send().await.unwrap();
    assert_eq!(headers(&stream, "transfer-encoding").as_deref(), Some("chunked"));
    assert_eq!(headers(&stream, "content-disposition").as_deref(), Some("attachment"));

    let unary = mock.post(&client, "chat", "generateContent").send().await.unwrap();
    assert_eq!(headers(&unary, "transfer-encoding").as_deref(), Some("chunked"));
    assert_eq!(headers(&unary, "server").as_deref(), Some("scaffolding on HTTPServer2"));
    assert_eq!(headers(&unary, "date").map(|date| date.len()), Some(29));

    let error = mock.post(&client, "error-503", "streamGenerateContent?alt=sse").send().await.unwrap();
    let length = corpus::reply("error-503").unwrap().served(Call::Sse).body.len().to_string();
    assert_eq!(headers(&error, "content-length"), Some(length));
    assert_eq!(headers(&error, "content-disposition"), None);
}

#[tokio::test]
async fn json_is_gzipped_where_it_is_offered_and_a_stream_never() {
    let mock = Mock::start();
    let client = client(|builder| builder.http1_only().no_gzip());
    let ask = async |script: &str, call: &str, offer: &str| {
        mock.post(&client, script, call).header("accept-encoding", offer).send().await.unwrap()
    };
    let large = corpus::reply("large").unwrap().served(Call::Unary).body;

    let zipped = ask("large+gzip", "generateContent", "deflate, gzip").await;
    assert_eq!(zipped.headers()["content-encoding"], "gzip");
    let bytes = zipped.bytes().await.unwrap();
    assert!(bytes.len() < large.len() / 3);
    let mut plain = Vec::new();
    GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, large);

    for (script, call, offer) in [
        ("large+gzip", "generateContent", "gzip;q=0"),
        ("large", "generateContent", "gzip"),
        ("stream+gzip=force", "streamGenerateContent?alt=sse", "gzip"),
    ] {
        assert!(ask(script, call, offer).await.headers().get("content-encoding").is_none(), "{script} {offer}");
    }
    assert_eq!(ask("chat+gzip=force", "generateContent", "identity").await.headers()["content-encoding"], "gzip");
}

#[tokio::test]
async fn the_script_chooses_the_framing_and_the_end() {
    let mock = Mock::start();
    let client = h1();
    let length = mock.post(&client, "chat+framing=length", "generateContent").send().await.unwrap();
    let expected = corpus::reply("chat").unwrap().served(Call::Unary).body;
    assert_eq!(length.content_length(), Some(expected.len() as u64));
    assert_eq!(length.bytes().await.unwrap(), expected);

    let close =
        mock.post(&client, "stream+close+framing=length", "streamGenerateContent?alt=sse").send().await.unwrap();
    assert_eq!(close.headers()["connection"], "close");
    assert_eq!(close.bytes().await.unwrap(), corpus::reply("stream").unwrap().served(Call::Sse).body);
}

#[tokio::test]
async fn recorded_traffic_is_served_byte_for_byte() {
    let Some(folder) = traffic() else { return };
    let mock = Mock::with(&["--traffic", folder.to_str().unwrap()]);
    let recorded = Folder::load(&folder).unwrap();
    let (h1, h2) = (h1(), h2());
    let mut texts = 0;
    for (index, reply) in recorded.bodies().map(|body| &body.reply).enumerate() {
        let client = if index % 2 == 0 { &h1 } else { &h2 };
        let (call, path) = CALLS[index % 3];
        let response = mock.post(client, &reply.name, path).send().await.unwrap();
        let expected = reply.served(call);
        texts += usize::from(reading::text(&expected, call).is_some_and(|text| !text.is_empty()));
        assert_served(response, &expected).await;
    }
    assert!(texts > 50, "only {texts} recordings have a text");
}

#[tokio::test]
async fn a_body_of_another_endpoint_and_an_error_answer_whatever_is_asked_with_a_key() {
    let mock = Mock::start();
    let client = h1();
    let origin = format!("https://localhost:{}", mock.port);
    for (reply, path) in [
        ("tokens", "v1beta/models/m:countTokens"),
        ("models", "v1beta/models?pageSize=2"),
        ("cached-content", "v1beta/cachedContents/c"),
        ("error-429", "v1beta/files"),
    ] {
        let url = format!("{origin}/s/{reply}/{path}");
        let response = keyed(client.get(&url)).send().await.unwrap();
        assert_served(response, &corpus::reply(reply).unwrap().served(Call::Unary)).await;
        assert_eq!(client.get(&url).send().await.unwrap().status(), StatusCode::FORBIDDEN, "{path} without a key");
    }
    let upload = keyed(client.post(format!("{origin}/s/uploaded-file/upload/v1beta/files"))).send().await.unwrap();
    assert_eq!(upload.headers()["x-goog-upload-url"], "https://localhost/upload/v1beta/files?upload_id=1");
    // An answer of the model is no answer to anything else.
    let other = keyed(client.get(format!("{origin}/s/chat/v1beta/batches/b"))).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
}
