//! Uploads of files by the resumable protocol: a call to begin, one for each piece, and where one broke off a question how much came.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::Endpoint;
use crate::call::{Call, Reply};
use crate::error::{Error, ErrorKind};
use crate::provider::Provider;
use crate::types::{File, FileEnvelope, UploadFileRequest};

const COMMAND: HeaderName = HeaderName::from_static("x-goog-upload-command");
const PROTOCOL: HeaderName = HeaderName::from_static("x-goog-upload-protocol");
const CONTENT_LENGTH: HeaderName = HeaderName::from_static("x-goog-upload-header-content-length");
const FILE_TYPE: HeaderName = HeaderName::from_static("x-goog-upload-header-content-type");
const OFFSET: HeaderName = HeaderName::from_static("x-goog-upload-offset");
const URL: HeaderName = HeaderName::from_static("x-goog-upload-url");
const STATUS: HeaderName = HeaderName::from_static("x-goog-upload-status");
const RECEIVED: HeaderName = HeaderName::from_static("x-goog-upload-size-received");

const SESSION: &str = "an upload's session";

/// How much is sent in one call: a multiple of the API's grain of 256 KiB, and what fits a minute on a slow line.
const PIECE: usize = 8 << 20;

/// How often in a row an upload is taken up again without having come further.
const RESUMPTIONS: u32 = 3;

/// A session of an upload. What it knows is as good as a key to it, and is not shown.
#[derive(Clone)]
pub(crate) struct Upload {
    path: String,
    length: u64,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({} bytes)", self.length)
    }
}

/// Begins an upload.
pub(crate) async fn start(provider: &impl Provider, request: &UploadFileRequest, length: u64) -> Result<Upload, Error> {
    let file_type = HeaderValue::from_str(&request.mime_type)
        .map_err(|_| Error::config(format!("{:?} is no media type: use one like text/plain", request.mime_type)))?;
    let call = Call::json(Method::POST, "files", &request.body())?
        .upload()
        .with_header(PROTOCOL, HeaderValue::from_static("resumable"))
        .with_header(COMMAND, HeaderValue::from_static("start"))
        .with_header(CONTENT_LENGTH, length.into())
        .with_header(FILE_TYPE, file_type)
        // A session that nobody uses comes to nothing.
        .repeatable();
    let path = provider.ask(Ok(Endpoint { call, read: session_path, expected: SESSION })).await?;
    Ok(Upload { path, length })
}

/// Sends a piece from `offset` on; the file once the last one came.
pub(crate) async fn send(
    provider: &impl Provider,
    upload: &Upload,
    offset: u64,
    piece: Bytes,
) -> Result<Option<File>, Error> {
    let last = offset.saturating_add(piece.len() as u64) >= upload.length;
    let command = HeaderValue::from_static(if last { "upload, finalize" } else { "upload" });
    let call = Call::session(&*upload.path, piece)
        .with_header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
        .with_header(COMMAND, command)
        .with_header(OFFSET, offset.into());
    if last {
        let sent: FileEnvelope = provider.ask(Ok(Endpoint::json(call, "an uploaded file"))).await?;
        Ok(Some(sent.file))
    } else {
        provider.ask(Ok(Endpoint::nothing(call, SESSION))).await.map(|()| None)
    }
}

/// What became of an upload that broke off.
pub(crate) enum Progress {
    /// So many bytes came.
    Received(u64),
    /// All of it came, and this is the file.
    Done(Box<File>),
}

/// Asks what became of an upload.
pub(crate) async fn progress(provider: &impl Provider, upload: &Upload) -> Result<Progress, Error> {
    let call =
        Call::session(&*upload.path, Bytes::new()).with_header(COMMAND, HeaderValue::from_static("query")).repeatable();
    provider.ask(Ok(Endpoint { call, read: read_progress, expected: SESSION })).await
}

/// Uploads all of `bytes`. Where the connection breaks it goes on from what came.
pub(crate) async fn whole(provider: &impl Provider, request: &UploadFileRequest, bytes: Bytes) -> Result<File, Error> {
    let upload = start(provider, request, bytes.len() as u64).await?;
    let (mut offset, mut tries) = (0, 0);
    loop {
        let end = bytes.len().min(offset + PIECE);
        match send(provider, &upload, offset as u64, bytes.slice(offset..end)).await {
            Ok(Some(file)) => return Ok(file),
            Ok(None) => (offset, tries) = (end, 0),
            Err(error) if error.kind() == ErrorKind::Transport && tries < RESUMPTIONS => {
                let Ok(progress) = progress(provider, &upload).await else { return Err(error) };
                match progress {
                    Progress::Done(file) => return Ok(*file),
                    Progress::Received(count) => match usize::try_from(count) {
                        Ok(count) if count <= bytes.len() => {
                            tries = if count > offset { 0 } else { tries + 1 };
                            offset = count;
                        }
                        _ => return Err(Error::answer(SESSION, "more bytes were received than were sent")),
                    },
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// The session's path and query: it is reached by way of the base, whichever host the server believes to be.
fn session_path(reply: &Reply, expected: &'static str) -> Result<String, Error> {
    let url = text(&reply.headers, &URL).ok_or_else(|| Error::answer(expected, "it has no x-goog-upload-url"))?;
    let path = url.split_once("://").and_then(|(_, rest)| Some(&rest[rest.find('/')?..]));
    let plain = |path: &&str| path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let path = path.filter(plain).ok_or_else(|| Error::answer(expected, "its x-goog-upload-url is no URL"))?;
    Ok(path.to_owned())
}

fn read_progress(reply: &Reply, expected: &'static str) -> Result<Progress, Error> {
    if text(&reply.headers, &STATUS) == Some("final") {
        let sent: FileEnvelope = serde_json::from_slice(&reply.body).map_err(|error| Error::answer(expected, error))?;
        return Ok(Progress::Done(Box::new(sent.file)));
    }
    let received = text(&reply.headers, &RECEIVED).and_then(|count| count.parse().ok());
    received.map(Progress::Received).ok_or_else(|| Error::answer(expected, "it does not say how many bytes came"))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
