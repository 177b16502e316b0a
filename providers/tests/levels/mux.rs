//! What `mux` does by itself on its connections: how many there are, which calls they carry, and when one is given up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use h2::Reason;
use http::Response;
use plimsoll_providers::{CachedContent, Error, Options, Phase, Provider, Timeouts};
use tokio::net::TcpListener;
use tokio::sync::{Barrier, Semaphore};

use crate::frames::{ACK, END_STREAM, HEADERS, PING, Peer, SETTINGS, serving};
use crate::server::{answer, event};
use crate::{CANARY, Mux, Subject, collect, in_time, question};

fn good() -> String {
    answer("good", Some("STOP"))
}

fn header(limit: Duration) -> Options {
    Options { timeouts: Timeouts { header: Some(limit), ..Timeouts::default() }, ..Options::default() }
}

/// How many streams were open at once on each connection.
#[derive(Default)]
struct Gauge(Mutex<HashMap<usize, (usize, usize)>>);

impl Gauge {
    fn change(&self, connection: usize, by: isize) {
        let mut open = self.0.lock().unwrap();
        let (now, most) = open.entry(connection).or_default();
        *now = now.checked_add_signed(by).unwrap();
        *most = (*most).max(*now);
    }

    fn most(&self) -> Vec<usize> {
        self.0.lock().unwrap().values().map(|(_, most)| *most).collect()
    }
}

/// A server that takes `limit` streams on a connection and answers when `all` are there.
async fn crowded(limit: Option<u32>, all: usize) -> (String, Arc<Gauge>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (gauge, barrier) = (Arc::new(Gauge::default()), Arc::new(Barrier::new(all)));
    let gauged = gauge.clone();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let (gauge, barrier) = (gauge.clone(), barrier.clone());
            tokio::spawn(async move {
                let mut builder = h2::server::Builder::new();
                if let Some(limit) = limit {
                    builder.max_concurrent_streams(limit);
                }
                let mut connection = builder.handshake::<_, Bytes>(stream).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    gauge.change(number, 1);
                    let (gauge, barrier) = (gauge.clone(), barrier.clone());
                    tokio::spawn(async move {
                        let _request = request;
                        barrier.wait().await;
                        gauge.change(number, -1);
                        let mut body = respond.send_response(Response::new(()), false).unwrap();
                        body.send_data(good().into(), true).unwrap();
                    });
                }
            });
        }
    });
    (base, gauged)
}

#[tokio::test]
async fn there_are_as_few_connections_as_the_servers_limit_allows_and_none_has_more_calls() {
    in_time(async {
        // None is answered before all are there, so that each must have found a place.
        for (limit, calls, connections) in [(Some(3), 20, 7), (Some(100), 250, 3), (Some(1), 5, 5)] {
            let (base, gauge) = crowded(limit, calls).await;
            let provider = Mux::at(&base, Options::default()).await;
            let question = question();
            let answers = join_all((0..calls).map(|_| provider.generate(&question))).await;
            assert!(answers.into_iter().all(|answer| answer.unwrap().text() == "good"));
            let most = gauge.most();
            assert_eq!(most.len(), connections, "{most:?}");
            assert!(most.iter().all(|most| *most <= limit.unwrap() as usize), "{most:?}");
        }
    })
    .await;
}

/// By itself h2 ends a connection on which so many small frames come at once that were not taken yet.
#[tokio::test]
async fn a_thousand_small_answers_come_at_once_on_one_connection() {
    in_time(async {
        let (base, gauge) = crowded(None, 1000).await;
        let provider = Mux::at(&base, Options::default()).await;
        let question = question();
        let answers = join_all((0..1000).map(|_| provider.generate(&question))).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap().text() == "good"));
        let most = gauge.most();
        assert!(most.len() <= 10 && most.iter().sum::<usize>() == 1000, "{most:?}");
    })
    .await;
}

#[tokio::test]
async fn whoever_meets_nobody_fails_at_once_however_many_there_are() {
    in_time(async {
        let provider = Mux::at("http://127.0.0.1:9", Options::default()).await;
        let question = question();
        for answer in join_all((0..300).map(|_| provider.generate(&question))).await {
            assert!(matches!(answer, Err(Error::Transport { phase: Phase::Connect, .. })), "{answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_died_is_found_out_and_replaced() {
    in_time(async {
        let base = serving(|number, mut peer: Peer| async move {
            peer.begin(100).await?;
            let stream = peer.request().await?;
            if number > 0 {
                peer.answer(stream, &good()).await?;
            }
            peer.silence().await
        })
        .await;
        // Asked after a quarter of it at most, and given up after an eighth more.
        let limit = Duration::from_secs(2);
        let provider = Mux::at(&base, header(limit)).await;
        let begin = Instant::now();
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::Transport { phase: Phase::Head, .. }), "{error:?}");
        assert!(error.to_string().contains("PING"), "{error}");
        assert!(begin.elapsed() >= limit / 8, "{:?}", begin.elapsed());
        assert_eq!(provider.generate(&question()).await.unwrap().text(), "good");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_thinks_for_long_is_waited_for_while_it_answers_pings() {
    in_time(async {
        let base = serving(|_, mut peer: Peer| async move {
            peer.begin(100).await?;
            let stream = peer.request().await?;
            for _ in 0..2 {
                let ping = loop {
                    match peer.read().await? {
                        frame if frame.kind == PING && frame.flags == 0 => break frame,
                        _ => {}
                    }
                };
                peer.write(PING, ACK, 0, &ping.payload).await?;
            }
            peer.answer(stream, &good()).await?;
            peer.silence().await
        })
        .await;
        // It would be given up by the time of the second PING.
        let provider = Mux::at(&base, header(Duration::from_secs(2))).await;
        assert_eq!(provider.generate(&question()).await.unwrap().text(), "good");
    })
    .await;
}

#[tokio::test]
async fn a_request_that_was_not_looked_at_is_sent_once_more() {
    in_time(async {
        let content = CachedContent { model: "m".to_owned(), ..CachedContent::default() };
        for (refusal, times, sent) in [
            (Refusal::Reset(Reason::REFUSED_STREAM), 1, 2),
            (Refusal::Reset(Reason::REFUSED_STREAM), 9, 2),
            (Refusal::GoAway(Reason::NO_ERROR), 1, 2),
            (Refusal::GoAway(Reason::NO_ERROR), 9, 2),
            // It is not known that it was not looked at, or the server has too much to do.
            (Refusal::Reset(Reason::INTERNAL_ERROR), 1, 1),
            (Refusal::GoAway(Reason::ENHANCE_YOUR_CALM), 1, 1),
        ] {
            let (base, seen) = refusing(refusal, times).await;
            let provider = Mux::at(&base, Options::default()).await;
            // Not even what changes something has changed it.
            let made = provider.cached_contents_create(&content).await;
            assert_eq!((made.is_ok(), seen.load(Ordering::SeqCst)), (times < sent, sent), "{refusal:?}: {made:?}");
            assert!(made.is_ok() || matches!(made, Err(Error::Transport { phase: Phase::Head, .. })), "{made:?}");
        }
    })
    .await;
}

#[derive(Debug, Clone, Copy)]
enum Refusal {
    Reset(Reason),
    GoAway(Reason),
}

/// A server that refuses so many requests, and how many it got.
async fn refusing(refusal: Refusal, times: usize) -> (String, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = seen.clone();
    let base = serving(move |_, mut peer| {
        let seen = seen.clone();
        async move {
            peer.begin(100).await?;
            loop {
                let stream = peer.request().await?;
                match refusal {
                    _ if seen.fetch_add(1, Ordering::SeqCst) >= times => {
                        peer.answer(stream, r#"{"name": "c"}"#).await?
                    }
                    Refusal::Reset(reason) => peer.reset(stream, reason).await?,
                    Refusal::GoAway(reason) => {
                        peer.go_away(stream - 1, reason).await?;
                        return peer.silence().await;
                    }
                }
            }
        }
    })
    .await;
    (base, counted)
}

/// A connection that is going away keeps the calls that it has; the next ones have another.
#[tokio::test]
async fn what_is_under_way_on_a_connection_that_goes_away_is_finished() {
    in_time(async {
        let gate = Arc::new(Semaphore::new(0));
        let base = serving({
            let gate = gate.clone();
            move |number, mut peer| {
                let gate = gate.clone();
                async move {
                    peer.begin(100).await?;
                    let stream = peer.request().await?;
                    if number == 0 {
                        peer.head(stream).await?;
                        peer.go_away(u32::MAX >> 1, Reason::NO_ERROR).await?;
                        peer.write(0, 0, stream, event("one", None).as_bytes()).await?;
                        let _ = gate.acquire().await;
                        peer.write(0, END_STREAM, stream, event(" two", Some("STOP")).as_bytes()).await?;
                    } else {
                        peer.answer(stream, &good()).await?;
                        gate.add_permits(1);
                    }
                    peer.silence().await
                }
            }
        })
        .await;
        let provider = Mux::at(&base, Options::default()).await;
        let begun = Semaphore::new(0);
        let question = question();
        let mut text = String::new();
        let streamed = provider.stream(&question, |event| {
            text.extend(event.texts());
            begun.add_permits(1);
            std::ops::ControlFlow::Continue(())
        });
        let asked = async {
            let _ = begun.acquire().await;
            provider.generate(&question).await
        };
        let (streamed, asked) = tokio::join!(streamed, asked);
        streamed.unwrap();
        assert_eq!((&*text, &*asked.unwrap().text()), ("one two", "good"));
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_dropped_is_reset_and_leaves_the_others_alone() {
    in_time(async {
        let dropped = Arc::new(Semaphore::new(0));
        let base = serving({
            let dropped = dropped.clone();
            move |number, mut peer| {
                let dropped = dropped.clone();
                async move {
                    assert_eq!(number, 0, "one connection is enough");
                    peer.begin(100).await?;
                    let (first, second) = (peer.request().await?, peer.request().await?);
                    dropped.add_permits(1);
                    loop {
                        let frame = peer.read().await?;
                        if frame.kind == crate::frames::RST_STREAM {
                            assert_eq!(frame.payload, u32::from(Reason::CANCEL).to_be_bytes());
                            let other = if frame.stream == first { second } else { first };
                            peer.answer(other, &good()).await?;
                        }
                    }
                }
            }
        })
        .await;
        let provider = Mux::at(&base, Options::default()).await;
        let question = question();
        let gone = async {
            tokio::select! {
                answer = provider.generate(&question) => panic!("{answer:?}"),
                _ = dropped.acquire() => {}
            }
        };
        let (answer, ()) = tokio::join!(provider.generate(&question), gone);
        assert_eq!(answer.unwrap().text(), "good");
    })
    .await;
}

/// In HPACK's words, a literal that is never indexed: neither end, nor anything between them, may put it into a table.
#[tokio::test]
async fn the_key_is_in_no_compression_table() {
    in_time(async {
        // The name and the canary in HPACK's Huffman code, each behind its length.
        const NAME: [u8; 12] = [0x8b, 0xf2, 0xb4, 0xc7, 0x3c, 0xcb, 0x0e, 0xb3, 0x2d, 0xd4, 0xbe, 0xbf];
        const VALUE: [u8; 11] = [0x8a, 0x20, 0xea, 0x1d, 0x9e, 0x96, 0x6e, 0x56, 0x46, 0xf8, 0x7f];
        const NEVER_INDEXED: u8 = 0x10;
        assert_eq!(CANARY, "canary-5f3a91");
        let literal = [&[NEVER_INDEXED][..], &NAME, &VALUE].concat();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let base = serving({
            let heads = heads.clone();
            move |_, mut peer| {
                let heads = heads.clone();
                async move {
                    peer.begin(100).await?;
                    loop {
                        let frame = peer.read().await?;
                        match frame.kind {
                            SETTINGS if frame.flags == 0 => peer.write(SETTINGS, ACK, 0, &[]).await?,
                            HEADERS => {
                                heads.lock().unwrap().push(frame.payload);
                                let stream = peer.request().await?;
                                peer.answer(stream, &good()).await?;
                            }
                            _ => {}
                        }
                    }
                }
            }
        })
        .await;
        let provider = Mux::at(&base, Options::default()).await;
        for _ in 0..3 {
            provider.generate(&question()).await.unwrap();
        }
        let heads = heads.lock().unwrap();
        assert_eq!(heads.len(), 3);
        for head in heads.iter() {
            assert!(head.windows(literal.len()).any(|bytes| bytes == literal), "{head:02x?}");
        }
    })
    .await;
}

/// A limit that is lowered to less than what is under way takes nothing away from that; what comes then goes elsewhere.
#[tokio::test]
async fn when_a_limit_is_lowered_further_calls_go_on_another_connection() {
    in_time(async {
        let base = serving(|number, mut peer: Peer| async move {
            peer.begin(100).await?;
            let stream = peer.request().await?;
            if number == 0 {
                peer.head(stream).await?;
                peer.allow(1).await?;
                while peer.read().await?.kind != SETTINGS {}
                peer.write(0, 0, stream, event("one", None).as_bytes()).await?;
                let error = peer.request().await;
                assert!(error.is_err(), "a second stream on a connection that takes one");
            } else {
                peer.answer(stream, &good()).await?;
                peer.silence().await?;
            }
            Ok(())
        })
        .await;
        let provider = Mux::at(&base, Options::default()).await;
        let begun = Semaphore::new(0);
        let question = question();
        let streamed = provider.stream(&question, |_| {
            begun.add_permits(1);
            std::ops::ControlFlow::Continue(())
        });
        tokio::select! {
            end = streamed => panic!("{end:?}"),
            answer = async { let _ = begun.acquire().await; provider.generate(&question).await } => {
                assert_eq!(answer.unwrap().text(), "good");
            }
        }
    })
    .await;
}

/// It tells what it was told and what became of it; that it is whole is another matter.
#[tokio::test]
async fn a_stream_that_its_server_cuts_is_not_whole() {
    in_time(async {
        let base = serving(|_, mut peer: Peer| async move {
            peer.begin(100).await?;
            let stream = peer.request().await?;
            peer.head(stream).await?;
            peer.write(0, 0, stream, event("one", None).as_bytes()).await?;
            peer.reset(stream, Reason::NO_ERROR).await?;
            peer.silence().await
        })
        .await;
        let (text, end) = collect(&Mux::at(&base, Options::default()).await).await;
        assert!(text.is_empty() || text == "one", "{text}");
        assert!(matches!(end, Err(Error::Transport { phase: Phase::Body, .. } | Error::Truncated)), "{end:?}");
    })
    .await;
}
