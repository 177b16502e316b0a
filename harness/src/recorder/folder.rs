//! A traffic folder as it is written: bodies, a row in `MANIFEST.tsv` for each, and the headers that were seen.
//!
//! A body is on disk before its row, and a row is one write: a recorder that is killed leaves a folder that can be served.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{HeaderMap, Method};
use sha2::{Digest, Sha256};

use super::RecordError;
use super::scrub::Scrub;
use crate::corpus::hex;

const MANIFEST: &str = "MANIFEST.tsv";
const HEADERS: &str = "OBSERVED_HEADERS.json";
/// The manifest's columns; the mock reads the first three.
const COLUMNS: &str = "file\tkind\tstatus\tsource_repo\tpath_in_repo\tcommit\tlicence\tbytes\teol\tfidelity\tprovenance\tsha256_16\tnote\n";
/// The longest body after decompression, bytes.
const LONGEST: u64 = 64 << 20;
/// Headers whose values say nothing of who asked: they are counted with them, all others without.
const PLAIN: [&str; 9] = [
    "content-type",
    "content-disposition",
    "content-encoding",
    "transfer-encoding",
    "vary",
    "server",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
];

/// A request and its answer.
#[derive(Debug)]
pub struct Exchange {
    /// The request's method.
    pub method: Method,
    /// Its path, without the query.
    pub path: String,
    /// Whether its query asks for server-sent events.
    pub sse: bool,
    /// Its body.
    pub asked: Vec<u8>,
    /// The answer's status.
    pub status: u16,
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The answer's body as it came, compressed or not.
    pub answered: Vec<u8>,
}

/// What a row says besides what its exchange says.
struct Row<'a> {
    file: &'a str,
    kind: &'a str,
    bytes: &'a [u8],
    fidelity: &'a str,
    provenance: &'a str,
    note: &'a str,
}

/// A traffic folder in the making.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    host: String,
    manifest: File,
    files: BTreeMap<String, u32>,
    seen: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Folder {
    /// Makes the folder `dir` for what `host` answers.
    ///
    /// # Errors
    /// When there is traffic in it already, or it cannot be written.
    pub fn create(dir: &Path, host: &str) -> Result<Self, RecordError> {
        let path = dir.join(MANIFEST);
        if path.exists() {
            return Err(RecordError::Taken(dir.to_owned()));
        }
        fs::create_dir_all(dir).map_err(cannot_write(dir))?;
        let mut manifest = File::create_new(&path).map_err(cannot_write(&path))?;
        manifest.write_all(COLUMNS.as_bytes()).map_err(cannot_write(&path))?;
        let (files, seen) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { dir: dir.to_owned(), host: host.to_owned(), manifest, files, seen })
    }

    /// Keeps an exchange, without what `scrub` knows to take out: the file that holds the answer and its length, or why the answer was
    /// not kept. The request is kept beside it where it is JSON.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn keep(&mut self, exchange: &Exchange, scrub: &Scrub) -> Result<Result<(String, usize), String>, RecordError> {
        let (body, mut fidelity) = match decoded(exchange) {
            Ok(decoded) => decoded,
            Err(why) => return Ok(Err(why)),
        };
        let Some(extension) = extension(exchange, &body) else {
            return Ok(Err("it is neither JSON, nor events, nor a page".to_owned()));
        };
        self.count_headers(exchange, extension)?;
        let clean = scrub.clean(&body);
        if clean != body {
            fidelity.push_str("+scrubbed");
        }
        let kind = kind(exchange);
        let file = self.write(&kind, "", extension, &clean)?;
        let mut note = String::new();
        if matches!(exchange.asked.first(), Some(b'{' | b'[')) {
            let asked = scrub.clean(&exchange.asked);
            let method = method(exchange).unwrap_or("call");
            let request = self.write("requests", &format!("{method}__"), "json", &asked)?;
            note = format!("answers {request}");
            let fidelity = if asked == exchange.asked { "raw" } else { "raw+scrubbed" };
            let provenance = "recorded (client request body)";
            self.row(
                exchange,
                &Row { file: &request, kind: "request", bytes: &asked, fidelity, provenance, note: method },
            )?;
        }
        let row =
            Row { file: &file, kind: &kind, bytes: &clean, fidelity: &fidelity, provenance: "recorded", note: &note };
        self.row(exchange, &row)?;
        Ok(Ok((file, clean.len())))
    }

    fn write(&mut self, folder: &str, prefix: &str, extension: &str, bytes: &[u8]) -> Result<String, RecordError> {
        let number = self.files.entry(folder.to_owned()).or_default();
        *number += 1;
        let file = format!("{folder}/{prefix}{number:04}.{extension}");
        let path = self.dir.join(&file);
        let written = fs::create_dir_all(self.dir.join(folder)).and_then(|()| fs::write(&path, bytes));
        written.map_err(cannot_write(&path))?;
        Ok(file)
    }

    fn row(&mut self, exchange: &Exchange, row: &Row<'_>) -> Result<(), RecordError> {
        let Row { file, kind, bytes, fidelity, provenance, note } = row;
        let eol = match bytes.iter().position(|byte| *byte == b'\n') {
            None => "-",
            Some(at) if at > 0 && bytes[at - 1] == b'\r' => "CRLF",
            Some(_) => "LF",
        };
        let sum = hex(&Sha256::digest(bytes)[..8]);
        let path: String = exchange.path.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let (host, length, method, status) = (&self.host, bytes.len(), &exchange.method, exchange.status);
        let row = format!(
            "{file}\t{kind}\t{status}\t{host}\t{method} {path}\t\t\t{length}\t{eol}\t{fidelity}\t{provenance}\t{sum}\t{note}\n"
        );
        let written = self.manifest.write_all(row.as_bytes()).and_then(|()| self.manifest.sync_data());
        written.map_err(cannot_write(&self.dir.join(MANIFEST)))
    }

    fn count_headers(&mut self, exchange: &Exchange, extension: &str) -> Result<(), RecordError> {
        let what = match content_type(exchange) {
            _ if exchange.path.starts_with("/upload/") => "upload",
            kind if kind.starts_with("text/event-stream") => "sse",
            _ => extension,
        };
        let group = format!("{}_{what}", if exchange.status < 400 { "ok" } else { "err" });
        let counts = self.seen.entry(group).or_default();
        *counts.entry("_n".to_owned()).or_default() += 1;
        for (name, value) in &exchange.headers {
            if *name == SET_COOKIE || *name == COOKIE {
                continue;
            }
            let shown = value.to_str().ok().filter(|_| PLAIN.contains(&name.as_str())).unwrap_or("*");
            *counts.entry(format!("{name}: {shown}")).or_default() += 1;
        }
        let path = self.dir.join(HEADERS);
        let mut json = serde_json::to_vec_pretty(&self.seen)
            .map_err(|e| RecordError::Write { path: path.clone(), source: e.into() })?;
        json.push(b'\n');
        crate::run::store::write_whole(&path, &json)
            .map_err(|e| RecordError::Write { path, source: std::io::Error::other(e) })
    }
}

/// The answer's body without compression, and how true that is to what came.
fn decoded(exchange: &Exchange) -> Result<(Vec<u8>, String), String> {
    match exchange.headers.get(CONTENT_ENCODING).map(|coding| coding.as_bytes()) {
        None | Some(b"identity") => Ok((exchange.answered.clone(), "raw".to_owned())),
        Some(b"gzip") => {
            let mut body = Vec::new();
            let read = MultiGzDecoder::new(&*exchange.answered).take(LONGEST + 1).read_to_end(&mut body);
            read.map_err(|e| format!("its gzip cannot be read: {e}"))?;
            if body.len() as u64 > LONGEST {
                return Err("it is longer than 64 MiB".to_owned());
            }
            Ok((body, "raw+ungzipped".to_owned()))
        }
        Some(other) => Err(format!("its coding {} is not known", String::from_utf8_lossy(other))),
    }
}

/// How a body's file is named, which tells the mock its type.
fn extension(exchange: &Exchange, body: &[u8]) -> Option<&'static str> {
    let kind = content_type(exchange);
    match body.trim_ascii_start().first() {
        // An error on a call for events is labelled as events and is bare JSON.
        Some(b'{' | b'[') => Some("json"),
        _ if kind.starts_with("text/event-stream") => Some("sse"),
        _ if kind.starts_with("text/html") => Some("html"),
        _ => None,
    }
}

fn content_type(exchange: &Exchange) -> &str {
    exchange.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The method of the API that a path ends with, if it is one that a file can be named after.
fn method(exchange: &Exchange) -> Option<&str> {
    let (_, method) = exchange.path.rsplit_once(':')?;
    method.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(method)
}

/// The folder for an answer, after what was asked: `plimsoll verify` knows by it what the answer is (`verify/fixture.rs`).
fn kind(exchange: &Exchange) -> String {
    if exchange.status >= 400 {
        return format!("error_{}", exchange.status);
    }
    let mut parts = exchange.path.split('/').rev();
    let (last, before) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let uploads = exchange.path.starts_with("/upload/");
    let kind = match (method(exchange), before, last) {
        (Some("generateContent"), ..) => "generate",
        (Some("streamGenerateContent"), ..) if exchange.sse => "stream",
        (Some("streamGenerateContent"), ..) => "streamarray",
        (Some("countTokens"), ..) => "count_tokens",
        (Some("embedContent"), ..) => "embed",
        (Some("batchEmbedContents"), ..) => "embed_batch",
        (_, "cachedContents" | "files", _) if exchange.method == Method::DELETE => "deleted",
        (_, _, "cachedContents") if exchange.method == Method::GET => "cached_contents_list",
        (None, _, "cachedContents") | (None, "cachedContents", _) => "cached_contents",
        (None, _, "files") if uploads => "files",
        (None, _, "files") => "files_list",
        (None, "files", _) => "file",
        (None, _, "models") => "models",
        (None, "models", _) => "model",
        (None, "batches", _) => "batch_generate",
        _ => "other",
    };
    kind.to_owned()
}

fn cannot_write(path: &Path) -> impl FnOnce(std::io::Error) -> RecordError {
    let path = path.to_owned();
    move |source| RecordError::Write { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::traffic;

    fn exchange(path: &str, sse: bool, status: u16, kind: &str, body: &[u8]) -> Exchange {
        let headers = [
            (CONTENT_TYPE, kind.parse().unwrap()),
            (SET_COOKIE, "session=secret".parse().unwrap()),
            ("x-goog-upload-url".parse().unwrap(), "https://h/upload?upload_id=secret".parse().unwrap()),
        ];
        Exchange {
            method: Method::POST,
            path: path.to_owned(),
            sse,
            asked: br#"{"contents": []}"#.to_vec(),
            status,
            headers: headers.into_iter().collect(),
            answered: body.to_vec(),
        }
    }

    #[test]
    fn what_is_kept_can_be_served_and_holds_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder::create(dir.path(), "h").unwrap();
        let mut scrub = Scrub::default();
        scrub.learn(b"canary-0123");
        let events = b"data: {\"a\": 1}\r\n\r\n";
        for (path, sse, status, kind, body, file) in [
            ("/v1beta/models/m:generateContent", false, 200, "application/json", &b"{}"[..], "generate/0001.json"),
            ("/v1beta/models/m:streamGenerateContent", true, 200, "text/event-stream", events, "stream/0001.sse"),
            (
                "/v1beta/models/m:streamGenerateContent",
                false,
                200,
                "application/json",
                b"[{}]",
                "streamarray/0001.json",
            ),
            ("/v1beta/models", false, 200, "application/json", b"{\"x\": \"canary-0123\"}", "models/0001.json"),
            (
                "/v1beta/models/m:generateContent",
                true,
                400,
                "text/event-stream",
                b"{\"error\": {}}",
                "error_400/0001.json",
            ),
            ("/x", false, 404, "text/html; charset=UTF-8", b"<html>", "error_404/0001.html"),
        ] {
            let kept = folder.keep(&exchange(path, sse, status, kind, body), &scrub).unwrap();
            assert_eq!(kept.unwrap().0, file);
        }
        let video = folder.keep(&exchange("/f", false, 200, "video/mp4", b"\0\0"), &scrub).unwrap();
        assert!(video.is_err_and(|why| why.contains("neither")));

        let served = traffic::Folder::load(dir.path()).unwrap();
        let reply = served.reply("traffic~stream~0001.sse").unwrap();
        assert!(matches!(&reply.body, crate::corpus::Body::Raw { bytes, .. } if **bytes == *events));
        assert_eq!(served.bodies().count(), 6);
        let text = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(text("models/0001.json"), "{\"x\": \"[key]\"}");
        assert!(text(MANIFEST).contains("raw+scrubbed"));
        let headers = text(HEADERS);
        assert!(headers.contains("x-goog-upload-url: *") && !headers.contains("cookie"), "{headers}");
        assert!(!format!("{headers}{}", text(MANIFEST)).contains("secret"));
        assert!(matches!(Folder::create(dir.path(), "h"), Err(RecordError::Taken(_))));
    }

    #[test]
    fn what_is_recorded_is_of_a_kind_that_verify_knows() {
        for (method, path, sse, expected) in [
            (Method::POST, "/v1beta/models/m:generateContent", false, "generate"),
            (Method::POST, "/v1beta/models/m:streamGenerateContent", true, "stream"),
            (Method::POST, "/v1beta/models/m:streamGenerateContent", false, "streamarray"),
            (Method::POST, "/v1beta/models/m:countTokens", false, "count_tokens"),
            (Method::POST, "/v1beta/models/m:embedContent", false, "embed"),
            (Method::POST, "/v1beta/models/m:batchEmbedContents", false, "embed_batch"),
            (Method::GET, "/v1beta/models", false, "models"),
            (Method::GET, "/v1beta/models/m", false, "model"),
            (Method::POST, "/v1beta/cachedContents", false, "cached_contents"),
            (Method::GET, "/v1beta/cachedContents", false, "cached_contents_list"),
            (Method::PATCH, "/v1beta/cachedContents/c", false, "cached_contents"),
            (Method::DELETE, "/v1beta/cachedContents/c", false, "deleted"),
            (Method::POST, "/upload/v1beta/files", false, "files"),
            (Method::GET, "/v1beta/files", false, "files_list"),
            (Method::GET, "/v1beta/files/f", false, "file"),
            (Method::DELETE, "/v1beta/files/f", false, "deleted"),
            (Method::GET, "/v1beta/batches/b", false, "batch_generate"),
        ] {
            let exchange = Exchange { method, ..exchange(path, sse, 200, "application/json", b"{}") };
            let kind = kind(&exchange);
            assert_eq!(kind, expected, "{} {path}", exchange.method);
            assert!(crate::verify::fixture::recorded(&kind, 200).is_some(), "{kind}");
        }
        assert!(crate::verify::fixture::recorded("error_429", 429).is_some());
    }

    #[test]
    fn gzip_is_undone_and_said() {
        let zip = |text: &[u8]| {
            let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            zipped.write_all(text).unwrap();
            zipped.finish().unwrap()
        };
        // Several members one after the other are one body.
        let zipped = [zip(b"{\"a\""), zip(b": 1}")].concat();
        let mut exchange = exchange("/v1beta/models", false, 200, "application/json", &zipped);
        exchange.headers.insert(CONTENT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(decoded(&exchange), Ok((b"{\"a\": 1}".to_vec(), "raw+ungzipped".to_owned())));
        exchange.answered.truncate(9);
        assert!(decoded(&exchange).is_err());
    }
}
