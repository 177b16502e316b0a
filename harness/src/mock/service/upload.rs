//! Uploads by the resumable protocol: `start` opens a session, `upload` adds to it, `query` says how much came, `finalize` makes the
//! file.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::clock::Clock;
use super::files::{File, Files, Uploaded, described};
use super::intake::Taken;
use super::refusal::Refusal;
use super::{Answered, MOST, drawn};
use crate::corpus::json;
use crate::mock::answer::Answer;
use crate::mock::request::Request;

/// What every piece but the last must be a multiple of, in bytes; said as `x-goog-upload-chunk-granularity`.
const GRAIN: u64 = 8 << 20;

/// The sessions, by id.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    begun: u64,
    open: BTreeMap<String, Session>,
}

#[derive(Debug)]
struct Session {
    number: u64,
    description: Value,
    mime_type: String,
    length: u64,
    received: u64,
    hash: Sha256,
    made: Option<File>,
}

impl Uploads {
    pub(super) fn start(&mut self, request: &Request, body: &Value, files: &Files, clock: &mut Clock) -> Answered {
        if request.upload_header("protocol") != Some("resumable") {
            return Err(Refusal::invalid("X-Goog-Upload-Protocol: only resumable uploads are served"));
        }
        if request.upload_commands().ne(["start"]) {
            return Err(Refusal::invalid("X-Goog-Upload-Command: an upload begins with start"));
        }
        let length = request.upload_header("header-content-length").and_then(|text| text.parse().ok());
        let length = length.ok_or_else(|| {
            Refusal::invalid("X-Goog-Upload-Header-Content-Length: the file's length in bytes is wanted")
        })?;
        let mime_type = request.upload_header("header-content-type").or(described(body, "mimeType"));
        let mime_type = mime_type
            .ok_or_else(|| Refusal::invalid("X-Goog-Upload-Header-Content-Type: the file's media type is wanted"))?;
        files.can_make(described(body, "name"))?;
        clock.tick();
        self.begun += 1;
        if self.open.len() >= MOST {
            // Sessions that nobody ends are forgotten, the oldest first.
            let oldest = self.open.iter().min_by_key(|(_, session)| session.number).map(|(id, _)| id.clone());
            oldest.map(|id| self.open.remove(&id));
        }
        let id = drawn("upload", self.begun, 60);
        let url = format!("{}/upload/v1beta/files?upload_id={id}&upload_protocol=resumable", request.base);
        let session = Session {
            number: self.begun,
            description: body.clone(),
            mime_type: mime_type.to_owned(),
            length,
            received: 0,
            hash: Sha256::new(),
            made: None,
        };
        let headers = [
            ("x-goog-upload-status", "active".to_owned()),
            ("x-goog-upload-url", url.clone()),
            ("x-goog-upload-control-url", url),
            ("x-goog-upload-chunk-granularity", GRAIN.to_string()),
            ("x-guploader-uploadid", id.clone()),
        ];
        self.open.insert(id, session);
        Ok(said(200, headers, PLAIN, Bytes::new()))
    }

    /// Whether a piece that says it begins at `offset` is the session's next.
    pub(super) fn is_next(&self, id: &str, offset: Option<&str>) -> bool {
        let offset = offset.and_then(|text| text.parse().ok());
        self.open.get(id).is_some_and(|session| session.made.is_none() && Some(session.received) == offset)
    }

    pub(super) fn receive(&mut self, id: &str, bytes: &[u8]) {
        if let Some(session) = self.open.get_mut(id) {
            session.received += bytes.len() as u64;
            session.hash.update(bytes);
        }
    }

    pub(super) fn go_on(&mut self, id: &str, request: &Request, files: &mut Files, clock: &mut Clock) -> Answered {
        let Some(session) = self.open.get_mut(id) else {
            return Ok(said(404, [("x-goog-upload-status", "unknown".to_owned())], PLAIN, Bytes::new()));
        };
        let commands: Vec<&str> = request.upload_commands().collect();
        match commands[..] {
            ["query"] => Ok(session.told(200, "")),
            ["cancel"] => {
                self.open.remove(id);
                Ok(said(200, [("x-goog-upload-status", "cancelled".to_owned())], PLAIN, Bytes::new()))
            }
            ["upload"] | ["upload", "finalize"] | ["finalize"] => {
                let ends = commands.last() == Some(&"finalize");
                match request.taken {
                    Taken::Misplaced => {
                        return Ok(session.told(400, "X-Goog-Upload-Offset: a piece begins where the one before ended"));
                    }
                    Taken::Piece(length) if !ends && length % GRAIN != 0 => {
                        return Ok(
                            session.told(400, "a piece that is not the last must be a multiple of the granularity")
                        );
                    }
                    _ => {}
                }
                if session.received > session.length || (ends && session.received < session.length) {
                    return Ok(session.told(400, "the file is not as long as was said at the start"));
                }
                if ends && session.made.is_none() {
                    let uploaded = Uploaded {
                        name: described(&session.description, "name"),
                        display_name: described(&session.description, "displayName"),
                        mime_type: &session.mime_type,
                        length: session.length,
                        sha256: &session.hash.clone().finalize(),
                        base: &request.base,
                    };
                    session.made = Some(files.make(&uploaded, clock)?);
                }
                Ok(session.told(200, ""))
            }
            _ => Ok(session.told(400, "X-Goog-Upload-Command: upload, finalize, query or cancel is wanted")),
        }
    }
}

impl Session {
    /// Where the upload is; at its end, with the file. `problem` is the body where there is no file.
    fn told(&self, status: u16, problem: &str) -> Answer {
        #[derive(Serialize)]
        struct Envelope<'a> {
            file: &'a File,
        }
        let done = self.made.as_ref().filter(|_| status == 200);
        let headers = [
            ("x-goog-upload-status", if self.made.is_some() { "final" } else { "active" }.to_owned()),
            ("x-goog-upload-size-received", self.received.to_string()),
        ];
        match done {
            Some(file) => said(status, headers, crate::corpus::JSON, json::indented(&Envelope { file })),
            None => said(status, headers, PLAIN, Bytes::copy_from_slice(problem.as_bytes())),
        }
    }
}

const PLAIN: &str = "text/plain; charset=utf-8";

/// What the upload server says: it is another one than the API's, with other headers.
fn said<const N: usize>(status: u16, headers: [(&'static str, String); N], kind: &str, body: Bytes) -> Answer {
    let headers = headers
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?)));
    Answer { upload: Some(headers.collect()), ..Answer::new(status, kind, body) }
}
