//! The record of a run, and all that reads it: statistics, the verdict, HTML, Markdown, JSON, CSV, terminal.
//!
//! Pure: no processes, no sockets, no clock. Bytes come in, bytes go out; only the caller touches files. The same record gives the same
//! bytes.
//!
//! - [`record`], [`read`], [`schema`]: `record.json` and `samples.jsonl`; [`mod@bench`]: the benches in it.
//! - [`units`], [`metric`], [`stats`], [`mod@derive`]: what a figure is, and how it is made of samples.
//! - [`mod@model`], [`mod@line`]: what memory depends on, and how much work a given memory holds.
//! - [`contrast`], [`ladder`], [`components`]: what one cell has beyond another, and what each component takes; [`techniques`]: what each technique saves;
//!   [`allocators`]: the same client on each allocator.
//! - [`explain`]: one cell, its figures and how the gate would judge them.
//! - [`view`], [`mod@summary`], [`claims`], [`recommend`]: what reports show, and the sentences computed from it.
//! - [`terminal`], [`mod@format`] with [`html`], [`markdown`], [`json`], [`csv`], [`junit`]: the reports; [`only`]: of some subjects; [`compare`]: of two records.
#![forbid(unsafe_code)]

pub mod allocators;
pub mod attribution;
pub mod bench;
mod beside;
pub mod cell;
mod circumstances;
pub mod claims;
pub(crate) mod clean;
pub mod compare;
pub mod components;
pub mod contrast;
pub mod csv;
pub mod derive;
pub mod explain;
mod figure_name;
pub mod format;
mod function_name;
pub mod gate;
pub mod html;
pub mod json;
pub mod junit;
pub mod ladder;
pub mod ledger;
pub mod line;
pub mod markdown;
pub mod metric;
pub mod model;
pub mod noise;
pub mod only;
pub mod read;
pub mod recommend;
pub mod record;
pub mod roots;
pub mod schema;
mod sites;
mod source_url;
pub mod stacks;
pub mod stats;
pub mod summary;
pub mod techniques;
pub mod terminal;
pub mod units;
pub mod view;

pub use figure_name::NoFigure;
pub use format::{Extras, Format, UnknownFormat, render, render_linked, render_with};
pub use read::{RecordError, Samples, Torn};
pub use record::Record;
pub use source_url::{NoSourceUrl, SourceUrl};
pub use summary::{Summary, summary};
