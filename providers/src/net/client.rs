//! The part of a reqwest client that no level may leave out.

use std::net::SocketAddr;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

use crate::config::Config;
use crate::error::Error;
use crate::net::Patience;
use crate::options::{Options, Protocol};

/// A builder that follows no redirect (it would carry the key), gives up connecting in time, offers only `protocol` and knows the
/// addresses of `options`. TLS is left to the level.
pub(crate) fn client_builder(
    config: &Config,
    options: &Options,
    patience: &Patience,
    protocol: Protocol,
) -> Result<ClientBuilder, Error> {
    let mut builder = Client::builder().redirect(Policy::none()).connect_timeout(patience.connect);
    builder = match protocol {
        Protocol::Auto => builder,
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_prior_knowledge(),
    };
    let base =
        reqwest::Url::parse(config.base()).map_err(|error| Error::config(format!("base_url is not a URL: {error}")))?;
    for known in &options.resolve {
        // reqwest's overrides know no port; the provider speaks to one port only.
        if base.port_or_known_default() == Some(known.port) {
            builder = builder.resolve(&known.host, SocketAddr::new(known.addr, known.port));
        }
    }
    Ok(builder)
}
