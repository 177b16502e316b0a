//! One port: TLS or plain by the first byte, HTTP/1.1 or HTTP/2 by ALPN or by the first words.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::control_server::ControlServer;
use super::lockstep::{Pacer, Until};
use super::origin::Origin;
use super::script::Script;
use super::state::State;
use super::wire::Wire;
use super::{MockError, MockOptions, Ready, h1, h2, limits, tls};

/// What every connection needs.
pub(super) struct Shared {
    pub(super) state: Arc<State>,
    pub(super) origin: Origin,
    pub(super) pacer: Pacer,
    pub(super) default_script: Script,
    pub(super) max_concurrent_streams: Option<u32>,
}

pub(super) async fn serve(options: MockOptions, on_ready: impl FnOnce(&Ready)) -> Result<(), MockError> {
    let open_files = limits::raise_open_files();
    let acceptor = TlsAcceptor::from(tls::server_config(options.identity.as_ref())?);
    let (v4, v6) = listen(options.port)?;
    let port = v4.local_addr().map_err(|source| MockError::System { what: "the port", source })?.port();
    let ended = Arc::new(Notify::new());
    let state = Arc::new(State::new());
    let mut tasks = JoinSet::new();
    if let Some(path) = &options.control {
        let server = ControlServer::bind(path).map_err(|source| MockError::Control { path: path.clone(), source })?;
        tasks.spawn(server.run(Arc::clone(&state), Arc::clone(&ended)));
    }
    let shared = Arc::new(Shared {
        state,
        origin: Origin::start(options.traffic.as_deref(), &options.default_script).await?,
        pacer: Pacer::start().map_err(|source| MockError::System { what: "the lock-step thread", source })?,
        default_script: options.default_script,
        max_concurrent_streams: options.max_concurrent_streams,
    });
    let on_signal = |kind| signal(kind).map_err(|source| MockError::System { what: "a signal handler", source });
    let (mut interrupt, mut terminate) = (on_signal(SignalKind::interrupt())?, on_signal(SignalKind::terminate())?);
    on_ready(&Ready {
        port,
        base_url_tls: format!("https://localhost:{port}"),
        base_url_plain: format!("http://localhost:{port}"),
        open_files,
    });

    loop {
        let accepted = tokio::select! {
            accepted = v4.accept() => accepted,
            accepted = accept(v6.as_ref()) => accepted,
            Some(_) = tasks.join_next() => continue,
            () = ended.notified() => break,
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        };
        match accepted {
            Ok((tcp, _)) => {
                tasks.spawn(connection(tcp, acceptor.clone(), Arc::clone(&shared)));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                // Out of file descriptors: others must close first.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    tasks.shutdown().await;
    Ok(())
}

/// Both loopbacks on one port, because `localhost` means either; IPv6 only where there is such a thing.
/// Connections that may wait to be accepted, as far as the kernel allows (`net.core.somaxconn`). The usual 128 overflow when a thousand
/// clients connect at once, and who is dropped tries again only after seconds.
const WAITING: u32 = 16_384;

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

fn listen(port: u16) -> Result<(TcpListener, Option<TcpListener>), MockError> {
    let mut attempts = if port == 0 { 64 } else { 1 };
    loop {
        attempts -= 1;
        // The last attempts leave the choice to the system.
        let wanted = if port == 0 && attempts > 16 { even_port() } else { port };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, wanted));
        let failed = |address| move |source| MockError::Listen { address, source };
        let v4 = match bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempts > 0 => continue,
            bound => bound.map_err(failed(address))?,
        };
        let chosen = v4.local_addr().map_err(failed(address))?.port();
        let address = SocketAddr::from((Ipv6Addr::LOCALHOST, chosen));
        match bind(address) {
            Ok(v6) => return Ok((v4, Some(v6))),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempts > 0 => {}
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(failed(address)(error)),
            Err(_) => return Ok((v4, None)),
        }
    }
}

/// A port of five digits between 3 and 9. HTTP/2 packs those in six bits each and 0 to 2 in five (RFC 7541, appendix B), so that
/// with these `:authority` has the same length in every run.
fn even_port() -> u16 {
    let mut random = rand::rng();
    let first = random.random_range(3..=5_u16);
    (0..4).fold(first, |port, _| port * 10 + random.random_range(3..=9))
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

async fn connection(tcp: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let _open = shared.state.connection();
    // How a connection ended matters to its client alone: what was not answered is not counted as answered.
    if let Err(error) = converse(tcp, acceptor, &shared).await {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn converse(tcp: TcpStream, acceptor: TlsAcceptor, shared: &Arc<Shared>) -> io::Result<()> {
    let mut wire = Wire::new(tcp)?;
    let meter = wire.meter();
    match wire.look_ahead(H2_PREFACE).await?.first() {
        None => Ok(()),
        Some(&TLS_HANDSHAKE) => {
            let tls = match acceptor.accept(wire).await {
                Ok(tls) => tls,
                Err(error) => {
                    shared.state.count(|stats| stats.handshakes_failed += 1);
                    return Err(error);
                }
            };
            // The session tickets are a step of their own: else they are read with the first answer, or not, by chance.
            let until = if shared.state.under_way() == 0 { Until::Asleep } else { Until::Drained };
            shared.pacer.settled(&meter, until).await;
            let two = tls.get_ref().1.alpn_protocol() == Some(b"h2");
            if two { h2::serve(tls, meter, shared, true).await } else { h1::serve(tls, &meter, shared, true).await }
        }
        Some(_) => {
            if wire.looked_like(H2_PREFACE) {
                h2::serve(wire, meter, shared, false).await
            } else {
                h1::serve(wire, &meter, shared, false).await
            }
        }
    }
}

/// The content type of a TLS record that carries a handshake.
const TLS_HANDSHAKE: u8 = 0x16;
/// How every HTTP/2 connection begins that no ALPN has agreed on.
const H2_PREFACE: &[u8] = b"PRI ";
