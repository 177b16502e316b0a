//! The subjects that are scripts: the Python baseline, and other people's clients in Python and Node.

#[path = "../common/mod.rs"]
mod common;

mod peers;
mod python;
