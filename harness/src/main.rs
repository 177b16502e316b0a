//! The command `plimsoll`.

use std::process::ExitCode;

use clap::Parser;
use plimsoll::{cli, process::exec};

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == exec::WORD) {
        return exec::run(args);
    }
    cli::main(cli::Cli::parse())
}
