//! One helper as its provider sees it: a process, what is sent to it, and what comes back for whom.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::frame::{self, Ask, Kind, WINDOW};
use super::pool::Pool;
use super::serve::WORD;
use crate::error::{Error, Phase};

/// How long a helper may take until it can be asked.
const START: Duration = Duration::from_secs(10);
/// The most bytes of a request's body in one frame.
const BODY: usize = 64 << 10;

/// A helper process ended. Asked for an answer it did not give, it is the cause of an [`Error::Transport`]; which is sent again by
/// [`Retry`](crate::Retry)'s rules, to another helper.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the helper process ended ({0})")]
pub struct HelperEnded(pub(super) String);

/// What comes back for a call.
#[derive(Debug)]
pub(super) enum Event {
    Head(Vec<u8>),
    Data(Vec<u8>),
    End,
    Failed(Error),
    Gone(HelperEnded),
}

/// A helper that can be asked.
pub(super) struct Helper {
    child: Mutex<Child>,
    out: mpsc::UnboundedSender<Outgoing>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    calls: HashMap<u32, mpsc::UnboundedSender<Event>>,
    begun: u32,
    answered: bool,
    ended: Option<HelperEnded>,
}

enum Outgoing {
    Frame(Vec<u8>),
    Body(u32, Bytes),
}

impl Helper {
    /// Starts `program` as a helper, tells it `setup` (a whole frame), and waits until it can be asked.
    pub(super) async fn start(program: &Path, setup: &[u8], pool: &Arc<Pool>) -> Result<Arc<Self>, Error> {
        let failed = |error: io::Error| Error::Transport { phase: Phase::Connect, source: Box::new(error) };
        let (helper, ours, outgoing) = Self::spawn(program).map_err(failed)?;
        let (read, mut write) = ours.into_split();
        let mut read = BufReader::new(read);
        let greeted = tokio::time::timeout(START, async {
            write.write_all(setup).await?;
            frame::next(&mut read).await
        });
        match greeted.await {
            Err(_) => return Err(Error::Timeout { phase: Phase::Connect, limit: START }),
            Ok(Ok(Some(frame))) if frame.kind == Kind::Ready => {}
            Ok(Ok(Some(frame))) if frame.kind == Kind::Refused => {
                return Err(Error::config(String::from_utf8_lossy(&frame.payload).into_owned()));
            }
            Ok(_) => {
                let source = Box::new(helper.reap());
                return Err(Error::Transport { phase: Phase::Connect, source });
            }
        }
        tokio::spawn(send(outgoing, write));
        tokio::spawn(receive(read, Arc::downgrade(&helper), Arc::downgrade(pool)));
        Ok(helper)
    }

    fn spawn(program: &Path) -> io::Result<(Arc<Self>, UnixStream, mpsc::UnboundedReceiver<Outgoing>)> {
        let (ours, theirs) = net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let ours = UnixStream::from_std(ours)?;
        let child = Command::new(program)
            .arg(WORD)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            // It is told the key, and only by the pipe.
            .env_remove("GEMINI_API_KEY")
            // A Ctrl-C is for the parent, which may want to finish what it began.
            .process_group(0)
            .spawn()?;
        let (out, outgoing) = mpsc::unbounded_channel();
        let helper = Self { child: Mutex::new(child), out, table: Mutex::default() };
        Ok((Arc::new(helper), ours, outgoing))
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// Whether it has answered anything.
    pub(super) fn has_answered(&self) -> bool {
        lock(&self.table).answered
    }

    /// Calls that it was asked so far.
    pub(super) fn begun(&self) -> u32 {
        lock(&self.table).begun
    }

    /// Begins a call, if it has room for one more than `at_once` less one.
    pub(super) fn begin(self: &Arc<Self>, at_once: usize) -> Option<(u32, mpsc::UnboundedReceiver<Event>)> {
        let mut table = lock(&self.table);
        if table.ended.is_some() || table.calls.len() >= at_once {
            return None;
        }
        // A helper is relieved long before its calls have no number left.
        table.begun = table.begun.checked_add(1)?;
        let (call, (events, receiver)) = (table.begun, mpsc::unbounded_channel());
        table.calls.insert(call, events);
        Some((call, receiver))
    }

    fn deliver(&self, call: u32, event: Event) {
        let mut table = lock(&self.table);
        let last = matches!(event, Event::End | Event::Failed(_));
        table.answered |= last;
        // Who hung up is not in the table any more.
        if let Some(events) = table.calls.get(&call) {
            let _ = events.send(event);
        }
        if last {
            table.calls.remove(&call);
        }
    }

    /// Makes sure that it has ended, and says how.
    pub(super) fn reap(&self) -> HelperEnded {
        let mut child = lock(&self.child);
        // It closed its end of the pipe, so it is about to be gone; nothing that it still does is of use.
        let early = child.try_wait().ok().flatten();
        let _ = child.kill();
        HelperEnded(match early.map_or_else(|| child.wait(), Ok) {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        })
    }

    /// Tells everybody who waits that there will be no answer.
    pub(super) fn end(&self, ended: HelperEnded) {
        let mut table = lock(&self.table);
        for (_, events) in table.calls.drain() {
            let _ = events.send(Event::Gone(ended.clone()));
        }
        table.ended = Some(ended);
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.reap();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is guarded here can be left half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn send(mut outgoing: mpsc::UnboundedReceiver<Outgoing>, mut to: OwnedWriteHalf) {
    while let Some(out) = outgoing.recv().await {
        let sent = match out {
            Outgoing::Frame(bytes) => to.write_all(&bytes).await,
            Outgoing::Body(call, body) => send_body(&mut to, call, &body).await,
        };
        // That it is gone is seen, and told, where its answers are read.
        if sent.is_err() {
            return;
        }
    }
}

async fn send_body(to: &mut OwnedWriteHalf, call: u32, body: &[u8]) -> io::Result<()> {
    for piece in body.chunks(BODY) {
        to.write_all(&frame::header(Kind::Body, call, piece.len())).await?;
        to.write_all(piece).await?;
    }
    Ok(())
}

async fn receive(mut from: BufReader<OwnedReadHalf>, helper: Weak<Helper>, pool: Weak<Pool>) {
    while let Ok(Some(frame)) = frame::next(&mut from).await {
        let Some(helper) = helper.upgrade() else { return };
        let event = match frame.kind {
            Kind::Head => Event::Head(frame.payload),
            Kind::Data => Event::Data(frame.payload),
            Kind::End => Event::End,
            Kind::Failed => match frame::read_error(&frame.payload) {
                Ok(error) => Event::Failed(error),
                Err(_) => break,
            },
            Kind::Full => {
                if let Some(pool) = pool.upgrade() {
                    pool.relieve(&helper);
                }
                continue;
            }
            _ => break,
        };
        helper.deliver(frame.call, event);
    }
    let Some(helper) = helper.upgrade() else { return };
    match pool.upgrade() {
        Some(pool) => pool.lost(&helper),
        None => helper.end(helper.reap()),
    }
}

/// A call that a helper was asked. Dropped before its answer was whole, it is taken back.
pub(super) struct Begun {
    pub(super) helper: Arc<Helper>,
    pub(super) call: u32,
    pub(super) events: mpsc::UnboundedReceiver<Event>,
    pub(super) _place: OwnedSemaphorePermit,
    pub(super) done: bool,
    /// Bytes of the answer that were taken and not yet said to be.
    pub(super) taken: usize,
}

impl Begun {
    /// Sends the request.
    pub(super) fn ask(&self, ask: &Ask, body: Bytes) {
        let mut bytes = frame::frame(Kind::Ask, self.call, &ask.write());
        if body.len() <= BODY {
            // A short one goes along at once.
            bytes.extend_from_slice(&frame::header(Kind::Body, self.call, body.len()));
            bytes.extend_from_slice(&body);
            let _ = self.helper.out.send(Outgoing::Frame(bytes));
        } else {
            let _ = self.helper.out.send(Outgoing::Frame(bytes));
            let _ = self.helper.out.send(Outgoing::Body(self.call, body));
        }
    }

    /// What comes next.
    pub(super) async fn event(&mut self) -> Event {
        let gone = || Event::Gone(HelperEnded("its answers were lost".to_owned()));
        let event = self.events.recv().await.unwrap_or_else(gone);
        match &event {
            Event::Head(_) => {}
            Event::Data(piece) => {
                self.taken += piece.len();
                if self.taken >= WINDOW / 2 {
                    let taken = u32::try_from(self.taken).unwrap_or(u32::MAX).to_le_bytes();
                    let _ = self.helper.out.send(Outgoing::Frame(frame::frame(Kind::Taken, self.call, &taken)));
                    self.taken = 0;
                }
            }
            Event::End | Event::Failed(_) | Event::Gone(_) => self.done = true,
        }
        event
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.done {
            lock(&self.helper.table).calls.remove(&self.call);
            let _ = self.helper.out.send(Outgoing::Frame(frame::frame(Kind::Cancel, self.call, b"")));
        }
    }
}
