//! A helper of the level `isolated` as a program of its own, for a service that would rather not be started again as its own helper:
//! name it in `Helpers::program`. It is the smaller for it, too.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(unix)]
    plimsoll_providers::gemini_process_isolated::enter_helper();
    // Only a provider can make use of it.
    ExitCode::from(2)
}
