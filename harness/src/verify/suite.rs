//! Every client asked every question of every fixture, over each HTTP version that it speaks.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::compare::{Compared, compare};
use super::expected::{self, Expected};
use super::fixture::Fixture;
use super::forms::{canonical, canonical_error};
use super::question::Question;
use super::speaker::{Answer, Silence, Speaker, Understood};
use crate::config::Protocol;
use crate::process::{Launch, Lost};
use crate::run::launch::Key;

/// One client on one HTTP version.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The subject's id.
    pub level: String,
    /// The HTTP version.
    pub protocol: Protocol,
    /// How its program is started.
    pub launch: Launch,
}

/// What all lanes share.
pub struct Ground<'a> {
    /// The mock's origin.
    pub origin: String,
    /// What is served.
    pub fixtures: &'a [Fixture],
    /// The key that is sent, and must be said by nobody.
    pub key: &'a Key,
    /// How long an answer may take: whoever takes longer hangs.
    pub patience: Duration,
    /// Whether to stop.
    pub interrupted: &'a (dyn Fn() -> bool + Sync),
}

/// How a lane went.
#[derive(Debug)]
pub struct Heard {
    /// The lane's level.
    pub level: String,
    /// Its HTTP version.
    pub protocol: Protocol,
    /// Fixtures that were served.
    pub fixtures: usize,
    /// Questions that were answered.
    pub answers: usize,
    /// Values that were compared.
    pub checks: usize,
    /// What is not as it was served.
    pub wrong: Vec<Wrong>,
    /// What it cannot be asked, and why.
    pub unsupported: BTreeMap<Question, String>,
}

/// Something that is not as it was served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The fixture's name.
    pub fixture: String,
    /// What was asked.
    pub question: Question,
    /// Path, served value and said value; or why nothing was said.
    pub what: String,
}

/// A client that was lost so often is not started again.
const LOSSES: usize = 3;

/// Asks on all lanes, as many at a time as there are processors. `on_heard` is told as each ends; the order of the result is that of the
/// lanes.
pub fn run(lanes: &[Lane], ground: &Ground<'_>, on_heard: &(dyn Fn(&Heard) + Sync)) -> Vec<Heard> {
    let heard: Vec<Mutex<Option<Heard>>> = lanes.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let at_once = std::thread::available_parallelism().map_or(1, usize::from).min(lanes.len());
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            // A subject dies with the thread that started it, so a lane stays on one.
            scope.spawn(|| {
                while let Some((lane, slot)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    lanes.get(at).zip(heard.get(at))
                } {
                    let result = listen(lane, ground);
                    on_heard(&result);
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                }
            });
        }
    });
    heard.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

fn listen(lane: &Lane, ground: &Ground<'_>) -> Heard {
    let mut heard = Heard {
        level: lane.level.clone(),
        protocol: lane.protocol,
        fixtures: 0,
        answers: 0,
        checks: 0,
        wrong: Vec::new(),
        unsupported: BTreeMap::new(),
    };
    let mut speaker = None;
    let mut losses = 0;
    for fixture in ground.fixtures {
        let before = heard.answers;
        for &question in fixture.questions {
            if heard.unsupported.contains_key(&question) {
                continue;
            }
            let wrong = |what: String| Wrong { fixture: fixture.name.clone(), question, what };
            if losses >= LOSSES {
                heard.wrong.push(wrong(format!("not asked: it was lost {LOSSES} times")));
                continue;
            }
            match ask(lane, ground, fixture, question, &mut speaker) {
                Ok((Answer::Understood(understood), leaked)) => {
                    let compared = judge(fixture, question, &understood, leaked);
                    heard.answers += 1;
                    heard.checks += compared.checks;
                    heard.wrong.extend(compared.differences.iter().map(|found| wrong(found.to_string())));
                }
                Ok((Answer::Unsupported(why), _)) => drop(heard.unsupported.insert(question, why)),
                Err(Silence::Lost(Lost::Interrupted)) => return heard,
                Err(silence) => {
                    speaker = None;
                    losses += 1;
                    heard.wrong.push(wrong(ground.key.scrub(&silence.to_string())));
                }
            }
        }
        heard.fixtures += usize::from(heard.answers > before);
    }
    heard
}

fn ask(
    lane: &Lane,
    ground: &Ground<'_>,
    fixture: &Fixture,
    question: Question,
    speaker: &mut Option<Speaker>,
) -> Result<(Answer, bool), Silence> {
    if speaker.is_none() {
        *speaker = Some(Speaker::start(&lane.launch, ground.patience, ground.interrupted)?);
    }
    let base = format!("{}/s/{}+lockstep=off", ground.origin, fixture.reply.name);
    match speaker {
        Some(speaker) => speaker.ask(question, &base, ground.key, ground.patience, ground.interrupted),
        None => Err(Lost::Interrupted.into()),
    }
}

/// Compares what was understood with what was served.
fn judge(fixture: &Fixture, question: Question, understood: &Understood, leaked: bool) -> Compared {
    let Expected { says, error, foreign } = expected::read(&fixture.reply.served(question.call()), question);
    let mut compared = Compared::default();
    if leaked {
        compared.differ("the whole line".to_owned(), None, Some(&json!("the key")));
    }
    pair("$", says.as_ref().map(canonical), understood.says.as_ref().map(canonical), &mut compared);
    let (error, mut said) = (error.as_ref().map(canonical_error), understood.error.as_ref().map(canonical_error));
    // What a client says of an answer that is not the API's is its own affair; if it quotes a refusal, then from the beginning.
    let message = said.as_mut().and_then(Value::as_object_mut).filter(|_| error.as_ref().is_some_and(lacks_message));
    if let Some(Value::String(message)) = message.and_then(|said| said.remove("message"))
        && let Some(body) = foreign.filter(|body| !body.starts_with(&message))
    {
        compared.differ("error.message".to_owned(), Some(&body.into()), Some(&message.into()));
    }
    pair("error", error, said, &mut compared);
    compared
}

fn lacks_message(error: &Value) -> bool {
    error.get("message").is_none()
}

fn pair(root: &str, served: Option<Value>, said: Option<Value>, to: &mut Compared) {
    match (served, said) {
        (Some(served), Some(said)) => compare(root, &served, &said, to),
        (None, None) => {}
        (served, said) => to.differ(root.to_owned(), served.as_ref(), said.as_ref()),
    }
}
