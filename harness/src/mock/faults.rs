//! Faults: each changes the bytes or the steps of an answer, knowing nothing of the protocol that carries it.

mod cut;
mod edited;
mod error_event;
mod malformed;
mod wrong_text;

pub(super) use cut::cut;
pub(super) use edited::{early_finish, no_finish, pad};
pub(super) use error_event::error_event;
pub(super) use malformed::malformed;
pub(super) use wrong_text::wrong_text;
