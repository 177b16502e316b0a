//! `plimsoll compare`

use std::path::PathBuf;

use plimsoll_reports::compare::compare;

use super::{Failure, Outcome, print};
use crate::run::store;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each of A and B is a run's folder or a record.json. Figures of the same cell stand side by side, B against A, with the direction in words; where samples \
overlap, no difference is claimed. It judges nothing: `plimsoll gate` does. The output is Markdown, on standard output.

Examples:
  plimsoll compare target/plimsoll/20260101-120000-ab12 target/plimsoll/latest
  plimsoll compare mock/record.json live/record.json > comparison.md")]
pub(super) struct Args {
    /// The run that is compared with: its folder or its record.json
    a: PathBuf,
    /// The run that is compared
    b: PathBuf,
    /// Only cells whose name has these parts; `*` stands for anything
    #[arg(short = 'E', long = "only", value_name = "CELL", default_value = "", hide_default_value = true)]
    only: String,
}

pub(super) fn run(args: &Args) -> Outcome {
    let [a, b] = [&args.a, &args.b].map(|path| store::read(path).map_err(Failure::usage));
    let mut compared = compare(&a?, &b?);
    let is_meant = |cell: &plimsoll_reports::record::Cell| plimsoll_reports::cell::is_meant(&args.only, cell);
    compared.rows.retain(|row| is_meant(&row.cell));
    compared.alone.0.retain(is_meant);
    compared.alone.1.retain(is_meant);
    print(&compared.markdown())?;
    if compared.rows.is_empty() { Err(Failure::invalid("no figure is in both")) } else { Ok(0) }
}
