//! Where requests go, and what they ask.
#![allow(dead_code, reason = "each rung uses its own part")]

use std::fmt::Display;
use std::net::{SocketAddr, ToSocketAddrs};

use plimsoll_worker::{Env, Failure, Kind};

/// The server of a base URL.
pub(crate) struct Server<'a> {
    /// `localhost:34567`.
    pub(crate) authority: &'a str,
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// `/s/chat`.
    pub(crate) path: &'a str,
}

impl<'a> Server<'a> {
    pub(crate) fn of(base_url: &'a str) -> Result<Self, Failure> {
        let odd = || Failure::other(format!("the base URL {base_url:?} names no host and port"));
        let (_, rest) = base_url.split_once("://").ok_or_else(odd)?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let (host, port) = authority.rsplit_once(':').ok_or_else(odd)?;
        Ok(Self { authority, host, port: port.parse().map_err(|_| odd())?, path })
    }

    /// By `getaddrinfo`, on this thread, as every rung from `dns` on asks for it, once.
    pub(crate) fn address(&self) -> Result<SocketAddr, Failure> {
        let mut found = (self.host, self.port).to_socket_addrs().map_err(transport)?;
        found.next().ok_or_else(|| transport(format!("{} has no address", self.host)))
    }
}

pub(crate) fn transport(error: impl Display) -> Failure {
    Failure::new(Kind::Transport, error)
}

/// The body of every request, made without a JSON library.
pub(crate) fn question(env: &Env) -> String {
    format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":{}}}]}}]}}"#, quoted(&env.prompt))
}

/// A text as JSON has it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Of the control characters, none needs more than four digits.
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
