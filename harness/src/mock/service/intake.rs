//! What is kept of a request's body while it comes in.

use super::Route;
use crate::mock::request::Request;
use crate::mock::state::State;

/// The longest JSON that is kept, in bytes: contents with a file in them, of the size that the service takes inline.
pub(super) const JSON_LIMIT: usize = 20 << 20;

/// What became of a body.
#[derive(Debug, Default)]
pub(in crate::mock) enum Taken {
    /// Nobody wants it: read and dropped.
    #[default]
    Dropped,
    Json(Vec<u8>),
    /// More JSON than is kept.
    TooLong,
    /// A piece of an upload, of so many bytes; they went to its session as they came, so that a piece that breaks off counts for what
    /// came of it.
    Piece(u64),
    /// A piece that does not begin where the one before ended, or that belongs to no session.
    Misplaced,
}

/// Where a body goes.
pub(in crate::mock) struct Intake<'a> {
    state: &'a State,
    session: Option<String>,
    taken: Taken,
}

impl<'a> Intake<'a> {
    pub(in crate::mock) fn of(request: &Request, state: &'a State) -> Self {
        let (mut session, mut taken) = (None, Taken::Dropped);
        match &request.route {
            Some(Route::Upload(id)) if request.upload_commands().any(|command| command == "upload") => {
                let placed = state.service().uploads.is_next(id, request.upload_header("offset"));
                taken = if placed { Taken::Piece(0) } else { Taken::Misplaced };
                session = Some(id.clone());
            }
            Some(Route::Upload(_)) | None => {}
            Some(_) => taken = Taken::Json(Vec::new()),
        }
        Self { state, session, taken }
    }

    pub(in crate::mock) fn take(&mut self, bytes: &[u8]) {
        match &mut self.taken {
            Taken::Json(kept) if kept.len() + bytes.len() > JSON_LIMIT => self.taken = Taken::TooLong,
            Taken::Json(kept) => kept.extend_from_slice(bytes),
            Taken::Piece(length) => {
                *length += bytes.len() as u64;
                if let Some(session) = &self.session {
                    self.state.service().uploads.receive(session, bytes);
                }
            }
            Taken::Dropped | Taken::TooLong | Taken::Misplaced => {}
        }
    }

    pub(in crate::mock) fn done(self) -> Taken {
        match self.taken {
            // A request without a body is not one with an empty object.
            Taken::Json(kept) if kept.is_empty() => Taken::Dropped,
            taken => taken,
        }
    }
}
