//! The HTTP client, by the techniques that concern it.

use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::config::Config;
use crate::error::Error;
use crate::net::{self, API_KEY_HEADER, ApiKey, Patience, Sessions};
use crate::options::{Options, Protocol};
use crate::technique::{Technique, Techniques};

pub(super) fn build(
    config: &Config,
    options: &Options,
    patience: &Patience,
    techniques: Techniques,
    key: &ApiKey,
) -> Result<Client, Error> {
    let protocol = match options.protocol {
        Protocol::Auto if techniques.contains(Technique::Http1Only) => Protocol::Http1,
        asked => asked,
    };
    let minimal = techniques.contains(Technique::MinimalClientState);
    let sessions = if minimal { Sessions::One } else { Sessions::Many };
    let mut builder = net::client_builder(config, options, patience, protocol)?
        .tls_backend_preconfigured(net::tls_config(&options.trust, options.crypto, protocol, sessions)?);
    if techniques.contains(Technique::NoIdleConnections) {
        builder = builder.pool_max_idle_per_host(0);
    }
    builder = if minimal {
        builder.no_proxy().referer(false)
    } else {
        builder.default_headers(HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (API_KEY_HEADER, key.header()),
        ]))
    };
    builder.build().map_err(|error| Error::config(format!("the HTTP client cannot be built: {}", error.without_url())))
}
