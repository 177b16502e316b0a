//! The rung `tls-system`: a TLS configuration with the system's roots and AWS-LC, made and not used. How many roots that is differs by machine.

mod exchange;
mod idle;
mod server;
mod text;

use std::sync::Arc;

use exchange::{ask, client};
use idle::Idle;
use plimsoll_worker::Failure;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;

plimsoll_worker::subject! {
    name: "tls-system",
    allocator: system,
    client: |env| client(env, |_| Ok(Idle::new(config()?))),
    chat: |c, _, on_text| ask(c, on_text),
    stream: |_, _, _| async { Err::<(), _>(Failure::unsupported("a rung asks for whole answers only")) },
}

fn config() -> Result<ClientConfig, Failure> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_platform_verifier()?.with_no_client_auth())
}
