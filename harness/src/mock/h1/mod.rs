//! HTTP/1.1 by hand, so that there is one place where any fault can be made: [`read`] takes requests, [`write`] spells answers.

mod read;
mod write;

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::answer;
use super::front::Shared;
use super::plan::{Head, Outlet, Walked, Write, walk};
use super::script::Ending;
use super::wire::Meter;
use read::Reader;

/// Answers request after request until one side wants no more.
pub(super) async fn serve<S>(stream: S, meter: &Arc<Meter>, shared: &Shared, tls: bool) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut line = Line { stream, reader: Reader::default() };
    while let Some(request) = line.reader.next(&mut line.stream, &shared.default_script).await? {
        let answering = shared.state.answering();
        shared.state.count(|stats| {
            stats.protocols.h1 += 1;
            stats.protocols.tls += u64::from(tls);
        });
        let plan = answer::plan(shared, &request).await;
        let close = plan.close || request.wants_close;
        let mut outlet = Http1 { line: &mut line, close };
        match walk(plan, &mut outlet, shared, meter, answering).await? {
            Walked::Whole if close => break,
            Walked::Whole => {}
            Walked::Left => return Ok(()),
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

    async fn gone(&mut self) {
        self.line.reader.gone(&mut self.line.stream).await;
    }
}
