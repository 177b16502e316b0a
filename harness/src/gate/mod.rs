//! The gate: a base and a head, built alike, measured in turns, and judged.
//!
//! - `base`: what the head is compared with
//! - `git`: what lies in which commit
//! - `rules`: what it is judged by
//! - `cells`: what is measured, on which side, how often
//! - `sides`: both checkouts; `side`: one of them, built; `seed`: what need not be built again
//! - `measure`: all sides in one loop
//! - `contest`: measured, decided, measured again, profiled
//! - `idle`: waivers of nothing
//! - `outputs`: what is left on disk
//! - `selftest`: regressions that it must find
//!
//! The decision itself is `plimsoll_reports::gate`, which starts nothing.

pub mod base;
pub mod cells;
pub mod contest;
pub mod git;
pub mod idle;
pub mod measure;
pub mod outputs;
pub mod rules;
mod seed;
pub mod selftest;
pub mod side;
pub mod sides;
