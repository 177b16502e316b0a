//! HTTP/1.1 by hand, so that there is one place where any fault can be made: [`read`] takes requests, [`write`] spells answers.

mod read;
mod write;

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::answer;
use super::front::Shared;
use super::plan::{Head, Outlet, Special, Walked, Write, walk};
use super::request::Request;
use super::script::{Ending, Reuse};
use super::service::intake::Intake;
use super::wire::Meter;
use read::Reader;

/// Answers request after request until one side wants no more.
pub(super) async fn serve<S>(stream: S, meter: &Arc<Meter>, shared: &Shared, tls: bool) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut line = Line { stream, reader: Reader::default() };
    let mut drops = false;
    while let Some(request) = next(&mut line, shared, tls).await? {
        if drops {
            answer::count(shared, &request);
            break;
        }
        let answering = shared.state.answering();
        shared.state.count(|stats| {
            stats.protocols.h1 += 1;
            stats.protocols.tls += u64::from(tls);
        });
        let plan = answer::plan(shared, &request).await;
        let (close, reuse) = (plan.close || request.wants_close, plan.reuse);
        let mut outlet = Http1 { line: &mut line, close };
        match walk(plan, &mut outlet, shared, meter, answering).await? {
            Walked::Whole if close || reuse == Some(Reuse::Closed) => break,
            Walked::Whole => drops = reuse == Some(Reuse::Dropped),
            // The last two are no steps of HTTP/1.1.
            Walked::Left | Walked::ResetStream(_) | Walked::TakeOver(_) => return Ok(()),
            Walked::Abort(ending) => {
                if ending == Ending::Reset {
                    meter.reset_at_end();
                }
                // Dropped as it is: no close_notify, which would make an honest end of it.
                return Ok(());
            }
        }
    }
    line.stream.shutdown().await
}

/// The next request, with what is kept of its body.
async fn next<S>(line: &mut Line<S>, shared: &Shared, tls: bool) -> io::Result<Option<Request>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let Some((request, headers)) = line.reader.head(&mut line.stream, &shared.default_script).await? else {
        return Ok(None);
    };
    let request = if tls { request.over_tls() } else { request };
    let mut request = request.served_by(&shared.state);
    let mut intake = Intake::of(&request, &shared.state);
    line.reader.body(&mut line.stream, &headers, |bytes| intake.take(bytes)).await?;
    request.taken = intake.done();
    Ok(Some(request))
}

struct Line<S> {
    stream: S,
    reader: Reader,
}

struct Http1<'a, S> {
    line: &'a mut Line<S>,
    close: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Outlet for Http1<'_, S> {
    async fn ready(&mut self, _write: &Write) -> io::Result<()> {
        Ok(())
    }

    async fn write(&mut self, head: &Head, write: Write) -> io::Result<()> {
        let bytes = write::spelled(head, &write, self.close);
        // One write is one TLS record: pieces are cut to fit.
        self.line.stream.write_all(&bytes).await?;
        self.line.stream.flush().await
    }

    async fn special(&mut self, special: Special) -> io::Result<()> {
        if let Special::Raw(bytes) = special {
            self.line.stream.write_all(&bytes).await?;
            self.line.stream.flush().await?;
        }
        Ok(())
    }

    async fn gone(&mut self) {
        self.line.reader.gone(&mut self.line.stream).await;
    }
}
