//! From a client to the service and back. Requests and answers are passed on as they are, answers piece by piece as they come.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{self, AUTHORIZATION, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::folder::{Exchange, Folder};
use super::scrub::Scrub;
use super::upstream::Upstream;
use super::{Note, Options, RecordError};

/// The longest request that is passed on and the longest answer that is kept, bytes.
const LONGEST: usize = 64 << 20;
const KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
const UPLOAD_URL: HeaderName = HeaderName::from_static("x-goog-upload-url");
/// What is said to the next hop only.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::EXPECT,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
];

struct Recorder {
    upstream: Upstream,
    base: String,
    kept: Mutex<(Folder, Scrub)>,
    tell: Box<dyn Fn(Note) + Send + Sync>,
}

pub(super) async fn serve(options: Options, tell: Box<dyn Fn(Note) + Send + Sync>) -> Result<(), RecordError> {
    let upstream = Upstream::new(&options)?;
    let system = |what: &str| {
        let what = what.to_owned();
        move |source| RecordError::System { what, source }
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(address).await.map_err(system(&format!("listen on {address}")))?;
    let port = listener.local_addr().map_err(system("tell the port"))?.port();
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("listen for Ctrl-C"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(system("listen for SIGTERM"))?;
    let folder = Folder::create(&options.out, upstream.authority.as_str())?;
    let base = format!("http://127.0.0.1:{port}");
    tell(Note::Listening(base.clone()));
    let recorder = Arc::new(Recorder { upstream, base, kept: Mutex::new((folder, Scrub::default())), tell });
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        };
        let Ok((stream, _)) = accepted else { continue };
        let recorder = Arc::clone(&recorder);
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let recorder = Arc::clone(&recorder);
                async move { Ok::<_, Infallible>(pass(request, recorder).await) }
            });
            // A client that hangs up ends its own connection and nothing else.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

async fn pass(request: Request<Incoming>, recorder: Arc<Recorder>) -> Answer {
    let (mut head, body) = request.into_parts();
    recorder.learn_keys(&head.headers, head.uri.query());
    let Ok(body) = Limited::new(body, LONGEST).collect().await.map(http_body_util::Collected::to_bytes) else {
        return recorder
            .refuse(StatusCode::PAYLOAD_TOO_LARGE, "the request is longer than 64 MiB, or broke off".to_owned());
    };
    let Some(asked) = head.uri.path_and_query().cloned() else {
        return recorder.refuse(StatusCode::BAD_REQUEST, "the request names no path".to_owned());
    };
    HOP_BY_HOP.iter().for_each(|name| drop(head.headers.remove(name)));
    if let Ok(host) = HeaderValue::from_str(recorder.upstream.authority.as_str()) {
        head.headers.insert(HOST, host);
    }
    let Ok(uri) = recorder.upstream.path(&asked).parse() else {
        return recorder.refuse(StatusCode::BAD_REQUEST, "the request's path is no path".to_owned());
    };
    let mut onward = Request::new(Full::new(body.clone()));
    (*onward.method_mut(), *onward.uri_mut(), *onward.headers_mut()) = (head.method.clone(), uri, head.headers);
    let answer = match recorder.upstream.ask(onward).await {
        Ok(answer) => answer,
        Err(why) => return recorder.refuse(StatusCode::BAD_GATEWAY, why),
    };

    let (mut parts, body_of_answer) = answer.into_parts();
    let exchange = Exchange {
        method: head.method,
        path: asked.path().to_owned(),
        sse: asked.query().is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse")),
        asked: body.to_vec(),
        status: parts.status.as_u16(),
        headers: parts.headers.clone(),
        answered: Vec::new(),
    };
    HOP_BY_HOP.iter().for_each(|name| drop(parts.headers.remove(name)));
    recorder.lead_uploads_here(&mut parts.headers);
    let mut tee = Tee { inner: body_of_answer, exchange: Some(exchange), recorder };
    if tee.inner.is_end_stream() {
        tee.finish();
    }
    Response::from_parts(parts, tee.boxed())
}

impl Recorder {
    fn learn_keys(&self, headers: &HeaderMap, query: Option<&str>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for value in headers.get_all(KEY) {
            kept.1.learn(value.as_bytes());
        }
        for value in headers.get_all(AUTHORIZATION) {
            let value = value.as_bytes();
            kept.1.learn(value.strip_prefix(b"Bearer ").unwrap_or(value));
        }
        kept.1.learn_query(query.unwrap_or_default());
    }

    /// A session of an upload is at the service's own address: what is sent there would pass by the recorder.
    fn lead_uploads_here(&self, headers: &mut HeaderMap) {
        let Some(url) = headers.get(UPLOAD_URL).and_then(|value| value.to_str().ok()) else { return };
        let origin = format!("https://{}", self.upstream.authority);
        if let Some(here) = url.strip_prefix(&origin).and_then(|path| format!("{}{path}", self.base).parse().ok()) {
            headers.insert(UPLOAD_URL, here);
        }
    }

    /// Answers in the service's stead, in its form.
    fn refuse(&self, status: StatusCode, why: String) -> Answer {
        let error =
            serde_json::json!({"error": {"code": status.as_u16(), "message": format!("plimsoll record: {why}")}});
        (self.tell)(Note::Failed(why));
        let body = Full::new(Bytes::from(error.to_string())).map_err(|never| match never {}).boxed();
        let mut answer = Response::new(body);
        *answer.status_mut() = status;
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }

    fn keep(&self, exchange: &Exchange) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (folder, scrub) = &mut *kept;
        let note = match folder.keep(exchange, scrub) {
            Ok(Ok((file, length))) => Note::Kept(file, length),
            Ok(Err(why)) => Note::Left(format!("the answer to {} {}: {why}", exchange.method, exchange.path)),
            Err(error) => Note::Left(error.to_string()),
        };
        drop(kept);
        (self.tell)(note);
    }
}

/// An answer's body on its way to the client. It is kept before its last piece is passed on, so that a client that has its answer has
/// it on disk too.
struct Tee {
    inner: Incoming,
    exchange: Option<Exchange>,
    recorder: Arc<Recorder>,
}

impl Tee {
    fn finish(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            self.recorder.keep(&exchange);
        }
    }

    fn leave(&mut self, why: &str) {
        if let Some(exchange) = self.exchange.take() {
            (self.recorder.tell)(Note::Left(format!("the answer to {} {}: {why}", exchange.method, exchange.path)));
        }
    }
}

impl Body for Tee {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                let piece = frame.data_ref().map(|piece| &piece[..]).unwrap_or_default();
                let length = self.exchange.as_mut().map_or(0, |exchange| {
                    exchange.answered.extend_from_slice(piece);
                    exchange.answered.len()
                });
                if length > LONGEST {
                    self.leave("it is longer than 64 MiB");
                } else if self.inner.is_end_stream() {
                    self.finish();
                }
            }
            Some(Err(error)) => self.leave(&format!("it broke off: {error}")),
            None => self.finish(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        self.leave("it was not taken to its end");
    }
}
