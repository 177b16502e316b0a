//! Case 19: what an HTTP/2 server may do to a connection.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, server};
use http::Response;
use plimsoll_providers::{Error, Options, Protocol, Provider, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::frames::{self, ACK, DATA, END_STREAM, HEADERS, Peer, SETTINGS};
use crate::server::{answer, event};
use crate::{Subject, collect, question};

crate::every_http2_level! {
    case_19_going_away_in_mid_stream
    case_19_a_request_that_was_not_looked_at_is_sent_again_or_typed
    case_19_a_refused_stream_is_sent_again_or_typed
    case_19_a_reset_after_the_head
    case_19_a_stream_limit_of_one
    case_19_a_stream_limit_that_is_lowered_in_flight
    case_19_a_window_that_never_opens
    case_19_a_flood_of_continuations
    case_19_silence_after_the_settings
    case_19_silence_in_mid_stream
    megabytes_pass_both_ways_through_the_windows
}

type Connection = server::Connection<TcpStream, Bytes>;

fn over_h2(timeouts: Timeouts) -> Options {
    Options { protocol: Protocol::Http2, timeouts, ..Options::default() }
}

fn short(header: u64) -> Timeouts {
    Timeouts { header: Some(Duration::from_millis(header)), ..Timeouts::default() }
}

/// A server whose connections are served by `serve`; it ends with the test's runtime.
async fn serving<F>(builder: server::Builder, serve: impl Fn(Connection) -> F + Clone + Send + 'static) -> String
where
    F: Future<Output = Result<(), h2::Error>> + Send + 'static,
{
    raw(move |stream| {
        let (builder, serve) = (builder.clone(), serve.clone());
        async move {
            if let Ok(connection) = builder.handshake(stream).await {
                // A client that hangs up is what some cases end with.
                let _ = serve(connection).await;
            }
        }
    })
    .await
}

async fn raw<F: Future<Output = ()> + Send + 'static>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    base
}

fn whole(mut respond: server::SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut body = respond.send_response(Response::new(()), false)?;
    body.send_data(answer("answered", Some("STOP")).into(), true)
}

fn begun(respond: &mut server::SendResponse<Bytes>) -> Result<h2::SendStream<Bytes>, h2::Error> {
    let mut body = respond.send_response(Response::new(()), false)?;
    body.send_data(event("one", None).into(), false)?;
    Ok(body)
}

mod on {
    use super::*;

    /// The stream at hand is above the last one that the server says it served, so it is lost; the next call has a new connection.
    pub(super) async fn case_19_going_away_in_mid_stream<S: Subject>() {
        let base = serving(server::Builder::new(), |mut connection| async move {
            let mut kept = Vec::new();
            while let Some(request) = connection.accept().await {
                let (_, mut respond) = request?;
                kept.push(begun(&mut respond)?);
                connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
            }
            Ok(())
        })
        .await;
        let provider = S::at(&base, over_h2(Timeouts::default())).await;
        for _ in 0..2 {
            let (text, end) = collect(&provider).await;
            assert!(text.is_empty() || text == "one", "{text}");
            assert!(matches!(end, Err(Error::Transport { .. })), "{end:?}");
        }
    }

    /// The server goes away without having looked at the request, and says so: it may be sent again on another connection.
    pub(super) async fn case_19_a_request_that_was_not_looked_at_is_sent_again_or_typed<S: Subject>() {
        let base = frames::serving(|number, mut peer: Peer| async move {
            peer.begin(100).await?;
            if number == 0 {
                peer.request().await?;
                peer.go_away(0, Reason::NO_ERROR).await?;
                return peer.silence().await;
            }
            loop {
                let stream = peer.request().await?;
                peer.answer(stream, &answer("answered", Some("STOP"))).await?;
            }
        })
        .await;
        let provider = S::at(&base, over_h2(Timeouts::default())).await;
        match provider.generate(&question()).await {
            Ok(answer) => assert_eq!(answer.text(), "answered"),
            Err(error) => assert!(matches!(error, Error::Transport { .. }), "{error:?}"),
        }
        assert_eq!(provider.generate(&question()).await.unwrap().text(), "answered");
    }

    /// A refused stream was not looked at, so that a transport may send it again by itself; one that is always refused is an error.
    pub(super) async fn case_19_a_refused_stream_is_sent_again_or_typed<S: Subject>() {
        let base = serving(server::Builder::new(), |mut connection| async move {
            while let Some(request) = connection.accept().await {
                request?.1.send_reset(Reason::REFUSED_STREAM);
            }
            Ok(())
        })
        .await;
        let provider = S::at(&base, over_h2(Timeouts::default())).await;
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    }

    pub(super) async fn case_19_a_reset_after_the_head<S: Subject>() {
        let base = serving(server::Builder::new(), |mut connection| async move {
            let mut count = 0;
            while let Some(request) = connection.accept().await {
                let (_, mut respond) = request?;
                count += 1;
                if count < 3 {
                    begun(&mut respond)?.send_reset(Reason::INTERNAL_ERROR);
                } else {
                    whole(respond)?;
                }
            }
            Ok(())
        })
        .await;
        let provider = S::at(&base, over_h2(Timeouts::default())).await;
        if let (_, Ok(())) = collect(&provider).await {
            panic!("a stream that was reset is not whole");
        }
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    }

    /// Eight calls at once where the server takes one at a time: all are answered, one after the other.
    pub(super) async fn case_19_a_stream_limit_of_one<S: Subject>() {
        let mut builder = server::Builder::new();
        builder.max_concurrent_streams(1);
        let base = serving(builder, |mut connection| async move {
            while let Some(request) = connection.accept().await {
                whole(request?.1)?;
            }
            Ok(())
        })
        .await;
        let provider = S::at(&base, over_h2(Timeouts::default())).await;
        let asked = (0..8).map(|_| async { provider.generate(&question()).await.unwrap().text() });
        assert_eq!(futures_util::future::join_all(asked).await, ["answered"; 8]);
    }

    /// The server takes only two streams from when eight were asked for: no more are opened once that is agreed, and all are answered.
    pub(super) async fn case_19_a_stream_limit_that_is_lowered_in_flight<S: Subject>() {
        const ALLOWED: u32 = 8;
        let base = frames::serving(|_, mut peer: Peer| async move {
            peer.begin(ALLOWED).await?;
            let (mut open, mut whole, mut agreed) = (0, Vec::new(), 0);
            loop {
                let frame = peer.read().await?;
                match frame.kind {
                    SETTINGS if frame.flags == 0 => peer.write(SETTINGS, ACK, 0, &[]).await?,
                    SETTINGS => agreed += 1,
                    HEADERS => {
                        if open == 0 && agreed < 2 {
                            peer.allow(2).await?;
                        }
                        open += 1;
                        // What was opened before the limits were agreed stays.
                        assert!(agreed < 2 || open <= 2, "{open} streams are open");
                    }
                    _ => {}
                }
                if matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0 {
                    whole.push(frame.stream);
                }
                // The second acknowledgement is that of the lower limit.
                if agreed == 2 {
                    for stream in whole.drain(..) {
                        peer.answer(stream, &answer("answered", Some("STOP"))).await?;
                        open -= 1;
                    }
                }
            }
        })
        .await;
        let provider = S::at(&base, over_h2(Timeouts::default())).await;
        let asked = (0..3 * ALLOWED).map(|_| async { provider.generate(&question()).await.unwrap().text() });
        assert_eq!(futures_util::future::join_all(asked).await, ["answered"; 3 * ALLOWED as usize]);
    }

    pub(super) async fn case_19_a_window_that_never_opens<S: Subject>() {
        let mut builder = server::Builder::new();
        builder.initial_window_size(0);
        let base = serving(builder, |mut connection| async move {
            let mut kept = Vec::new();
            while let Some(request) = connection.accept().await {
                kept.push(request?);
            }
            Ok(())
        })
        .await;
        let error = S::at(&base, over_h2(short(100))).await.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    }

    /// A head whose continuations never end: refused, and not gathered until memory is full.
    pub(super) async fn case_19_a_flood_of_continuations<S: Subject>() {
        let base = raw(|mut stream| async move {
            let frame = |length: u8, kind: u8, stream: u8| [0, 0, length, kind, 0, 0, 0, 0, stream];
            // Settings, and a head for the first stream: ":status: 200" from the static table, not the end of it.
            let mut begin = frame(0, 4, 0).to_vec();
            begin.extend(frame(1, 1, 1));
            begin.push(0x88);
            let mut more = frame(9, 9, 1).to_vec();
            // A literal header, not indexed: "x: 01234".
            more.extend([0, 1, b'x', 5, b'0', b'1', b'2', b'3', b'4']);
            let mut seen = [0; 4096];
            // The first stream's head must have come before it can be answered.
            while let Ok(count) = stream.read(&mut seen).await {
                if count == 0 || seen[..count].windows(4).any(|bytes| bytes == b"why?") {
                    break;
                }
            }
            if stream.write_all(&begin).await.is_ok() {
                while stream.write_all(&more).await.is_ok() {}
            }
        })
        .await;
        let error = S::at(&base, over_h2(short(20_000))).await.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    }

    /// A server that answers nothing any more, no PING either: the call ends in its time.
    pub(super) async fn case_19_silence_after_the_settings<S: Subject>() {
        let base = raw(|mut stream| async move {
            let _ = stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
            let mut seen = [0; 4096];
            while stream.read(&mut seen).await.is_ok_and(|count| count > 0) {}
        })
        .await;
        let error = S::at(&base, over_h2(short(100))).await.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    }
    /// A connection that dies under a stream: the silence is noticed.
    pub(super) async fn case_19_silence_in_mid_stream<S: Subject>() {
        let base = frames::serving(|_, mut peer: Peer| async move {
            peer.begin(100).await?;
            let stream = peer.request().await?;
            peer.head(stream).await?;
            peer.write(DATA, 0, stream, event("one", None).as_bytes()).await?;
            peer.silence().await
        })
        .await;
        let idle = Timeouts { idle: Some(Duration::from_millis(100)), ..Timeouts::default() };
        let (text, end) = collect(&S::at(&base, over_h2(idle)).await).await;
        assert_eq!(text, "one");
        assert!(matches!(end, Err(Error::Timeout { .. })), "{end:?}");
    }

    /// Windows are opened as data is read, in either direction: what is larger than them does not stand still.
    pub(super) async fn megabytes_pass_both_ways_through_the_windows<S: Subject>() {
        let base = serving(server::Builder::new(), |mut connection| async move {
            while let Some(request) = connection.accept().await {
                let (request, respond) = request?;
                tokio::spawn(echo(request.into_body(), respond));
            }
            Ok(())
        })
        .await;
        let provider = S::at(&base, over_h2(Timeouts::default())).await;
        for length in [64 << 10, 3 << 20] {
            let text = "x".repeat(length);
            let request = plimsoll_providers::GenerateContentRequest::user_text(text.as_str());
            let asked = (0..3).map(|_| provider.generate(&request));
            for answer in futures_util::future::join_all(asked).await {
                assert!(answer.unwrap().text() == text, "{length} bytes");
            }
        }
    }

    /// Answers with the text of the question.
    async fn echo(mut body: h2::RecvStream, mut respond: server::SendResponse<Bytes>) -> Result<(), h2::Error> {
        let mut asked = Vec::new();
        while let Some(piece) = body.data().await {
            let piece = piece?;
            body.flow_control().release_capacity(piece.len())?;
            asked.extend_from_slice(&piece);
        }
        let asked: serde_json::Value = serde_json::from_slice(&asked).unwrap();
        let text = asked["contents"][0]["parts"][0]["text"].as_str().unwrap();
        respond.send_response(Response::new(()), false)?.send_data(answer(text, Some("STOP")).into(), true)
    }
}
