//! The same requests by reqwest, over the same TLS.

use bytes::Bytes;
use plimsoll_worker::{Env, Failure, Kind};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, redirect};
use rustls::crypto::aws_lc_rs;

use crate::pinned::roots;
use crate::server::{Server, question, transport};

/// The client of the rungs `reqwest` and `json`.
pub(crate) struct Library {
    client: Client,
    url: String,
    key: HeaderValue,
    body: Bytes,
}

/// Makes the client: HTTP/1.1 over the TLS of the rung `tls-aws-lc`, to the address that was looked up as in the rungs below.
///
/// # Errors
/// When the server is not known or the client cannot be built.
pub(crate) async fn library(env: Env) -> Result<Library, Failure> {
    let server = Server::of(&env.base_url)?;
    let builder = Client::builder()
        .tls_backend_preconfigured(roots(&env, aws_lc_rs::default_provider())?)
        .http1_only()
        .redirect(redirect::Policy::none())
        .resolve(server.host, server.address()?);
    let mut key = HeaderValue::from_str(&env.key).map_err(|_| Failure::other("the key cannot stand in a header"))?;
    key.set_sensitive(true);
    Ok(Library {
        client: builder.build()?,
        url: format!("{}/v1beta/models/{}:generateContent", env.base_url, env.model),
        key,
        body: question(&env).into(),
    })
}

impl Library {
    /// Asks once and reads the body whole.
    ///
    /// # Errors
    /// When there is no answer, or one of another status than 200.
    pub(crate) async fn body(&self) -> Result<Bytes, Failure> {
        let request = self.client.post(&self.url).header("x-goog-api-key", self.key.clone());
        let request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = request.body(self.body.clone()).send().await.map_err(transport)?;
        match answer.status() {
            reqwest::StatusCode::OK => answer.bytes().await.map_err(transport),
            other => Err(Failure::new(Kind::Status, other.as_u16())),
        }
    }
}
