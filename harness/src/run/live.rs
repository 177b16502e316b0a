//! What a run against the live service needs besides: how the service is reached, how fast and how often it may be asked, and what a
//! refusal means for the rest of the run.
//!
//! The service answers each question in other words, so an answer cannot be compared with what was served. What is checked: every answer
//! came without an error, is counted, and has a text.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use plimsoll_reports::record::{Latency, PlannedCell, Trust};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use crate::corpus::hex;
use crate::plan::scenario;

/// The live service's host.
pub const HOST: &str = "generativelanguage.googleapis.com";

/// Where people get a key.
pub const KEYS: &str = "https://aistudio.google.com/apikey";

/// Requests a minute unless told otherwise. The API's page on rate limits has listed 10 a minute for `gemini-2.5-flash` without payment;
/// 8 leave room for a clock that is not the service's.
pub const RATE: u32 = 8;

/// Requests of a whole run unless told otherwise: the suite `live` and a little more. The same page has listed 250 to 500 a day.
pub const MAX_REQUESTS: u64 = 150;

/// The longest that an answer is expected to take on average, for predictions: the recorded ones took 1.7 s in the median, a model that
/// thinks takes longer.
const ANSWER: Duration = Duration::from_secs(4);

/// Tokens of one answer, thoughts included, for predictions: a guess, since nobody but the model knows.
const TOKENS_OUT: u64 = 1_500;

/// `HOST:PORT:ADDRESS`: connect there for that host and port, without DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The host name, which certificates are still checked against.
    pub host: String,
    /// The port, of the name and of the address.
    pub port: u16,
    /// Where to connect.
    pub address: IpAddr,
}

impl FromStr for Resolve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (host, rest) = text.split_once(':')?;
            let (port, address) = rest.split_once(':')?;
            let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
            (!host.is_empty()).then_some(())?;
            Some(Self { host: host.to_owned(), port: port.parse().ok()?, address: address.parse().ok()? })
        };
        read().ok_or_else(|| format!("wants HOST:PORT:ADDRESS, e.g. {HOST}:443:192.0.2.1"))
    }
}

impl std::fmt::Display for Resolve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.host, self.port, self.address)
    }
}

/// How a server that is not the mock is reached.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Where to connect, without DNS.
    pub resolve: Option<Resolve>,
    /// A PEM file with the only roots to trust, in place of the trust bundle.
    pub ca: Option<PathBuf>,
    /// The model to ask, where it is not the one that the mock is asked.
    pub model: Option<String>,
    /// Requests a minute: held to for the live service.
    pub rate: Option<u32>,
}

impl Access {
    /// The origin of the live service: another port only where `--resolve` says so.
    pub fn live_origin(&self) -> String {
        match self.resolve.as_ref().map(|resolve| resolve.port) {
            None | Some(443) => format!("https://{HOST}"),
            Some(port) => format!("https://{HOST}:{port}"),
        }
    }

    /// The roots that subjects trust, as PEM, and how records name them.
    ///
    /// # Errors
    /// When `--ca` names a file that cannot be read or holds no certificate.
    pub fn trust(&self) -> Result<(String, Trust), String> {
        let Some(path) = &self.ca else { return Ok(super::trust_bundle()) };
        let wrong = |why: String| format!("--ca {}: {why}; name a PEM file of root certificates", path.display());
        let pem = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let roots = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
        let roots = roots.map_err(|e| wrong(e.to_string()))?.len();
        if roots == 0 {
            return Err(wrong("there is no certificate in it".to_owned()));
        }
        let digest = hex(&Sha256::digest(pem.as_bytes()));
        Ok((pem, Trust { roots: u32::try_from(roots).unwrap_or(u32::MAX), digest }))
    }
}

/// Requests that some cells will make, each as often as planned.
pub fn requests<'a>(cells: impl IntoIterator<Item = &'a PlannedCell>) -> u64 {
    cells.into_iter().map(|planned| requests_of(&planned.cell.scenario) * u64::from(planned.samples)).sum()
}

/// Requests of one sample of a scenario.
pub fn requests_of(scenario: &str) -> u64 {
    scenario::find(scenario).map_or(0, scenario::Scenario::requests)
}

/// The time that a request takes at so many a minute.
pub fn interval(rate: u32) -> Duration {
    Duration::from_secs(60) / rate.max(1)
}

/// The time that a request can be expected to take, its answer included.
pub fn expected(rate: u32) -> Duration {
    interval(rate).max(ANSWER)
}

/// What a run will ask of the live service, in one sentence for people.
pub fn estimate(requests: u64, rate: u32) -> String {
    let minutes = (expected(rate).as_secs_f64() * requests as f64 / 60.0).ceil();
    let tokens_in = requests * (super::launch::PROMPT.len() as u64).div_ceil(4);
    let tokens_out = requests * TOKENS_OUT;
    format!(
        "{requests} requests to the live service, at most {rate} a minute: about {minutes:.0} min, and roughly {tokens_in} tokens in and \
         {tokens_out} out, thoughts included"
    )
}

/// The live service while a run lasts: when the next request may go, and how many went.
#[derive(Debug)]
pub struct Live {
    interval: Duration,
    next: Cell<Option<Instant>>,
    sent: Cell<u64>,
    times: RefCell<Vec<u64>>,
}

impl Live {
    /// At `rate` requests a minute.
    pub fn new(rate: u32) -> Self {
        Self { interval: interval(rate), next: Cell::new(None), sent: Cell::new(0), times: RefCell::default() }
    }

    /// How long a request must still wait that could go at `now`; it counts as sent when that is over. Requests keep their distance from
    /// the last one and make up for nothing: a burst after a pause would be refused.
    pub fn turn(&self, now: Instant) -> Duration {
        let at = self.next.get().map_or(now, |next| next.max(now));
        self.next.set(Some(at + self.interval));
        self.sent.set(self.sent.get() + 1);
        at - now
    }

    /// Requests so far.
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Notes how long one request took, microseconds.
    pub fn timed(&self, us: u64) {
        self.times.borrow_mut().push(us);
    }

    /// Percentiles of the times since the last call, by nearest rank; `None` if none was noted.
    pub fn latency(&self) -> Option<Latency> {
        let mut times = self.times.take();
        times.sort_unstable();
        let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some(Latency { p50_us: rank(50)?, p90_us: rank(90)?, p99_us: rank(99)?, max_us: rank(100)? })
    }
}

/// Why a run against the live service cannot go on, as a sentence with what to do; `None` where it can, and the sample has failed alone.
///
/// `said` is what the subject said of the request that failed. The first answer of a run decides for all: whatever refuses it will refuse
/// the others too.
pub fn verdict(said: &str, first: bool) -> Option<String> {
    let status = said.contains(": status: ").then(|| code(said)).flatten();
    let has = |word: &str| said.contains(word);
    let why = if has("API_KEY_") || matches!(status, Some(401 | 403)) {
        format!("the API refuses the key: check GEMINI_API_KEY, or take a key from {KEYS}")
    } else if status == Some(429) || has("RESOURCE_EXHAUSTED") {
        "the key's quota is used up: wait as long as the API says, or until tomorrow if it is the quota of a day; then continue with \
         --resume, with a lower --rate if it was the quota of a minute"
            .to_owned()
    } else if !first {
        return None;
    } else if status == Some(404) {
        "the API does not know the model: name another with --model".to_owned()
    } else if status.is_some() {
        "the API refuses the first request; what it says is above all that is known".to_owned()
    } else {
        format!("the first request was not answered: look at the network, and that {HOST} can be reached")
    };
    Some(why)
}

/// The HTTP status in what a subject said: its first number of three digits.
fn code(said: &str) -> Option<u16> {
    let words = said.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.len() == 3).find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_keep_their_distance_and_make_up_for_nothing() {
        let (live, start) = (Live::new(60), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(live.turn(start), Duration::ZERO);
        assert_eq!(live.turn(start), second);
        assert_eq!(live.turn(start + second / 4), second * 7 / 4);
        // A long pause is no credit.
        assert_eq!(live.turn(start + second * 60), Duration::ZERO);
        assert_eq!(live.turn(start + second * 60), second);
        assert_eq!(live.sent(), 5);
    }

    #[test]
    fn times_are_told_once_by_nearest_rank() {
        let live = Live::new(1);
        assert_eq!(live.latency(), None);
        (1..=20).rev().for_each(|us| live.timed(us));
        assert_eq!(live.latency(), Some(Latency { p50_us: 10, p90_us: 18, p99_us: 20, max_us: 20 }));
        assert_eq!(live.latency(), None);
    }

    #[test]
    fn what_refuses_the_key_or_the_quota_ends_the_run_whenever_it_comes() {
        let at = |said: &str| format!("at \"chat 1 1\": {said}");
        let key = at("status: the API answered 400 INVALID_ARGUMENT API_KEY_INVALID: API key not valid.");
        let quota = at("status: HTTP 429");
        for first in [true, false] {
            assert!(verdict(&key, first).is_some_and(|why| why.contains("GEMINI_API_KEY")));
            assert!(verdict(&quota, first).is_some_and(|why| why.contains("--resume")));
        }
        assert!(verdict(&at("status: HTTP 403"), false).is_some_and(|why| why.contains("GEMINI_API_KEY")));
    }

    #[test]
    fn anything_else_ends_the_run_only_where_it_is_the_first_answer() {
        let model = "at \"chat 1 1\": status: the API answered 404 NOT_FOUND: no model 500 of that name";
        assert!(verdict(model, true).is_some_and(|why| why.contains("--model")));
        let network = "at \"chat 1 1\": transport: connection failed: refused 404";
        assert!(verdict(network, true).is_some_and(|why| why.contains("network")));
        for said in [model, network, "at \"chat 1 1\": status: the API answered 503 UNAVAILABLE: overloaded"] {
            assert_eq!(verdict(said, false), None, "{said}");
        }
    }

    #[test]
    fn an_origin_has_the_port_of_resolve() {
        let access = |text: &str| Access { resolve: Some(text.parse().unwrap()), ..Access::default() };
        assert_eq!(Access::default().live_origin(), format!("https://{HOST}"));
        assert_eq!(access(&format!("{HOST}:443:192.0.2.1")).live_origin(), format!("https://{HOST}"));
        let elsewhere = access(&format!("{HOST}:34567:[::1]"));
        assert_eq!(elsewhere.live_origin(), format!("https://{HOST}:34567"));
        assert_eq!(elsewhere.resolve.unwrap().to_string(), format!("{HOST}:34567:::1"));
        for wrong in ["", "host", "host:443", ":443:127.0.0.1", "host:x:127.0.0.1", "host:443:here"] {
            assert!(wrong.parse::<Resolve>().is_err_and(|e| e.contains("HOST:PORT:ADDRESS")), "{wrong}");
        }
    }

    #[test]
    fn an_estimate_counts_what_the_plan_says() {
        let said = estimate(120, 8);
        assert!(said.starts_with("120 requests") && said.contains("15 min") && said.contains("180000 out"), "{said}");
        // Faster than answers come is no faster.
        assert!(estimate(120, 600).contains("8 min"));
    }
}
