//! The helper's side: requests from the pipe, answers into it, until the provider ends.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::os::unix::net;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Client;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;

use super::frame::{self, Ask, Head, Kind, PIECE, WINDOW};
use super::setup::Setup;
use crate::error::{Error, Limited, Phase};
use crate::gemini_original;
use crate::net::{self as transport, API_KEY_HEADER, Address, ApiKey, MAX_ERROR_BODY, Patience};

/// The argument that makes a program a helper.
pub(super) const WORD: &str = "--gemini-helper";
/// Frames that wait to be written; whoever has more waits.
const OUTGOING: usize = 64;

/// Answers requests on standard input, which is a socket, until it ends.
pub(super) fn run() -> ExitCode {
    let served = || -> std::io::Result<()> {
        let stream = net::UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        stream.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = runtime.block_on(async { serve(UnixStream::from_std(stream)?).await });
        // What is still asked is asked for nobody.
        runtime.shutdown_background();
        served
    };
    // There is nobody to tell: who started it sees that it ended, and how.
    if served().is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

async fn serve(stream: UnixStream) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let Some(first) = frame::next(&mut read).await? else { return Ok(()) };
    let asker = match Asker::new(&first.payload) {
        Ok(asker) => Arc::new(asker),
        Err(error) => {
            let why = match error {
                Error::Config(message) => message.into_string(),
                other => other.to_string(),
            };
            return write.write_all(&frame::frame(Kind::Refused, 0, why.as_bytes())).await;
        }
    };
    let (out, mut outgoing) = mpsc::channel::<Vec<u8>>(OUTGOING);
    tokio::spawn(async move {
        while let Some(bytes) = outgoing.recv().await {
            if write.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let _ = out.send(frame::frame(Kind::Ready, 0, b"")).await;
    let calls = Calls::default();
    let mut coming: HashMap<u32, (Ask, Vec<u8>)> = HashMap::new();
    while let Some(frame) = frame::next(&mut read).await? {
        let call = frame.call;
        match frame.kind {
            Kind::Ask => {
                let ask = Ask::read(&frame.payload)?;
                let body = Vec::with_capacity(ask.length.min(1 << 20));
                coming.insert(call, (ask, body));
            }
            Kind::Body => {
                if let Some((_, body)) = coming.get_mut(&call) {
                    body.extend_from_slice(&frame.payload);
                }
            }
            Kind::Cancel => {
                coming.remove(&call);
                calls.remove(call);
            }
            Kind::Taken => calls.taken(call, frame::count(&frame.payload)?),
            _ => return Err(std::io::ErrorKind::InvalidData.into()),
        }
        if coming.get(&call).is_some_and(|(ask, body)| body.len() >= ask.length)
            && let Some((ask, body)) = coming.remove(&call)
        {
            calls.start(call, &asker, ask, body, &out);
        }
    }
    Ok(())
}

/// The calls that are being answered.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<HashMap<u32, Answering>>>);

struct Answering {
    task: AbortHandle,
    /// Bytes that may be sent before more were taken.
    window: Arc<Semaphore>,
}

impl Calls {
    fn start(&self, call: u32, asker: &Arc<Asker>, ask: Ask, body: Vec<u8>, out: &mpsc::Sender<Vec<u8>>) {
        let (asker, out, calls) = (Arc::clone(asker), out.clone(), self.clone());
        let window = Arc::new(Semaphore::new(WINDOW));
        let answer = Answer { call, window: Arc::clone(&window), out: out.clone() };
        // The table is locked until the task is in it: one that ends at once finds itself there.
        let mut table = self.lock();
        let task = tokio::spawn(async move {
            let last = match asker.answer(ask, body, &answer).await {
                Ok(()) => frame::frame(Kind::End, call, b""),
                Err(error) => frame::frame(Kind::Failed, call, &frame::write_error(&error)),
            };
            calls.remove(call);
            let _ = out.send(last).await;
            if resident().is_some_and(|bytes| bytes > asker.max_rss) {
                let _ = out.send(frame::frame(Kind::Full, 0, b"")).await;
            }
        });
        table.insert(call, Answering { task: task.abort_handle(), window });
    }

    fn taken(&self, call: u32, bytes: usize) {
        if let Some(answering) = self.lock().get(&call) {
            answering.window.add_permits(bytes.min(WINDOW));
        }
    }

    /// Forgets a call, and stops it if it is still being answered.
    fn remove(&self, call: u32) {
        if let Some(answering) = self.lock().remove(&call)
            && tokio::task::try_id() != Some(answering.task.id())
        {
            answering.task.abort();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Answering>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where one answer goes.
struct Answer {
    call: u32,
    window: Arc<Semaphore>,
    out: mpsc::Sender<Vec<u8>>,
}

impl Answer {
    /// Sends bytes of the body as there is room for them on the other side.
    async fn data(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // At least one, and then what there is: nobody else takes from this window.
            let Ok(one) = self.window.acquire().await else { return };
            let more = self.window.available_permits().min(bytes.len().min(PIECE) - 1);
            let rest = u32::try_from(more).ok().and_then(|more| self.window.try_acquire_many(more).ok());
            let length = 1 + rest.as_ref().map_or(0, |_| more);
            one.forget();
            rest.into_iter().for_each(tokio::sync::SemaphorePermit::forget);
            let (piece, left) = bytes.split_at(length);
            let _ = self.out.send(frame::frame(Kind::Data, self.call, piece)).await;
            bytes = left;
        }
    }
}

/// The client of a helper: that of the level `original`, so that what isolation costs and saves is all that sets the two apart.
struct Asker {
    client: Client,
    key: ApiKey,
    patience: Patience,
    max_body: usize,
    max_rss: u64,
}

impl Asker {
    fn new(setup: &[u8]) -> Result<Self, Error> {
        let setup: Setup = serde_json::from_slice(setup)
            .map_err(|_| Error::config("the helper is of another version than its parent"))?;
        let max_rss = setup.max_rss;
        let (config, options) = setup.into_parts()?;
        let patience = Patience::new(&config, &options.timeouts);
        let client = gemini_original::client(&config, &options, &patience)?;
        let key = ApiKey::new(&config.api_key)?;
        Ok(Self { client, key, patience, max_body: options.limits.max_body, max_rss })
    }

    async fn answer(&self, ask: Ask, body: Vec<u8>, answer: &Answer) -> Result<(), Error> {
        let wait = if ask.streams { self.patience.stream() } else { self.patience.generate() };
        let sent = self
            .client
            .request(ask.method, Address::parse(&ask.url)?)
            .headers(ask.headers)
            .header(API_KEY_HEADER, self.key.header())
            .body(body)
            .send();
        let response = wait.head(sent).await?.map_err(|error| transport::transport(error, Phase::Head, &wait))?;
        let status = response.status();
        let head = Head::write(status.as_u16(), response.headers());
        let _ = answer.out.send(frame::frame(Kind::Head, answer.call, &head)).await;
        let limit = match (status.is_success(), ask.streams) {
            (false, _) => MAX_ERROR_BODY,
            (true, false) => self.max_body,
            (true, true) => usize::MAX,
        };
        let (mut chunks, mut length) = (response.bytes_stream(), 0_usize);
        loop {
            let chunk = match transport::next_chunk(&mut chunks, &wait).await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Ok(()),
                // A refusal that breaks off is still a refusal: what came of it is read.
                Err(_) if !status.is_success() => return Ok(()),
                Err(error) => return Err(error),
            };
            length = length.saturating_add(chunk.len());
            if length > limit {
                if !status.is_success() {
                    return Ok(());
                }
                return Err(Error::TooLong { what: Limited::Body, limit });
            }
            answer.data(&chunk).await;
        }
    }
}

/// Resident bytes of this process, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::Config;
    use crate::options::{Options, Trust};

    /// A server whose answers have so many bytes.
    async fn server(bytes: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {bytes}\r\n\r\n");
                    let _ = stream.write_all(head.as_bytes()).await;
                    let _ = stream.write_all(&vec![b'x'; bytes]).await;
                });
            }
        });
        base
    }

    fn ask(url: &str) -> Vec<u8> {
        let (method, headers) = (http::Method::GET, http::HeaderMap::new());
        Ask { method, url: url.to_owned(), headers, streams: true, length: 0 }.write()
    }

    /// Reads frames, all of which must be of `call`, until so many bytes of its body came.
    async fn taken_of(pipe: &mut UnixStream, call: u32, bytes: usize) -> usize {
        let mut came = 0;
        while came < bytes {
            let frame = frame::next(pipe).await.unwrap().unwrap();
            assert!(matches!(frame.kind, Kind::Head | Kind::Data) && frame.call == call, "{:?}", frame.kind);
            came += if frame.kind == Kind::Data { frame.payload.len() } else { 0 };
        }
        came
    }

    #[tokio::test]
    async fn what_is_not_taken_holds_up_its_own_answer_and_no_other() {
        let (large, small) = (server(1 << 20).await, server(1000).await);
        let (mut pipe, helper) = UnixStream::pair().unwrap();
        let serving = tokio::spawn(serve(helper));
        let config = Config { api_key: "k".to_owned(), base_url: Some(large.clone()), ..Config::default() };
        let options = Options { trust: Trust::WebPkiRoots, ..Options::default() };
        let setup = serde_json::to_vec(&Setup::new(&config, &options, u64::MAX)).unwrap();
        pipe.write_all(&frame::frame(Kind::Setup, 0, &setup)).await.unwrap();
        assert_eq!(frame::next(&mut pipe).await.unwrap().unwrap().kind, Kind::Ready);
        pipe.write_all(&frame::frame(Kind::Ask, 1, &ask(&large))).await.unwrap();
        assert_eq!(taken_of(&mut pipe, 1, WINDOW).await, WINDOW);
        // Nothing more of it comes while others are answered, until some was taken, and then as much.
        for (next, taken) in [(2, 1000_u32), (3, 1), (4, 20_000)] {
            pipe.write_all(&frame::frame(Kind::Ask, next, &ask(&small))).await.unwrap();
            assert_eq!(taken_of(&mut pipe, next, 1000).await, 1000);
            assert_eq!(frame::next(&mut pipe).await.unwrap().unwrap().kind, Kind::End);
            pipe.write_all(&frame::frame(Kind::Taken, 1, &taken.to_le_bytes())).await.unwrap();
            assert_eq!(taken_of(&mut pipe, 1, taken as usize).await, taken as usize);
        }
        drop(pipe);
        serving.await.unwrap().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_knows_how_much_of_it_is_resident() {
        assert!(super::resident().is_some_and(|bytes| bytes > 500_000));
    }
}
