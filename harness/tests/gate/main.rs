//! `plimsoll gate` from its arguments to its exit status, in repositories of its own.

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod base;
mod blame;
mod end_to_end;
mod repository;
mod sides;
mod waivers;
