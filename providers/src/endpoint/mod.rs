//! What the API offers besides `generateContent`: each endpoint described once, for all levels.
//!
//! An [`Endpoint`] is a [`Call`] and how its answer is read. [`Provider`](crate::Provider) has a method for each endpoint of this crate;
//! one that is not here is asked with [`Provider::ask`](crate::Provider::ask):
//!
//! ```no_run
//! use plimsoll_providers::http::Method;
//! use plimsoll_providers::{Call, Endpoint, Error, Provider};
//!
//! # async fn example(provider: impl Provider) -> Result<(), Error> {
//! let batches = Endpoint::<serde_json::Value>::json(Call::new(Method::GET, "batches"), "a list of batches");
//! println!("{}", provider.ask(Ok(batches)).await?);
//! # Ok(())
//! # }
//! ```
//!
//! - `describe`: the endpoints
//! - `name`: what may stand in a path
//! - `pager`: lists, page by page
//! - `upload`: files, which take several calls

pub(crate) mod describe;
mod name;
mod pager;
pub(crate) mod upload;

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::call::{Call, Reply};
use crate::error::{ApiError, Error};

pub(crate) use name::model_path;
pub use pager::{Listing, Pager};

/// An endpoint: what is sent, and what comes back.
pub struct Endpoint<T> {
    pub(crate) call: Call,
    pub(crate) read: fn(&Reply, &'static str) -> Result<T, Error>,
    pub(crate) expected: &'static str,
}

impl<T: DeserializeOwned> Endpoint<T> {
    /// An endpoint whose answer is JSON. `expected` names it in errors: "a list of models".
    pub fn json(call: Call, expected: &'static str) -> Self {
        Self { call, read: read_json, expected }
    }
}

impl Endpoint<()> {
    /// An endpoint whose answer says only that it was done.
    pub fn nothing(call: Call, expected: &'static str) -> Self {
        Self { call, read: |reply, _| refused(&reply.body).map_or(Ok(()), Err), expected }
    }
}

impl<T> fmt::Debug for Endpoint<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?} for {})", self.call, self.expected)
    }
}

fn read_json<T: DeserializeOwned>(reply: &Reply, expected: &'static str) -> Result<T, Error> {
    match refused(&reply.body) {
        Some(error) => Err(error),
        None => serde_json::from_slice(&reply.body).map_err(|error| Error::answer(expected, error)),
    }
}

/// An object with an `error` is an error under whichever HTTP status it came, unless it is a resource, which may have one in it.
fn refused(body: &[u8]) -> Option<Error> {
    #[derive(Deserialize)]
    struct Probe {
        error: Option<Value>,
        name: Option<IgnoredAny>,
    }
    match serde_json::from_slice(body).ok()? {
        Probe { error: Some(error), name: None } => {
            ApiError::from_value(error).map(|error| Error::Api(Box::new(error)))
        }
        _ => None,
    }
}
