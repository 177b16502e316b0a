//! The reqwest 0.13 client that peers are given which take one: it trusts the bundle only, speaks HTTP/1.1, and asks no DNS.

use std::net::{IpAddr, SocketAddr};

use plimsoll_worker::{Env, Failure};

pub fn client(env: &Env) -> Result<reqwest::Client, Failure> {
    let roots = reqwest::Certificate::from_pem_bundle(&std::fs::read(&env.ca)?)?;
    let mut builder = reqwest::Client::builder().http1_only().tls_certs_only(roots);
    if let Some((host, address)) = resolved(&env.resolve) {
        builder = builder.resolve(host, address);
    }
    Ok(builder.build()?)
}

/// `HOST:PORT:ADDRESS`: the host, and where it is.
fn resolved(text: &str) -> Option<(&str, SocketAddr)> {
    let mut parts = text.splitn(3, ':');
    let (host, port, address) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    Some((host, SocketAddr::new(address.parse::<IpAddr>().ok()?, port)))
}
