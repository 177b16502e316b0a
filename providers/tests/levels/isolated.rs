//! The level `isolated`, where it differs from the others: its helpers die, are relieved, and are bounded.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use futures_util::future::join_all;
use plimsoll_providers::gemini_process_isolated::{HelperEnded, Helpers, IsolatedGeminiProvider};
use plimsoll_providers::{Error, Options, Phase, Provider, Trust};
use tokio::sync::Semaphore;

use crate::server::{Server, Step, answer, chunk, event, last_chunk, stream_head, whole};
use crate::{CANARY, Isolated, collect, config, in_time, question};

fn good() -> Vec<Step> {
    whole("200 OK", "application/json", answer("found", Some("STOP")).as_bytes())
}

async fn with(server: &Server, helpers: Helpers) -> IsolatedGeminiProvider {
    IsolatedGeminiProvider::with_helpers(config(&server.base()), Options::default(), helpers).await.unwrap()
}

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap().success());
}

fn is_there(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

async fn asked(server: &Server, requests: usize) {
    while server.requests().len() < requests {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_helper_that_dies_in_an_answer_fails_it_and_another_takes_its_place() {
    in_time(async {
        let server = Server::with(|number| match number {
            0 => vec![stream_head(), chunk(event("one", None)), Step::Silence],
            _ => good(),
        })
        .await;
        let provider = with(&server, Isolated::helpers()).await;
        let [first] = provider.helpers()[..] else { panic!("{provider:?}") };
        let mut texts = Vec::new();
        let end = provider
            .stream(&question(), |event| {
                texts.push(event.text());
                kill(first);
                ControlFlow::Continue(())
            })
            .await;
        let Err(Error::Transport { phase: Phase::Body, source }) = end else { panic!("{end:?}") };
        assert!(source.is::<HelperEnded>() && source.to_string().contains("signal: 9"), "{source}");
        assert_eq!(texts, ["one"]);
        assert_eq!(provider.generate(&question()).await.unwrap().text(), "found");
        assert_ne!(provider.helpers(), [first]);
        assert!(!is_there(first));
    })
    .await;
}

#[tokio::test]
async fn what_a_dead_helper_had_not_begun_to_answer_is_asked_once_more() {
    in_time(async {
        let server = Server::with(|number| if number == 0 { vec![Step::Silence] } else { good() }).await;
        let provider = with(&server, Isolated::helpers()).await;
        let [first] = provider.helpers()[..] else { panic!("{provider:?}") };
        let died = async {
            asked(&server, 1).await;
            kill(first);
        };
        let (answer, ()) = tokio::join!(async { provider.generate(&question()).await }, died);
        assert_eq!(answer.unwrap().text(), "found");
        assert_eq!(server.requests().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn helpers_that_die_one_after_the_other_are_an_error_and_no_fork_bomb() {
    in_time(async {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("crash-loop-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (program, starts) = (folder.join("helper"), folder.join("starts"));
        // The first lives, all others die at once.
        let helper = env!("CARGO_BIN_EXE_gemini-helper");
        let text = format!(
            "#!/bin/sh\necho >> '{starts}'\n[ $(wc -l < '{starts}') = 1 ] && exec '{helper}' \"$@\"\nexit 3\n",
            starts = starts.display()
        );
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let server = Server::new(good()).await;
        let provider = with(&server, Helpers { program: Some(program), ..Helpers::default() }).await;
        provider.generate(&question()).await.unwrap();
        kill(provider.helpers()[0]);
        while !provider.helpers().is_empty() {
            tokio::task::yield_now().await;
        }
        let mut last = String::new();
        for _ in 0..100 {
            let error = provider.generate(&question()).await.unwrap_err();
            assert!(matches!(error, Error::Transport { phase: Phase::Connect | Phase::Head, .. }), "{error:?}");
            last = error.to_string();
        }
        assert!(last.contains("in a row ended without an answer") && last.contains("exit status: 3"), "{last}");
        let starts = std::fs::read_to_string(&starts).unwrap().lines().count();
        assert!(starts <= 6, "{starts} helpers were started");
        std::fs::remove_dir_all(folder).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_helper_is_relieved_after_so_many_requests_and_past_so_many_bytes() {
    in_time(async {
        let server = Server::new(good()).await;
        let provider = with(&server, Helpers { requests: 2, ..Isolated::helpers() }).await;
        let mut seen = HashSet::new();
        for _ in 0..3 {
            provider.generate(&question()).await.unwrap();
            seen.extend(provider.helpers());
            provider.generate(&question()).await.unwrap();
            assert!(provider.helpers().is_empty());
        }
        assert_eq!(seen.len(), 3);
        // The last call's end may still be on its way to whoever holds the helper.
        while seen.iter().any(|process| is_there(*process)) {
            tokio::task::yield_now().await;
        }
        let provider = with(&server, Helpers { rss: 1, ..Isolated::helpers() }).await;
        provider.generate(&question()).await.unwrap();
        while !provider.helpers().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(provider.generate(&question()).await.unwrap().text(), "found");
    })
    .await;
}

#[tokio::test]
async fn a_relieved_helper_ends_what_it_has() {
    in_time(async {
        let gate = Arc::new(Semaphore::new(0));
        let server = Server::with({
            let gate = gate.clone();
            move |number| match number {
                0 => {
                    let end = [chunk(event("two", Some("STOP"))), last_chunk()];
                    [stream_head(), chunk(event("one", None)), Step::Gate(gate.clone())]
                        .into_iter()
                        .chain(end)
                        .collect()
                }
                _ => good(),
            }
        })
        .await;
        let provider = with(&server, Helpers { requests: 1, ..Isolated::helpers() }).await;
        let meanwhile = async {
            asked(&server, 1).await;
            provider.generate(&question()).await.unwrap();
            gate.add_permits(1);
        };
        let ((text, end), ()) = tokio::join!(collect(&provider), meanwhile);
        end.unwrap();
        assert_eq!(text, "onetwo");
    })
    .await;
}

#[tokio::test]
async fn a_thousand_at_once_are_answered_by_few_helpers() {
    in_time(async {
        let server = Server::new(good()).await;
        let provider = with(&server, Helpers { most: 2, at_once: 100, ..Isolated::helpers() }).await;
        let answers = join_all((0..1000).map(|_| async { provider.generate(&question()).await.unwrap().text() })).await;
        assert!(answers.iter().all(|text| text == "found"));
        assert_eq!(server.requests().len(), 1000);
        // 200 at a time, and at most one more for each: a helper's client that begins to connect and is then given an idle connection keeps both.
        assert!(provider.helpers().len() <= 2 && server.connections() <= 400, "{}", server.connections());
    })
    .await;
}

#[tokio::test]
async fn a_helper_ends_with_its_provider_and_nothing_of_it_shows_the_key() {
    in_time(async {
        let server = Server::new(good()).await;
        let provider = with(&server, Isolated::helpers()).await;
        provider.generate(&question()).await.unwrap();
        let [helper] = provider.helpers()[..] else { panic!("{provider:?}") };
        for file in ["cmdline", "environ"] {
            let told = std::fs::read(format!("/proc/{helper}/{file}")).unwrap();
            assert!(!String::from_utf8_lossy(&told).contains(CANARY), "{file}");
        }
        drop(provider);
        assert!(!is_there(helper));
    })
    .await;
}

#[tokio::test]
async fn what_a_helper_cannot_be_set_up_with_is_an_error_of_the_constructor() {
    in_time(async {
        let make = |trust, helpers| {
            let options = Options { trust, ..Options::default() };
            IsolatedGeminiProvider::with_helpers(config("https://localhost"), options, helpers)
        };
        let error = make(Trust::PemFile("/nowhere/ca.pem".into()), Isolated::helpers()).await.unwrap_err();
        assert!(matches!(&error, Error::Config(message) if message.contains("/nowhere/ca.pem")), "{error:?}");
        let nobody = Helpers { program: Some("/bin/false".into()), ..Helpers::default() };
        let error = make(Trust::WebPkiRoots, nobody).await.unwrap_err();
        assert!(error.to_string().contains("exit status: 1"), "{error}");
        let nothing = Helpers { program: Some("/nowhere/helper".into()), ..Helpers::default() };
        let error = make(Trust::WebPkiRoots, nothing).await.unwrap_err();
        assert!(matches!(error, Error::Transport { phase: Phase::Connect, .. }), "{error:?}");
        let none = Helpers { most: 0, ..Isolated::helpers() };
        assert!(matches!(make(Trust::WebPkiRoots, none).await, Err(Error::Config(_))));
    })
    .await;
}
