//! `plimsoll report`

mod verdict;

use std::path::PathBuf;

use plimsoll_reports::compare::mock_and_live;
use plimsoll_reports::gate::show;
use plimsoll_reports::record::Record;
use plimsoll_reports::{Extras, Format, SourceUrl, only, render_with};

use super::{Failure, Outcome, find, print};
use crate::run::store;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A record is a run's folder or its record.json; an unfinished run gives a report of the samples that there are.
With one format and no --out the report goes to standard output. Of a verdict (the verdict.json of a gate) the formats are comment, summary, \
terminal, annotations, junit and json.

Examples:
  plimsoll report target/plimsoll/latest
  plimsoll report record.json --format markdown
  plimsoll report record.json --only-subject original --only-subject mine
  plimsoll report mock/record.json --beside live/record.json
  plimsoll report record.json --format html,json,csv --out site
  plimsoll report verdict.json --format comment")]
pub(super) struct Args {
    /// Run folder, record.json, packed or not, or verdict.json
    record: PathBuf,
    /// Formats, with commas between: html, markdown, json, csv, junit
    #[arg(long, value_name = "FORMATS", value_delimiter = ',')]
    format: Vec<String>,
    /// Only this subject (may be given more than once)
    #[arg(long = "only-subject", value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// A record of the same cells on the other target, mock or live, to stand beside this one
    #[arg(long, value_name = "RECORD")]
    beside: Option<String>,
    #[command(flatten)]
    source: SourceArgs,
    /// Folder to write to [default: beside the record]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Of a verdict: refuse it if its head is another commit
    #[arg(long, value_name = "COMMIT")]
    of: Option<String>,
    /// Of a verdict: the pull request has a comment already, so that a pass is one line
    #[arg(long)]
    earlier: bool,
}

/// Where the measured code can be read.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct SourceArgs {
    /// Where the project's files can be read at the commit that was measured, for links to its lines: https://github.com/OWNER/NAME/blob/COMMIT
    #[arg(long = "source-url", value_name = "URL", env = "PLIMSOLL_SOURCE_URL")]
    pub(super) url: Option<SourceUrl>,
}

pub(super) fn run(config: Option<PathBuf>, args: Args) -> Outcome {
    if let Some(bytes) = std::fs::read(&args.record).ok().filter(|bytes| show::is_verdict(bytes)) {
        return verdict::run(&bytes, &args);
    }
    if args.of.is_some() || args.earlier {
        let message = format!("{} is no verdict, and --of and --earlier are for one", args.record.display());
        return Err(Failure::usage(message));
    }
    let formats = args.format.iter().map(|name| name.parse::<Format>().map_err(Failure::usage));
    let formats = formats.collect::<Result<Vec<_>, _>>()?;
    let record = store::read(&args.record).map_err(Failure::usage)?;
    let record = only::subjects(record, &args.subjects).map_err(Failure::usage)?;
    let beside = args.beside.as_ref().map(|word| find::record(word, config)).transpose()?;
    if let Some(beside) = &beside {
        held_apart(&record, beside)?;
    }
    let extras = Extras { source: args.source.url.as_ref(), beside: beside.as_ref() };
    if let ([format], None) = (formats.as_slice(), &args.out) {
        return print(&String::from_utf8_lossy(&render_with(&record, *format, extras)));
    }
    let beside = || if args.record.is_dir() { args.record.clone() } else { args.record.with_file_name("") };
    let dir = args.out.clone().unwrap_or_else(beside);
    let io = |e: std::io::Error| Failure::usage(format!("cannot write {}: {e}", dir.display()));
    if !dir.as_os_str().is_empty() {
        std::fs::create_dir_all(&dir).map_err(io)?;
    }
    let formats = if formats.is_empty() { vec![Format::Html, Format::Markdown] } else { formats };
    for format in formats {
        let path = dir.join(format.file_name());
        store::write_whole(&path, &render_with(&record, format, extras)).map_err(Failure::usage)?;
        print(&format!("{}\n", path.display()))?;
    }
    Ok(0)
}

/// Whether one record is of the mock and the other of the live service: that is what is set side by side in a report.
fn held_apart(one: &Record, other: &Record) -> Result<(), Failure> {
    match mock_and_live(one, other) {
        Some(_) => Ok(()),
        None => Err(Failure::usage(format!(
            "--beside sets the live service beside the mock, and these two are of {} and of {}; `plimsoll compare` sets any two side by side",
            one.environment.target, other.environment.target
        ))),
    }
}
