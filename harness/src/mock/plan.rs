//! An answer as a list of steps, and the walk over it. A fault is a change to the list; a protocol is an [`Outlet`].

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

use super::front::Shared;
use super::lockstep::{Settled, Until};
use super::script::{Ending, Framing, LockStep, Reuse};
use super::state::Answering;
use super::wire::Meter;

/// An answer, ready to be walked.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) head: Head,
    pub(super) steps: Vec<Step>,
    pub(super) lockstep: LockStep,
    /// Close the connection behind the answer (HTTP/1.1).
    pub(super) close: bool,
    /// What becomes of the connection behind the answer, though nothing was said (HTTP/1.1).
    pub(super) reuse: Option<Reuse>,
}

/// What goes before the body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// How HTTP/1.1 delimits the body.
    pub(super) framing: Framing,
    /// The body's whole length in bytes, whatever part of it is sent.
    pub(super) length: usize,
    pub(super) frills: Frills,
}

/// What may stand around an answer and means nothing to it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frills {
    /// Heads of the 1xx kind go first.
    pub(super) informational: bool,
    /// Each chunk's size has extensions (HTTP/1.1).
    pub(super) extensions: bool,
    /// Fields follow the last chunk (HTTP/1.1).
    pub(super) trailers: bool,
}

/// One step of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Wait for the control socket's release.
    Hold,
    /// Let time pass.
    Pause(Duration),
    /// Send something, in one TLS record.
    Write(Write),
    /// Send nothing for as long as the client stays.
    Silence,
    /// Do something that only this protocol has.
    Special(Special),
    /// End the connection here.
    Abort(Ending),
    /// Reset the stream (HTTP/2).
    ResetStream(StreamReset),
    /// Do to the connection what no library would (HTTP/2); the answer ends with it.
    TakeOver(TakeOver),
}

/// What only one protocol has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Special {
    /// Send these bytes as they are (HTTP/1.1).
    Raw(Bytes),
    /// Say that the connection ends with what is under way (HTTP/2).
    GoAwayGracefully,
    /// Allow fewer streams than was said (HTTP/2).
    LowerStreams(u32),
    /// Let new streams send nothing (HTTP/2).
    ShutWindow,
}

/// Why a stream is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamReset {
    /// It was not looked at.
    Refused,
    /// Something failed.
    Internal,
}

/// What is done by hand to an HTTP/2 connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TakeOver {
    /// GOAWAY that says no stream was served, and nothing more.
    GoAway,
    /// A head whose CONTINUATION frames do not end.
    Continuations,
    /// Nothing is answered any more, PING included.
    Deaf,
}

/// What one TLS record carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) head: bool,
    pub(super) data: Bytes,
    /// The answer ends with this.
    pub(super) end: bool,
}

/// A protocol's own writer.
pub(super) trait Outlet: Send {
    /// Waits until the client's windows let something through. Before the turn is taken, so that a client that does not
    /// read one stream gets the others.
    fn ready(&mut self, write: &Write) -> impl Future<Output = io::Result<()>> + Send;

    /// Sends one record and returns when it is handed to the kernel.
    fn write(&mut self, head: &Head, write: Write) -> impl Future<Output = io::Result<()>> + Send;

    /// Does what only this protocol has; what it does not have, it leaves.
    fn special(&mut self, special: Special) -> impl Future<Output = io::Result<()>> + Send;

    /// Completes when the client is gone or has given up on this answer.
    fn gone(&mut self) -> impl Future<Output = ()> + Send;
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// The whole answer is with the kernel.
    Whole,
    /// The client left first.
    Left,
    /// A fault wants the connection to end.
    Abort(Ending),
    /// A fault wants the stream to end.
    ResetStream(StreamReset),
    /// A fault wants the connection.
    TakeOver(TakeOver),
}

/// Walks the steps of `plan`. `answering` ends, and the answer is counted, just before the last step is sent: the client may be
/// back with its next request, or asking for the counters, before this task runs again.
pub(super) async fn walk<O: Outlet>(
    plan: Plan,
    outlet: &mut O,
    shared: &Shared,
    meter: &Arc<Meter>,
    answering: Answering<'_>,
) -> io::Result<Walked> {
    let Plan { head, steps, lockstep, .. } = plan;
    let mut answering = Some(answering);
    for step in steps {
        match step {
            Step::Hold => tokio::select! {
                () = shared.state.hold() => {}
                () = outlet.gone() => return Ok(Walked::Left),
            },
            Step::Pause(time) => tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = outlet.gone() => return Ok(Walked::Left),
            },
            Step::Silence => {
                outlet.gone().await;
                return Ok(Walked::Left);
            }
            Step::Write(write) => {
                outlet.ready(&write).await?;
                let turn = meter.turn.lock().await;
                settle(lockstep, shared, meter).await;
                let end = write.end;
                if end {
                    answering = None;
                    shared.state.count(|stats| stats.answered += 1);
                }
                if let Err(error) = outlet.write(&head, write).await {
                    shared.state.count(|stats| stats.answered = stats.answered.saturating_sub(u64::from(end)));
                    return Err(error);
                }
                drop(turn);
            }
            Step::Special(special) => outlet.special(special).await?,
            Step::Abort(ending) => {
                settle(lockstep, shared, meter).await;
                return Ok(Walked::Abort(ending));
            }
            Step::ResetStream(reset) => {
                settle(lockstep, shared, meter).await;
                return Ok(Walked::ResetStream(reset));
            }
            Step::TakeOver(how) => {
                settle(lockstep, shared, meter).await;
                return Ok(Walked::TakeOver(how));
            }
        }
    }
    drop(answering);
    Ok(Walked::Whole)
}

/// Waits as far as the script wants until the client is done with what it was sent.
async fn settle(lockstep: LockStep, shared: &Shared, meter: &Arc<Meter>) {
    let alone = shared.state.under_way() <= 1;
    let until = match lockstep {
        LockStep::Off => return,
        LockStep::Full if alone => Until::Asleep,
        LockStep::Full | LockStep::Drained => Until::Drained,
    };
    let settled = shared.pacer.settled(meter, until).await;
    shared.state.count(|stats| {
        let lock = &mut stats.lockstep;
        lock.steps += 1;
        lock.unsettled += u64::from(settled == Settled::StillBusy);
        lock.unseen += u64::from(settled == Settled::Unseen);
        lock.shared += u64::from(lockstep == LockStep::Full && !alone);
    });
}
