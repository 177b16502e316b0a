//! The conversation: a greeting, then commands until `exit`.

use std::fmt::{self, Write as _};
use std::io;
use std::mem::ManuallyDrop;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::allocator::Allocator;
use crate::build_id::BuildId;
use crate::line::{Line, Pipe};
use crate::work::{Method, Tally, Work};
use crate::{Env, Failure, Request, Subject, env, latency};

/// Worker threads of the `multi_thread` runtime: pinned, because their number moves every figure.
const WORKERS: usize = 2;
/// How long background work may settle at `idle` and `drop`: connections that were closed end their tasks.
const SETTLE: Duration = Duration::from_millis(50);
/// How long the runtime's threads may take to end.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Who the subject is; see [`about!`](crate::about).
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Its name.
    pub name: &'static str,
    /// The version of its package.
    pub version: &'static str,
    /// Whether it was built without optimisation: Plimsoll then refuses to measure it.
    pub debug: bool,
}

/// Speaks the protocol on standard input and output until told to exit, and exits. Call it first in `main`.
pub fn run<A: Allocator, S: Subject>(about: About, subject: S) -> ! {
    serve::<A>(about, Session { subject, runtime: None, work: None })
}

/// The conversation with whatever carries its commands out.
pub(crate) fn serve<A: Allocator>(about: About, commanded: impl Commanded) -> ! {
    let mut pipe = Pipe::open();
    latency::reset();
    let ended = match A::start() {
        Ok(allocator) => {
            let ended = converse(&mut pipe, about, commanded, &allocator);
            allocator.finish();
            ended
        }
        Err(reason) => answer(&mut pipe, &Err(Failure::other(reason)), |_| Ok(())),
    };
    std::process::exit(i32::from(ended.is_err()));
}

fn converse<A: Allocator>(pipe: &mut Pipe, about: About, commanded: impl Commanded, allocator: &A) -> io::Result<()> {
    let build = BuildId::own();
    pipe.send(|line| {
        let _ = greet::<A>(line, about, build, allocator);
    })?;
    // Whatever was not dropped on command is not dropped at all, so that a task that hangs cannot keep the process.
    let mut commanded = ManuallyDrop::new(commanded);
    loop {
        let command = match pipe.receive() {
            // The end of the input is the end of us.
            None => return Ok(()),
            Some(line) => Command::parse(line),
        };
        let outcome = match command {
            Ok(Command::Exit) => return Ok(()),
            Ok(command) => commanded.carry_out(command),
            Err(failure) => Err(failure),
        };
        answer(pipe, &outcome, |line| allocator.figures(line))?;
    }
}

fn greet<A: Allocator>(line: &mut Line, about: About, build: Option<BuildId>, allocator: &A) -> fmt::Result {
    let About { name, version, debug } = about;
    let profile = if debug || cfg!(debug_assertions) { "debug" } else { "release" };
    write!(line, "plimsoll 1 subject={name} allocator={} profile={profile} build={version}", A::NAME)?;
    if let Some(build) = build {
        write!(line, "+{build}")?;
    }
    allocator.describe(line)?;
    allocator.figures(line)
}

fn answer(
    pipe: &mut Pipe,
    outcome: &Result<Option<Tally>, Failure>,
    figures: impl FnOnce(&mut Line) -> fmt::Result,
) -> io::Result<()> {
    let compose = |line: &mut Line| match outcome {
        Ok(tally) => {
            line.write_str("ok")?;
            if let Some(Tally { answered, crc }) = tally {
                write!(line, " answered={answered} crc={crc}")?;
                latency::write(line)?;
            }
            Ok(())
        }
        Err(failure) => failure.write(line, &env::key()),
    };
    pipe.send(|line| {
        let _ = compose(line);
        if outcome.is_ok() {
            let _ = figures(line);
        }
    })
}

/// Who does what Plimsoll asks for.
pub(crate) trait Commanded {
    /// Carries a command out; requests have a tally.
    fn carry_out(&mut self, command: Command) -> Result<Option<Tally>, Failure>;
}

/// What Plimsoll asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Runtime,
    Client,
    Requests(Method, u64, u64),
    Idle,
    Drop,
    Exit,
}

impl Command {
    fn parse(line: &str) -> Result<Self, Failure> {
        let mut words = line.split_ascii_whitespace();
        let word = words.next().unwrap_or_default();
        let mut number = || words.next().and_then(|word| word.parse().ok());
        let command = match word {
            "runtime" => Some(Self::Runtime),
            "client" => Some(Self::Client),
            "chat" => number().zip(number()).map(|(n, c)| Self::Requests(Method::Chat, n, c)),
            "stream" => number().zip(number()).map(|(n, c)| Self::Requests(Method::Stream, n, c)),
            "idle" => Some(Self::Idle),
            "drop" => Some(Self::Drop),
            "exit" => Some(Self::Exit),
            _ => None,
        };
        command.ok_or_else(|| {
            Failure::unsupported(format!("command `{line}`: this subject speaks version 1 of the protocol"))
        })
    }
}

struct Session<S: Subject> {
    subject: S,
    runtime: Option<Runtime>,
    work: Option<Work<S>>,
}

impl<S: Subject> Commanded for Session<S> {
    fn carry_out(&mut self, command: Command) -> Result<Option<Tally>, Failure> {
        match command {
            Command::Runtime => self.runtime = Some(runtime()?),
            Command::Client => {
                let env = Env::read()?;
                let request = Request::new(&env);
                let client = self.runtime()?.block_on(self.subject.client(env))?;
                self.work = Some(Work::new(self.subject, client, request));
            }
            Command::Requests(method, requests, in_flight) => {
                let work = self.work.as_ref().ok_or_else(|| out_of_order("client"))?;
                return self.runtime()?.block_on(work.run(method, requests, in_flight)).map(Some);
            }
            Command::Idle => self.runtime()?.block_on(async { tokio::time::sleep(SETTLE).await }),
            Command::Drop => {
                let work = self.work.take();
                let runtime = self.runtime.take().ok_or_else(|| out_of_order("runtime"))?;
                // Dropped where it was made: a client may need the runtime to close its connections.
                runtime.block_on(async {
                    drop(work);
                    tokio::time::sleep(SETTLE).await;
                });
                runtime.shutdown_timeout(SHUTDOWN);
            }
            Command::Exit => {}
        }
        Ok(None)
    }
}

impl<S: Subject> Session<S> {
    fn runtime(&self) -> Result<&Runtime, Failure> {
        self.runtime.as_ref().ok_or_else(|| out_of_order("runtime"))
    }
}

/// The runtime that `PLIMSOLL_RUNTIME` names, as every subject of this crate gets it.
///
/// # Errors
/// When it names none, or the system has no threads or files left.
pub fn runtime() -> Result<Runtime, Failure> {
    let mut builder = match env::optional("PLIMSOLL_RUNTIME").as_str() {
        "current_thread" => Builder::new_current_thread(),
        "multi_thread" => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(WORKERS);
            builder
        }
        other => {
            return Err(Failure::unsupported(format!(
                "PLIMSOLL_RUNTIME `{other}`: use current_thread or multi_thread"
            )));
        }
    };
    Ok(builder.enable_all().build()?)
}

pub(crate) fn out_of_order(missing: &str) -> Failure {
    Failure::other(format!("the command `{missing}` must come first"))
}
