//! `plimsoll record`

use std::path::PathBuf;

use super::{Failure, Outcome, print, say};
use crate::recorder::{self, Note, Options, RecordError};
use crate::run::live::{Access, HOST, Resolve};
use crate::run::mock::BASE_URL;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A proxy on loopback: point any client at the GEMINI_BASE_URL that is printed (plain HTTP is enough there; it leaves the machine over \
verified TLS), let it ask, and end the recording with Ctrl-C. Bodies are kept byte for byte, with gzip undone, one row of MANIFEST.tsv for \
each; of headers only how often each was seen. Keys, cookies and addresses of upload sessions are not kept. Questions and answers are: \
look through them before you pass a recording on.

Examples:
  plimsoll record --out traffic        and, with the URL that it prints:
  GEMINI_BASE_URL=http://127.0.0.1:PORT your-client
  plimsoll mock --traffic traffic --script traffic~generate~0001.json
  plimsoll verify --traffic traffic    whether every level understands it")]
pub(super) struct Args {
    /// Folder to keep the traffic in; it must not hold any yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Base URL of the service [default: the live service]
    #[arg(long, value_name = "URL", default_value_t = format!("https://{HOST}"), hide_default_value = true)]
    upstream: String,
    /// Connect to ADDR for that host and port, without DNS; certificates are checked for HOST all the same
    #[arg(long, value_name = "HOST:PORT:ADDR")]
    resolve: Option<Resolve>,
    /// PEM file with the only roots to trust [default: the pinned public ones and the mock's]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Port on 127.0.0.1 [default: any free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
}

pub(super) fn run(args: Args) -> Outcome {
    let options = Options {
        out: args.out.clone(),
        upstream: args.upstream,
        access: Access { resolve: args.resolve, ca: args.ca, ..Access::default() },
        port: args.port,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::invalid(format!("cannot start a runtime: {e}")))?;
    let folder = args.out.display().to_string();
    let ended = runtime.block_on(recorder::serve(options, move |note| match note {
        Note::Listening(base) => {
            let _ = print(&format!("{BASE_URL}={base}\n"));
            say(&format!("Recording to {folder}; Ctrl-C ends it."));
        }
        Note::Kept(file, length) => say(&format!("kept {file}, {length} B")),
        Note::Left(what) => say(&format!("not kept: {what}")),
        Note::Failed(why) => say(&format!("failed: {why}")),
    }));
    ended.map(|()| 0).map_err(|error| match error {
        RecordError::Write { .. } => Failure::invalid(error),
        _ => Failure::usage(error),
    })
}
