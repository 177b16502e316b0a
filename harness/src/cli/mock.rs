//! `plimsoll mock`

use std::path::PathBuf;

use super::{Failure, Outcome, print};
use crate::mock::script::Script;
use crate::mock::{Identity, MockOptions, help};
use crate::run::mock::BASE_URL;
use crate::run::scratch::Scratch;

#[derive(Debug, clap::Args)]
#[command(after_long_help = help::SCRIPTS)]
pub(super) struct Args {
    /// Port on 127.0.0.1 [default: any free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Script for requests that name none in their path
    #[arg(long, value_name = "SCRIPT", default_value = "chat")]
    script: Script,
    /// Folder of recorded traffic to serve besides the mock's own replies
    #[arg(long, value_name = "DIR")]
    traffic: Option<PathBuf>,
    /// Streams that a client may have open on one HTTP/2 connection; 0: any number
    #[arg(long, value_name = "N", default_value_t = 100)]
    max_streams: u32,
    /// PEM file with a certificate chain to show in place of the mock's own, leaf first: to stand in for another host
    #[arg(long, value_name = "FILE", requires = "key")]
    chain: Option<PathBuf>,
    /// PEM file with the private key of --chain
    #[arg(long, value_name = "FILE", requires = "chain")]
    key: Option<PathBuf>,
    /// Unix socket to be controlled by
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Outcome {
    let options = MockOptions {
        port: args.port,
        control: args.control,
        traffic: args.traffic,
        max_concurrent_streams: (args.max_streams > 0).then_some(args.max_streams),
        default_script: args.script,
        identity: args.chain.zip(args.key).map(|(chain, key)| Identity { chain, key }),
    };
    let own = options.identity.is_none();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::invalid(format!("cannot start a runtime: {e}")))?;
    let scratch = Scratch::create().map_err(|e| Failure::invalid(format!("cannot make a temporary folder: {e}")))?;
    let ca = scratch.path().join("ca.pem");
    std::fs::write(&ca, crate::run::trust_bundle().0)
        .map_err(|e| Failure::invalid(format!("cannot write {}: {e}", ca.display())))?;
    let served = runtime.block_on(crate::mock::serve(options, |ready| {
        let plain = &ready.base_url_plain;
        // Who signed a chain of the user's is the user's to know.
        let roots = if own { format!("SSL_CERT_FILE={}\n", ca.display()) } else { String::new() };
        let _ = print(&format!("{BASE_URL}={}\n{roots}", ready.base_url_tls));
        tracing::info!(%plain, open_files = ready.open_files, "listening, without TLS too");
    }));
    served.map(|()| 0).map_err(Failure::usage)
}
