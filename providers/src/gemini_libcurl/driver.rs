//! The thread that drives all transfers of a provider.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, mem};

use curl::easy::Easy2;
use curl::multi::{Easy2Handle, Multi, MultiWaker};
use http::Method;

use super::answer::Answer;
use super::failure;
use super::setup::{self, Setup};
use super::transfer::{Asked, Room, Shared, Transfer};

/// The most connections that wait for their next request.
const MAX_IDLE_CONNECTIONS: usize = 32;
/// The most easy handles that wait for theirs. One costs about 6 KiB.
const MAX_IDLE_HANDLES: usize = 32;
/// How long the thread sleeps when nothing wakes it: nothing depends on it.
const SLEEP: Duration = Duration::from_secs(3600);
/// How long a provider that is dropped waits for its thread, which may be hanging up or waiting for a resolver.
const GOODBYE: Duration = Duration::from_millis(200);

/// Asks on behalf of a provider.
pub(super) struct Driver {
    setup: Arc<Setup>,
    next_id: AtomicUsize,
    /// The thread, from the first request on.
    thread: Mutex<Option<Running>>,
}

impl Driver {
    pub(super) fn new(setup: Setup) -> Self {
        Self { setup: Arc::new(setup), next_id: AtomicUsize::new(0), thread: Mutex::new(None) }
    }

    /// Begins a transfer.
    pub(super) fn ask(&self, asked: Asked, room: Room) -> Answer<'_> {
        let (id, shared) = (self.next_id.fetch_add(1, Ordering::Relaxed), Shared::new(room));
        let answer = Answer::new(self, id, Arc::clone(&shared));
        let mut transfer = Transfer::new(shared, &asked);
        let mut thread = self.lock();
        match thread.take().filter(Running::is_alive).map_or_else(|| Running::start(&self.setup), Ok) {
            Ok(running) => {
                running.queue.push(Order::Ask { id, asked, transfer });
                *thread = Some(running);
            }
            Err(error) => transfer.fail(failure::no_driver(error)),
        }
        answer
    }

    /// Lets a paused transfer go on.
    pub(super) fn resume(&self, id: usize) {
        self.order(Order::Resume(id));
    }

    /// The caller has what it wanted of a transfer, or wants no more of it.
    pub(super) fn release(&self, id: usize, shared: &Shared) {
        if !shared.lock().over {
            self.order(Order::End(id));
        }
    }

    fn order(&self, order: Order) {
        if let Some(running) = &*self.lock() {
            running.queue.push(order);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("setup", &self.setup).field("running", &self.lock().is_some()).finish()
    }
}

/// What the thread is told.
#[allow(
    clippy::large_enum_variant,
    reason = "most are the large one, and a box would be an allocation for each request"
)]
enum Order {
    Ask { id: usize, asked: Asked, transfer: Transfer },
    Resume(usize),
    End(usize),
    Stop,
}

/// Orders on their way to the thread.
#[derive(Default)]
struct Queue(Mutex<Orders>);

#[derive(Default)]
struct Orders {
    waiting: VecDeque<Order>,
    /// Ends the thread's sleep; there once it is awake for the first time.
    waker: Option<MultiWaker>,
    /// The thread is gone, and nobody will carry them out.
    closed: bool,
}

impl Queue {
    fn push(&self, order: Order) {
        let mut orders = self.lock();
        if orders.closed {
            // Dropped without the lock: whoever waits for it hears that it failed.
            drop(orders);
            return drop(order);
        }
        orders.waiting.push_back(order);
        if let Some(waker) = &orders.waker {
            // It fails only when the thread is about to be gone: then the queue is closed.
            let _ = waker.wakeup();
        }
    }

    fn close(&self) {
        let mut orders = self.lock();
        orders.closed = true;
        let waiting = mem::take(&mut orders.waiting);
        drop(orders);
        drop(waiting);
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread as its provider holds it.
struct Running {
    queue: Arc<Queue>,
    handle: Option<JoinHandle<()>>,
    /// Hears that the thread is about to end.
    ending: Receiver<()>,
}

impl Running {
    fn start(setup: &Arc<Setup>) -> std::io::Result<Self> {
        let (setup, queue) = (Arc::clone(setup), Arc::<Queue>::default());
        let (alive, ending) = channel();
        let thread = Thread::new(setup, Arc::clone(&queue), alive);
        let handle = thread::Builder::new().name("plimsoll-curl".to_owned()).spawn(move || thread.run())?;
        Ok(Self { queue, handle: Some(handle), ending })
    }

    fn is_alive(&self) -> bool {
        self.handle.as_ref().is_some_and(|handle| !handle.is_finished())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.queue.push(Order::Stop);
        let Some(handle) = self.handle.take() else { return };
        // The last owner of a provider may be a task that the thread itself just woke.
        if handle.thread().id() != thread::current().id()
            && self.ending.recv_timeout(GOODBYE) == Err(RecvTimeoutError::Disconnected)
        {
            let _ = handle.join();
        }
    }
}

/// What the thread needs to begin.
struct Thread {
    setup: Arc<Setup>,
    queue: Arc<Queue>,
    /// Dropped last: then everything else is.
    _alive: Sender<()>,
}

impl Thread {
    const fn new(setup: Arc<Setup>, queue: Arc<Queue>, alive: Sender<()>) -> Self {
        Self { setup, queue, _alive: alive }
    }

    fn run(self) {
        let mut transfers = Transfers::new(&self.setup);
        self.queue.lock().waker = Some(transfers.multi.waker());
        let mut orders = VecDeque::new();
        loop {
            mem::swap(&mut orders, &mut self.queue.lock().waiting);
            for order in orders.drain(..) {
                match order {
                    Order::Ask { id, asked, transfer } => transfers.begin(id, &asked, transfer),
                    Order::Resume(id) => transfers.resume(id),
                    Order::End(id) => transfers.abandon(id),
                    Order::Stop => return,
                }
            }
            // An error of the whole is one that no transfer survives: the thread ends, and the next request starts another.
            if transfers.go_on().is_err() || transfers.multi.poll(&mut [], SLEEP).is_err() {
                return;
            }
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The transfers that are under way, and the handles that wait for their next one.
struct Transfers<'s> {
    setup: &'s Setup,
    live: HashMap<usize, Live>,
    idle: Vec<Easy2<Transfer>>,
    over: Vec<(usize, Result<(), curl::Error>)>,
    /// Dropped after the handles that are in it.
    multi: Multi,
}

/// A transfer that is under way.
struct Live {
    easy: Easy2Handle<Transfer>,
    /// Whether its handle can be used again as it is.
    kept: bool,
}

impl<'s> Transfers<'s> {
    fn new(setup: &'s Setup) -> Self {
        let mut multi = Multi::new();
        // Refused by no libcurl that knows the option, and without it there is a bound too, only a higher one.
        let _ = multi.set_max_connects(MAX_IDLE_CONNECTIONS);
        Self { setup, live: HashMap::new(), idle: Vec::new(), over: Vec::new(), multi }
    }

    fn begin(&mut self, id: usize, asked: &Asked, mut transfer: Transfer) {
        let kept = matches!(asked, Asked::Content { .. });
        match self.prepare(asked) {
            Err(error) => transfer.end(Some((error, 0)), self.setup.connect),
            Ok(mut easy) => {
                *easy.get_mut() = transfer;
                // A handle that cannot be added is dropped, and its transfer has failed.
                if let Ok(mut easy) = self.multi.add2(easy)
                    && easy.set_token(id).is_ok()
                {
                    self.live.insert(id, Live { easy, kept });
                }
            }
        }
    }

    /// A handle that will ask what is asked.
    fn prepare(&mut self, asked: &Asked) -> Result<Easy2<Transfer>, curl::Error> {
        match asked {
            Asked::Content { url, body } => {
                let mut easy = match self.idle.pop() {
                    Some(easy) => easy,
                    None => {
                        let mut easy = self.setup.handle()?;
                        easy.http_headers(self.setup.content_fields()?)?;
                        easy.post(true)?;
                        easy
                    }
                };
                easy.url(url)?;
                easy.post_field_size(body.len() as u64)?;
                Ok(easy)
            }
            Asked::Call { url, call } => {
                let mut easy = self.setup.handle()?;
                easy.url(url)?;
                easy.http_headers(self.setup.call_fields(call.headers())?)?;
                let method: &Method = call.method();
                setup::method(&mut easy, method, call.body().len() as u64)?;
                // On a connection that was kept libcurl might send it twice.
                easy.fresh_connect(!call.is_repeatable())?;
                Ok(easy)
            }
        }
    }

    fn resume(&self, id: usize) {
        if let Some(live) = self.live.get(&id) {
            // A transfer that cannot go on ends with an error of its own.
            let _ = live.easy.unpause_write();
        }
    }

    fn abandon(&mut self, id: usize) {
        self.live.remove(&id);
    }

    /// Does whatever can be done without waiting.
    fn go_on(&mut self) -> Result<(), curl::MultiError> {
        self.multi.perform()?;
        let Self { multi, live, over, .. } = self;
        multi.messages(|message| {
            let Ok(id) = message.token() else { return };
            if let Some(Some(result)) = live.get(&id).map(|live| message.result_for2(&live.easy)) {
                over.push((id, result));
            }
        });
        while let Some((id, result)) = self.over.pop() {
            let Some(Live { easy, kept }) = self.live.remove(&id) else { continue };
            let mut easy = self.multi.remove2(easy)?;
            let errno = easy.os_errno().unwrap_or_default();
            easy.get_mut().end(result.err().map(|error| (error, errno)), self.setup.connect);
            if kept && self.idle.len() < MAX_IDLE_HANDLES {
                self.idle.push(easy);
            }
        }
        Ok(())
    }
}
