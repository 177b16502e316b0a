//! From a request to the steps of its answer.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, HeaderValue};
use http::{Method, StatusCode};

use super::events::{pieces, slices};
use super::front::Shared;
use super::origin::Answer;
use super::plan::{Head, Plan, Step, Write};
use super::request::Request;
use super::script::{CutAt, Ending, Framing, HoldPoint, Modifier, Script};
use super::{faults, headers};
use crate::corpus::{Call, JSON, SSE};

/// The largest body that goes into one record with its head, in bytes.
const SMALL: usize = 14_000;

/// Works out how `request` is answered and counts it.
pub(super) async fn plan(shared: &Shared, request: &Request) -> Plan {
    count(shared, request);
    let script = match &request.script {
        Ok(script) if shared.origin.knows(&script.reply()) => script.clone(),
        Ok(script) => return refusal(&format!("no recording is called `{}`; is --traffic given?", script.reply())),
        Err(error) => return refusal(&error.to_string()),
    };
    match shared.origin.ask(request, &script.reply()).await {
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

fn count(shared: &Shared, request: &Request) {
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

/// 400 with one clear JSON error, for a script that cannot be served.
fn refusal(message: &str) -> Plan {
    let answer = json_error(400, &format!("plimsoll mock: {message}"));
    let request = Request::new(Method::POST, "/", &http::HeaderMap::new(), &Script::default());
    build(answer, &Script::default(), &request)
}

fn json_error(code: u16, message: &str) -> Answer {
    let status = if code == 400 { "INVALID_ARGUMENT" } else { "INTERNAL" };
    let error = serde_json::json!({ "error": { "code": code, "message": message, "status": status } });
    Answer { status: code, content_type: JSON.to_owned(), body: error.to_string().into() }
}

fn build(answer: Answer, script: &Script, request: &Request) -> Plan {
    let Answer { status, content_type, mut body } = answer;
    let stream = status == 200 && (content_type.starts_with(SSE) || request.call == Some(Call::Array));
    if script.has(&Modifier::WrongText) {
        body = faults::wrong_text(&body);
    }
    if script.has(&Modifier::Malformed) {
        body = faults::malformed(&body);
    }
    let mut headers = headers::for_body(&content_type, status);
    let mut pieces = pieces(&body, &content_type, request.call.filter(|_| status == 200));
    if !stream && gzips(script, request) {
        body = gzipped(&body);
        headers.push((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
        pieces = slices(&body, super::script::MAX_SPLIT).collect();
    }
    if let Some(size) = script.find(|m| if let Modifier::Split(size) = m { Some(*size) } else { None }) {
        pieces = slices(&body, size).collect();
    }
    let labelled_error = status != 200 && content_type.starts_with(SSE);
    let framing = script.find(|m| if let Modifier::Framing(framing) = m { Some(*framing) } else { None });
    let head = Head {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        headers,
        // As observed: all is chunked but an error on a call with alt=sse.
        framing: framing.unwrap_or(if labelled_error { Framing::Length } else { Framing::Chunked }),
        length: body.len(),
    };
    Plan {
        steps: steps(pieces, stream, body.len(), script),
        head,
        lockstep: script.lockstep(),
        close: script.has(&Modifier::Close),
    }
}

fn gzips(script: &Script, request: &Request) -> bool {
    script
        .find(|m| if let Modifier::Gzip { forced } = m { Some(*forced || request.takes_gzip) } else { None })
        .unwrap_or(false)
}

fn gzipped(body: &Bytes) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail; if it did, the truncated body would be refused by every client.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default().into()
}

fn steps(pieces: Vec<Bytes>, stream: bool, length: usize, script: &Script) -> Vec<Step> {
    let mut steps = writes(pieces, stream, script.hold());
    let pace = script.find(|m| if let Modifier::Pace(time) = m { Some(*time) } else { None });
    if let Some(time) = pace {
        steps = paced(steps, time);
    }
    let cut = script.find(|m| if let Modifier::Cut { at, ending } = m { Some((*at, *ending)) } else { None });
    if let Some((at, ending)) = cut {
        steps = cut_at(steps, at, length, ending);
    }
    let mut before = Vec::new();
    if let Some(time) = script.find(|m| if let Modifier::Delay(time) = m { Some(*time) } else { None }) {
        before.push(Step::Pause(time));
    }
    if script.hold() == Some(HoldPoint::BeforeHead) {
        before.push(Step::Hold);
    }
    if script.has(&Modifier::Silence) {
        before.push(Step::Silence);
    }
    before.append(&mut steps);
    before
}

/// A small answer goes in one record. A stream's head, each event and the end go in one record each, as they would when a
/// model thinks in between.
fn writes(mut pieces: Vec<Bytes>, stream: bool, hold: Option<HoldPoint>) -> Vec<Step> {
    let held = hold == Some(HoldPoint::AfterFirstEvent);
    if !stream && held && pieces.len() == 1 {
        let half = pieces[0].len() / 2;
        pieces = vec![pieces[0].slice(..half), pieces[0].slice(half..)];
    }
    let small = !stream && pieces.len() == 1 && pieces[0].len() <= SMALL;
    if small || pieces.is_empty() {
        let data = pieces.pop().unwrap_or_default();
        return vec![Step::Write(Write { head: true, data, end: true })];
    }
    let mut steps = vec![Step::Write(Write { head: true, ..Write::default() })];
    let last = pieces.len() - 1;
    for (index, data) in pieces.into_iter().enumerate() {
        steps.push(Step::Write(Write { head: false, data, end: !stream && index == last }));
        if index == 0 && held {
            steps.push(Step::Hold);
        }
    }
    if stream {
        steps.push(Step::Write(Write { end: true, ..Write::default() }));
    }
    steps
}

fn paced(steps: Vec<Step>, time: Duration) -> Vec<Step> {
    let mut first = true;
    steps
        .into_iter()
        .flat_map(|step| {
            let pause = matches!(step, Step::Write(_)) && !std::mem::take(&mut first);
            pause.then_some(Step::Pause(time)).into_iter().chain([step])
        })
        .collect()
}

fn cut_at(steps: Vec<Step>, at: CutAt, length: usize, ending: Ending) -> Vec<Step> {
    faults::cut(steps, at.of(length), ending)
}
