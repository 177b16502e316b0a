//! The gate: what two records are judged to be.

#[path = "../common/mod.rs"]
mod common;

mod blame;
mod explain;
mod made;
mod outputs;
mod read;
mod rules;
mod sides;
mod study;
