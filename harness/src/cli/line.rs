//! `plimsoll line`

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use comfy_table::{Table, presets};
use plimsoll_reports::line::{self, Lined};

use super::{Failure, Outcome, interrupted, note_interrupts, print, say};
use crate::config::{Allocator, Crypto, Kind, Project, Protocol, Runtime, Subject};
use crate::event::Progress;
use crate::plan::line::{self as plan, Bounds, SUITE, Under};
use crate::plan::{self as cells, Narrow, predict::Predictor};
use crate::process::exec;
use crate::process::group::Group;
use crate::run::live::Access;
use crate::run::{self, Order, Runner, Target, launch, store};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
What must fit is what a container's limit counts, at its highest from the first request to the last answer: anonymous memory, kernel memory \
(page tables, stacks, sockets), and every file page that the subject has in memory, as if it were the first to read it. The requests are \
streams, all open at once and held after their first event.

First 1, 10, 100 and 1,000 are held, and a straight line is laid through what they needed (fixed + inflight·C). The highest number that leaves \
a margin free, the model's own own largest error and at least 2 %, more beyond what was measured, is then run, and so is a tenth more: under a limit in a control group of its \
own where one can be made (cgroup v1 or v2), and beside it without one.

Exit status: 0 every line holds · 1 one does not, or a subject never fits · 2 usage · 3 nothing could be measured.

Examples:
  plimsoll line --memory 32MiB
  plimsoll line --memory 64MiB --subject bare --subject mux --format json
  plimsoll line --memory 32MiB --record target/plimsoll/latest")]
pub(super) struct Args {
    /// The memory that is to hold them, e.g. 32MiB
    #[arg(long, value_name = "SIZE", value_parser = plan::size)]
    memory: u64,
    /// Only this subject (may be given more than once) [default: every level]
    #[arg(long = "subject", value_name = "S")]
    subjects: Vec<String>,
    /// The runtime, for subjects that can choose
    #[arg(long, value_enum, default_value = "multi_thread")]
    runtime: Runtime,
    /// The protocol [default: each subject's first]
    #[arg(long, value_enum)]
    protocol: Option<Protocol>,
    /// The crypto provider, for subjects that can choose
    #[arg(long, value_enum, default_value = "aws-lc")]
    crypto: Crypto,
    /// Predict from this record, or run's folder, which has the scenario inflight-event, instead of measuring for it
    #[arg(long, value_name = "RECORD")]
    record: Option<PathBuf>,
    /// Processes for each number of requests
    #[arg(long, value_name = "K", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    /// How to print the lines
    #[arg(long, value_enum, default_value = "table")]
    format: Shape,
    /// Folder for the record and the report [default: target/plimsoll/<run id>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Seed of the order of samples [default: by chance; recorded]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How long a subject may take for one command, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    /// Do not run the subjects' build commands first
    #[arg(long)]
    no_build: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// For people.
    Table,
    /// Schema plimsoll.line/1.
    Json,
}

pub(super) fn run(project: &Project, args: &Args) -> Outcome {
    let subjects = subjects(project, &args.subjects)?;
    let under = Under { runtime: args.runtime, protocol: args.protocol, crypto: args.crypto, samples: args.samples };
    let project = plan::project(project, &subjects, under);
    let selection = cells::select(&project, SUITE, &Narrow::default())?;
    if selection.cells.is_empty() {
        let why: Vec<_> = selection.skipped.iter().cloned().collect();
        return Err(Failure::usage(format!("no subject is left to be measured ({})", why.join("; "))));
    }
    selection.skipped.iter().for_each(|skipped| say(&format!("left out: {skipped}")));
    if !args.no_build {
        super::run::build(&project, &selection)?;
    }
    let target = Target::Mock;
    let order = Order {
        suite: SUITE.to_owned(),
        seed: args.seed.unwrap_or_else(rand::random),
        key: super::run::key(&target)?,
        target,
        fault: None,
        traffic: None,
        access: Access::default(),
        timeout: Duration::from_secs(args.timeout.max(1)),
    };
    let (_, trust) = run::trust_bundle();
    let record = run::blank_record(&project, &selection, &order, trust);
    let runs = project.root.join("target/plimsoll");
    let dir = args.out.clone().unwrap_or_else(|| runs.join(&record.id));
    note_interrupts();
    let predictor = Predictor::of(&project);
    let mut runner = Runner::create(&project, &order, record, &dir, &interrupted).map_err(super::run::failure)?;
    if let Some(path) = &args.record {
        let earlier = store::read(path).map_err(Failure::usage)?;
        for cell in runner.adopt(earlier, path).map_err(super::run::failure)? {
            say(&format!("left out: {} has no sample of {}", path.display(), cells::cell_name(&cell)));
        }
    }
    if args.out.is_none() {
        store::point_latest(&dir).map_err(Failure::invalid)?;
    }
    runner.predict_with(predictor);
    runner.report_to(Box::new(Progress::new(std::io::stderr().is_terminal())));
    warm(&project, &subjects);
    let (limited, bounds) = (Group::create(None).map(drop), bounds());
    let mut proved = false;
    let record = runner.run_on(&mut |record| {
        let first = !std::mem::replace(&mut proved, true);
        if first { plan::proofs(record, args.memory, bounds, limited.is_ok(), args.samples) } else { Vec::new() }
    });
    let record = record.map_err(super::run::failure)?;
    super::run::report(&record, &dir, &order.key, None)?;
    let memory = args.memory as f64;
    let lines = line::lines(&record, memory);
    match args.format {
        Shape::Json => print(&line::json(&record, memory))?,
        Shape::Table => print(&format!("{}\n{}", told(&lines, &limited, bounds, args), super::run::place(&dir)))?,
    };
    verdict(&lines)
}

fn verdict(lines: &[Lined]) -> Outcome {
    if lines.iter().all(|line| matches!(line.prediction, Err(line::NoLine::NotMeasured(_)))) {
        return Err(Failure::invalid("nothing could be measured; the reasons are in the table"));
    }
    Ok(u8::from(!lines.iter().all(Lined::holds)))
}

/// The subjects that are named, or every level.
fn subjects<'p>(project: &'p Project, named: &[String]) -> Result<Vec<&'p Subject>, Failure> {
    let all = &project.config.subject;
    let levels: Vec<&Subject> = all.iter().filter(|subject| subject.kind == Kind::Level).collect();
    if named.is_empty() {
        return if levels.is_empty() { Ok(all.iter().collect()) } else { Ok(levels) };
    }
    let find = |id: &String| {
        all.iter().find(|subject| subject.id == *id).ok_or_else(|| {
            let known: Vec<String> = all.iter().map(|subject| subject.id.clone()).collect();
            let hint = crate::config::suggest(id, &known);
            Failure::usage(format!("{} has no subject {id:?}{hint}", project.path().display()))
        })
    };
    named.iter().map(find).collect()
}

/// Reads each program once, so that its pages are in memory and charged to nobody who is measured.
fn warm(project: &Project, subjects: &[&Subject]) {
    for subject in subjects {
        for command in std::iter::once(&subject.command).chain(&subject.proxy) {
            let Ok((program, _)) = launch::locate(project, subject, command, Allocator::System) else { continue };
            let _ = std::fs::File::open(program).and_then(|mut file| std::io::copy(&mut file, &mut std::io::sink()));
        }
    }
}

/// Files that each side needs besides its connections.
const SPARE_FILES: u64 = 64;

fn bounds() -> Bounds {
    let files = |most: u64| most.saturating_sub(SPARE_FILES);
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let ends: Vec<u64> = range.split_whitespace().filter_map(|end| end.parse().ok()).collect();
    let ports = if let [low, high] = ends[..] { high.saturating_sub(low) } else { u64::from(u16::MAX) };
    Bounds { subject: files(exec::open_files()), mock: files(exec::hard_open_files()), ports }
}

fn told(lines: &[Lined], limited: &Result<(), String>, bounds: Bounds, args: &Args) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(line::HEAD);
    let (head, names) = line::headed(lines, args.memory as f64);
    for (line, name) in lines.iter().zip(names) {
        table.add_row(std::iter::once(name).chain(line::row(line)));
    }
    let how = match limited {
        Ok(()) => line::how(lines).to_owned(),
        Err(why) => format!("{} The reason: {why}.", line::how(lines)),
    };
    let rows = table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    format!(
        "{head}\n{rows}\n\n{}\n{how}\nBesides memory: a subject may have {} connections and the mock {} (open files), and {} can be made from \
         one address to another (ports); over HTTP/2 each has up to 100 streams.\n",
        line::ABOUT,
        bounds.subject,
        bounds.mock,
        bounds.ports,
    )
}
