//! Says what the level `libcurl` understood of what it was served: see `plimsoll_subjects::conform`. Nothing measures it.
use std::process::ExitCode;

use plimsoll_providers::Level;
use plimsoll_providers::gemini_libcurl::LibcurlGeminiProvider;

fn main() -> ExitCode {
    plimsoll_subjects::conform::run_for(Level::Libcurl, LibcurlGeminiProvider::with_options)
}
