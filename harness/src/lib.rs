//! Plimsoll's harness: plan, spawn, probe, mock.
//!
//! ```text
//! cli ─▶ config ─▶ plan ─▶ run ─┬─▶ process   a subject: started, spoken to, never left behind
//!                               ├─▶ probe     its memory, read while it stands still
//!                               ├─▶ mock      the Gemini API, in a process of its own
//!                               ├─▶ event     what happens, for whoever shows it
//!                               └─▶ attribute which code asked for memory, from dhat's profiles
//!     └─▶ gate ─▶ run, plimsoll_reports::gate   whether a change took more memory, and which code
//!     └─▶ verify ─▶ process, mock             what a client says it understood, against what was served
//! benches                          criterion’s, run with a run and read into its record
//! baseline, clean                  what is kept to be compared with, and what is not kept
//! explain                          what every name means, and where its definition is
//! init                             the plimsoll.toml that a project begins with
//! recorder                         what the live service answers, kept as traffic that the mock can serve
//! ```
//!
//! What a run leaves behind is a [`plimsoll_reports::record::Record`]; all that reads it lives in `plimsoll-reports`.

#![forbid(unsafe_code)]

pub mod attribute;
pub mod baseline;
pub mod benches;
pub mod clean;
pub mod cli;
pub mod config;
pub mod corpus;
pub mod doctor;
pub mod event;
pub mod explain;
pub mod gate;
pub mod init;
pub mod mock;
pub mod plan;
pub mod probe;
pub mod process;
pub mod recorder;
pub mod run;
mod sock_diag;
mod spelling;
pub mod verify;
