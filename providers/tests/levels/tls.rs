//! Whom a level takes for the server: the one whose certificate it can verify, and nobody else gets so much as a request.

use plimsoll_providers::{Crypto, Error, ErrorKind, ListRequest, Options, Phase, Provider, Trust};

use crate::tls_server::{Authority, NAME, TlsServer, Valid};
use crate::{CANARY, Subject, collect, config, question};

crate::every_level! {
    the_right_certificate_is_believed
    a_certificate_of_a_wrong_ca_is_refused
    a_certificate_for_a_wrong_host_name_is_refused
    an_expired_certificate_is_refused
    a_certificate_that_is_not_yet_valid_is_refused
}

const BOTH: &[&str] = &["h2", "http/1.1"];

/// A provider for `server` with each cryptography that the level can be built with; it can always be built with its own.
async fn each<S: Subject>(server: &TlsServer, trust: &Trust) -> Vec<S::Provider> {
    let mut providers = Vec::new();
    for crypto in [Crypto::Default, Crypto::Ring, Crypto::AwsLc] {
        let options = Options { crypto, ..server.options(trust.clone()) };
        match S::make(config(&server.base()), options).await {
            Ok(provider) => providers.push(provider),
            Err(Error::Config(_)) if crypto != Crypto::Default => {}
            Err(error) => panic!("{crypto:?}: {error}"),
        }
    }
    providers
}

/// Asks the server that `authority` certifies, and asserts that every question is refused before it is asked.
async fn refused<S: Subject>(authority: &Authority, name: &str, valid: Valid, trusted: &Authority) {
    let server = TlsServer::new(authority.certify(name, valid, BOTH)).await;
    for provider in each::<S>(&server, &trusted.trust()).await {
        let listing = provider.models(&ListRequest::default()).await.unwrap_err();
        for error in
            [provider.generate(&question()).await.unwrap_err(), collect(&provider).await.1.unwrap_err(), listing]
        {
            if S::OWN_TLS {
                assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
                assert!(matches!(error, Error::Transport { phase: Phase::Connect, .. }), "{error:?}");
            } else {
                // It is the proxy that refuses, and all that it can do is to say so.
                assert!(matches!(&error, Error::Api(refusal) if refusal.code == 502), "{error:?}");
            }
            assert!(error.to_string().contains("certificate"), "it says why: {error}");
        }
    }
    server.ended(1).await;
    let seen = server.seen();
    assert!(seen.handshakes.is_empty() && seen.requests.is_empty(), "{:?} {:?}", seen.handshakes, seen.requests);
}

mod on {
    use super::*;

    /// The control: the same server, and nothing wrong with it.
    pub(super) async fn the_right_certificate_is_believed<S: Subject>() {
        let authority = Authority::new();
        let server = TlsServer::new(authority.certify(NAME, Valid::Now, BOTH)).await;
        let providers = each::<S>(&server, &authority.trust()).await;
        for provider in &providers {
            assert_eq!(provider.generate(&question()).await.unwrap().text(), "answered");
            let (text, end) = collect(provider).await;
            assert_eq!((&*text, end.is_ok()), ("answered", true), "{end:?}");
        }
        let seen = server.seen();
        assert_eq!(seen.requests.len(), 2 * providers.len());
        assert!(seen.requests.iter().all(|request| request.contains(CANARY)), "the key was sent");
        for (name, protocol) in &seen.handshakes {
            assert_eq!(name.as_deref(), Some(NAME), "the name is asked for in the handshake");
            assert!(protocol.as_deref().is_some_and(|protocol| BOTH.contains(&protocol)), "{protocol:?}");
        }
    }

    pub(super) async fn a_certificate_of_a_wrong_ca_is_refused<S: Subject>() {
        refused::<S>(&Authority::new(), NAME, Valid::Now, &Authority::new()).await;
    }

    pub(super) async fn a_certificate_for_a_wrong_host_name_is_refused<S: Subject>() {
        let authority = Authority::new();
        refused::<S>(&authority, "elsewhere.plimsoll.test", Valid::Now, &authority).await;
    }

    pub(super) async fn an_expired_certificate_is_refused<S: Subject>() {
        let authority = Authority::new();
        refused::<S>(&authority, NAME, Valid::Formerly, &authority).await;
    }

    pub(super) async fn a_certificate_that_is_not_yet_valid_is_refused<S: Subject>() {
        let authority = Authority::new();
        refused::<S>(&authority, NAME, Valid::InTheFuture, &authority).await;
    }
}
