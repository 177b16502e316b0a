//! From a request to the plan of its answer.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, HeaderName, HeaderValue, LOCATION, TRAILER};
use http::{Method, StatusCode};

use super::events::{Form, pieces, slices};
use super::front::Shared;
use super::plan::{Frills, Head, Plan};
use super::request::Request;
use super::script::{Fault, Framing, MAX_SPLIT, Modifier, Script};
use super::service::Route;
use super::steps::steps;
use super::{faults, headers};
use crate::corpus::{Call, HTML, JSON, SSE};

/// What is answered, before it is framed for a protocol.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Bytes,
    /// The headers that the upload server adds to its own; `None`: the API's server answers.
    pub(super) upload: Option<Vec<(HeaderName, HeaderValue)>>,
}

impl Answer {
    pub(super) fn new(status: u16, content_type: &str, body: Bytes) -> Self {
        Self { status, content_type: content_type.to_owned(), body, upload: None }
    }

    pub(super) fn json(status: u16, body: Bytes) -> Self {
        Self::new(status, JSON, body)
    }
}

/// Works out how `request` is answered and counts it.
pub(super) async fn plan(shared: &Shared, request: &Request) -> Plan {
    count(shared, request);
    let script = match &request.script {
        Ok(script) if shared.origin.knows(&script.reply()) => script.clone(),
        Ok(script) => return refusal(&format!("no recording is called `{}`; is --traffic given?", script.reply())),
        Err(error) => return refusal(&error.to_string()),
    };
    if let Some(fault) = script.faults().find(|fault| fault.is_of_http2().is_some_and(|http2| http2 != request.http2)) {
        let other = if request.http2 { "HTTP/1.1" } else { "HTTP/2" };
        return refusal(&format!("`{fault}` happens on {other} only, and this is not"));
    }
    match answer(shared, request, &script.reply()).await {
        Ok(answer) => build(answer, &script, request),
        Err(error) => {
            tracing::error!(%error, "the origin did not answer");
            build(
                json_error(500, &format!("plimsoll mock: the origin did not answer: {error}")),
                &Script::default(),
                request,
            )
        }
    }
}

/// Counts a request.
pub(super) fn count(shared: &Shared, request: &Request) {
    shared.state.count(|stats| {
        stats.requests += 1;
        stats.keys_in_url += u64::from(request.key_in_url);
        match &request.key {
            Some(digest) => *stats.keys.entry(digest.clone()).or_default() += 1,
            None => stats.keyless += 1,
        }
        match (&request.script, &request.spelled) {
            (Ok(_), Some(spelled)) => *stats.by_script.entry(spelled.clone()).or_default() += 1,
            (Ok(script), None) => *stats.by_script.entry(script.to_string()).or_default() += 1,
            (Err(_), _) => stats.bad_scripts += 1,
        }
    });
}

/// An error, a recording and an answer of another endpoint are served whatever is asked; any other reply says how a model answers, and
/// is nothing to an endpoint that asks none.
async fn answer(shared: &Shared, request: &Request, reply: &str) -> std::io::Result<Answer> {
    let Some(route) = &request.route else { return shared.origin.ask(request, reply).await };
    let fixed = if request.key.is_none() && !route.is_open() {
        Some("error-403")
    } else {
        shared.origin.is_of_any_endpoint(reply).then_some(reply)
    };
    Ok(match fixed.and_then(|name| shared.origin.fixed(name)) {
        // An upload that begins goes on at the same place, so that the same reply answers its end.
        Some(answer) if matches!(route, Route::StartUpload) && answer.status == 200 => {
            let place = HeaderValue::from_static("https://localhost/upload/v1beta/files?upload_id=1");
            Answer { upload: Some(vec![(HeaderName::from_static("x-goog-upload-url"), place)]), ..answer }
        }
        Some(answer) => answer,
        None => shared.state.service().answer(route, request, shared.origin.reply(reply)),
    })
}

/// 400 with one clear JSON error, for a script that cannot be served.
fn refusal(message: &str) -> Plan {
    let answer = json_error(400, &format!("plimsoll mock: {message}"));
    let request = Request::new(Method::POST, "/", &http::HeaderMap::new(), &Script::default());
    build(answer, &Script::default(), &request)
}

fn json_error(code: u16, message: &str) -> Answer {
    let status = if code == 400 { "INVALID_ARGUMENT" } else { "INTERNAL" };
    let error = serde_json::json!({ "error": { "code": code, "message": message, "status": status } });
    Answer::json(code, error.to_string().into())
}

fn build(answer: Answer, script: &Script, request: &Request) -> Plan {
    let (Answer { status, content_type, body, upload }, location) = redirected(answer, script, request);
    let call = request.call.filter(|_| status == 200);
    let form = Form::of(&content_type, call);
    let stream = status == 200 && (content_type.starts_with(SSE) || request.call == Some(Call::Array));
    let body = faulty(body, form, script);
    let uploads = upload.is_some();
    let mut headers = match upload {
        Some(own) => headers::for_upload(&content_type, own),
        None => headers::for_body(&content_type, status),
    };
    headers.extend(location.map(|location| (LOCATION, location)));
    let mut pieces = pieces(&body, form);
    let zipped = match script.fault(|fault| if let Fault::Bomb(size) = fault { Some(*size) } else { None }) {
        Some(size) => Some(gzipped(&body, size)),
        None => (!stream && gzips(script, request)).then(|| gzipped(&body, 0)),
    };
    let body = zipped.map_or(body, |zipped| {
        headers.push((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
        pieces = slices(&zipped, MAX_SPLIT).collect();
        zipped
    });
    if let Some(size) = script.find(|m| if let Modifier::Split(size) = m { Some(*size) } else { None }) {
        pieces = slices(&body, size).collect();
    }
    let frills = Frills {
        informational: script.has_fault(&Fault::Informational),
        extensions: script.has_fault(&Fault::ChunkExtensions),
        trailers: script.has_fault(&Fault::Trailers),
    };
    if frills.trailers {
        headers.push((TRAILER, HeaderValue::from_static("x-checksum")));
    }
    let head = Head {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        headers,
        framing: framing(script, &content_type, status, uploads),
        length: body.len(),
        frills,
    };
    Plan {
        steps: steps(pieces, stream, body.len(), script),
        head,
        lockstep: script.lockstep(),
        close: script.has(&Modifier::Close),
        reuse: script.fault(|fault| if let Fault::Reuse(reuse) = fault { Some(*reuse) } else { None }),
    }
}

/// As observed, all is chunked but an error on a call with `alt=sse` and what the upload server says.
fn framing(script: &Script, content_type: &str, status: u16, uploads: bool) -> Framing {
    if script.faults().any(Fault::wants_chunks) {
        return Framing::Chunked;
    }
    let labelled_error = status != 200 && content_type.starts_with(SSE);
    let usual = if labelled_error || uploads { Framing::Length } else { Framing::Chunked };
    script.find(|m| if let Modifier::Framing(framing) = m { Some(*framing) } else { None }).unwrap_or(usual)
}

/// Where the script says so, an answer that leads to the same question on another host. It is this mock by another name, so that a
/// client that follows is counted, with the key if it took it along.
fn redirected(answer: Answer, script: &Script, request: &Request) -> (Answer, Option<HeaderValue>) {
    let code = script.fault(|fault| if let Fault::Redirect(code) = fault { Some(*code) } else { None });
    let Some(code) = code else { return (answer, None) };
    let elsewhere = if request.base.contains("//localhost") {
        request.base.replacen("//localhost", "//127.0.0.1", 1)
    } else {
        let port = request.base.split('/').nth(2).and_then(|host| host.rsplit_once(':')).map_or("", |(_, port)| port);
        format!("{}//localhost:{port}", if request.base.starts_with("https") { "https:" } else { "http:" })
    };
    let origin = elsewhere.split('/').take(3).collect::<Vec<_>>().join("/");
    let query = if request.call == Some(Call::Sse) { "?alt=sse" } else { "" };
    let location = HeaderValue::from_str(&format!("{origin}{}{query}", request.path)).ok();
    (Answer::new(code, HTML, Bytes::from_static(b"<html>elsewhere</html>\n")), location)
}

/// The body with what the script does to it.
fn faulty(mut body: Bytes, form: Form, script: &Script) -> Bytes {
    if script.has(&Modifier::WrongText) {
        body = faults::wrong_text(&body);
    }
    for fault in script.faults() {
        body = match fault {
            Fault::ErrorEvent { framed } => faults::error_event(&body, form, *framed),
            Fault::EarlyFinish => faults::early_finish(&body, form),
            Fault::NoFinish => faults::no_finish(&body, form),
            Fault::Pad(size) => faults::pad(&body, form, *size),
            _ => body,
        };
    }
    if script.has(&Modifier::Malformed) {
        body = faults::malformed(&body);
    }
    body
}

fn gzips(script: &Script, request: &Request) -> bool {
    script
        .find(|m| if let Modifier::Gzip { forced } = m { Some(*forced || request.takes_gzip) } else { None })
        .unwrap_or(false)
}

/// The body compressed, and behind it as many bytes of nothing as `bomb` says.
fn gzipped(body: &Bytes, bomb: u64) -> Bytes {
    static NOTHING: [u8; 1 << 16] = [b' '; 1 << 16];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail; if it did, the truncated body would be refused by every client.
    let _ = encoder.write_all(body);
    let mut left = usize::try_from(bomb).unwrap_or(usize::MAX);
    while left > 0 {
        let now = left.min(NOTHING.len());
        let _ = encoder.write_all(&NOTHING[..now]);
        left -= now;
    }
    encoder.finish().unwrap_or_default().into()
}
