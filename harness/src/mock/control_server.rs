//! The control socket's other end, inside the mock.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

use super::control::{Command, Said};
use super::state::State;

/// A bound control socket, whose file goes away with it.
pub(super) struct ControlServer {
    path: PathBuf,
    listener: UnixListener,
}

impl ControlServer {
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), listener: UnixListener::bind(path)? })
    }

    /// Answers connections; `ended` is notified when an owner leaves or somebody says `stop`.
    pub(super) async fn run(self, state: Arc<State>, ended: Arc<Notify>) {
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                // Out of file descriptors: try again when some were closed.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let (state, ended) = (Arc::clone(&state), Arc::clone(&ended));
            tokio::spawn(async move {
                let mut owns = false;
                // However the conversation ends, an owner's end is the mock's.
                let _ = converse(stream, &state, &ended, &mut owns).await;
                if owns {
                    ended.notify_one();
                }
            });
        }
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn converse(stream: UnixStream, state: &State, ended: &Notify, owns: &mut bool) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        let mut stops = false;
        let said = match serde_json::from_str(&line) {
            Ok(command) => {
                *owns |= command == Command::Own;
                stops = command == Command::Stop;
                obey(command, state).await
            }
            Err(error) => Said::Error(format!("{error}; one JSON object per line, e.g. {{\"do\":\"stats\"}}")),
        };
        let mut answer = serde_json::to_vec(&said)?;
        answer.push(b'\n');
        write.write_all(&answer).await?;
        if stops {
            ended.notify_one();
        }
    }
    Ok(())
}

async fn obey(command: Command, state: &State) -> Said {
    match command {
        Command::Own | Command::Stats | Command::Stop => {}
        Command::Release => state.release(),
        Command::Reset => state.reset(),
        Command::WaitHeld { count, timeout_ms } => state.wait_held(count, Duration::from_millis(timeout_ms)).await,
        Command::Serve { script } => match script.as_deref().map(str::parse).transpose() {
            Ok(script) => state.serve(script),
            Err(error) => return Said::Error(error.to_string()),
        },
    }
    Said::Stats(Box::new(state.stats()))
}
