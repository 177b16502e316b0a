//! The API besides generating: what depends on a request's body or on what was asked before.
//!
//! wiremock ([`super::origin`]) chooses among fixed replies by a request's first line. It is shown no body, remembers nothing but every
//! request it matched, and so cannot count tokens, keep a file or say where the next page begins. That is done here, in memory, in the
//! service's own words, and by a clock that stands still: the same requests in the same order get the same bytes.
//!
//! - [`route`]: which endpoint a path is
//! - [`intake`]: what is kept of a request's body
//! - [`models`], [`tokens`], [`embed`]: answers that follow from the request alone
//! - [`completions`]: an answer of the model in another API's form
//! - [`cached`], [`files`], [`upload`]: resources, which are kept until they are deleted or the control socket says `reset`
//! - [`page`], [`clock`], [`refusal`]: what they have in common

mod cached;
mod clock;
mod completions;
mod embed;
mod files;
pub(super) mod intake;
mod models;
mod page;
mod refusal;
mod route;
mod tokens;
mod upload;

use bytes::Bytes;
use serde_json::Value;

use super::answer::Answer;
use super::request::Request;
use crate::corpus::{Reply, json};
use cached::CachedContents;
use clock::Clock;
use files::Files;
use intake::Taken;
use refusal::Refusal;
pub(super) use route::Route;
use upload::Uploads;

/// The most entries that each kind of resource may have. A client that forgets to delete is told, and the mock stays small.
const MOST: usize = 1_000;

/// What one mock keeps.
#[derive(Debug, Default)]
pub(super) struct Service {
    clock: Clock,
    cached: CachedContents,
    files: Files,
    uploads: Uploads,
}

type Answered = Result<Answer, Refusal>;

impl Service {
    /// The answer of `route`; `reply` is what a model would say.
    pub(super) fn answer(&mut self, route: &Route, request: &Request, reply: Option<&Reply>) -> Answer {
        self.answered(route, request, reply).unwrap_or_else(Answer::from)
    }

    fn answered(&mut self, route: &Route, request: &Request, reply: Option<&Reply>) -> Answered {
        match route {
            Route::Completions => {
                let reply = reply.ok_or_else(|| Refusal::not_found("plimsoll mock: there is no such reply"))?;
                completions::answer(&body(request)?, reply)
            }
            Route::CountTokens => tokens::count(&body(request)?),
            Route::Embed(model) => embed::one(model, &body(request)?),
            Route::BatchEmbed(model) => embed::batch(model, &body(request)?),
            Route::Models => models::list(request),
            Route::Model(name) => models::one(name),
            Route::CreateCached => self.cached.create(&body(request)?, &mut self.clock),
            Route::CachedList => self.cached.list(request),
            Route::Cached(name) => self.cached.get(name),
            Route::UpdateCached(name) => self.cached.update(name, request, &body(request)?, &mut self.clock),
            Route::DeleteCached(name) => self.cached.delete(name),
            Route::FileList => self.files.list(request),
            Route::File(name) => self.files.get(name),
            Route::DeleteFile(name) => self.files.delete(name),
            Route::StartUpload => self.uploads.start(request, &body(request)?, &self.files, &mut self.clock),
            Route::Upload(session) => self.uploads.go_on(session, request, &mut self.files, &mut self.clock),
        }
    }
}

/// A request's body as JSON.
fn body(request: &Request) -> Result<Value, Refusal> {
    match &request.taken {
        Taken::Json(bytes) => serde_json::from_slice(bytes)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| Refusal::invalid("Invalid JSON payload received: an object is wanted.")),
        Taken::TooLong => {
            Err(Refusal::invalid(format!("Request payload size exceeds the limit: {} bytes.", intake::JSON_LIMIT)))
        }
        _ => Ok(Value::Object(serde_json::Map::new())),
    }
}

/// A good answer, spelled as the service does.
fn ok(value: &impl serde::Serialize) -> Answered {
    Ok(Answer::json(200, json::indented(value)))
}

/// What a deletion says.
fn nothing() -> Answer {
    Answer::json(200, Bytes::from_static(b"{}\n"))
}

/// A name of `length` letters and digits that looks as if it were drawn by lot, and is another one for each `number` and `kind`.
fn drawn(kind: &str, number: u64, length: usize) -> String {
    use sha2::{Digest, Sha256};

    const ALPHABET: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
    let mut name = String::with_capacity(length);
    for block in 0_u8.. {
        let digest = Sha256::digest(format!("{kind} {number} {block}"));
        name.extend(digest.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])));
        if name.len() >= length {
            break;
        }
    }
    name.truncate(length);
    name
}
