//! A subject's process: started with nothing but what the protocol gives it, spoken to in lines, and never left behind.
//!
//! - `protocol`: the lines
//! - `exec`: what happens between fork and exec
//! - `group`: the control group that it may be put in

pub mod exec;
pub mod group;
pub mod protocol;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use std::os::unix::process::{CommandExt, ExitStatusExt};

use group::Group;

/// How to start a subject.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
}

/// A running subject.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Arc<Mutex<Vec<u8>>>,
    /// Closed by the thread that collects standard error when it has seen its end.
    collecting: Receiver<()>,
    started: Instant,
}

/// How talking to a subject ended before it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// It could not be started.
    #[error("cannot start it: {0}")]
    Start(std::io::Error),
    /// It said nothing for this long.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// It ended.
    #[error("it exited with status {code}{}", said(stderr))]
    Exited {
        /// Its exit status.
        code: i32,
        /// The end of what it wrote on standard error.
        stderr: String,
    },
    /// It was ended by a signal.
    #[error("it was ended by signal {signal}{}", said(stderr))]
    Signalled {
        /// The signal's number.
        signal: i32,
        /// The end of what it wrote on standard error.
        stderr: String,
    },
    /// The run was interrupted.
    #[error("interrupted")]
    Interrupted,
}

fn said(stderr: &str) -> String {
    let line = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    if line.is_empty() { String::new() } else { format!("; it said: {line}") }
}

/// How much of a subject's standard error is kept, bytes.
const STDERR_KEPT: usize = 4096;

impl Process {
    /// Starts a subject through the trampoline.
    ///
    /// # Errors
    /// When the harness's own executable cannot be started again.
    pub fn start(launch: &Launch) -> Result<Self, Lost> {
        Self::begin(launch, protocol::MAX_LINE, None)
    }

    /// The same in a control group.
    ///
    /// # Errors
    /// When the harness's own executable cannot be started again.
    pub fn start_in(launch: &Launch, group: Option<&Group>) -> Result<Self, Lost> {
        Self::begin(launch, protocol::MAX_LINE, group)
    }

    /// The same with lines of up to `longest` bytes.
    ///
    /// # Errors
    /// When the harness's own executable cannot be started again.
    pub fn start_with(launch: &Launch, longest: usize) -> Result<Self, Lost> {
        Self::begin(launch, longest, None)
    }

    fn begin(launch: &Launch, longest: usize, group: Option<&Group>) -> Result<Self, Lost> {
        let mut child = Command::new(exec::SELF)
            .arg(exec::WORD)
            .arg(std::process::id().to_string())
            .args(group.map(Group::entrance))
            .arg("--")
            .arg(&launch.program)
            .args(&launch.arguments)
            .env_clear()
            .envs(launch.env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for the harness: it ends its subjects itself, and knows that it was not their fault.
            .process_group(0)
            .spawn()
            .map_err(Lost::Start)?;
        let started = Instant::now();
        let stdin = child.stdin.take();
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stdout);
                loop {
                    let mut line = Vec::new();
                    // A line that never ends must not fill the harness's memory: the rest of it is read as further, wrong, lines.
                    match reader.by_ref().take(longest as u64).read_until(b'\n', &mut line) {
                        Ok(1..) => {}
                        _ => break,
                    }
                    let line = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let (collected, collecting) = mpsc::channel::<()>();
        if let Some(mut pipe) = child.stderr.take() {
            let kept = Arc::clone(&stderr);
            std::thread::spawn(move || {
                let _until_the_end = collected;
                let mut buffer = [0; 1024];
                while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                    let Ok(mut kept) = kept.lock() else { break };
                    kept.extend_from_slice(&buffer[..n]);
                    let excess = kept.len().saturating_sub(STDERR_KEPT);
                    kept.drain(..excess);
                }
            });
        }
        Ok(Self { child, stdin, lines, stderr, collecting, started })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Milliseconds since it was started.
    pub fn age_ms(&self) -> f64 {
        (self.started.elapsed().as_secs_f64() * 1e6).round() / 1e3
    }

    /// Sends a command.
    ///
    /// # Errors
    /// When it is gone.
    pub fn tell(&mut self, command: &str) -> Result<(), Lost> {
        let sent = match &mut self.stdin {
            Some(stdin) => stdin.write_all(format!("{command}\n").as_bytes()).and_then(|()| stdin.flush()),
            None => Ok(()),
        };
        sent.map_err(|_| self.ended())
    }

    /// Waits for a line.
    ///
    /// # Errors
    /// When none comes in time, when it ends first, or when `interrupted` says so.
    pub fn listen(&mut self, timeout: Duration, interrupted: &dyn Fn() -> bool) -> Result<String, Lost> {
        let until = Instant::now() + timeout;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left.min(Duration::from_millis(100))) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
                Err(RecvTimeoutError::Timeout) if interrupted() => return Err(Lost::Interrupted),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(Lost::Timeout(timeout)),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// A line that it has said already, if there is one; waits for none.
    ///
    /// # Errors
    /// When it has ended.
    pub fn heard(&mut self) -> Result<Option<String>, Lost> {
        match self.lines.try_recv() {
            Ok(line) => Ok(Some(line)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(self.ended()),
        }
    }

    /// Waits for it to end by itself, and ends it if it does not.
    ///
    /// # Errors
    /// When it ends with another status than 0.
    pub fn finish(mut self, timeout: Duration) -> Result<(), Lost> {
        self.stdin = None; // end of file: it must exit
        match self.wait(timeout) {
            Some(status) if status.success() => Ok(()),
            Some(_) => Err(self.ended()),
            None => Err(Lost::Timeout(timeout)),
        }
    }

    fn wait(&mut self, timeout: Duration) -> Option<ExitStatus> {
        // Its standard output closes when it ends: that is the event to wait for, and then it is a matter of reaping.
        let until = Instant::now() + timeout;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.child.wait().ok()
    }

    /// It closed its end: waits for its status and says how it ended.
    fn ended(&mut self) -> Lost {
        let status = match self.wait(Duration::from_secs(5)) {
            Some(status) => status,
            None => {
                let _ = self.child.kill();
                return Lost::Timeout(Duration::from_secs(5));
            }
        };
        // What it said last may still be on its way; a child of its own that lives on could keep the pipe open, so not for ever.
        let _ = self.collecting.recv_timeout(Duration::from_secs(1));
        let stderr = self.stderr.lock().map(|kept| String::from_utf8_lossy(&kept).into_owned()).unwrap_or_default();
        match (status.signal(), status.code()) {
            (Some(signal), _) => Lost::Signalled { signal, stderr },
            (None, code) => Lost::Exited { code: code.unwrap_or(-1), stderr },
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
