//! The records of a TLS 1.3 connection whose handshake rustls has done.
//!
//! After a handshake two AEAD keys and two counters are enough to read and write. rustls keeps with them, for as long as a connection is
//! open, the server's chain of certificates, its own buffers' lists, and a key schedule: 4 KiB with the chain of three small certificates
//! that the mock shows, more with a longer one. [`Records`] takes the keys over by rustls's interface for whoever encrypts elsewhere
//! ([`rustls::kernel`]) and lets the rest go.
//!
//! # The trade
//!
//! The handshake is rustls's, with all that is verified in it, and so is the cryptography: the keys lie in the same objects that rustls
//! makes for itself, and the numbers that make each nonce another go on where rustls was. What is ours is what lies between, sections 4.6,
//! 5 and 6 of RFC 8446: the framing of records, which types may come, alerts, key updates, limits. It is as strict as rustls or stricter, and held
//! to rustls's server by tests; a mistake in it would be ours all the same, so that there is a switch
//! ([`LeanRecords`](crate::Technique::LeanRecords)) to leave it out. TLS 1.2 stays with rustls.
//!
//! - Traffic keys pass through as rustls's types, which have no `Debug` and overwrite the key when they are dropped. None is written anywhere.
//! - The keys of the next [`SPARE`] updates of each direction are derived and the key schedule goes, with the secrets that all later keys
//!   would follow from. A connection on which one more update is asked for ends with an error, and one without spare keys is not used
//!   again. rustls's own server updates its keys after 2^24 records.
//! - One ticket is remembered for the next handshake, so that one connection at a time is enough to wait for it ([`Tickets`]): it keeps the key
//!   schedule until its first answer begins, which is when servers have sent their tickets. All other tickets are passed over, as a client may.

use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, MessageDecrypter, MessageEncrypter, OutboundPlainMessage,
};
use rustls::kernel::KernelConnection;
use rustls::{
    AlertDescription, ConnectionTrafficSecrets, ContentType, Error, HandshakeType, InvalidMessage, PeerMisbehaved,
    ProtocolVersion, Tls13CipherSuite,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many updates of its keys a direction can follow once the key schedule is gone.
const SPARE: usize = 2;
/// Type, version and length of a record.
const HEADER: usize = 5;
/// The most bytes behind a header: plain ones, their type, and what encryption adds.
const MAX_SEALED: usize = (16 << 10) + 256;
/// The longest handshake message, as rustls has it.
const MAX_MESSAGE: usize = 0xffff;
/// The most records in a row without a byte in them, as rustls has it.
const MAX_EMPTY: u8 = 32;
/// The most updates of keys before the first answer, as rustls has it.
const MAX_UPDATES: u8 = 32;
/// The most alerts that are only a warning, as rustls has it.
const MAX_WARNINGS: u8 = 4;
/// Answers an update of the peer's keys without asking for another.
const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 0];

/// A TLS 1.3 connection after its handshake: bytes in, bytes out.
pub(super) struct Records {
    suite: &'static Tls13CipherSuite,
    encrypter: Box<dyn MessageEncrypter>,
    /// The number of the next record to write. It is part of the nonce: no key sees one twice.
    written: u64,
    /// How many records one key may encrypt.
    pub(super) limit: u64,
    decrypter: Box<dyn MessageDecrypter>,
    /// The number of the next record to read.
    read: u64,
    keys: Keys,
    /// A handshake message of which not all came.
    partial: Vec<u8>,
    /// The peer has asked for new keys of ours, which come before our next word.
    update_due: bool,
    empty: u8,
    updates: u8,
    warnings: u8,
}

/// Where later keys come from.
enum Keys {
    /// rustls's key schedule, until the first answer begins, and the turn to have it.
    Schedule(Box<(Schedule, OwnedSemaphorePermit)>),
    /// What was derived when it went.
    Spare(Box<Spare>),
}

type Schedule = KernelConnection<ClientConnectionData>;

/// Whose turn it is to wait for a ticket.
#[derive(Debug, Clone)]
pub(super) struct Tickets(Arc<Semaphore>);

impl Default for Tickets {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// Later keys of both directions, the next one first.
#[derive(Default)]
struct Spare {
    write: [Option<ConnectionTrafficSecrets>; SPARE],
    read: [Option<ConnectionTrafficSecrets>; SPARE],
}

#[derive(Clone, Copy)]
enum Direction {
    Write,
    Read,
}

/// How much was understood, and whether the peer has said that it is the end.
pub(super) type Understood = (usize, Result<bool, Refusal>);

/// Why a connection ends, and the record that says so to the peer.
pub(super) struct Refusal {
    pub(super) error: Error,
    pub(super) alert: Option<Vec<u8>>,
}

impl Records {
    /// Takes over a connection whose handshake is complete, and on which nothing is left to be understood or sent.
    ///
    /// It must not have written yet: AWS-LC's keys want their first record to have the number 0.
    pub(super) fn take_over(tls: UnbufferedClientConnection, tickets: &Tickets) -> Result<Self, Error> {
        let (secrets, mut schedule) = tls.dangerous_into_kernel_connection()?;
        let suite = schedule.negotiated_cipher_suite().tls13().ok_or_else(|| general("records are of TLS 1.3 only"))?;
        let ((written, write), (read, open)) = (secrets.tx, secrets.rx);
        let keys = match Arc::clone(&tickets.0).try_acquire_owned() {
            Ok(turn) => Keys::Schedule(Box::new((schedule, turn))),
            Err(_) => Keys::Spare(Spare::derive(&mut schedule)?),
        };
        Ok(Self {
            suite,
            encrypter: encrypter(suite, write)?,
            written,
            limit: suite.common.confidentiality_limit,
            decrypter: decrypter(suite, open)?,
            read,
            keys,
            partial: Vec::new(),
            update_due: false,
            empty: 0,
            updates: 0,
            warnings: 0,
        })
    }

    /// Understands all whole records at the beginning of `incoming`, where they are decrypted, and calls `on_plain` with what they say.
    pub(super) fn read(&mut self, incoming: &mut [u8], mut on_plain: impl FnMut(&[u8])) -> Understood {
        let mut at = 0;
        loop {
            let understood = match record_length(&incoming[at..]) {
                Ok(None) => return (at, Ok(false)),
                Ok(Some(length)) => {
                    let record = &mut incoming[at..at + length];
                    at += length;
                    self.understand(record, &mut on_plain)
                }
                Err(error) => Err(error.into()),
            };
            match understood {
                Ok(false) => {}
                // What lies behind the end says nothing.
                Ok(true) => return (incoming.len(), Ok(true)),
                Err(Unacceptable { error, alert }) => {
                    let alert = alert.and_then(|alert| self.record(ContentType::Alert, &[2, alert.into()]).ok());
                    return (incoming.len(), Err(Refusal { error, alert }));
                }
            }
        }
    }

    /// `plain` as a record, behind new keys where they are due.
    pub(super) fn write(&mut self, plain: &[u8]) -> Result<Vec<u8>, Error> {
        // The update takes the last number that the key is good for.
        if !self.update_due && self.written < self.limit.saturating_sub(1) {
            return self.record(ContentType::ApplicationData, plain);
        }
        let next = encrypter(self.suite, self.later(Direction::Write)?)?;
        let mut records = self.record(ContentType::Handshake, &KEY_UPDATE)?;
        (self.encrypter, self.written, self.update_due) = (next, 0, false);
        records.extend_from_slice(&self.record(ContentType::ApplicationData, plain)?);
        Ok(records)
    }

    /// Whether keys have been changed so often that another change could not be followed.
    pub(super) fn is_spent(&self) -> bool {
        match &self.keys {
            Keys::Schedule(_) => false,
            Keys::Spare(spare) => [&spare.write, &spare.read].into_iter().any(|keys| keys.iter().all(Option::is_none)),
        }
    }

    fn record(&mut self, typ: ContentType, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let number = self.written;
        self.written = number.checked_add(1).ok_or(Error::EncryptError)?;
        let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload: plain.into() };
        Ok(self.encrypter.encrypt(message, number)?.encode())
    }

    /// Understands one record; whether it says that it is the end.
    fn understand(&mut self, record: &mut [u8], on_plain: &mut impl FnMut(&[u8])) -> Result<bool, Unacceptable> {
        let InboundPlainMessage { typ, payload, .. } = self.decrypt(record)?;
        if !self.partial.is_empty() && typ != ContentType::Handshake {
            return Err(PeerMisbehaved::MessageInterleavedWithHandshakeMessage.into());
        }
        match typ {
            ContentType::ApplicationData if payload.is_empty() => {
                self.empty += 1;
                if self.empty > MAX_EMPTY {
                    return Err(PeerMisbehaved::TooManyEmptyFragments.into());
                }
            }
            ContentType::ApplicationData => {
                self.empty = 0;
                self.settle()?;
                on_plain(payload);
            }
            ContentType::Alert => return self.alert(payload),
            ContentType::Handshake => self.handshake(payload)?,
            other => return Err(inappropriate(other).into()),
        }
        Ok(false)
    }

    fn decrypt<'r>(&mut self, record: &'r mut [u8]) -> Result<InboundPlainMessage<'r>, Unacceptable> {
        let (header, sealed) = record.split_at_mut(HEADER);
        // After the handshake all that comes is encrypted, and says of itself that it is application data.
        let typ = ContentType::from(header[0]);
        if typ != ContentType::ApplicationData {
            return Err(inappropriate(typ).into());
        }
        let next = self.read.checked_add(1).ok_or(Error::DecryptError)?;
        let message = InboundOpaqueMessage::new(typ, ProtocolVersion::TLSv1_2, sealed);
        let plain = self.decrypter.decrypt(message, self.read)?;
        self.read = next;
        Ok(plain)
    }

    /// Understands an alert; whether it says that it is the end.
    fn alert(&mut self, payload: &[u8]) -> Result<bool, Unacceptable> {
        let &[level, description] = payload else {
            return Err(Error::from(InvalidMessage::MissingData("AlertDescription")).into());
        };
        let description = AlertDescription::from(description);
        let received = |alert| Unacceptable { error: Error::AlertReceived(description), alert };
        match (level, description) {
            (1 | 2, AlertDescription::CloseNotify) => Ok(true),
            (1, AlertDescription::UserCanceled) => {
                self.warnings += 1;
                if self.warnings > MAX_WARNINGS {
                    return Err(PeerMisbehaved::TooManyWarningAlertsReceived.into());
                }
                Ok(false)
            }
            // TLS 1.3 knows no other warning.
            (1, _) => Err(received(Some(AlertDescription::DecodeError))),
            (2, _) => Err(received(None)),
            _ => Err(received(Some(AlertDescription::IllegalParameter))),
        }
    }

    /// Understands handshake messages, of which a record may hold several, or a part of one.
    fn handshake(&mut self, payload: &[u8]) -> Result<(), Unacceptable> {
        if payload.is_empty() {
            return Err(Error::from(InvalidMessage::InvalidEmptyPayload).into());
        }
        let mut gathered = std::mem::take(&mut self.partial);
        let mut rest = if gathered.is_empty() {
            payload
        } else {
            gathered.extend_from_slice(payload);
            &gathered
        };
        while let &[typ, high, middle, low, ref behind @ ..] = rest {
            let length = u32::from_be_bytes([0, high, middle, low]) as usize;
            if length > MAX_MESSAGE {
                return Err(Error::from(InvalidMessage::HandshakePayloadTooLarge).into());
            }
            let Some((body, behind)) = behind.split_at_checked(length) else { break };
            match (HandshakeType::from(typ), &mut self.keys) {
                (HandshakeType::NewSessionTicket, Keys::Schedule(schedule)) => {
                    schedule.0.handle_new_session_ticket(body)?;
                }
                (HandshakeType::NewSessionTicket, Keys::Spare(_)) => {}
                // What lies behind it would have been encrypted with the old keys.
                (HandshakeType::KeyUpdate, _) if !behind.is_empty() => {
                    return Err(PeerMisbehaved::KeyEpochWithPendingFragment.into());
                }
                (HandshakeType::KeyUpdate, _) => self.key_update(body)?,
                (got_type, _) => {
                    let expect_types = vec![HandshakeType::NewSessionTicket, HandshakeType::KeyUpdate];
                    return Err(Error::InappropriateHandshakeMessage { expect_types, got_type }.into());
                }
            }
            rest = behind;
        }
        self.partial = rest.to_vec();
        Ok(())
    }

    fn key_update(&mut self, body: &[u8]) -> Result<(), Unacceptable> {
        let asks = match body {
            [0] => false,
            [1] => true,
            _ => {
                let error = Error::from(InvalidMessage::InvalidKeyUpdate);
                return Err(Unacceptable { error, alert: Some(AlertDescription::IllegalParameter) });
            }
        };
        self.updates = self.updates.saturating_add(1);
        if self.updates > MAX_UPDATES {
            return Err(PeerMisbehaved::TooManyKeyUpdateRequests.into());
        }
        self.decrypter = decrypter(self.suite, self.later(Direction::Read)?)?;
        self.read = 0;
        self.update_due |= asks;
        Ok(())
    }

    /// Lets the key schedule go, once the first answer begins.
    fn settle(&mut self) -> Result<(), Error> {
        if let Keys::Schedule(schedule) = &mut self.keys {
            self.keys = Keys::Spare(Spare::derive(&mut schedule.0)?);
        }
        Ok(())
    }

    /// The next keys of a direction.
    fn later(&mut self, direction: Direction) -> Result<ConnectionTrafficSecrets, Error> {
        let spare = match (&mut self.keys, direction) {
            (Keys::Schedule(schedule), Direction::Write) => return Ok(schedule.0.update_tx_secret()?.1),
            (Keys::Schedule(schedule), Direction::Read) => return Ok(schedule.0.update_rx_secret()?.1),
            (Keys::Spare(spare), Direction::Write) => &mut spare.write,
            (Keys::Spare(spare), Direction::Read) => &mut spare.read,
        };
        spare.iter_mut().find_map(Option::take).ok_or_else(|| general("its keys were changed too often"))
    }
}

impl Spare {
    fn derive(schedule: &mut Schedule) -> Result<Box<Self>, Error> {
        let mut spare = Box::<Self>::default();
        for keys in &mut spare.write {
            *keys = Some(schedule.update_tx_secret()?.1);
        }
        for keys in &mut spare.read {
            *keys = Some(schedule.update_rx_secret()?.1);
        }
        Ok(spare)
    }
}

/// The length of the record that begins here, with its header, if it is whole.
fn record_length(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let &[typ, major, _, high, low, ref behind @ ..] = bytes else { return Ok(None) };
    if let ContentType::Unknown(_) = ContentType::from(typ) {
        return Err(InvalidMessage::InvalidContentType.into());
    }
    if major != 3 {
        return Err(InvalidMessage::UnknownProtocolVersion.into());
    }
    match usize::from(u16::from_be_bytes([high, low])) {
        0 => Err(InvalidMessage::InvalidEmptyPayload.into()),
        length if length > MAX_SEALED => Err(Error::PeerSentOversizedRecord),
        length => Ok((behind.len() >= length).then_some(HEADER + length)),
    }
}

fn encrypter(suite: &Tls13CipherSuite, secrets: ConnectionTrafficSecrets) -> Result<Box<dyn MessageEncrypter>, Error> {
    let (key, iv) = parts(secrets)?;
    Ok(suite.aead_alg.encrypter(key, iv))
}

fn decrypter(suite: &Tls13CipherSuite, secrets: ConnectionTrafficSecrets) -> Result<Box<dyn MessageDecrypter>, Error> {
    let (key, iv) = parts(secrets)?;
    Ok(suite.aead_alg.decrypter(key, iv))
}

/// What an AEAD is made of; the key is overwritten when it is dropped.
fn parts(secrets: ConnectionTrafficSecrets) -> Result<(AeadKey, Iv), Error> {
    use ConnectionTrafficSecrets::{Aes128Gcm, Aes256Gcm, Chacha20Poly1305};
    match secrets {
        Aes128Gcm { key, iv } | Aes256Gcm { key, iv } | Chacha20Poly1305 { key, iv } => Ok((key, iv)),
        _ => Err(general("its cipher is not known here")),
    }
}

fn general(why: &str) -> Error {
    Error::General(why.to_owned())
}

fn inappropriate(got_type: ContentType) -> Error {
    Error::InappropriateMessage { expect_types: vec![ContentType::ApplicationData, ContentType::Handshake], got_type }
}

/// What a peer said that it may not, and the alert that answers it.
struct Unacceptable {
    error: Error,
    alert: Option<AlertDescription>,
}

impl From<Error> for Unacceptable {
    fn from(error: Error) -> Self {
        let alert = match &error {
            Error::DecryptError => AlertDescription::BadRecordMac,
            Error::PeerSentOversizedRecord => AlertDescription::RecordOverflow,
            Error::InvalidMessage(_) => AlertDescription::DecodeError,
            Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. }
            | Error::PeerMisbehaved(_) => AlertDescription::UnexpectedMessage,
            _ => AlertDescription::InternalError,
        };
        Self { error, alert: Some(alert) }
    }
}

impl From<PeerMisbehaved> for Unacceptable {
    fn from(error: PeerMisbehaved) -> Self {
        Error::from(error).into()
    }
}
