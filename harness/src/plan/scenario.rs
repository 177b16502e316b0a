//! The work that subjects are put through.

use plimsoll_reports::record::ScenarioInfo;

use crate::corpus::{self, Call, reading};
use crate::mock::script::Script;

/// A scenario: what is asked, how often, and how many at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// Its name.
    pub id: &'static str,
    /// One sentence for people.
    pub description: &'static str,
    /// The command of the subject protocol that does it.
    pub work: Work,
    /// The mock's script.
    pub script: &'static str,
    /// Requests in flight at a time.
    pub in_flight: u64,
    /// Requests done in all at each stop, ascending. A sequential scenario stops after the first; 20 is the N of the claim that the
    /// growth answers; 64, 128 and 256 are the N1, N2, N3 of the slope.
    pub steps: &'static [u64],
    /// Requests held open at once by the mock, ascending: each a batch of its own, read while it is held. Only with a script that holds;
    /// 100 and 1,000 are what the in-flight cost is defined by.
    pub held: &'static [u64],
    /// Whether the same work can be expected to make the same calls of malloc each time: sequential, and in lock-step with the mock.
    pub deterministic: bool,
}

/// A command of the subject protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// `generateContent`.
    Chat,
    /// `streamGenerateContent?alt=sse`.
    Stream,
}

impl Work {
    /// The command's word.
    pub fn command(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Stream => "stream",
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Chat => "generateContent",
            Self::Stream => "streamGenerateContent",
        }
    }
}

const SEQUENTIAL: &[u64] = &[1, 20, 64, 128, 256];
const TWENTY_AT_ONCE: &[u64] = &[20, 64, 128, 256];
const HELD: &[u64] = &[1, 10, 100, 1_000];
/// As few as `growth` needs: the live service counts.
const FEW: &[u64] = &[1, 20];

/// Every scenario, in the order of reports.
pub const ALL: &[Scenario] = &[
    Scenario {
        id: "client",
        description: "nothing is asked: what a client takes that was only constructed",
        work: Work::Chat,
        script: "chat",
        in_flight: 1,
        steps: &[],
        held: &[],
        deterministic: true,
    },
    Scenario {
        id: "chat",
        description: "sequential requests, each answered with one JSON body of 2 KB",
        work: Work::Chat,
        script: "chat",
        in_flight: 1,
        steps: SEQUENTIAL,
        held: &[],
        deterministic: true,
    },
    Scenario {
        id: "chat-20x",
        description: "20 requests at a time, each answered with one JSON body of 2 KB",
        work: Work::Chat,
        script: "chat",
        in_flight: 20,
        steps: TWENTY_AT_ONCE,
        held: &[],
        deterministic: false,
    },
    Scenario {
        id: "stream",
        description: "sequential streams of 12 server-sent events, one event a TLS record",
        work: Work::Stream,
        script: "stream",
        in_flight: 1,
        steps: SEQUENTIAL,
        held: &[],
        deterministic: true,
    },
    Scenario {
        id: "large",
        description: "sequential requests, each answered with one JSON body of 64 KB",
        work: Work::Chat,
        script: "large",
        in_flight: 1,
        steps: SEQUENTIAL,
        held: &[],
        deterministic: true,
    },
    // Lock-step is off where many are released at once: a count cannot repeat there, and the mock would wait for a client that is busy
    // with its other answers.
    Scenario {
        id: "inflight-head",
        description: "1, 10, 100 and 1,000 streams held open before the head of the answer, and then let go on",
        work: Work::Stream,
        script: "stream+hold=before-head+lockstep=off",
        in_flight: 1_000,
        steps: &[],
        held: HELD,
        deterministic: false,
    },
    Scenario {
        id: "inflight-event",
        description: "1, 10, 100 and 1,000 streams held open after the first event of the answer, and then let go on",
        work: Work::Stream,
        script: "stream+hold=after-first-event+lockstep=off",
        in_flight: 1_000,
        steps: &[],
        held: HELD,
        deterministic: false,
    },
    Scenario {
        id: "crowd",
        description: "1,000 requests at once, each answered with one JSON body of 2 KB",
        work: Work::Chat,
        script: "chat+lockstep=off",
        in_flight: 1_000,
        steps: &[1_000],
        held: &[],
        deterministic: false,
    },
    Scenario {
        id: "crowd-5000",
        description: "5,000 requests at once, each answered with one JSON body of 2 KB",
        work: Work::Chat,
        script: "chat+lockstep=off",
        in_flight: 5_000,
        steps: &[5_000],
        held: &[],
        deterministic: false,
    },
    Scenario {
        id: "live-chat",
        description: "20 sequential requests, as few as growth needs: for the live service, and for the mock to compare with",
        work: Work::Chat,
        script: "chat",
        in_flight: 1,
        steps: FEW,
        held: &[],
        deterministic: false,
    },
    Scenario {
        id: "live-stream",
        description: "20 sequential streams of server-sent events, likewise",
        work: Work::Stream,
        script: "stream",
        in_flight: 1,
        steps: FEW,
        held: &[],
        deterministic: false,
    },
];

/// The scenario of that name.
pub fn find(id: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.id == id)
}

impl Scenario {
    /// As reports describe it. `mock` says whether the target is the mock: body sizes of another target are not known.
    pub fn info(&self, mock: bool) -> ScenarioInfo {
        let call = if self.work == Work::Stream { Call::Sse } else { Call::Unary };
        let served = if mock {
            self.script().and_then(|script| corpus::reply(script.asked_reply())).map(|reply| reply.served(call))
        } else {
            None
        };
        let events = served.as_ref().filter(|_| self.work == Work::Stream).and_then(|s| reading::events(s, call));
        ScenarioInfo {
            id: self.id.to_owned(),
            description: self.description.to_owned(),
            method: self.work.method().to_owned(),
            in_flight: self.in_flight,
            body_bytes: served.map(|served| served.body.len() as u64),
            events: events.map(|events| events.len() as u64),
            deterministic: self.deterministic,
            steps: self.steps.to_vec(),
            held: self.held.to_vec(),
        }
    }

    /// The mock's script for it.
    pub fn script(&self) -> Option<Script> {
        self.script.parse().ok()
    }

    /// Requests of a whole sample.
    pub fn requests(&self) -> u64 {
        self.steps.last().copied().unwrap_or_default() + self.held.iter().sum::<u64>()
    }

    /// Whether a sample of it puts a thousand requests or more on the machine at once: what is done once to see that it works, and not
    /// again for each runtime and crypto provider.
    pub fn is_crowded(&self) -> bool {
        self.in_flight >= 1_000
    }
}
