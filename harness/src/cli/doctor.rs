//! `plimsoll doctor`

use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use comfy_table::{Table, presets};
use plimsoll_reports::Record;
use plimsoll_reports::noise::{self, Noise};
use plimsoll_reports::record::Status;

use super::{Failure, Outcome, interrupted, note_interrupts, print};
use crate::config::Project;
use crate::doctor::{Finding, Weight, checks, trial};
use crate::event::Progress;
use crate::plan::{predict::Predictor, scenario};
use crate::run::launch::Key;
use crate::run::{self, Order, Runner, Target, environment, scratch::Scratch};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
First what the machine is and permits, then a trial: one program measured again and again with nothing changed (A/A). What differs there is \
noise, and from it follows how small a change could be seen here by 20 pairs, confirmed by 20 more.

Examples:
  plimsoll doctor
  plimsoll doctor --no-trial                        the machine only
  plimsoll doctor --scenario stream --samples 20 --markdown")]
pub(super) struct Args {
    /// Program to measure against itself [default: the first level of plimsoll.toml]
    #[arg(long, value_name = "S")]
    subject: Option<String>,
    /// Scenario of the trial (may be given more than once)
    #[arg(long = "scenario", value_name = "C", default_value = "chat")]
    scenarios: Vec<String>,
    /// How long the trial may take, seconds, about
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    seconds: u64,
    /// Processes per cell, however long it takes
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(2..))]
    samples: Option<u32>,
    /// Only look at the machine
    #[arg(long)]
    no_trial: bool,
    /// Do not run the subject's build command first
    #[arg(long)]
    no_build: bool,
    /// Print the trial's table as Markdown and nothing else
    #[arg(long, conflicts_with = "no_trial")]
    markdown: bool,
}

pub(super) fn run(project: &Project, args: Args) -> Outcome {
    let (_, trust) = run::trust_bundle();
    let mut findings = checks::machine(&environment::gather(&project.root, trust, "mock"));
    findings.extend(checks::subjects(project));
    if !args.markdown {
        print(&told(&findings))?;
    }
    if let Some(bad) = findings.iter().find(|finding| finding.weight == Weight::Bad) {
        return Err(Failure::invalid(format!("nothing can be measured here: {}: {}", bad.what, bad.mend)));
    }
    if args.no_trial {
        return Ok(0);
    }
    let record = measure(project, &args)?;
    let noise = noise::noise(&record, &trial::RULE);
    if args.markdown {
        return print(&noise::markdown(&noise));
    }
    print(&format!("\n{}", told(&after(&record))))?;
    print(&table(&record, &noise))?;
    match record.samples.iter().find(|s| !matches!(s.status, Status::Ok | Status::Unavailable)) {
        Some(sample) => Err(Failure::invalid(format!(
            "a sample of the trial failed: {}",
            sample.error.as_deref().unwrap_or("no reason was given")
        ))),
        None => Ok(0),
    }
}

fn measure(project: &Project, args: &Args) -> Result<Record, Failure> {
    let Some(subject) = trial::subject(project, args.subject.as_deref()) else {
        let path = project.path();
        let path = path.display();
        return Err(Failure::usage(match &args.subject {
            Some(id) => format!("{path} has no subject {id:?}; `plimsoll list subjects` shows what there is"),
            None => format!("{path} names no subject to try; use --no-trial to look at the machine only"),
        }));
    };
    if let Some(unknown) = args.scenarios.iter().find(|id| scenario::find(id).is_none()) {
        return Err(Failure::usage(format!("no scenario is called {unknown:?}; `plimsoll list scenarios` shows them")));
    }
    let project = trial::project(project, subject, args.scenarios.clone());
    let predictor = Predictor::of(&project);
    let selection = trial::select(&project, &predictor, Duration::from_secs(args.seconds), args.samples)?;
    if !args.no_build {
        super::run::build(&project, &selection)?;
    }
    let order = Order {
        suite: trial::SUITE.to_owned(),
        seed: 0,
        target: Target::Mock,
        key: Key::new("doctor-key-of-the-length-of-a-real-one-".to_owned()),
        fault: None,
        traffic: None,
        access: crate::run::live::Access::default(),
        timeout: Duration::from_secs(60),
    };
    let scratch = Scratch::create().map_err(|e| Failure::invalid(format!("cannot make a temporary folder: {e}")))?;
    let (_, trust) = run::trust_bundle();
    let record = run::blank_record(&project, &selection, &order, trust);
    note_interrupts();
    let mut runner = Runner::create(&project, &order, record, &scratch.path().join("run"), &interrupted)
        .map_err(Failure::invalid)?;
    runner.predict_with(predictor);
    runner.report_to(Box::new(Progress::new(std::io::stderr().is_terminal())));
    runner.run().map_err(Failure::invalid)
}

/// What only a trial shows of the machine.
fn after(record: &Record) -> Vec<Finding> {
    let unpaced: u64 = record.samples.iter().filter_map(|sample| sample.answers.unpaced).sum();
    let options = &record.environment.jemalloc;
    vec![
        Finding {
            what: "lock-step",
            weight: if unpaced == 0 { Weight::Fine } else { Weight::Note },
            found: if unpaced == 0 { "kept at every step".into() } else { format!("lost at {unpaced} steps") },
            mend: if unpaced == 0 {
                String::new()
            } else {
                "where the mock sent before the client was at rest, counts may differ from run to run: two threads at work, or a busy machine"
                    .into()
            },
        },
        Finding {
            what: "jemalloc",
            weight: Weight::Fine,
            found: if options.is_empty() {
                "not tried: the subject has no program for it".into()
            } else {
                options
                    .iter()
                    .map(|(name, value)| format!("{}={value}", name.trim_start_matches("opt.")))
                    .collect::<Vec<_>>()
                    .join(" ")
            },
            mend: String::new(),
        },
    ]
}

/// The findings, a line each; what to do stands below.
fn told(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.weight {
            Weight::Fine => "\u{1b}[32mok\u{1b}[0m  ",
            Weight::Note => "\u{1b}[33mnote\u{1b}[0m",
            Weight::Bad => "\u{1b}[31mbad\u{1b}[0m ",
        };
        let _ = writeln!(text, "{mark}  {:<14} {}", finding.what, finding.found);
        if !finding.mend.is_empty() {
            let _ = writeln!(text, "      {:<14} {}", "", finding.mend);
        }
    }
    text
}

fn table(record: &Record, noise: &[Noise]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "scenario",
        "factors",
        "figure",
        "samples",
        "middle",
        "range",
        "smallest change seen",
    ]);
    for row in noise {
        table.add_row([
            row.cell.scenario.clone(),
            noise::factors(&row.cell),
            row.figure.to_string(),
            row.measured.stats.samples.to_string(),
            row.measured.median().to_string(),
            if row.measured.is_exact() { "exact".to_owned() } else { noise::range(row) },
            noise::smallest(row),
        ]);
    }
    let subject = record.plan.subjects.first().map_or("", |subject| subject.id.as_str());
    format!(
        "\n{subject} against itself, {} processes\n{}\n\n\
         range: from the smallest to the largest sample, of the middle. smallest change seen: an increase of that size is found by {} pairs \
         and confirmed by as many more in {:.0} of 100 runs.\n",
        record.samples.len(),
        table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n"),
        trial::RULE.pairs,
        noise::POWER * 100.0,
    )
}
