//! What every client understands of every fixture: setting it up, and telling how it went.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use plimsoll_reports::record::Cell;

use super::super::{Failure, Outcome, interrupted, print};
use crate::config::{Allocator, Probe, Project, Protocol, Streams, Subject};
use crate::corpus::traffic::Folder;
use crate::mock::certs;
use crate::process::Launch;
use crate::run::launch::{self, Key, Missing, Shared};
use crate::run::mock::{self, Mock};
use crate::run::proxy::{self, Proxy};
use crate::run::scratch::Scratch;
use crate::verify::fixture;
use crate::verify::suite::{self, Ground, Heard, Lane};

/// Places that are told of one fixture and question; the rest is counted.
const PLACES: usize = 5;

pub(super) fn run(project: &Project, args: &super::Args) -> Outcome {
    let begun = Instant::now();
    let only = args.narrow.narrow().subjects;
    let subjects: Vec<&Subject> =
        project.config.subject.iter().filter(|s| only.is_empty() || only.contains(&s.id)).collect();
    if subjects.iter().all(|subject| subject.verify.is_none()) {
        print("no subject can say what it understood (`verify` in plimsoll.toml; see PROTOCOL.md): no conformance\n")?;
        return Ok(0);
    }
    let traffic = args.traffic.as_deref().map(Folder::load).transpose().map_err(Failure::usage)?;
    let (fixtures, unknown) = fixture::all(traffic.as_ref());
    let scratch = Scratch::create().map_err(|e| Failure::invalid(format!("cannot make a temporary folder: {e}")))?;
    let ca = scratch.path().join("ca.pem");
    // The mock's root alone: what reading the public ones costs is measured elsewhere.
    std::fs::write(&ca, certs::CA_PEM).map_err(|e| Failure::invalid(format!("cannot write {}: {e}", ca.display())))?;
    let mock = Mock::start(&scratch.path().join("control"), args.traffic.as_deref(), Streams::Limited)
        .map_err(Failure::invalid)?;
    let key = Key::new("verify-key-of-the-length-of-a-real-one-".to_owned());
    let shared = Shared {
        origin: mock.origin().to_owned(),
        ca,
        resolve: None,
        key: key.clone(),
        model: "gemini-2.5-flash".to_owned(),
        count_file: PathBuf::new(),
        count_library: PathBuf::new(),
        proxy_count_file: PathBuf::new(),
        target: project.target_dir(),
        proxy_socket: scratch.path().join("proxy"),
    };
    let proxies = proxies(project, &subjects, &shared)?;
    let lanes = lanes(project, &subjects, &shared, &proxies)?;
    let ground = Ground {
        origin: shared.origin.clone(),
        fixtures: &fixtures,
        key: &key,
        patience: Duration::from_secs(args.timeout),
        interrupted: &interrupted,
    };
    let heard = suite::run(&lanes, &ground, &|heard| {
        let _ = print(&told(heard));
    });
    if interrupted() {
        return Err(Failure::invalid("interrupted"));
    }
    let mut wrong: usize = heard.iter().map(|heard| heard.wrong.len()).sum();
    for file in &unknown {
        print(&format!("NOT {file}: nobody knows what it answers; its kind is none of those in PROTOCOL.md\n"))?;
        wrong += 1;
    }
    let stats = mock.stats().map_err(Failure::invalid)?;
    if mock::keyed(&stats, &key) != stats.requests || stats.keys_in_url > 0 {
        print("NOT every request carried the key in its header and nowhere else\n")?;
        wrong += 1;
    }
    print(&summary(&heard, fixtures.len(), wrong, begun.elapsed()))?;
    Ok(if wrong == 0 { 0 } else { 3 })
}

/// The proxies of the subjects that need one, by subject.
fn proxies(project: &Project, subjects: &[&Subject], shared: &Shared) -> Result<BTreeMap<String, Proxy>, Failure> {
    let mut proxies = BTreeMap::new();
    for subject in subjects.iter().filter(|subject| subject.verify.is_some()) {
        let Some(command) = &subject.proxy else { continue };
        // Each on a socket of its own: they run at the same time.
        let shared = Shared { proxy_socket: shared.proxy_socket.with_extension(&subject.id), ..shared.clone() };
        let (program, arguments) = located(project, subject, "proxy", command)?;
        let env = launch::proxy_environment(&cell(subject, Protocol::H1), Probe::Rss, &shared);
        let proxy = Proxy::start(&Launch { program, arguments, env }, None, None).map_err(Failure::invalid)?;
        proxies.insert(subject.id.clone(), proxy);
    }
    Ok(proxies)
}

/// A lane for each HTTP version of each subject that can say what it understood.
fn lanes(
    project: &Project,
    subjects: &[&Subject],
    shared: &Shared,
    proxies: &BTreeMap<String, Proxy>,
) -> Result<Vec<Lane>, Failure> {
    let mut lanes = Vec::new();
    for subject in subjects {
        let Some(command) = &subject.verify else { continue };
        let (program, arguments) = located(project, subject, "verify", command)?;
        for protocol in subject.protocols.iter().filter(|protocol| **protocol != Protocol::Auto) {
            let cell = cell(subject, *protocol);
            let mut env = launch::environment(subject, &cell, Probe::Rss, "", shared, None);
            let proxy = proxies.get(&subject.id);
            env.extend(proxy.map(|proxy| (proxy::VARIABLE.to_owned(), proxy.address().to_owned())));
            let launch = Launch { program: program.clone(), arguments: arguments.clone(), env };
            lanes.push(Lane { level: subject.id.clone(), protocol: *protocol, launch });
        }
    }
    Ok(lanes)
}

/// The program that a key of a subject names.
fn located(
    project: &Project,
    subject: &Subject,
    key: &str,
    command: &[String],
) -> Result<(PathBuf, Vec<String>), Failure> {
    let of = format!("subject {:?}.{key}", subject.id);
    launch::locate(project, subject, command, Allocator::System).map_err(|missing| match missing {
        Missing::NotInstalled(name) => Failure::usage(format!("{of}: there is no {name} here")),
        Missing::Absent(how) => Failure::usage(format!("{of}: it is not there; to get it: {how}")),
        Missing::NotBuilt(path) => Failure::usage(format!("{of}: {} is not there; build it", path.display())),
    })
}

fn cell(subject: &Subject, protocol: Protocol) -> Cell {
    let factors = [("protocol".to_owned(), protocol.as_str().to_owned())].into();
    Cell { subject: subject.id.clone(), scenario: String::new(), probe: Probe::Rss.as_str().to_owned(), factors }
}

/// A lane's lines: what is not as it was served, and how much is.
fn told(heard: &Heard) -> String {
    let Heard { level, protocol, .. } = heard;
    let mut text = String::new();
    for places in heard.wrong.chunk_by(|a, b| a.fixture == b.fixture && a.question == b.question) {
        for wrong in places.iter().take(PLACES) {
            let _ =
                writeln!(text, "NOT {level} {protocol}: {}: {}: {}", wrong.fixture, wrong.question.word(), wrong.what);
        }
        if let more @ 1.. = places.len().saturating_sub(PLACES) {
            let first = &places[0];
            let _ = writeln!(
                text,
                "NOT {level} {protocol}: {}: {}: {more} more places",
                first.fixture,
                first.question.word()
            );
        }
    }
    let mark = if heard.wrong.is_empty() { "ok " } else { "NOT" };
    let _ = write!(
        text,
        "{mark} {level} {protocol}: {} fixtures, {} answers, {} checks",
        heard.fixtures, heard.answers, heard.checks
    );
    if !heard.unsupported.is_empty() {
        let words: Vec<&str> = heard.unsupported.keys().map(|question| question.word()).collect();
        let _ = write!(text, "; it has no {}", words.join(", "));
    }
    text.push('\n');
    text
}

fn summary(heard: &[Heard], fixtures: usize, wrong: usize, took: Duration) -> String {
    let levels: BTreeSet<&str> = heard.iter().map(|heard| heard.level.as_str()).collect();
    let sum = |of: fn(&Heard) -> usize| heard.iter().map(of).sum::<usize>();
    let (checks, answers) = (sum(|heard| heard.checks), sum(|heard| heard.answers));
    format!(
        "{} levels × {fixtures} fixtures: {} checks agree, {wrong} do not ({answers} answers in {:.1} s)\n",
        levels.len(),
        checks.saturating_sub(wrong),
        took.as_secs_f64()
    )
}
