//! One connection: TCP, and TLS on it by rustls's unbuffered API; after the handshake, where that may be, by [`Records`].
//!
//! The bytes of records lie in buffers from a pool that all connections share. One is taken when the socket has something to say and
//! goes back when everything in it was understood, so a connection that waits, idle or in flight, holds none.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::client::UnbufferedClientConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{ClientConfig, ProtocolVersion};
use rustls_pki_types::ServerName;

use super::records::{Records, Refusal, Tickets};
use super::socket::Socket;
use crate::net::{BufferPool, Lease, Origin};

/// The most plain bytes of one record.
const RECORD: usize = 16 << 10;
/// Room for one record with everything around it, by which buffers grow.
pub(super) const RECORD_ROOM: usize = RECORD + 512;
/// The most that is gathered before it can be understood: a handshake message, such as a chain of certificates.
const MAX_GATHERED: usize = 128 << 10;

/// A connection to the origin.
pub(super) struct Connection {
    stream: Socket,
    tls: Tls,
    /// Where buffers come from.
    pool: Arc<BufferPool>,
    /// Records that were not understood yet.
    incoming: Option<Lease>,
    /// The peer will say nothing more.
    ended: bool,
}

/// Who encrypts.
enum Tls {
    /// Nobody: it is done elsewhere.
    Plain,
    /// rustls: the handshake, and what follows it.
    Rustls(Box<UnbufferedClientConnection>),
    /// Ourselves with rustls's keys, after the handshake.
    Records(Records),
}

/// What TLS needs next.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// More records, to be connected at all.
    Blocked,
    /// Nothing: it is connected, and all records there are were understood.
    Open,
}

impl Connection {
    /// Connects, and verifies whom to. A connection is moved often: it lies in a box.
    pub(super) async fn open(
        origin: &Origin,
        config: Option<&Arc<ClientConfig>>,
        pool: &Arc<BufferPool>,
        tickets: &Tickets,
    ) -> io::Result<Box<Self>> {
        let stream = Socket::open(origin).await?;
        let begin = |(name, config): (&ServerName<'static>, &Arc<ClientConfig>)| {
            UnbufferedClientConnection::new(Arc::clone(config), name.clone()).map(Box::new)
        };
        let tls = origin.name.as_ref().zip(config).map(begin).transpose().map_err(io::Error::other)?;
        let tls = tls.map_or(Tls::Plain, Tls::Rustls);
        let mut connection = Self { stream, tls, pool: Arc::clone(pool), incoming: None, ended: false };
        connection.handshake().await?;
        if config.is_some_and(|config| config.enable_secret_extraction) {
            connection = connection.take_over(tickets)?;
        }
        Ok(Box::new(connection))
    }

    /// Lets rustls's connection go after the handshake, if nothing is on its way through it.
    fn take_over(self, tickets: &Tickets) -> io::Result<Self> {
        match self.tls {
            Tls::Rustls(tls)
                if tls.protocol_version() == Some(ProtocolVersion::TLSv1_3)
                    && self.incoming.is_none()
                    && !self.ended =>
            {
                let records = Records::take_over(*tls, tickets).map_err(io::Error::other)?;
                Ok(Self { tls: Tls::Records(records), ..self })
            }
            tls => Ok(Self { tls, ..self }),
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self.tls, Tls::Plain)
    }

    /// Sends all of `request`.
    pub(super) async fn send(&mut self, request: &[u8]) -> io::Result<()> {
        if self.is_plain() {
            return self.stream.write_all(request).await;
        }
        for piece in request.chunks(RECORD) {
            match &mut self.tls {
                Tls::Records(records) if !self.ended => {
                    let sealed = records.write(piece).map_err(io::Error::other)?;
                    self.stream.write_all(&sealed).await?;
                }
                _ => {
                    let mut outgoing = self.pool.lease();
                    self.encrypt(piece, outgoing.vec())?;
                    self.stream.write_all(outgoing.as_ref()).await?;
                }
            }
        }
        Ok(())
    }

    /// Waits for more of the answer and puts it behind what is in `inbox`, which gets a buffer only when there is something to put in.
    /// `false`: the peer has said all, and has said so.
    pub(super) async fn receive(&mut self, inbox: &mut Option<Lease>) -> io::Result<bool> {
        loop {
            if self.ended {
                return Ok(false);
            }
            let count = poll_fn(|context| self.poll_read(context, inbox)).await?;
            if self.is_plain() {
                self.ended = count == 0;
                return Ok(count > 0);
            }
            if count == 0 {
                // Anybody can cut a connection; only the peer can say that it is the end.
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the connection was cut without a close_notify",
                ));
            }
            let before = inbox.as_ref().map_or(0, |inbox| inbox.as_ref().len());
            let mut outgoing = None;
            let turn = self.turn(inbox, &mut outgoing);
            if let Some(outgoing) = outgoing {
                // Seldom: new keys, or an alert that says why not. In a box, so that waiting has no room for it.
                let flushed = Box::pin(self.flush(outgoing)).await;
                turn?;
                flushed?;
            } else {
                turn?;
            }
            if inbox.as_ref().map_or(0, |inbox| inbox.as_ref().len()) > before {
                return Ok(true);
            }
        }
    }

    /// Whether a connection that was idle can be used: nothing was said on it that nobody asked for, not even half a record, and
    /// it was not ended.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut inbox = None;
        let quiet = match self.read(&mut inbox) {
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            Ok(0) => false,
            Ok(_) if self.is_plain() => false,
            // Tickets for later sessions may come at any time.
            Ok(_) => {
                let mut outgoing = None;
                self.turn(&mut inbox, &mut outgoing).is_ok() && inbox.is_none() && outgoing.is_none()
            }
        };
        quiet
            && !self.ended
            && self.incoming.is_none()
            && !matches!(&self.tls, Tls::Records(records) if records.is_spent())
    }

    async fn handshake(&mut self) -> io::Result<()> {
        if self.is_plain() {
            return Ok(());
        }
        loop {
            let (mut inbox, mut outgoing) = (None, None);
            let turn = self.turn(&mut inbox, &mut outgoing);
            // An alert that says why not is sent all the same.
            let flushed = match outgoing {
                Some(outgoing) => self.flush(outgoing).await,
                None => Ok(()),
            };
            if turn? == Turn::Open {
                return flushed;
            }
            flushed?;
            if poll_fn(|context| self.poll_read(context, &mut inbox)).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "cut during the TLS handshake"));
            }
        }
    }

    /// Waits for what the socket has, as [`read`](Self::read) takes it. Polled by hand, because a wait by tokio's `readable` is a node of
    /// 136 bytes in everything that waits.
    fn poll_read(&mut self, context: &mut Context<'_>, inbox: &mut Option<Lease>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            match self.read(inbox) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// Reads what the socket has, without waiting: records for TLS, else straight into `inbox`.
    fn read(&mut self, inbox: &mut Option<Lease>) -> io::Result<usize> {
        let plain = self.is_plain();
        let place = if plain { inbox } else { &mut self.incoming };
        let fresh = place.is_none();
        let buffer = place.get_or_insert_with(|| self.pool.lease()).vec();
        if !plain && buffer.len() >= MAX_GATHERED {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a TLS message has no end"));
        }
        if buffer.capacity() - buffer.len() < RECORD_ROOM / 2 {
            buffer.reserve(RECORD_ROOM);
        }
        let read = self.stream.try_read_buf(buffer);
        if fresh && !matches!(read, Ok(1..)) {
            *place = None;
        }
        read
    }

    async fn flush(&mut self, outgoing: Lease) -> io::Result<()> {
        self.stream.write_all(outgoing.as_ref()).await
    }

    /// Lets TLS understand all records there are: what they say goes to `inbox`, what must be answered to `outgoing`.
    fn turn(&mut self, inbox: &mut Option<Lease>, outgoing: &mut Option<Lease>) -> io::Result<Turn> {
        let tls = match &mut self.tls {
            Tls::Plain => return Ok(Turn::Open),
            Tls::Records(_) => return self.read_records(inbox, outgoing),
            Tls::Rustls(tls) => tls,
        };
        loop {
            let records = self.incoming.as_mut().map_or(&mut [][..], |incoming| incoming.vec().as_mut_slice());
            let UnbufferedStatus { mut discard, state } = tls.process_tls_records(records);
            let failed = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    let plain = inbox.get_or_insert_with(|| self.pool.lease()).vec();
                    let mut failed = None;
                    while let Some(record) = traffic.next_record() {
                        match record {
                            Ok(record) => {
                                discard += record.discard;
                                plain.extend_from_slice(record.payload);
                            }
                            Err(error) => failed = Some(error),
                        }
                    }
                    failed.map_or(Ok(None), Err)
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    let out = outgoing.get_or_insert_with(|| self.pool.lease()).vec();
                    grow(out, 0, |room| match data.encode(room) {
                        Ok(count) => Ok(count),
                        Err(EncodeError::InsufficientSize(error)) => Err(Some(error.required_size)),
                        Err(EncodeError::AlreadyEncoded) => Err(None),
                    })?;
                    Ok(None)
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    // It is in `outgoing`, which is sent before anything else is.
                    data.done();
                    Ok(None)
                }
                Ok(ConnectionState::WriteTraffic(_)) => Ok(Some(Turn::Open)),
                Ok(ConnectionState::BlockedHandshake) => Ok(Some(Turn::Blocked)),
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    self.ended = true;
                    Ok(Some(Turn::Open))
                }
                Ok(_) => Ok(Some(Turn::Blocked)),
                Err(error) => Err(error),
            };
            discard_front(&mut self.incoming, discard);
            match failed {
                Ok(None) => {}
                Ok(Some(turn)) => return Ok(turn),
                Err(error) => return self.refuse(error, outgoing),
            }
        }
    }

    /// The same with our own records.
    fn read_records(&mut self, inbox: &mut Option<Lease>, outgoing: &mut Option<Lease>) -> io::Result<Turn> {
        let (Tls::Records(records), Some(incoming)) = (&mut self.tls, &mut self.incoming) else {
            return Ok(Turn::Open);
        };
        let pool = &self.pool;
        let (count, understood) = records.read(incoming.vec(), |plain| {
            inbox.get_or_insert_with(|| pool.lease()).vec().extend_from_slice(plain);
        });
        discard_front(&mut self.incoming, count);
        match understood {
            Ok(ended) => {
                self.ended |= ended;
                Ok(Turn::Open)
            }
            Err(Refusal { error, alert }) => {
                self.ended = true;
                if let Some(alert) = alert {
                    outgoing.get_or_insert_with(|| self.pool.lease()).vec().extend_from_slice(&alert);
                }
                Err(io::Error::new(io::ErrorKind::InvalidData, error))
            }
        }
    }

    /// Tells the peer why the connection ends, where TLS has something to tell.
    fn refuse(&mut self, error: rustls::Error, outgoing: &mut Option<Lease>) -> io::Result<Turn> {
        self.ended = true;
        // With the records that are left: rustls remembers how far it read in them, and panics where they are gone.
        let records = self.incoming.as_mut().map_or(&mut [][..], |incoming| incoming.vec().as_mut_slice());
        if let Tls::Rustls(tls) = &mut self.tls
            && let UnbufferedStatus { state: Ok(ConnectionState::EncodeTlsData(mut data)), .. } =
                tls.process_tls_records(records)
        {
            let out = outgoing.get_or_insert_with(|| self.pool.lease()).vec();
            let _ = grow(out, 0, |room| {
                data.encode(room).map_err(|error| match error {
                    EncodeError::InsufficientSize(error) => Some(error.required_size),
                    EncodeError::AlreadyEncoded => None,
                })
            });
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Puts `piece`, as rustls encrypts it, behind what is in `outgoing`.
    fn encrypt(&mut self, piece: &[u8], outgoing: &mut Vec<u8>) -> io::Result<()> {
        let mut answers = None;
        // What came meanwhile is understood first, so that nothing but the way to write is left.
        let mut unasked = None;
        self.turn(&mut unasked, &mut answers)?;
        if let Some(answers) = &answers {
            outgoing.extend_from_slice(answers.as_ref());
        }
        let tls = match &mut self.tls {
            Tls::Rustls(tls) if !self.ended && unasked.is_none() => tls,
            _ => return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the peer has ended the connection")),
        };
        let records = self.incoming.as_mut().map_or(&mut [][..], |incoming| incoming.vec().as_mut_slice());
        let UnbufferedStatus { discard, state } = tls.process_tls_records(records);
        let written = match state.map_err(io::Error::other)? {
            ConnectionState::WriteTraffic(mut traffic) => {
                grow(outgoing, piece.len() + 64, |room| match traffic.encrypt(piece, room) {
                    Ok(count) => Ok(count),
                    Err(EncryptError::InsufficientSize(error)) => Err(Some(error.required_size)),
                    Err(EncryptError::EncryptExhausted) => Err(None),
                })
            }
            other => Err(io::Error::other(format!("TLS cannot write: {other:?}"))),
        };
        discard_front(&mut self.incoming, discard);
        written
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("tls", &!self.is_plain()).field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Lets `write` write at the end of a buffer, with more room when it asks for it. Room is filled with zeros before it is written in:
/// what is asked for in vain is memory touched in vain.
fn grow(
    buffer: &mut Vec<u8>,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> io::Result<()> {
    let start = buffer.len();
    loop {
        buffer.reserve_exact(room);
        buffer.resize(start + room, 0);
        match write(&mut buffer[start..]) {
            Ok(count) => {
                buffer.truncate(start + count);
                return Ok(());
            }
            Err(Some(required)) if required > room => room = required,
            Err(_) => return Err(io::Error::other("TLS has no keys left to write with")),
        }
    }
}

/// Removes what was understood; a buffer with nothing left in it goes back to the pool.
fn discard_front(incoming: &mut Option<Lease>, count: usize) {
    if let Some(buffer) = incoming {
        let bytes = buffer.vec();
        if count >= bytes.len() {
            *incoming = None;
        } else if count > 0 {
            bytes.drain(..count);
        }
    }
}

#[cfg(test)]
mod tests;
