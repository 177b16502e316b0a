//! The same server for subjects that speak HTTP/2.

use std::future::poll_fn;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use http::{Request, Response};
use tokio::sync::Notify;

use super::{Seen, error, event, events, text};

type Server = Connection<tokio::net::TcpStream, Bytes>;

/// Serves one connection to its end.
pub(super) fn serve(connection: TcpStream, seen: &Arc<Seen>) -> io::Result<()> {
    connection.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::from_std(connection)?;
        let mut connection: Server = h2::server::handshake(stream).await.map_err(io::Error::other)?;
        let cut = Arc::new(Notify::new());
        loop {
            tokio::select! {
                accepted = connection.accept() => match accepted {
                    None => return Ok(()),
                    Some(accepted) => {
                        let (request, respond) = accepted.map_err(io::Error::other)?;
                        // A subject that hangs up has its own reasons.
                        tokio::spawn(answer(request, respond, Arc::clone(seen), Arc::clone(&cut)));
                    }
                },
                // In the middle of a body: the connection ends here, once what was said before is out.
                () = cut.notified() => {
                    poll_fn(|cx| {
                        let _ = connection.poll_accept(cx);
                        Poll::Ready(())
                    })
                    .await;
                    return Ok(());
                }
            }
        }
    })
}

async fn answer(
    request: Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
    seen: Arc<Seen>,
    cut: Arc<Notify>,
) -> Result<(), h2::Error> {
    let (head, mut body) = request.into_parts();
    let mut asked = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        asked.extend_from_slice(&piece);
    }
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let with_key = head.headers.iter().filter(|(_, value)| contains_key(value.as_bytes())).collect::<Vec<_>>();
    let in_place = matches!(with_key[..], [(name, _)] if name == "x-goog-api-key");
    let elsewhere = contains_key(target.as_bytes()) || contains_key(&asked);
    seen.requests.fetch_add(1, Ordering::SeqCst);
    seen.with_key.fetch_add(u64::from(in_place && !elsewhere), Ordering::SeqCst);

    let mut send = |status: u16, body: String| {
        let response = Response::builder().status(status).body(()).expect("a status and nothing else");
        respond.send_response(response, false)?.send_data(body.into(), true)
    };
    if target.starts_with("/refuse/") {
        send(500, error())
    } else if target.contains(":generateContent") {
        send(200, event(&text()))
    } else if target.contains(":streamGenerateContent?alt=sse") {
        let cuts = target.starts_with("/cut/");
        let mut out = respond.send_response(Response::new(()), false)?;
        for piece in events(cuts).as_bytes().chunks(7) {
            out.send_data(Bytes::copy_from_slice(piece), false)?;
        }
        if cuts {
            cut.notify_one();
            // The stream lives until its connection has ended.
            poll_fn(|cx| out.poll_reset(cx)).await?;
            Ok(())
        } else {
            out.send_data(Bytes::new(), true)
        }
    } else {
        send(404, error())
    }
}

fn contains_key(bytes: &[u8]) -> bool {
    let key = super::super::KEY.as_bytes();
    bytes.windows(key.len()).any(|window| window == key)
}
