//! What is offered on the wire, seen from the other end.

use plimsoll_providers::{Options, Protocol, Provider, Timeouts, Trust};

use crate::server::{Server, Step, answer, whole};
use crate::{Bare, Mux, Original, Subject, Ultra, UltraPlain, in_time, question};

crate::every_level_of_both! {
    an_explicit_protocol_is_the_only_one_offered
}

crate::every_level! {
    a_known_address_needs_no_dns_and_keeps_its_name
    configurations_that_cannot_work_are_refused
}

/// What a client says first to a TLS server.
async fn hello<S: Subject>(options: Options) -> String {
    let server = Server::new([Step::Close]).await;
    let base = format!("https://localhost:{}", server.addr.port());
    let provider = S::at(&base, Options { trust: Trust::WebPkiRoots, ..options }).await;
    provider.generate(&question()).await.unwrap_err();
    server.requests().remove(0)
}

/// The protocols in it, as ALPN writes them.
fn offers(hello: &str) -> (bool, bool) {
    (hello.contains("\u{8}http/1.1"), hello.contains("\u{2}h2"))
}

#[tokio::test]
async fn by_itself_original_offers_both_ultra_and_bare_only_http1_and_mux_only_http2() {
    in_time(async {
        assert_eq!(offers(&hello::<Original>(Options::default()).await), (true, true));
        assert_eq!(offers(&hello::<Ultra>(Options::default()).await), (true, false));
        assert_eq!(offers(&hello::<UltraPlain>(Options::default()).await), (true, true));
        assert_eq!(offers(&hello::<Bare>(Options::default()).await), (true, false));
        assert_eq!(offers(&hello::<Mux>(Options::default()).await), (false, true));
        let h1 = Options { protocol: Protocol::Http1, ..Options::default() };
        assert!(
            Mux::make(crate::config("https://localhost"), h1)
                .await
                .is_err_and(|error| error.to_string().contains("h2"))
        );
        let h2 = Options { protocol: Protocol::Http2, ..Options::default() };
        assert!(
            Bare::make(crate::config("https://localhost"), h2)
                .await
                .is_err_and(|error| error.to_string().contains("h1"))
        );
    })
    .await;
}

mod on {
    use super::*;

    pub(super) async fn an_explicit_protocol_is_the_only_one_offered<S: Subject>() {
        for &crypto in S::CRYPTO {
            let asked = |protocol| Options { protocol, crypto, ..Options::default() };
            assert_eq!(offers(&hello::<S>(asked(Protocol::Http1)).await), (true, false), "{crypto:?}");
            assert_eq!(offers(&hello::<S>(asked(Protocol::Http2)).await), (false, true), "{crypto:?}");
        }
        let server = Server::new([Step::Close]).await;
        let provider = S::at(&server.base(), Options { protocol: Protocol::Http2, ..Options::default() }).await;
        provider.generate(&question()).await.unwrap_err();
        assert_eq!(server.over_h2(), 1, "without TLS by prior knowledge");
    }

    pub(super) async fn a_known_address_needs_no_dns_and_keeps_its_name<S: Subject>() {
        let server = Server::new(whole("200 OK", "application/json", answer("found", Some("STOP")).as_bytes())).await;
        let port = server.addr.port();
        let known = |port: u16| Options {
            resolve: vec![format!("api.plimsoll.invalid:{port}:127.0.0.1").parse().unwrap()],
            timeouts: Timeouts::default(),
            ..Options::default()
        };
        let base = format!("http://api.plimsoll.invalid:{port}");
        let provider = S::at(&base, known(port)).await;
        assert_eq!(provider.generate(&question()).await.unwrap().text(), "found");
        let request = server.requests()[0].to_ascii_lowercase();
        assert!(request.contains(&format!("host: api.plimsoll.invalid:{port}\r\n")), "{request}");
        // Another port's address is not this one's.
        let provider = S::at(&base, known(1)).await;
        provider.generate(&question()).await.unwrap_err();
        assert_eq!(server.requests().len(), 1);
    }

    pub(super) async fn configurations_that_cannot_work_are_refused<S: Subject>() {
        for base in ["", "localhost", "ftp://localhost", "http://localhost?key=1", "http://localhost#x", "http://"] {
            let error = S::make(crate::config(base), Options::default()).await.err();
            assert!(error.is_some_and(|error| error.to_string().contains("base_url")), "{base:?}");
        }
        for version in
            ["", ".", "..", "v1/beta", "v1?beta", "v1#beta", "v1%2fbeta", "v1 HTTP/1.1\r\nx: y", "v1\n", "vé"]
        {
            let mut config = crate::config("http://localhost");
            config.api_version = version.to_owned();
            let error = S::make(config, Options::default()).await.err();
            assert!(error.is_some_and(|error| error.to_string().contains("api_version")), "{version:?}");
        }
        let mut config = crate::config("http://localhost");
        config.default_model = String::new();
        assert!(
            S::make(config, Options::default()).await.is_err_and(|error| error.to_string().contains("default_model"))
        );
    }
}
