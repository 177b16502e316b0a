//! The one TLS session that is remembered: a provider speaks to one server.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls_pki_types::ServerName;

/// Remembers the last session of the last server. rustls's own store keeps up to eight tickets for each server, and with every ticket
/// a copy of the server's chain of certificates.
#[derive(Debug, Default)]
pub(crate) struct OneSession(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    server: ServerName<'static>,
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    /// A ticket is used once, so that nobody can tell that two connections are one client's.
    tls13: Option<Tls13ClientSessionValue>,
}

impl OneSession {
    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        // What is kept is replaced whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is kept of `server`, which takes the place of any other.
    fn keep(&self, server: ServerName<'static>, change: impl FnOnce(&mut Kept)) {
        let mut slot = self.lock();
        let kept = slot.take().filter(|kept| kept.server == server);
        change(slot.insert(kept.unwrap_or(Kept { server, group: None, tls12: None, tls13: None })));
    }

    fn of<T>(&self, server: &ServerName<'_>, what: impl FnOnce(&mut Kept) -> Option<T>) -> Option<T> {
        self.lock().as_mut().filter(|kept| kept.server == *server).and_then(what)
    }
}

impl ClientSessionStore for OneSession {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.keep(server, |kept| kept.group = Some(group));
    }

    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        self.of(server, |kept| kept.group)
    }

    fn set_tls12_session(&self, server: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.keep(server, |kept| kept.tls12 = Some(session));
    }

    fn tls12_session(&self, server: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.of(server, |kept| kept.tls12.clone())
    }

    fn remove_tls12_session(&self, server: &ServerName<'static>) {
        self.of(server, |kept| kept.tls12.take());
    }

    fn insert_tls13_ticket(&self, server: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.keep(server, |kept| kept.tls13 = Some(ticket));
    }

    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.of(server, |kept| kept.tls13.take())
    }
}
