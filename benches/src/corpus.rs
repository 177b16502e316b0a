//! What the readers read: answers of the mock, as they are on the wire, and recorded ones where they lie beside the project.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use plimsoll_providers::GenerateContentResponse;
use plimsoll_providers::wire::chunked::ChunkedReader;

use crate::mock::Mock;
use crate::plain::{self, Plain};

/// An answer over HTTP/1.1, its body in chunks.
#[derive(Debug)]
pub struct Answer {
    /// Its name in the corpus.
    pub name: &'static str,
    /// Its head.
    pub head: Bytes,
    /// Its body, chunks and all.
    pub chunked: Bytes,
    /// What was in each chunk.
    pub pieces: Vec<Bytes>,
    /// That in one.
    pub body: Bytes,
}

/// Bodies that belong together: each in the pieces that it comes in.
#[derive(Debug)]
pub struct Bodies {
    /// What they are called.
    pub name: String,
    /// The bodies.
    pub bodies: Vec<Vec<Bytes>>,
}

impl Bodies {
    /// Bytes of all of them.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.bodies.iter().flatten().map(|piece| piece.len() as u64).sum()
    }

    fn one(name: &str, pieces: Vec<Bytes>) -> Self {
        Self { name: name.to_owned(), bodies: vec![pieces] }
    }
}

/// All that is read.
#[derive(Debug)]
pub struct Corpus {
    /// `chat`, `large` and `everything`: answers of `generateContent`.
    pub answers: Vec<Answer>,
    /// `stream` and `large`: answers of `streamGenerateContent`.
    pub streams: Vec<Answer>,
    /// `chat` and `large`, packed, and unpacked as [`answers`](Self::answers) has them.
    pub packed: Vec<Answer>,
    /// Recorded streams; none where there are no recordings.
    pub recorded_streams: Option<Bodies>,
    /// Recorded answers likewise.
    pub recorded_answers: Option<Bodies>,
}

impl Corpus {
    /// Asks the mock for it.
    ///
    /// # Errors
    ///
    /// When it answers something else, or recordings cannot be read.
    pub fn of(mock: &Mock) -> Result<Self, Box<dyn Error>> {
        let mut plain = Plain::connect(mock.port())?;
        // Nothing is counted here: it need not wait for who reads.
        let mut ask = |name: &'static str, modifiers: &str, method: &str| {
            let script = format!("{name}+lockstep=off{modifiers}");
            let (head, chunked) = plain.ask(&plain::request(&script, method))?;
            let pieces = pieces(chunked)?;
            let body = pieces.concat().into();
            let (head, chunked) = (Bytes::copy_from_slice(head), Bytes::copy_from_slice(chunked));
            Ok::<_, Box<dyn Error>>(Answer { name, head, chunked, pieces, body })
        };
        let (unary, sse) = ("generateContent", "streamGenerateContent?alt=sse");
        Ok(Self {
            answers: vec![ask("chat", "", unary)?, ask("large", "", unary)?, ask("everything", "", unary)?],
            streams: vec![ask("stream", "", sse)?, ask("large", "", sse)?],
            packed: vec![ask("chat", "+gzip=force", unary)?, ask("large", "+gzip=force", unary)?],
            recorded_streams: recorded(&["stream_"], "sse", |_| true)?,
            recorded_answers: recorded(&["generate_"], "json", is_answer)?,
        })
    }

    /// Streams, as they come: an event a piece; the first one also cut without regard to events; and the recorded ones.
    #[must_use]
    pub fn streams(&self) -> Vec<Bodies> {
        let whole = self.streams.iter().map(|stream| Bodies::one(stream.name, stream.pieces.clone()));
        let first = &self.streams[0];
        let cut = cut(&first.body, CUT);
        let cut = Bodies::one(&format!("{}, cut", first.name), cut);
        let recorded = self.recorded_streams.iter().map(|recorded| Bodies {
            name: recorded.name.clone(),
            bodies: recorded.bodies.iter().map(|body| cut_whole(body)).collect(),
        });
        whole.chain([cut]).chain(recorded).collect()
    }

    /// Answers, in pieces of what a TLS record holds.
    #[must_use]
    pub fn answers(&self) -> Vec<Bodies> {
        let own = self.answers.iter().map(|answer| Bodies::one(answer.name, cut(&answer.body, RECORD)));
        let recorded = self.recorded_answers.iter().map(|recorded| Bodies {
            name: recorded.name.clone(),
            bodies: recorded.bodies.iter().map(|body| cut_whole(body)).collect(),
        });
        own.chain(recorded).collect()
    }
}

/// What a TLS record holds at most, bytes.
const RECORD: usize = 16 << 10;
/// No event of `stream` begins at a multiple of it.
const CUT: usize = 1_000;

fn cut(body: &Bytes, length: usize) -> Vec<Bytes> {
    (0..body.len()).step_by(length).map(|at| body.slice(at..body.len().min(at + length))).collect()
}

fn cut_whole(body: &[Bytes]) -> Vec<Bytes> {
    body.iter().flat_map(|body| cut(body, RECORD)).collect()
}

/// What is in each chunk of a body.
pub(crate) fn pieces(chunked: &[u8]) -> Result<Vec<Bytes>, Box<dyn Error>> {
    let (mut reader, mut rest, mut pieces) = (ChunkedReader::new(), chunked, Vec::new());
    while !reader.is_done() {
        let (count, piece) = reader.read(rest)?;
        rest = &rest[count..];
        if !piece.is_empty() {
            pieces.push(Bytes::copy_from_slice(piece));
        } else if rest.is_empty() && !reader.is_done() {
            return Err("a body is not whole".into());
        }
    }
    Ok(pieces)
}

/// The recorded bodies in the folders whose names begin so.
fn recorded(folders: &[&str], extension: &str, wanted: impl Fn(&[u8]) -> bool) -> std::io::Result<Option<Bodies>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/traffic");
    if !root.is_dir() {
        return Ok(None);
    }
    let begins = |path: &PathBuf| {
        path.file_name().is_some_and(|name| folders.iter().any(|folder| name.to_string_lossy().starts_with(folder)))
    };
    let list =
        |folder: &Path| fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut files = Vec::new();
    for folder in list(&root)?.into_iter().filter(begins) {
        files.extend(list(&folder)?.into_iter().filter(|file| file.extension().is_some_and(|own| own == extension)));
    }
    files.sort();
    let mut bodies = Vec::new();
    for file in files {
        let body = fs::read(file)?;
        if wanted(&body) {
            bodies.push(vec![Bytes::from(body)]);
        }
    }
    let name = format!("{} recorded", bodies.len());
    Ok((!bodies.is_empty()).then_some(Bodies { name, bodies }))
}

fn is_answer(body: &[u8]) -> bool {
    serde_json::from_slice::<GenerateContentResponse>(body).is_ok_and(|answer| !answer.candidates.is_empty())
}
