//! Says what a level understood of what it was served: see `plimsoll_subjects::conform`. Nothing measures it.
use std::process::ExitCode;

fn main() -> ExitCode {
    plimsoll_subjects::isolated::enter_helper();
    plimsoll_subjects::conform::run(std::env::args().nth(1).as_deref())
}
