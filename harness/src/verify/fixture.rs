//! What is served: the repository's own replies, always, and those of a traffic folder; and what each is an answer to.

use crate::corpus::traffic::Folder;
use crate::corpus::{self, Body, Reply};

use super::question::Question::{self, *};

/// A body, and what it answers.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Its name in differences: a path in the traffic folder, or `own/` and a reply's name.
    pub name: String,
    /// What the mock serves.
    pub reply: Reply,
    /// What is asked so that it is served.
    pub questions: &'static [Question],
}

/// Every fixture there is, and the files of the folder whose kind is none that is known.
pub fn all(traffic: Option<&Folder>) -> (Vec<Fixture>, Vec<String>) {
    let own = corpus::replies().map(|reply| Fixture {
        name: format!("own/{}", reply.name),
        questions: own(reply),
        reply: reply.clone(),
    });
    let mut fixtures: Vec<Fixture> = own.collect();
    let mut unknown = Vec::new();
    for body in traffic.into_iter().flat_map(Folder::bodies) {
        match recorded(&body.kind, body.reply.status) {
            Some(questions) => {
                fixtures.push(Fixture { name: body.file.clone(), reply: body.reply.clone(), questions });
            }
            None => unknown.push(format!("{} ({})", body.file, body.kind)),
        }
    }
    (fixtures, unknown)
}

const ANSWER: &[Question] = &[Generate, GenerateVisited, Stream, StreamVisited, StreamArray];
/// A refusal may come to whatever is asked: to each way of reading the model's answers, and to each way of asking for another.
const REFUSAL: &[Question] =
    &[Generate, GenerateVisited, Stream, StreamVisited, StreamArray, CountTokens, Models, CacheCreate, FileUpload];

fn own(reply: &Reply) -> &'static [Question] {
    match (&reply.body, reply.name.as_str()) {
        (_, "batch") => &[Batch],
        (_, "cached-content") => &[CacheCreate, CacheGet, CachePatch],
        (_, "cached-contents") => &[CacheList],
        (_, "embedding") => &[Embed],
        (_, "embeddings") => &[BatchEmbed],
        (_, "file") => &[FileGet],
        (_, "files") => &[FileList],
        (_, "model") => &[Model],
        (_, "models") => &[Models],
        (_, "tokens") => &[CountTokens],
        (_, "uploaded-file") => &[FileUpload],
        (Body::Answer { .. }, _) => ANSWER,
        (Body::Error(_) | Body::Raw { .. }, _) => REFUSAL,
    }
}

/// By the kinds of a traffic folder's manifest: those that `plimsoll record` writes, and those of collections that tell more (`generate_text`).
pub(crate) fn recorded(kind: &str, status: u16) -> Option<&'static [Question]> {
    if status != 200 {
        return Some(REFUSAL);
    }
    Some(match kind {
        "batch_generate" => &[Batch],
        "cached_contents" => &[CacheCreate, CacheGet, CachePatch],
        "cached_contents_list" => &[CacheList],
        "count_tokens" => &[CountTokens],
        // An empty object: there is nothing to understand.
        "deleted" => &[],
        "embed" => &[Embed],
        "embed_batch" => &[BatchEmbed],
        "file" => &[FileGet],
        "files" => &[FileUpload],
        "files_list" => &[FileList],
        "model" => &[Model],
        "models" => &[Models],
        "chunks_partial_args" | "error_reconstructed" | "vendor_stream" => &[Stream, StreamVisited],
        "vendor_unary" => &[Generate, GenerateVisited],
        _ => match kind.split('_').next() {
            Some("generate") => &[Generate, GenerateVisited],
            Some("streamarray") => &[StreamArray],
            Some("stream") => &[Stream, StreamVisited],
            _ => return None,
        },
    })
}
