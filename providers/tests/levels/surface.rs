//! Everything that the API offers besides `generateContent`: asked as it wants to be, and read back in types.

use std::time::Duration;

use bytes::Bytes;
use plimsoll_providers::{
    BatchEmbedContentsRequest, CachedContent, Content, CountTokensRequest, EmbedContentRequest, Error, File, FileState,
    GenerateContentRequest, ListFilesResponse, ListModelsResponse, ListRequest, Options, Part, Provider,
    UploadFileRequest,
};
use serde_json::{Value, json};

use crate::server::{Server, Step, head, whole};
use crate::{CANARY, Subject};

crate::every_level! {
    tokens_are_counted
    contents_are_embedded
    models_are_read_page_by_page
    a_list_that_leads_back_to_itself_ends
    cached_contents_are_kept_changed_and_let_go
    a_file_goes_up_and_is_deleted
    an_upload_that_breaks_off_goes_on_from_what_came
    refusals_are_typed_everywhere
    names_cannot_lead_elsewhere
}

fn ok(body: Value) -> Vec<Step> {
    whole("200 OK", "application/json; charset=UTF-8", body.to_string().as_bytes())
}

/// A server that gives the n-th request the n-th answer.
async fn serving(answers: Vec<Vec<Step>>) -> Server {
    Server::with(move |number| answers[number].clone()).await
}

/// The first line of a request, its headers in lower case, and its body.
fn asked(server: &Server, number: usize) -> (String, String, String) {
    let request = &server.requests()[number];
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    assert!(!line.contains(CANARY), "{line}");
    assert!(headers.contains(&format!("x-goog-api-key: {CANARY}")), "{headers}");
    (line.strip_suffix(" HTTP/1.1").unwrap().to_owned(), headers.to_lowercase(), body.to_owned())
}

fn line_and_json(server: &Server, number: usize) -> (String, Value) {
    let (line, headers, body) = asked(server, number);
    assert!(headers.contains("content-type: application/json"), "{headers}");
    (line, serde_json::from_str(&body).unwrap())
}

mod on {
    use super::*;

    pub(super) async fn tokens_are_counted<S: Subject>() {
        let answer =
            json!({"totalTokens": 8, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}], "new": 1});
        let server = Server::new(ok(answer.clone())).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let plain = CountTokensRequest::text("hi");
        let mut whole = GenerateContentRequest::user_text("hi");
        whole.system_instruction = Some(Content::system("be brief"));
        let whole = CountTokensRequest::from(whole);
        for request in [&plain, &whole] {
            let count = provider.count_tokens(request).await.unwrap();
            assert_eq!(count.total_tokens, Some(8));
            assert_eq!(serde_json::to_value(count).unwrap(), answer);
        }
        let contents = json!([{"role": "user", "parts": [{"text": "hi"}]}]);
        let line = "POST /v1beta/models/m:countTokens".to_owned();
        assert_eq!(line_and_json(&server, 0), (line.clone(), json!({"contents": contents})));
        let inner =
            json!({"model": "models/m", "contents": contents, "systemInstruction": {"parts": [{"text": "be brief"}]}});
        assert_eq!(line_and_json(&server, 1), (line, json!({"generateContentRequest": inner})));
    }

    pub(super) async fn contents_are_embedded<S: Subject>() {
        let server = serving(vec![
            ok(json!({"embedding": {"values": [0.5, -0.006532297]}, "usageMetadata": {"promptTokenCount": 1}})),
            ok(json!({"embeddings": [{"values": [1]}, {"values": [2.5]}]})),
        ])
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        let one = EmbedContentRequest { output_dimensionality: Some(2), ..EmbedContentRequest::text("e", "hi") };
        assert_eq!(provider.embed(&one).await.unwrap().embedding.values, [0.5, -0.006_532_297]);
        let both = BatchEmbedContentsRequest::texts("models/e", ["a", "b"]);
        let read = provider.batch_embed(&both).await.unwrap();
        assert_eq!(read.embeddings.iter().map(|one| one.values[0]).collect::<Vec<_>>(), [1.0, 2.5]);
        let none = provider.batch_embed(&BatchEmbedContentsRequest::default()).await;
        assert!(matches!(none, Err(Error::Config(_))), "{none:?}");
        let body = json!({"model": "models/e", "content": {"parts": [{"text": "hi"}]}, "outputDimensionality": 2});
        assert_eq!(line_and_json(&server, 0), ("POST /v1beta/models/e:embedContent".to_owned(), body));
        let entry = |text| json!({"model": "models/e", "content": {"parts": [{"text": text}]}});
        let body = json!({"requests": [entry("a"), entry("b")]});
        assert_eq!(line_and_json(&server, 1), ("POST /v1beta/models/e:batchEmbedContents".to_owned(), body));
        assert_eq!(server.requests().len(), 2);
    }

    pub(super) async fn models_are_read_page_by_page<S: Subject>() {
        let page = |name: &str, next: Value| ok(json!({"models": [{"name": name}], "nextPageToken": next}));
        let server = serving(vec![
            page("models/a", json!("a/b &c")),
            page("models/b", json!("p3")),
            ok(json!({})),
            page("models/a", Value::Null),
            ok(json!({"name": "models/a", "inputTokenLimit": 9, "topP": 0.95})),
        ])
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        let mut pages = provider.pages::<ListModelsResponse>(Some(1));
        let mut names = Vec::new();
        while let Some(page) = pages.next_page().await.unwrap() {
            names.extend(page.into_iter().map(|model| model.name));
        }
        assert_eq!(names, ["models/a", "models/b"]);
        assert_eq!(pages.next_page().await.unwrap(), None, "what has ended is not asked again");
        assert_eq!(provider.models(&ListRequest::default()).await.unwrap().models.len(), 1);
        assert_eq!(provider.model("a").await.unwrap().input_token_limit, Some(9));
        let lines: Vec<_> = (0..5).map(|number| asked(&server, number).0).collect();
        assert_eq!(
            lines,
            [
                "GET /v1beta/models?pageSize=1",
                "GET /v1beta/models?pageSize=1&pageToken=a%2Fb%20%26c",
                "GET /v1beta/models?pageSize=1&pageToken=p3",
                "GET /v1beta/models",
                "GET /v1beta/models/a"
            ]
        );
    }

    pub(super) async fn a_list_that_leads_back_to_itself_ends<S: Subject>() {
        let server = Server::new(ok(json!({"files": [{"name": "files/a"}], "nextPageToken": "again"}))).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let error = provider.pages::<ListFilesResponse>(None).all().await.unwrap_err();
        assert!(error.to_string().contains("next page is the page itself"), "{error}");
        assert_eq!(server.requests().len(), 2);
    }

    pub(super) async fn cached_contents_are_kept_changed_and_let_go<S: Subject>() {
        let kept = json!({"name": "cachedContents/c-1", "model": "models/m", "expireTime": "2027-01-01T00:00:00.5Z",
            "usageMetadata": {"totalTokenCount": 1090}});
        let server = serving(vec![
            ok(kept.clone()),
            ok(kept.clone()),
            ok(json!({"cachedContents": [kept]})),
            ok(kept.clone()),
            ok(json!({})),
        ])
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        let content = CachedContent {
            model: "m".to_owned(),
            contents: vec![Content::user([Part::text("long")])],
            ttl: Some(Duration::new(300, 500_000_000)),
            ..CachedContent::default()
        };
        let created = provider.cached_contents_create(&content).await.unwrap();
        assert_eq!(serde_json::to_value(&created).unwrap(), kept);
        let name = created.name.as_deref().unwrap();
        assert_eq!(provider.cached_contents_get("c-1").await.unwrap(), created);
        let page = provider.cached_contents_list(&ListRequest { page_size: Some(5), page_token: None }).await.unwrap();
        assert_eq!(page.cached_contents, std::slice::from_ref(&created));
        let longer = CachedContent { ttl: Some(Duration::from_secs(600)), ..CachedContent::default() };
        assert_eq!(provider.cached_contents_update(name, &longer, &["ttl", "expireTime"]).await.unwrap(), created);
        provider.cached_contents_delete(name).await.unwrap();
        let contents = json!([{"role": "user", "parts": [{"text": "long"}]}]);
        let body = json!({"model": "models/m", "contents": contents, "ttl": "300.5s"});
        assert_eq!(line_and_json(&server, 0), ("POST /v1beta/cachedContents".to_owned(), body));
        assert_eq!(asked(&server, 1).0, "GET /v1beta/cachedContents/c-1");
        assert_eq!(asked(&server, 2).0, "GET /v1beta/cachedContents?pageSize=5");
        let line = "PATCH /v1beta/cachedContents/c-1?updateMask=ttl,expireTime".to_owned();
        assert_eq!(line_and_json(&server, 3), (line, json!({"ttl": "600s"})));
        assert_eq!(asked(&server, 4).0, "DELETE /v1beta/cachedContents/c-1");
    }

    /// The server believes to be elsewhere: pieces, and the key, stay on the base's host.
    fn session() -> Vec<Step> {
        let headers = "x-goog-upload-status: active\r\nx-goog-upload-url: https://elsewhere.example/upload/v1beta/files?upload_id=1&x=2\r\n";
        vec![head("200 OK", &format!("{headers}content-length: 0\r\n"))]
    }

    fn file() -> Value {
        json!({"name": "files/f-1", "mimeType": "text/plain", "sizeBytes": "5", "uri": "u", "state": "PROCESSING"})
    }

    pub(super) async fn a_file_goes_up_and_is_deleted<S: Subject>() {
        let mut active = file();
        active["state"] = "ACTIVE".into();
        active["error"] = json!({"code": 1});
        let server = serving(vec![
            session(),
            ok(json!({"file": file()})),
            ok(active),
            ok(json!({"files": [file()]})),
            ok(json!({})),
        ])
        .await;
        let provider = S::at(&server.base(), Options::default()).await;
        let request =
            UploadFileRequest { display_name: Some("five".to_owned()), ..UploadFileRequest::new("text/plain") };
        let up: File = provider.files_upload(&request, Bytes::from_static(b"bytes")).await.unwrap();
        assert_eq!((up.state.clone(), up.size_bytes, up.is_active()), (Some(FileState::Processing), Some(5), false));
        assert!(provider.files_get("files/f-1").await.unwrap().is_active());
        assert_eq!(provider.files_list(&ListRequest::default()).await.unwrap().files, [up]);
        provider.files_delete("f-1").await.unwrap();

        let (line, body) = line_and_json(&server, 0);
        assert_eq!(line, "POST /upload/v1beta/files");
        assert_eq!(body, json!({"file": {"displayName": "five", "mimeType": "text/plain"}}));
        let headers = asked(&server, 0).1;
        for header in [
            "x-goog-upload-protocol: resumable",
            "x-goog-upload-command: start",
            "x-goog-upload-header-content-length: 5",
            "x-goog-upload-header-content-type: text/plain",
        ] {
            assert!(headers.contains(header), "{header}: {headers}");
        }
        let (line, headers, body) = asked(&server, 1);
        assert_eq!((&*line, &*body), ("POST /upload/v1beta/files?upload_id=1&x=2", "bytes"));
        assert!(headers.contains("x-goog-upload-command: upload, finalize"), "{headers}");
        assert!(headers.contains("x-goog-upload-offset: 0"), "{headers}");
        let lines: Vec<_> = (2..5).map(|number| asked(&server, number).0).collect();
        assert_eq!(lines, ["GET /v1beta/files/f-1", "GET /v1beta/files", "DELETE /v1beta/files/f-1"]);
    }

    pub(super) async fn an_upload_that_breaks_off_goes_on_from_what_came<S: Subject>() {
        let received = "x-goog-upload-status: active\r\nx-goog-upload-size-received: 3\r\ncontent-length: 0\r\n";
        let server =
            serving(vec![session(), vec![Step::Reset], vec![head("200 OK", received)], ok(json!({"file": file()}))])
                .await;
        let provider = S::at(&server.base(), Options::default()).await;
        let request = UploadFileRequest::new("text/plain");
        provider.files_upload(&request, Bytes::from_static(b"bytes")).await.unwrap();
        assert!(asked(&server, 2).1.contains("x-goog-upload-command: query"));
        let (_, headers, body) = asked(&server, 3);
        assert_eq!(body, "es");
        assert!(headers.contains("x-goog-upload-offset: 3"), "{headers}");

        // What was whole before the answer was lost is not sent again.
        let last = whole("200 OK", "application/json", json!({"file": file()}).to_string().as_bytes());
        let Step::Send(plain) = &last[0] else { unreachable!() };
        let plain = String::from_utf8(plain.clone()).unwrap();
        let last =
            vec![Step::Send(plain.replacen("\r\n", "\r\nx-goog-upload-status: final\r\n", 1).into()), last[1].clone()];
        let server = serving(vec![session(), vec![Step::Reset], last]).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let up = provider.files_upload(&request, Bytes::from_static(b"bytes")).await.unwrap();
        assert_eq!((up.name.as_deref(), server.requests().len()), (Some("files/f-1"), 3));
    }

    pub(super) async fn refusals_are_typed_everywhere<S: Subject>() {
        let refusal = json!({"error": {"code": 404, "message": "none there", "status": "NOT_FOUND"}}).to_string();
        for status in ["404 Not Found", "200 OK"] {
            let server = Server::new(whole(status, "application/json", refusal.as_bytes())).await;
            let provider = S::at(&server.base(), Options::default()).await;
            let request = UploadFileRequest::new("a/b");
            let errors = [
                provider.count_tokens(&CountTokensRequest::text("a")).await.unwrap_err(),
                provider.embed(&EmbedContentRequest::text("e", "a")).await.unwrap_err(),
                provider.model("m").await.unwrap_err(),
                provider.models(&ListRequest::default()).await.unwrap_err(),
                provider.cached_contents_get("c").await.unwrap_err(),
                provider.cached_contents_delete("c").await.unwrap_err(),
                provider.files_get("f").await.unwrap_err(),
            ];
            for error in errors {
                assert_eq!(error.api().map(|api| &*api.status), Some("NOT_FOUND"), "{error:?}");
            }
            let error = provider.files_upload(&request, Bytes::new()).await.unwrap_err();
            assert!(status == "200 OK" || error.api().is_some(), "{error:?}");
        }
        let server = Server::new(whole("200 OK", "text/html", b"<html>")).await;
        let provider = S::at(&server.base(), Options::default()).await;
        let error = provider.model("m").await.unwrap_err().to_string();
        assert!(error.contains("cannot be read as a model"), "{error}");
    }

    pub(super) async fn names_cannot_lead_elsewhere<S: Subject>() {
        let provider = S::at("http://127.0.0.1:9", Options::default()).await;
        for name in ["", "..", "a/b", "a?key=1", "a#b", "a b"] {
            assert!(matches!(provider.model(name).await, Err(Error::Config(_))), "{name:?}");
            assert!(matches!(provider.files_get(name).await, Err(Error::Config(_))), "{name:?}");
            assert!(matches!(provider.cached_contents_delete(name).await, Err(Error::Config(_))), "{name:?}");
            let embed = EmbedContentRequest::text(name, "a");
            assert!(matches!(provider.embed(&embed).await, Err(Error::Config(_))), "{name:?}");
        }
        let odd = UploadFileRequest::new("text/plain\r\nx-evil: 1");
        assert!(matches!(provider.files_upload(&odd, Bytes::new()).await, Err(Error::Config(_))));
    }
}
