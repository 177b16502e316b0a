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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Trust;

    fn shown(techniques: Techniques) -> String {
        let config = Config { api_key: "canary".to_owned(), ..Config::default() };
        let options = Options { trust: Trust::WebPkiRoots, ..Options::default() };
        let patience = Patience::new(&config, &options.timeouts);
        let key = ApiKey::new(&config.api_key).unwrap();
        format!("{:?}", build(&config, &options, &patience, techniques, &key).unwrap())
    }

    #[test]
    fn a_minimal_client_keeps_no_headers_and_no_proxies() {
        let (plain, minimal) = (shown(Techniques::NONE), shown(Techniques::NONE.with(Technique::MinimalClientState)));
        assert!(plain.contains("application/json") && plain.contains("x-goog-api-key"), "{plain}");
        assert!(!minimal.contains("application/json") && !minimal.contains("x-goog-api-key"), "{minimal}");
        assert!(plain.contains("proxies") && !minimal.contains("proxies"), "{plain}\n{minimal}");
        assert!(!plain.contains("canary"), "{plain}");
    }
}
