//! The proxy of the level `proxied`: plain HTTP/1.1 on this machine, verified TLS to the server of `PLIMSOLL_BASE_URL` (PROTOCOL.md, "A
//! subject's proxy").
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::thread;

use plimsoll_providers::gemini_proxied::TlsProxy;
use plimsoll_providers::{Options, Trust};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "tls-proxy: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let told = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let options = Options {
        trust: told("PLIMSOLL_CA").map_or(Trust::Platform, |path| Trust::PemFile(path.into())),
        crypto: told("PLIMSOLL_CRYPTO").unwrap_or_default().parse()?,
        resolve: told("PLIMSOLL_RESOLVE").map(|known| known.parse()).transpose()?.into_iter().collect(),
        ..Options::default()
    };
    let base = told("PLIMSOLL_BASE_URL").ok_or("PLIMSOLL_BASE_URL is not set: it says which server to speak to")?;
    // A socket is only its owner's to listen at and to speak to.
    let address = told("PLIMSOLL_SOCKET").map_or_else(|| "127.0.0.1:0".to_owned(), |path| format!("unix:{path}"));
    // The end of standard input is the end of it.
    thread::Builder::new().stack_size(64 << 10).spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let proxy = TlsProxy::bind(&address.parse()?, &base, &options).await?;
        writeln!(io::stdout(), "plimsoll-proxy 1 address={}", proxy.address()?)?;
        proxy.serve().await;
        Ok(())
    })
}
