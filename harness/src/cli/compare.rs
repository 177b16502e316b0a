//! `plimsoll compare`

use std::path::{Path, PathBuf};

use plimsoll_reports::Format;
use plimsoll_reports::compare::{Comparison, compare};

use super::{Failure, Outcome, find, print};
use crate::run::store;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each of A and B is a run's folder, a record's file, a run's id, `latest`, or the name of a baseline. Figures of the same cell stand side by side, \
with the direction in words; where samples meet, or are too few, no difference is claimed. What was not alike (machine, build, replies, protocol) \
comes first. It judges nothing: `plimsoll gate` does.

Examples:
  plimsoll compare before latest
  plimsoll compare before latest --out compared
  plimsoll compare before latest --format html > page.html
  plimsoll compare A/record.json B/record.json -E ultra/chat")]
pub(super) struct Args {
    /// The run that is compared with
    a: String,
    /// The run that is compared
    b: String,
    /// Only cells whose name has these parts; `*` stands for anything
    #[arg(short = 'E', long = "only", value_name = "CELL", default_value = "", hide_default_value = true)]
    only: String,
    /// Formats, with commas between: html, markdown [default: markdown, both with --out]
    #[arg(long, value_name = "FORMATS", value_delimiter = ',')]
    format: Vec<String>,
    /// Folder to write to; without it the one format goes to standard output
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(config: Option<PathBuf>, args: &Args) -> Outcome {
    let formats = formats(args)?;
    let a = find::record(&args.a, config.clone())?;
    let b = find::record(&args.b, config)?;
    let compared = compare(&a, &b).only(&args.only);
    match (&args.out, formats.as_slice()) {
        (None, [format]) => {
            print(&text(&compared, *format))?;
        }
        (None, _) => return Err(Failure::usage("several formats need a folder: --out DIR")),
        (Some(dir), formats) => write(&compared, formats, dir)?,
    }
    match (compared.rows.is_empty(), args.only.is_empty()) {
        (false, _) => Ok(0),
        (true, true) => Err(Failure::invalid("no figure is in both: they have no cell in common that counts")),
        (true, false) => Err(Failure::invalid(format!("no figure is in both of a cell that {:?} means", args.only))),
    }
}

fn formats(args: &Args) -> Result<Vec<Format>, Failure> {
    let mut all = Vec::new();
    for name in &args.format {
        match name.parse().map_err(Failure::usage)? {
            format @ (Format::Html | Format::Markdown) => all.push(format),
            other => {
                return Err(Failure::usage(format!(
                    "a comparison is not written as {other}: choose from html, markdown"
                )));
            }
        }
    }
    Ok(match (all.is_empty(), &args.out) {
        (false, _) => all,
        (true, None) => vec![Format::Markdown],
        (true, Some(_)) => vec![Format::Html, Format::Markdown],
    })
}

fn text(compared: &Comparison, format: Format) -> String {
    if format == Format::Html { compared.html() } else { compared.markdown() }
}

fn write(compared: &Comparison, formats: &[Format], dir: &Path) -> Result<(), Failure> {
    let io = |e: std::io::Error| Failure::usage(format!("cannot write {}: {e}", dir.display()));
    std::fs::create_dir_all(dir).map_err(io)?;
    for format in formats {
        let path = dir.join(if *format == Format::Html { "compare.html" } else { "compare.md" });
        store::write_whole(&path, text(compared, *format).as_bytes()).map_err(Failure::usage)?;
        print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}
