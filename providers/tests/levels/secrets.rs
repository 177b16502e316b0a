//! The key is in its header and nowhere else.

use plimsoll_providers::{
    Chat, Config, DynProvider, Error, ListModelsResponse, ListRequest, Options, Protocol, Provider, Trust,
};

use crate::server::{Server, Step, answer, head, whole};
use crate::tls_server::{Authority, NAME, TlsServer, Valid};
use crate::{CANARY, Original, Subject, collect, config, logs, question};

crate::every_level! {
    nothing_that_can_be_shown_shows_the_key
    no_log_line_shows_the_key
    no_process_shows_the_key
    a_redirect_gets_no_key
    a_server_that_quotes_the_key_is_not_repeated
    a_key_that_fits_no_header_is_refused_unseen
}

mod over_http2 {
    use super::on;

    crate::every_http2_level! { no_log_line_shows_the_key_over_http2 }
}

/// Everything that an error can be made to say, its causes included.
fn said(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(" {error} {error:?}");
        cause = error.source();
    }
    text
}

/// The canary as it is, and as byte strings come out when they are shown.
fn forms_of_the_canary() -> [String; 3] {
    let list = |of: &dyn Fn(&u8) -> String, between| CANARY.as_bytes().iter().map(of).collect::<Vec<_>>().join(between);
    [CANARY.to_owned(), list(&|byte| byte.to_string(), ", "), list(&|byte| format!("{byte:02x}"), "")]
}

fn assert_unseen(text: &str) {
    for form in forms_of_the_canary() {
        if let Some(at) = text.find(&form) {
            let line = text[..at].rfind('\n').map_or(0, |at| at + 1);
            panic!("{}", &text[line..text.len().min(at + form.len() + 80)]);
        }
    }
}

/// Asks in all ways, with an answer and without.
async fn ask(provider: &impl Provider) {
    assert_eq!(provider.generate(&question()).await.unwrap().text(), "answered");
    assert_eq!(collect(provider).await.0, "answered");
    // What was answered is no list of models: the reader's words are wanted too.
    let _ = provider.models(&ListRequest::default()).await;
}

/// A server of HTTP/1.1 without TLS that answers both ways.
async fn plain() -> Server {
    Server::with(|number| match number {
        1 => whole("200 OK", "text/event-stream", crate::server::event("answered", Some("STOP")).as_bytes()),
        _ => whole("200 OK", "application/json", answer("answered", Some("STOP")).as_bytes()),
    })
    .await
}

/// The arguments and the environments of this process and of those that it started: all that anybody else may read of them.
fn shown_by_us_and_our_children() -> Vec<String> {
    let number = |text: &str| text.parse::<u32>().ok();
    let status = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let parent = |pid| status(pid).lines().find_map(|line| number(line.strip_prefix("PPid:")?.trim()));
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let all: Vec<u32> = all.filter_map(|entry| number(entry.file_name().to_str()?)).collect();
    let ours = std::process::id();
    let read = |pid: u32, what: &str| std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
    all.into_iter()
        .filter(|&pid| pid == ours || parent(pid) == Some(ours))
        .flat_map(|pid| ["cmdline", "environ"].map(|what| String::from_utf8_lossy(&read(pid, what)).into_owned()))
        .collect()
}

/// The capture reaches all who might talk: else the tests below would be about silence.
#[tokio::test]
async fn the_libraries_are_heard() {
    logs::listen();
    let authority = Authority::new();
    let server = TlsServer::new(authority.certify(NAME, Valid::Now, &["h2"])).await;
    ask(&Original::at(&server.base(), server.options(authority.trust())).await).await;
    let heard = logs::heard();
    for who in ["plimsoll_providers", "hyper_util::client", "h2::client", "rustls::client", "reqwest::connect"] {
        assert!(heard.contains(who), "{who} is not heard");
    }
}

mod on {
    use super::*;

    pub(super) async fn nothing_that_can_be_shown_shows_the_key<S: Subject>() {
        let unreachable = config("http://127.0.0.1:9");
        assert_unseen(&format!("{unreachable:?} {unreachable:#?}"));
        let provider = S::make(unreachable, Options::default()).await.unwrap();
        let errors = [provider.generate(&question()).await.unwrap_err(), collect(&provider).await.1.unwrap_err()];
        for error in &errors {
            assert_unseen(&said(error));
        }
        assert_unseen(&format!("{provider:?} {provider:#?}"));

        // Again when it has been used: by then it holds connections, buffers, sessions.
        let server = plain().await;
        let provider = S::at(&server.base(), Options::default()).await;
        ask(&provider).await;
        let chat = Chat::new(&provider).with_system("briefly");
        assert_unseen(&format!("{provider:?} {provider:#?} {chat:?} {chat:#?}"));
        let pages = provider.pages::<ListModelsResponse>(None);
        assert_unseen(&format!("{pages:?} {pages:#?}"));
        drop(pages);
        let boxed = DynProvider::new(provider);
        assert_unseen(&format!("{boxed:?} {boxed:#?} {:?}", Chat::new(&boxed)));

        let options = Options { trust: Trust::Pem(b"private".to_vec()), ..Options::default() };
        assert!(!format!("{options:?} {options:#?}").contains("private"));
    }

    pub(super) async fn no_log_line_shows_the_key<S: Subject>() {
        logs::listen();
        let server = plain().await;
        ask(&S::at(&server.base(), Options::default()).await).await;
        // A refusal that quotes the key, and one that comes before there is a connection.
        let refusal = format!(r#"{{"error": {{"code": 400, "message": "{CANARY} is bad", "status": "NO"}}}}"#);
        let server = Server::new(whole("400 Bad Request", "application/json", refusal.as_bytes())).await;
        for base in [server.base(), "http://127.0.0.1:9".to_owned()] {
            S::at(&base, Options::default()).await.generate(&question()).await.unwrap_err();
        }

        let authority = Authority::new();
        for alpn in [&["http/1.1"][..], &["h2", "http/1.1"]] {
            let server = TlsServer::new(authority.certify(NAME, Valid::Now, alpn)).await;
            let provider = S::at(&server.base(), server.options(authority.trust())).await;
            if S::HTTP1 || alpn.contains(&"h2") {
                ask(&provider).await;
            } else {
                // There is no protocol in common, and that is told too.
                provider.generate(&question()).await.unwrap_err();
            }
            assert!(server.seen().requests.iter().all(|request| request.contains(CANARY)), "the key was sent");
        }
        let heard = logs::heard();
        assert!(heard.contains("plimsoll_providers"), "calls are told");
        assert_unseen(&heard);
    }

    pub(super) async fn no_log_line_shows_the_key_over_http2<S: Subject>() {
        logs::listen();
        let over_http2 = |options| Options { protocol: Protocol::Http2, ..options };
        let server = TlsServer::plain_http2().await;
        let base = format!("http://127.0.0.1:{}", server.port);
        ask(&S::at(&base, over_http2(Options::default())).await).await;
        assert!(server.seen().requests.iter().all(|request| request.contains(CANARY)), "the key was sent");

        let authority = Authority::new();
        let server = TlsServer::new(authority.certify(NAME, Valid::Now, &["h2"])).await;
        ask(&S::at(&server.base(), over_http2(server.options(authority.trust()))).await).await;
        assert!(server.seen().handshakes.iter().all(|(_, protocol)| protocol.as_deref() == Some("h2")));
        assert_unseen(&logs::heard());
    }

    /// Anybody on the machine may read the arguments of a process.
    pub(super) async fn no_process_shows_the_key<S: Subject>() {
        let server = plain().await;
        let provider = S::at(&server.base(), Options::default()).await;
        ask(&provider).await;
        let shown = shown_by_us_and_our_children();
        assert!(shown.iter().any(|text| !text.is_empty()), "this process has arguments");
        shown.iter().for_each(|text| assert_unseen(text));
        drop(provider);
    }

    pub(super) async fn a_redirect_gets_no_key<S: Subject>() {
        let elsewhere = plain().await;
        for to in [elsewhere.base(), format!("http://localhost:{}", elsewhere.addr.port()), "/v1beta/there".to_owned()]
        {
            for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"] {
                let server = Server::new([head(status, &format!("location: {to}\r\ncontent-length: 0\r\n"))]).await;
                let provider = S::at(&server.base(), Options::default()).await;
                let listing = provider.models(&ListRequest::default()).await.unwrap_err();
                for error in [
                    provider.generate(&question()).await.unwrap_err(),
                    collect(&provider).await.1.unwrap_err(),
                    listing,
                ] {
                    assert!(matches!(error, Error::Redirect(_)), "{error:?}");
                }
                assert_eq!(server.requests().len(), 3, "nothing is asked again");
            }
        }
        assert_eq!(elsewhere.connections(), 0);
    }

    pub(super) async fn a_server_that_quotes_the_key_is_not_repeated<S: Subject>() {
        let refusal = format!(
            r#"{{"error": {{"code": 400, "message": "{CANARY} is bad", "status": "{CANARY}", "details": [{{"@type": "google.rpc.ErrorInfo", "reason": "{CANARY}", "{CANARY}": ["{CANARY}"]}}]}}}}"#
        );
        let bodies = [
            ("400 Bad Request", refusal.clone()),
            ("404 Not Found", format!("<html>{CANARY}</html>")),
            ("200 OK", refusal.clone()),
            ("200 OK", format!("data: {refusal}\r\n\r\n")),
            ("200 OK", format!("{{\"candidates\": \"{CANARY}\"}}")),
            ("200 OK", format!("data: {{\"candidates\": [{{\"index\": \"{CANARY}\"}}]}}\r\n\r\n")),
        ];
        for (status, body) in bodies {
            let server = Server::new(whole(status, "application/json", body.as_bytes())).await;
            let provider = S::at(&server.base(), Options::default()).await;
            for error in [provider.generate(&question()).await.unwrap_err(), collect(&provider).await.1.unwrap_err()] {
                assert_unseen(&said(&error));
            }
            assert!(server.requests().iter().all(|request| request.contains(CANARY)), "the key was sent");
        }
    }

    pub(super) async fn a_key_that_fits_no_header_is_refused_unseen<S: Subject>() {
        let server = Server::new([Step::Close]).await;
        for key in [format!("{CANARY}\n"), format!("{CANARY}\0"), String::new(), "  ".to_owned()] {
            let error =
                S::make(Config { api_key: key, ..config(&server.base()) }, Options::default()).await.unwrap_err();
            assert!(matches!(error, Error::Config(_)), "{error:?}");
            assert_unseen(&said(&error));
        }
    }
}
