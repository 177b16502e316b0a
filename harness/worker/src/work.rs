//! N requests, at most C at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::{Failure, Request, Sink, Subject, latency};

/// Which of a subject's two exchanges to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Answers whole.
    Chat,
    /// Answers as they come.
    Stream,
}

/// What came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Requests answered.
    pub(crate) answered: u64,
    /// Sum of the CRC-32 of their texts, modulo 2⁶⁴.
    pub(crate) crc: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.crc = self.crc.wrapping_add(other.crc);
    }
}

/// Everything that a request needs; made once, at `client`.
pub(crate) struct Work<S: Subject> {
    subject: S,
    client: Arc<S::Client>,
    request: Request,
    sink: Sink,
}

impl<S: Subject> Work<S> {
    pub(crate) fn new(subject: S, client: S::Client, request: Request) -> Self {
        Self { subject, client: Arc::new(client), request, sink: Sink::new() }
    }

    /// Makes `requests` requests, at most `in_flight` at a time.
    pub(crate) async fn run(&self, method: Method, requests: u64, in_flight: u64) -> Result<Tally, Failure> {
        latency::reset();
        match in_flight.min(requests) {
            0 | 1 => self.sequential(method, requests).await,
            tasks => self.concurrent(method, requests, tasks).await,
        }
    }

    async fn sequential(&self, method: Method, requests: u64) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        for _ in 0..requests {
            tally.add(self.exchange(method).await?);
        }
        Ok(tally)
    }

    /// Tasks that take the next request until there is none left. With as many tasks as requests, which is how a burst is measured,
    /// that is a task for each request.
    async fn concurrent(&self, method: Method, requests: u64, tasks: u64) -> Result<Tally, Failure> {
        let left = Arc::new(AtomicU64::new(requests));
        let spawned: Vec<_> = (0..tasks)
            .map(|_| {
                let work = self.for_task();
                let left = Arc::clone(&left);
                tokio::spawn(async move { work.lane(method, &left).await })
            })
            .collect();
        let mut outcome = Ok(Tally::default());
        for task in spawned {
            let result =
                task.await.unwrap_or_else(|error| Err(Failure::other(format!("a request's task ended: {error}"))));
            match (&mut outcome, result) {
                (Ok(tally), Ok(more)) => tally.add(more),
                (Ok(_), Err(failure)) => outcome = Err(failure),
                // The first failure is the one that is reported.
                (Err(_), _) => {}
            }
        }
        outcome
    }

    async fn lane(&self, method: Method, left: &AtomicU64) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        while left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            match self.exchange(method).await {
                Ok(one) => tally.add(one),
                Err(failure) => {
                    // One failure spoils the sample: the other tasks need not go on.
                    left.store(0, Ordering::Relaxed);
                    return Err(failure);
                }
            }
        }
        Ok(tally)
    }

    async fn exchange(&self, method: Method) -> Result<Tally, Failure> {
        let (client, request, sink) = (Arc::clone(&self.client), self.request.clone(), self.sink.next());
        let start = Instant::now();
        match method {
            Method::Chat => self.subject.chat(client, request, sink).await?,
            Method::Stream => self.subject.stream(client, request, sink).await?,
        }
        latency::record(start.elapsed());
        Ok(Tally { answered: 1, crc: self.sink.crc().into() })
    }

    /// The same with a sum of its own: answers that come at the same time must not mix.
    fn for_task(&self) -> Self {
        Self {
            subject: self.subject,
            client: Arc::clone(&self.client),
            request: self.request.clone(),
            sink: Sink::new(),
        }
    }
}
