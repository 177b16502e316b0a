//! `plimsoll schema`

use clap::ValueEnum;

use super::{Failure, Outcome, print};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The schema of what
    of: Document,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Document {
    /// record.json
    Record,
    /// A line of samples.jsonl
    Sample,
    /// verdict.json
    Verdict,
    /// plimsoll.toml
    Config,
}

pub(super) fn run(args: &Args) -> Outcome {
    let schema = match args.of {
        Document::Record => plimsoll_reports::schema::record(),
        Document::Sample => plimsoll_reports::schema::sample(),
        Document::Verdict => plimsoll_reports::schema::verdict(),
        Document::Config => crate::config::schema(),
    };
    let text =
        serde_json::to_string_pretty(&schema).map_err(|e| Failure::usage(format!("cannot write the schema: {e}")))?;
    print(&format!("{text}\n"))
}
