//! The mock: the program `plimsoll`, which `make build` puts beside the benches.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A running mock. It ends with its owner's connection, so that none is left behind by a bench that was killed.
#[derive(Debug)]
pub struct Mock {
    port: u16,
    roots: PathBuf,
    control: BufReader<UnixStream>,
    process: Child,
    _folder: TempDir,
}

impl Mock {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// When there is no `plimsoll` beside the benches, or it does not say what it should.
    pub fn start() -> Result<Self, Box<dyn Error>> {
        // target/release/deps/time-… → target/release/plimsoll
        let own = std::env::current_exe()?;
        let program = own.ancestors().nth(2).ok_or("the bench has no folder")?.join("plimsoll");
        if !program.is_file() {
            let program = program.display();
            return Err(format!("{program} is not there: cargo build --locked --release -p plimsoll").into());
        }
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("control");
        let mut process =
            Command::new(program).args(["mock", "--control"]).arg(&socket).stdout(Stdio::piped()).spawn()?;
        let mut said = BufReader::new(process.stdout.take().ok_or("no pipe")?).lines();
        let mut value = |name: &str| -> Result<String, Box<dyn Error>> {
            let line = said.next().ok_or("the mock ended")??;
            let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
            Ok(value.ok_or_else(|| format!("the mock said {line:?} where {name} was to be"))?.to_owned())
        };
        let (url, roots) = (value("GEMINI_BASE_URL")?, value("SSL_CERT_FILE")?);
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).ok_or("the mock has no port")?;
        let control = BufReader::new(UnixStream::connect(socket)?);
        let mut mock = Self { port, roots: roots.into(), control, process, _folder: folder };
        mock.tell("own")?;
        Ok(mock)
    }

    /// Where it listens on 127.0.0.1, with TLS and without.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The roots that every measured program trusts, as PEM: public ones and the mock's own.
    #[must_use]
    pub fn roots(&self) -> PathBuf {
        self.roots.clone()
    }

    /// How many connections it has accepted since it was started.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub fn connections(&mut self) -> Result<u64, Box<dyn Error>> {
        let said = self.tell("stats")?;
        Ok(said["stats"]["connections_total"].as_u64().ok_or("the mock counts no connections")?)
    }

    fn tell(&mut self, what: &str) -> Result<Value, Box<dyn Error>> {
        self.control.get_mut().write_all(format!("{{\"do\":\"{what}\"}}\n").as_bytes())?;
        let mut line = String::new();
        self.control.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.tell("stop");
        let _ = self.process.wait();
    }
}
