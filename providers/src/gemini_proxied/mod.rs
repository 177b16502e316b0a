//! The level `proxied`: no TLS in the process. It speaks plain HTTP/1.1 to a proxy on the same machine, and the proxy does the TLS.
//!
//! What that saves, and what it costs:
//! - Roots, sessions, handshakes and record buffers are another process's, one for all processes that use it. They are not gone.
//! - **The key passes to the proxy in the clear.** It never leaves the machine so, but whoever stands at the proxy's address sees it. A
//!   Unix socket in a folder of the user's own is therefore the better address: only that user can listen there. On a TCP port of the
//!   loopback any user of the machine could, before the proxy does; and one with `CAP_NET_RAW` can read along. An address beyond the
//!   loopback is refused.
//! - Whom to trust, with which cryptography, and at which address the server is, are the proxy's to know: given to this level they are
//!   refused, so that nobody takes them to be in force.
//!
//! The HTTP is that of [`bare`](crate::gemini_bare_http), over a socket without TLS, with its visitor form. The proxy of this crate is
//! [`TlsProxy`]; any other will do that passes requests on to the one server.

mod address;
mod proxy;

use std::ops::ControlFlow;

use crate::call::{Call, Reply};
use crate::error::Error;
use crate::gemini_bare_http::{BareGeminiProvider, Visitor};
use crate::options::{Crypto, Options, Trust};
use crate::provider::Provider;
use crate::types::{GenerateContentRequest, GenerateContentResponse};

pub use crate::config::Config as ProxiedGeminiConfig;
pub use address::ProxyAddress;
pub use proxy::TlsProxy;

/// The level `proxied`.
#[derive(Debug)]
pub struct ProxiedGeminiProvider(BareGeminiProvider);

impl ProxiedGeminiProvider {
    /// A provider that asks by way of `proxy`, with everything else as it comes. [`base_url`](ProxiedGeminiConfig::base_url) is the
    /// server's, which the proxy must be set up for.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration that cannot work.
    pub async fn new(config: ProxiedGeminiConfig, proxy: ProxyAddress) -> Result<Self, Error> {
        Self::with_options(config, proxy, Options::default()).await
    }

    /// A provider with `options`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a configuration or options that cannot work: a proxy that is not on this machine, roots, cryptography or
    /// addresses, which are the proxy's, and HTTP/2.
    pub async fn with_options(
        config: ProxiedGeminiConfig,
        proxy: ProxyAddress,
        options: Options,
    ) -> Result<Self, Error> {
        proxy.check()?;
        let foreign = [
            ("trust", !matches!(options.trust, Trust::Platform)),
            ("crypto", options.crypto != Crypto::Default),
            ("resolve", !options.resolve.is_empty()),
        ];
        if let Some((name, _)) = foreign.iter().find(|(_, given)| *given) {
            return Err(Error::config(format!("proxied does no TLS: give {name} to the proxy")));
        }
        BareGeminiProvider::through(proxy, config, options).map(Self)
    }

    /// Sends `generateContent` and tells the answer to `visitor`: [`BareGeminiProvider::generate_with`].
    ///
    /// # Errors
    ///
    /// Any [`Error`]. What was told before it was part of the answer.
    pub async fn generate_with<V: Visitor + Send>(
        &self,
        request: &GenerateContentRequest,
        visitor: &mut V,
    ) -> Result<(), Error> {
        self.0.generate_with(request, visitor).await
    }

    /// Sends `streamGenerateContent` and tells each event to `visitor`: [`BareGeminiProvider::stream_with`].
    ///
    /// # Errors
    ///
    /// Any [`Error`], as [`Provider::stream`].
    pub async fn stream_with<V: Visitor + Send>(
        &self,
        request: &GenerateContentRequest,
        visitor: &mut V,
    ) -> Result<(), Error> {
        self.0.stream_with(request, visitor).await
    }
}

impl Provider for ProxiedGeminiProvider {
    async fn generate(&self, request: &GenerateContentRequest) -> Result<GenerateContentResponse, Error> {
        self.0.generate(request).await
    }

    async fn stream<F>(&self, request: &GenerateContentRequest, on_event: F) -> Result<(), Error>
    where
        F: FnMut(&GenerateContentResponse) -> ControlFlow<()> + Send,
    {
        self.0.stream(request, on_event).await
    }

    async fn call(&self, call: &Call) -> Result<Reply, Error> {
        self.0.call(call).await
    }

    fn default_model(&self) -> &str {
        self.0.default_model()
    }
}
