//! The record of a run, and all that reads it: statistics, the verdict, HTML, Markdown, JSON, CSV, terminal.
//!
//! Pure: no processes, no sockets, no clock. Bytes come in, bytes go out; only the caller touches files. The same record gives the same
//! bytes.
//!
//! - [`record`], [`read`], [`schema`]: `record.json` and `samples.jsonl`.
//! - [`units`], [`metric`], [`stats`], [`derive`]: what a figure is, and how it is made of samples.
#![forbid(unsafe_code)]

pub mod derive;
pub mod metric;
pub mod read;
pub mod record;
pub mod schema;
pub mod stats;
pub mod units;

pub use read::{RecordError, Samples, Torn};
pub use record::Record;
