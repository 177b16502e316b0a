//! What the techniques do, where it can be seen from outside; what they cost and save is measured elsewhere.

use std::sync::Arc;

use plimsoll_providers::{Level, Options, Provider, Technique, Techniques, Trust};
use tokio::sync::Semaphore;

use crate::server::{Server, Step, answer, chunk, event, head, last_chunk, stream_head, whole};
use crate::{Optimized, Original, Subject, Ultra, collect, config, in_time, question};

fn only(techniques: impl IntoIterator<Item = Technique>) -> Options {
    Options { techniques: techniques.into_iter().fold(Techniques::NONE, Techniques::with), ..Options::default() }
}

fn good() -> Vec<Step> {
    whole("200 OK", "application/json", answer("a", Some("STOP")).as_bytes())
}

#[tokio::test]
async fn every_set_of_ultras_techniques_answers_alike() {
    in_time(async {
        let text = "⚓️ \"a\" \\ line\n".repeat(300);
        let body = answer(&text, Some("STOP"));
        let server = Server::with({
            let pieces = [body, [event(&text, None), event("end", Some("STOP"))].concat()];
            move |number| {
                let chunks =
                    pieces[number % 2].as_bytes().chunks(if number % 4 < 2 { 700 } else { 1 << 20 }).map(chunk);
                [head("200 OK", "transfer-encoding: chunked\r\n")]
                    .into_iter()
                    .chain(chunks)
                    .chain([last_chunk()])
                    .collect()
            }
        })
        .await;
        // All 512 sets, without the one that would make a connection for each request: it has a test of its own.
        let switches = Level::Ultra.techniques();
        let sets = (0..1_u32 << switches.len())
            .map(|bits| (0..switches.len()).filter(move |at| bits >> at & 1 == 1).map(|at| switches[at]));
        for set in sets {
            let set: Vec<_> = set.collect();
            if set.contains(&Technique::NoIdleConnections) {
                continue;
            }
            let provider = Ultra::at(&server.base(), only(set.clone())).await;
            for _ in 0..2 {
                assert_eq!(provider.generate(&question()).await.unwrap().text(), text, "{set:?}");
                let (read, end) = collect(&provider).await;
                end.unwrap();
                assert_eq!(read, format!("{text}end"), "{set:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn no_idle_connections_makes_one_for_each_request() {
    in_time(async {
        for (options, expected) in [(only([Technique::NoIdleConnections]), 3), (only([]), 1)] {
            let server = Server::new(good()).await;
            let provider = Ultra::at(&server.base(), options).await;
            for _ in 0..3 {
                provider.generate(&question()).await.unwrap();
            }
            assert_eq!(server.connections(), expected);
        }
    })
    .await;
}

#[tokio::test]
async fn a_small_pool_lets_go_of_all_but_two_connections() {
    in_time(async {
        let gate = Arc::new(Semaphore::new(0));
        let steps: Vec<_> = [Step::Gate(gate.clone())].into_iter().chain(good()).collect();
        let server = Server::new(steps).await;
        let provider = Optimized::at(&server.base(), only([Technique::SmallPool])).await;
        let all_asked = async {
            while server.requests().len() < 6 {
                tokio::task::yield_now().await;
            }
            gate.add_permits(6);
        };
        let asked =
            futures_util::future::join_all((0..6).map(|_| async { provider.generate(&question()).await.unwrap() }));
        tokio::join!(asked, all_asked);
        assert_eq!(server.connections(), 6);
        server.ended(4).await;
    })
    .await;
}

#[tokio::test]
async fn lazy_components_are_built_by_the_first_request() {
    let missing = |techniques| Options { trust: Trust::PemFile("/nowhere/ca.pem".into()), ..only(techniques) };
    let eager = Optimized::make(config("https://localhost:9"), missing(vec![])).await.unwrap_err();
    assert!(eager.to_string().contains("/nowhere/ca.pem"));
    let lazy = Optimized::at("https://localhost:9", missing(vec![Technique::LazyComponents])).await;
    let error = lazy.generate(&question()).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}

#[tokio::test]
async fn pooled_buffers_come_back_and_are_bounded() {
    in_time(async {
        // The answer's buffer is often the one that the question was just written in.
        let (pooled, none) = (["BufferPool(1 of 40 free)", "BufferPool(2 of 40 free)"], ["BufferPool(0 of 0 free)"; 2]);
        for (options, kept) in [(only([Technique::ObjectPooling]), pooled), (only([]), none)] {
            let server = Server::with(|number| match number % 2 {
                0 => good(),
                _ => {
                    let cut = event("a", Some("STOP"));
                    vec![stream_head(), chunk(&cut[..30]), chunk(&cut[30..]), last_chunk()]
                }
            })
            .await;
            let provider = Optimized::at(&server.base(), options).await;
            for _ in 0..5 {
                provider.generate(&question()).await.unwrap();
                collect(&provider).await.1.unwrap();
            }
            // The transport lets go of the last request's buffer in a task of its own.
            while !kept.iter().any(|kept| format!("{provider:?}").contains(kept)) {
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn strangers_are_refused() {
    let error = Original::make(config("http://localhost"), only([Technique::SmallPool])).await.unwrap_err();
    assert!(error.to_string().contains("none to switch"), "{error}");
    let error = Ultra::make(config("http://localhost"), only([Technique::SmallPool])).await.unwrap_err();
    assert!(error.to_string().contains("http1-only"), "{error}");
}
