//! Faults: each changes the bytes or the steps of an answer, knowing nothing of the protocol that carries it.

mod cut;
mod malformed;
mod wrong_text;

pub(super) use cut::cut;
pub(super) use malformed::malformed;
pub(super) use wrong_text::wrong_text;
