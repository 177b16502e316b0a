//! The key is in its header and nowhere else.

use plimsoll_providers::{Config, Error, Options, Provider, Trust};

use crate::server::{Server, Step, whole};
use crate::{CANARY, Subject, collect, config, question};

crate::every_level! {
    nothing_that_can_be_shown_shows_the_key
    a_server_that_quotes_the_key_is_not_repeated
    a_key_that_fits_no_header_is_refused_unseen
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

mod on {
    use super::*;

    pub(super) async fn nothing_that_can_be_shown_shows_the_key<S: Subject>() {
        let config = config("http://127.0.0.1:9");
        assert!(!format!("{config:?} {config:#?}").contains(CANARY));
        let provider = S::make(config, Options::default()).await.unwrap();
        let errors = [provider.generate(&question()).await.unwrap_err(), collect(&provider).await.1.unwrap_err()];
        for error in &errors {
            assert!(!said(error).contains(CANARY), "{error}");
        }
        assert!(!format!("{provider:?} {provider:#?}").contains(CANARY));
        let options = Options { trust: Trust::Pem(b"private".to_vec()), ..Options::default() };
        assert!(!format!("{options:?}").contains("private"));
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
                assert!(!said(&error).contains(CANARY), "{}", said(&error));
            }
            assert!(server.requests().iter().all(|request| request.contains(CANARY)), "the key was sent");
        }
    }

    pub(super) async fn a_key_that_fits_no_header_is_refused_unseen<S: Subject>() {
        let server = Server::new([Step::Close]).await;
        for key in [format!("{CANARY}\n"), format!("{CANARY}\0"), String::new(), "  ".to_owned()] {
            let error =
                S::make(Config { api_key: key, ..config(&server.base()) }, Options::default()).await.unwrap_err();
            assert!(matches!(error, Error::Config(_)) && !said(&error).contains(CANARY), "{error:?}");
        }
    }
}
