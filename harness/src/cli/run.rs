//! `plimsoll run`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use plimsoll_reports::record::{PlannedCell, Record, Status};
use plimsoll_reports::{Format, SourceUrl, render_linked, stacks, terminal};
use rand::RngExt;

use super::report::SourceArgs;
use super::{Failure, Outcome, colours, interrupted, note_interrupts, print, say};
use crate::benches::{self, BenchError};
use crate::config::{Probe, Project};
use crate::event::{JsonLines, Progress, human};
use crate::plan::predict::Predictor;
use crate::plan::{self, Narrow, Selection, scenario};
use crate::run::launch::Key;
use crate::run::live::{self, Access, Resolve};
use crate::run::{self, Order, RunError, Runner, Target, store};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A sample is one fresh process. Its answers are checked; a wrong one makes the sample invalid and the run exit with 3.
Samples are kept as they are taken: a run that was interrupted is continued with --resume.

Examples:
  plimsoll run --suite quick
  plimsoll run --suite full --subject ultra --probe count --samples 10
  plimsoll run -E original/chat -E protocol=h2 --dry-run
  plimsoll run --ablate                               what each technique saves
  plimsoll run --subject original --fault status=500  how a failure looks
  GEMINI_API_KEY=… plimsoll run --target live         slowly, the live service

The live service counts and charges: a run says before it starts how many requests it will make, holds to --rate, and refuses to make more \
than --max-requests. Its figures are advisory: it answers each time in other words, so of an answer only this is checked, that it came \
without an error, was counted and has a text. The first answer decides: a key that is refused ends the run after one request.")]
pub(super) struct Args {
    /// Suite of plimsoll.toml to measure [default: quick; live with --target live]
    #[arg(long, value_name = "NAME", env = "PLIMSOLL_SUITE")]
    suite: Option<String>,
    /// Measure what each technique takes or saves, alone and on top of the others: the suite `ablate`
    #[arg(long, conflicts_with = "suite")]
    ablate: bool,
    #[command(flatten)]
    pub(super) narrow: NarrowArgs,
    /// What requests go to: `mock`, `live`, or the origin of a server, e.g. http://127.0.0.1:8080
    #[arg(long, value_name = "TARGET", default_value = "mock")]
    target: String,
    /// Folder for the record and the report [default: target/plimsoll/<run id>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the run in --out, or with the latest one
    #[arg(long)]
    resume: bool,
    /// Seed of the order of samples [default: by chance; recorded]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Folder of recorded traffic for the mock to serve besides its own replies
    #[arg(long, value_name = "DIR")]
    traffic: Option<PathBuf>,
    /// Modifiers that the mock adds to every reply, e.g. status=500, cut=50%, wrong-text (see `plimsoll mock --help`)
    #[arg(long, value_name = "MODIFIERS")]
    fault: Option<String>,
    /// How long a subject may take for one command, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    /// Only show the cells and the predicted time
    #[arg(long)]
    dry_run: bool,
    /// Run the project's criterion benches after the samples, into the same record
    #[arg(long)]
    benches: bool,
    /// Do not run the subjects' build commands first
    #[arg(long)]
    no_build: bool,
    #[command(flatten)]
    source: SourceArgs,
    /// Write what happens as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    // Last, because whatever stands behind it is shown under its heading.
    #[command(flatten)]
    access: AccessArgs,
}

/// How a server is reached that is not the mock.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options for other targets than the mock")]
pub(super) struct AccessArgs {
    /// Most requests that a whole run may make of the live service
    #[arg(long, value_name = "N", default_value_t = live::MAX_REQUESTS)]
    max_requests: u64,
    /// Requests a minute that the live service is asked
    #[arg(long, value_name = "N", default_value_t = live::RATE, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Model to ask [default: gemini-2.5-flash]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Connect to ADDR for that host and port, without DNS; certificates are checked for HOST all the same
    #[arg(long, value_name = "HOST:PORT:ADDR")]
    resolve: Option<Resolve>,
    /// PEM file with the only roots to trust [default: the pinned public ones]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct NarrowArgs {
    /// Only this subject (may be given more than once)
    #[arg(long = "subject", value_name = "S")]
    subjects: Vec<String>,
    /// Only this scenario (may be given more than once)
    #[arg(long = "scenario", value_name = "C")]
    scenarios: Vec<String>,
    /// Only this probe (may be given more than once)
    #[arg(long = "probe", value_name = "P", value_enum)]
    probes: Vec<Probe>,
    /// Only cells whose name has these parts; `*` stands for anything; more than one -E narrows further
    #[arg(short = 'E', long = "filter", value_name = "FILTER")]
    filter: Vec<String>,
    /// Samples per cell, for every probe
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    samples: Option<u32>,
}

impl NarrowArgs {
    pub(super) fn narrow(&self) -> Narrow {
        Narrow {
            subjects: self.subjects.clone(),
            scenarios: self.scenarios.clone(),
            probes: self.probes.clone(),
            filter: self.filter.clone(),
            samples: self.samples,
        }
    }
}

pub(super) fn run(project: &Project, args: &Args) -> Outcome {
    if args.benches && project.config.benches.is_none() {
        return Err(Failure::usage(format!("{}: {}", project.path().display(), BenchError::None)));
    }
    let target = target(args)?;
    let is_live = target == Target::Live;
    let usual = if args.ablate {
        "ablate"
    } else if is_live {
        "live"
    } else {
        "quick"
    };
    // PLIMSOLL_SUITE is a default too; a flag is stronger.
    let named = args.suite.clone().filter(|_| !args.ablate);
    let suite = named.unwrap_or_else(|| usual.to_owned());
    let selection = plan::select(project, &suite, &args.narrow.narrow())?;
    if selection.cells.is_empty() {
        let skipped: Vec<_> = selection.skipped.iter().cloned().collect();
        let why = if skipped.is_empty() { String::new() } else { format!(" ({})", skipped.join("; ")) };
        return Err(Failure::usage(format!(
            "no cell of suite {suite:?} is left{why}; `plimsoll list cells` shows them",
        )));
    }
    let runs = project.root.join("target/plimsoll");
    let rate = args.access.rate;
    let predictor = match target {
        Target::Live => Predictor::paced(live::expected(rate)),
        _ => Predictor::of(project),
    };
    if is_live && !args.resume {
        affordable(&selection, &suite, live::requests(&selection.cells), args)?;
    }
    if args.dry_run {
        print(&dry_run(&selection, &predictor))?;
        return if is_live {
            print(&format!("{}\n", live::estimate(live::requests(&selection.cells), rate)))
        } else {
            Ok(0)
        };
    }
    let order = order(args, suite.clone(), target)?;
    let (_, trust) = order.access.trust().map_err(Failure::usage)?;
    if !args.no_build {
        build(project, &selection)?;
    }
    let record = run::blank_record(project, &selection, &order, trust);
    let dir = match (&args.out, args.resume) {
        (Some(dir), _) => dir.clone(),
        (None, true) => runs.join("latest").canonicalize().unwrap_or_else(|_| runs.join("latest")),
        (None, false) => runs.join(&record.id),
    };
    note_interrupts();
    let mut runner = if args.resume {
        Runner::resume(project, &order, &record, &dir, &interrupted)
    } else {
        Runner::create(project, &order, record, &dir, &interrupted)
    }
    .map_err(failure)?;
    if is_live {
        let requests = runner.requests_left();
        affordable(&selection, &suite, requests, args)?;
        say(&format!("{}. Ctrl-C ends it; --resume goes on.", live::estimate(requests, rate)));
    }
    if args.out.is_none() {
        store::point_latest(&dir).map_err(Failure::invalid)?;
    }
    runner.predict_with(predictor);
    runner.report_to(Box::new(Progress::new(std::io::stderr().is_terminal())));
    if let Some(path) = &args.events {
        let events = JsonLines::create(path);
        runner
            .report_to(Box::new(events.map_err(|e| Failure::usage(format!("cannot write {}: {e}", path.display())))?));
    }
    let mut record = runner.run().map_err(failure)?;
    let mut failed = None;
    if args.benches {
        match benches::run(project, &dir) {
            Ok(benches) => record.benches = benches,
            Err(error) => failed = Some(error),
        }
        store::write_record(&dir, &record).map_err(Failure::invalid)?;
    }
    // What was measured is reported all the same.
    let code = finish(&record, &dir, &order.key, &args.source)?;
    failed.map_or(Ok(code), |error| Err(Failure::invalid(error)))
}

/// Writes the report, shows the table, and says where everything is.
fn finish(record: &Record, dir: &Path, key: &Key, source: &SourceArgs) -> Outcome {
    report(record, dir, key, source.url.as_ref())?;
    print(&terminal::render(record, width(), colours()))?;
    print(&format!("\n{}", place(dir)))?;
    let code = run::exit_code(record);
    if code != 0 {
        let bad = record.samples.iter().filter(|s| !matches!(s.status, Status::Ok | Status::Unavailable)).count();
        return Err(Failure::invalid(match bad {
            0 => "nothing could be measured: every sample is unavailable on this machine".to_owned(),
            _ => format!(
                "{bad} of {} samples are not valid, and none of those counts; the reasons are above and in the report",
                record.samples.len()
            ),
        }));
    }
    Ok(code)
}

/// Writes the report beside the record and the stacks beside the profiles, and looks whether the key is in anything that was written.
pub(super) fn report(record: &Record, dir: &Path, key: &Key, source: Option<&SourceUrl>) -> Result<(), Failure> {
    for (name, bytes) in stacks::files(record) {
        store::write_whole(&dir.join(name), &bytes).map_err(Failure::invalid)?;
    }
    for format in [Format::Html, Format::Markdown] {
        let bytes = render_linked(record, format, source);
        store::write_whole(&dir.join(format.file_name()), &bytes).map_err(Failure::invalid)?;
    }
    if let Some(path) = leak(dir, key) {
        return Err(Failure::invalid(format!(
            "{} contains the API key: delete it, and report this as a bug",
            path.display()
        )));
    }
    Ok(())
}

/// Where a run's report and record lie.
pub(super) fn place(dir: &Path) -> String {
    let shown = std::env::current_dir().ok().and_then(|cwd| Some(dir.strip_prefix(cwd).ok()?.to_owned()));
    let shown = shown.as_deref().unwrap_or(dir).display();
    format!("Report: {shown}/index.html\nRecord: {shown}/record.json\n")
}

/// A file of the run's folder that contains the key, should there be one: every run checks itself.
fn leak(dir: &Path, key: &Key) -> Option<PathBuf> {
    let needle = key.expose().as_bytes();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).is_ok_and(|bytes| bytes.windows(needle.len()).any(|w| w == needle)) {
                return Some(path);
            }
        }
    }
    None
}

pub(super) fn failure(error: RunError) -> Failure {
    match error {
        RunError::Store(_)
        | RunError::Resume { .. }
        | RunError::Adopt { .. }
        | RunError::Debug
        | RunError::Roots(_)
        | RunError::NoCountLibrary(_) => Failure::usage(error),
        _ => Failure::invalid(error),
    }
}

fn target(args: &Args) -> Result<Target, Failure> {
    let target = match args.target.as_str() {
        "mock" => Target::Mock,
        "live" => Target::Live,
        url if url.starts_with("http://") || url.starts_with("https://") => Target::Url(url.to_owned()),
        other => {
            return Err(Failure::usage(format!(
                "--target {other:?} is neither `mock`, `live`, nor the origin of a server such as http://127.0.0.1:8080"
            )));
        }
    };
    let access = &args.access;
    if target == Target::Mock && (access.resolve.is_some() || access.ca.is_some() || access.model.is_some()) {
        return Err(Failure::usage(
            "--resolve, --ca and --model are for other targets: the mock has an address, a certificate and a model of its own",
        ));
    }
    if target == Target::Live
        && let Some(resolve) = access.resolve.as_ref().filter(|resolve| resolve.host != live::HOST)
    {
        return Err(Failure::usage(format!(
            "--resolve {resolve}: with --target live the host is {}, whose certificate is asked for",
            live::HOST
        )));
    }
    Ok(target)
}

/// Whether the live service may be asked for all of it: one request at a time, and no more than the cap.
fn affordable(selection: &Selection, suite: &str, requests: u64, args: &Args) -> Result<(), Failure> {
    let at_once = |planned: &&PlannedCell| scenario::find(&planned.cell.scenario).is_some_and(|s| s.in_flight > 1);
    if let Some(planned) = selection.cells.iter().find(at_once) {
        return Err(Failure::usage(format!(
            "scenario {} has many requests in flight, which no rate holds and whose answers cannot be told apart: leave it out with \
             --scenario, or take --suite live",
            planned.cell.scenario
        )));
    }
    let cap = args.access.max_requests;
    if requests > cap {
        return Err(Failure::usage(format!(
            "suite {suite} would make {requests} requests of the live service, and the cap is {cap}; nothing was sent: raise it with \
             --max-requests {requests}, or narrow the run with --suite live, --subject, --scenario, --samples"
        )));
    }
    Ok(())
}

fn order(args: &Args, suite: String, target: Target) -> Result<Order, Failure> {
    if let Some(fault) = &args.fault {
        if target != Target::Mock {
            return Err(Failure::usage("--fault asks the mock for faulty replies: it goes with --target mock only"));
        }
        format!("chat+{fault}")
            .parse::<crate::mock::script::Script>()
            .map_err(|e| Failure::usage(format!("--fault {fault:?}: {e}")))?;
    }
    if let Some(dir) = args.traffic.as_ref().filter(|dir| !dir.join("MANIFEST.tsv").is_file()) {
        return Err(Failure::usage(format!("--traffic {}: there is no MANIFEST.tsv in it", dir.display())));
    }
    Ok(Order {
        suite,
        seed: args.seed.unwrap_or_else(rand::random),
        key: key(&target)?,
        target,
        fault: args.fault.clone(),
        traffic: args.traffic.clone(),
        access: Access {
            resolve: args.access.resolve.clone(),
            ca: args.access.ca.clone(),
            model: args.access.model.clone(),
            rate: Some(args.access.rate),
        },
        timeout: Duration::from_secs(args.timeout.max(1)),
    })
}

/// As long as a real key, because its length is part of what a client allocates.
const KEY_LENGTH: usize = 39;

/// Characters that HTTP/2 packs in six bits each (RFC 7541, appendix B): a key made of them has the same length in every run there too.
const KEY_ALPHABET: &[u8] = b"bdfghlmnpru3456789";

/// The key for a target. The mock gets a canary made for this run, never the user's own: whether each request carried it, and whether it
/// shows up anywhere that it should not, is checked by every run. `PLIMSOLL_MOCK_KEY` chooses the canary.
pub(super) fn key(target: &Target) -> Result<Key, Failure> {
    let named = if *target == Target::Mock { "PLIMSOLL_MOCK_KEY" } else { "GEMINI_API_KEY" };
    match std::env::var(named) {
        Ok(key) if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) => Err(Failure::usage(format!(
            "{named} is empty or not made of printable ASCII, and nothing was sent; set it to a key{}",
            if *target == Target::Live { format!(" from {}", live::KEYS) } else { ", or unset it".to_owned() }
        ))),
        Ok(key) => Ok(Key::new(key)),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::usage(format!("{named} is not text; set it to a key"))),
        Err(std::env::VarError::NotPresent) if *target == Target::Live => Err(Failure::usage(format!(
            "{named} is not set, and --target live asks the live service; nothing was sent: take a key from {} and export it as {named}",
            live::KEYS
        ))),
        Err(std::env::VarError::NotPresent) => {
            let prefix = "canary-";
            let mut source = rand::rng();
            let random: String = (prefix.len()..KEY_LENGTH)
                .map(|_| char::from(KEY_ALPHABET[source.random_range(0..KEY_ALPHABET.len())]))
                .collect();
            Ok(Key::new(format!("{prefix}{random}")))
        }
    }
}

fn dry_run(selection: &Selection, predictor: &Predictor) -> String {
    let mut text = String::new();
    for planned in &selection.cells {
        let time = predictor.sample(&planned.cell) * planned.samples;
        text.push_str(&format!("{:>3} × {:<72} {:>8}\n", planned.samples, plan::cell_name(&planned.cell), human(time)));
    }
    for skipped in &selection.skipped {
        text.push_str(&format!("  – {skipped}\n"));
    }
    let samples: u32 = selection.cells.iter().map(|c| c.samples).sum();
    let total = human(predictor.total(&selection.cells));
    text.push_str(&format!("{} cells, {samples} samples, about {total}\n", selection.cells.len()));
    text
}

/// Runs the build commands of the subjects that will be measured, each once. One that cannot be run is wrong configuration; one that fails
/// leaves nothing to measure.
pub(super) fn build(project: &Project, selection: &Selection) -> Result<(), Failure> {
    let mut done: Vec<&[String]> = Vec::new();
    for subject in &project.config.subject {
        let Some(words) = subject.build.as_deref().filter(|w| !w.is_empty() && !done.contains(w)) else { continue };
        if !selection.cells.iter().any(|c| c.cell.subject == subject.id) {
            continue;
        }
        done.push(words);
        let status = Command::new(&words[0]).args(&words[1..]).current_dir(&project.root).status();
        let said = words.join(" ");
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => {
                return Err(Failure::invalid(format!("subject {:?}: `{said}` ended with {status}", subject.id)));
            }
            Err(e) => return Err(Failure::usage(format!("subject {:?}: cannot run `{said}`: {e}", subject.id))),
        }
    }
    Ok(())
}

/// Columns of the terminal, if standard output is one.
pub(super) fn width() -> Option<u16> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0)
}
