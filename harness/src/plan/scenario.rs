//! The work that subjects are put through.

use plimsoll_reports::line::{IN_FLIGHT, SCENARIO as LINE_SCENARIO};
use plimsoll_reports::record::{Cell, ScenarioInfo};

use crate::attribute;
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
    /// What a thousand requests are mixed of, in pieces whose order the run's seed decides; empty where all are alike.
    pub mix: &'static [Portion],
    /// Whether the same work can be expected to make the same calls of malloc each time: sequential, and in lock-step with the mock.
    pub deterministic: bool,
}

/// Some of the requests of a mixed scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// The command of the subject protocol.
    pub work: Work,
    /// The mock's script for them.
    pub script: &'static str,
    /// Requests in a piece: those of one command.
    pub piece: u64,
    /// Pieces in a thousand requests.
    pub pieces: u64,
    /// Whether each is answered by an error, which the subject must report as one.
    pub refused: bool,
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

/// 700 short answers, 150 streams, 100 long answers and 50 refusals. A subject says `error` for a whole command, so refusals are asked for
/// one by one.
const MIX: &[Portion] = &[
    Portion { work: Work::Chat, script: "chat", piece: 10, pieces: 70, refused: false },
    Portion { work: Work::Stream, script: "stream", piece: 10, pieces: 15, refused: false },
    Portion { work: Work::Chat, script: "large", piece: 10, pieces: 10, refused: false },
    Portion { work: Work::Chat, script: "error-400", piece: 1, pieces: 10, refused: true },
    Portion { work: Work::Chat, script: "error-429", piece: 1, pieces: 20, refused: true },
    Portion { work: Work::Stream, script: "error-503", piece: 1, pieces: 20, refused: true },
];
const THOUSANDS: &[u64] = &[1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000];

const SEQUENTIAL: &[u64] = &[1, 20, 64, 128, 256];
const TWENTY_AT_ONCE: &[u64] = &[20, 64, 128, 256];
const HELD: &[u64] = &[1, 10, 100, 1_000];
/// As few as `growth` needs: the live service counts.
const FEW: &[u64] = &[1, 20];

/// The scenario of `plimsoll line`, whose cells say themselves how many requests they hold.
pub const LINE: &str = LINE_SCENARIO;

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
        mix: &[],
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
        mix: &[],
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
        mix: &[],
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
        mix: &[],
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
        mix: &[],
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
        mix: &[],
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
        mix: &[],
        deterministic: false,
    },
    Scenario {
        id: LINE,
        description: "as many streams as the model says fit a given memory, and a tenth more, held open after the first event of the answer",
        work: Work::Stream,
        script: "stream+hold=after-first-event+lockstep=off",
        in_flight: 1,
        steps: &[],
        held: &[],
        mix: &[],
        deterministic: false,
    },
    Scenario {
        id: "soak",
        description: "10,000 sequential requests, of each thousand 700 chat, 150 stream, 100 large and 50 answered by an error, in an order that the seed decides",
        work: Work::Chat,
        script: "chat",
        in_flight: 1,
        steps: THOUSANDS,
        held: &[],
        mix: MIX,
        deterministic: true,
    },
    Scenario {
        id: "crowd-100",
        description: "100 requests at once, each answered with one JSON body of 2 KB",
        work: Work::Chat,
        script: "chat+lockstep=off",
        in_flight: 100,
        steps: &[100],
        held: &[],
        mix: &[],
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
        mix: &[],
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
        mix: &[],
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
        mix: &[],
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
        mix: &[],
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
        // Mixed answers have no one size.
        let served = if mock && self.mix.is_empty() {
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

    /// Requests that a cell of it holds open at once, a batch each, ascending: the scenario's own, or what the cell's factor `in-flight` says.
    pub fn held_by(&self, cell: &Cell) -> Vec<u64> {
        let said = cell.factors.get(IN_FLIGHT).and_then(|said| said.parse().ok());
        said.map_or_else(|| self.held.to_vec(), |count| vec![count])
    }

    /// Requests of a whole sample.
    pub fn requests(&self) -> u64 {
        self.steps.last().copied().unwrap_or_default() + self.held.iter().sum::<u64>()
    }

    /// The requests after which shorter lives end that are profiled besides a whole one: none where the same work cannot be expected to ask for
    /// the same memory, so that two processes could not be compared site by site.
    pub fn profiled_at(&self) -> &'static [u64] {
        let has_all = attribute::PROFILED_AT.iter().all(|requests| self.steps.contains(requests));
        if self.deterministic && has_all { &attribute::PROFILED_AT } else { &[] }
    }

    /// Whether a sample of it puts a hundred requests or more on the machine at once, or makes ten thousand one by one: what is done once to see that it works, and not
    /// again for each runtime and crypto provider.
    pub fn is_crowded(&self) -> bool {
        self.in_flight >= 100 || !self.mix.is_empty()
    }
}
